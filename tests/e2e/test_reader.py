"""The learner's reader in a real browser, reading published files as a site and its CDN serve them."""

from __future__ import annotations

import json
import re
import sys
from collections import ChainMap
from typing import Any

import pytest
from contract import kit
from playwright.sync_api import Browser, BrowserContext

from memora.services.cdn_export.admin.reader_links import address
from memora.services.cdn_export.model import paths
from tests.e2e import pictures, stamps
from tests.e2e.conftest import Reader
from tests.e2e.server import READER, Server
from tests.example import curriculum, demo
from tests.npm import DEV, KIT, REPO, node_modules

LESSON = "#/grade-7/mathematics/equations/equations-1"
EXERCISE = "#/grade-7/mathematics/equations/equations-2"
LAB = "#/grade-7/physics/bench/lab-1"
MIRRORS = "#/grade-7/physics/light/light-2"
FREE = "#/grade-7/physics/light/light-1"
SUN = "#/grade-7/arabic/letters/sun-letters"
EVERY_VIEW = [
	"",
	"#/grade-7",
	"#/grade-7/physics",
	"#/grade-7/mathematics/angles",
	LESSON,
	EXERCISE,
	SUN,
	LAB,
	"#/gone",
]


def tell(what: str) -> None:
	"""A measurement, shown by pytest -s."""
	sys.stdout.write(f"\n{what}\n")


# browsing


def test_from_the_list_of_plans_to_a_lesson(reader: Reader) -> None:
	page = reader.open()
	assert reader.heading() == "Choose a plan"
	assert reader.texts(".plan-card h2") == ["Grade 7, science", "الصف السابع، الدراسة المسائية"]
	reader.follow(".plan-card >> nth=0")
	assert reader.texts(".subject-card h2") == ["Mathematics", "اللغة العربية", "Physics"]
	reader.follow(".subject-card >> nth=0")
	assert reader.texts(".track h2") == ["Algebra", "Geometry"]
	assert "2 units" in page.inner_text(".hero")
	reader.follow("main .row >> nth=0")
	assert reader.texts(".row strong") == ["A pair of scales", "Two steps"]
	reader.follow("main .row >> nth=0")
	assert reader.heading() == "A pair of scales"
	assert page.title() == "A pair of scales – memora"
	assert reader.texts(".trail a") == ["Grade 7, science", "Mathematics", "Equations"]
	assert page.evaluate("document.activeElement.tagName") == "H1"
	assert page.inner_text('.outline [aria-current="page"]') == "A pair of scales"
	page.go_back()
	reader.until("document.title.startsWith('Equations')")


def test_a_first_view_reads_three_files_and_little_else(browser: Browser, server: Server) -> None:
	"""The numbers that docs/reader.md states. Without `reader`, whose routes switch the browser's cache off."""
	context = browser.new_context()
	page = context.new_page()
	server.answers.clear()
	page.goto(f"{server.address}{READER}?base=/files/example/#/grade-7/mathematics")
	page.wait_for_selector("main .row")
	page.wait_for_load_state("networkidle")
	answers = list(server.answers)
	context.close()
	assert [answer.path for answer in answers if answer.path.endswith(".json")] == [
		"/files/example/plans/index.json",
		"/files/example/plans/grade-7/manifest.json",
		"/files/example/plans/grade-7/subjects/mathematics.json",
	]
	own = [answer for answer in answers if answer.path.startswith("/assets/")]
	sent = sum(answer.size for answer in own)
	tell(f"a first view: {len(own)} requests and {sent:,} bytes of the reader's own, 3 of content")
	assert not [answer for answer in own if "purify" in answer.path or "search" in answer.path]
	assert len(own) <= 12
	assert sent <= 25_000


def test_every_type_of_stage_is_shown(reader: Reader) -> None:
	page = reader.open(LESSON)
	assert reader.texts(".stage h2") == ["Watch", "Read", "Your turn"]
	assert page.inner_text(".prose strong") == "x is 5"
	assert reader.texts("main .choice") == ["4", "5", "13"]
	reader.open(EXERCISE)
	assert reader.texts(".stage h2") == ["Read", "Try it"]
	assert reader.texts("[data-type=Text] p") == [
		"Two steps now.",
		"First take away, then divide: 3x + 1 = 10.",
	]
	assert page.inner_text("figure figcaption bdi") == "solve.js"
	assert "function solve(a, b, c)" in page.inner_text("figure pre")
	assert reader.texts(".checks li") == ["solve(3, 1, 10) is 3"]


def test_a_video_of_a_service_is_asked_for_only_when_wanted(reader: Reader) -> None:
	page = reader.open("#/grade-7/arabic/letters/moon-letters")
	assert reader.outside == []
	page.click(".poster")
	page.wait_for_selector("iframe")
	assert (
		page.get_attribute("iframe", "src") == "https://www.youtube-nocookie.com/embed/aqz-KE-bpKQ?autoplay=1"
	)


def test_a_film_that_vimeo_does_not_list_is_asked_for_with_its_key(reader: Reader) -> None:
	links = {
		"https://vimeo.com/76979871/8272103f6e": "76979871?dnt=1&autoplay=1&h=8272103f6e",
		"https://player.vimeo.com/video/76979871?h=8272103f6e": "76979871?dnt=1&autoplay=1&h=8272103f6e",
		"https://vimeo.com/showcase/7008490/video/407943692": "407943692?dnt=1&autoplay=1",
		"https://vimeo.com/channels/staffpicks/407943692": "407943692?dnt=1&autoplay=1",
	}
	lesson = json.loads(curriculum.published()["lessons/angles-1.json"])
	lesson["stages"] = [
		{"idx": idx, "title": "Watch", "type": "Video", "config": {"video_url": link}}
		for idx, link in enumerate(links, 1)
	]
	reader.page.route("**/lessons/angles-1.json*", lambda route: route.fulfill(json=lesson))
	page = reader.open("#/grade-7/mathematics/angles/angles-1")
	asked = []
	for stage in range(1, len(links) + 1):
		page.click(f"#stage-{stage} .poster")
		asked.append(page.get_attribute(f"#stage-{stage} iframe", "src"))
	assert asked == [f"https://player.vimeo.com/video/{film}" for film in links.values()]


def test_code_is_copied_where_the_site_has_no_https_too(reader: Reader) -> None:
	"""Without https a browser gives no navigator.clipboard."""
	reader.page.add_init_script(
		"Object.defineProperty(navigator, 'clipboard', { value: undefined });"
		"addEventListener('copy', () => { window.copied = String(getSelection()) });"
	)
	page = reader.open(EXERCISE)
	page.click("figure button")
	reader.until("document.querySelector('figure button').textContent === 'Copied'")
	assert page.evaluate("window.copied") == "function solve(a, b, c) {\n  return 0;\n}"


def test_a_question_says_right_and_wrong(reader: Reader) -> None:
	page = reader.open(LESSON)
	page.click("main .choice >> nth=0")
	page.click("form button")
	assert page.inner_text(".verdict") == "Not yet. Try again."
	page.click("main .choice >> nth=1")
	page.click("form button")
	assert page.inner_text(".verdict") == "That is right."


def test_a_choice_that_differs_in_its_marks_alone_is_another_choice(reader: Reader) -> None:
	lesson = json.loads(curriculum.published()["lessons/angles-1.json"])
	lesson["stages"] = [
		{"idx": idx, "title": "?", "type": "Question", "config": {"choices": choices, "answer": answer}}
		for idx, (choices, answer) in enumerate(
			[(["كُتِبَ", "كَتَبَ"], "كَتَبَ"), (["10²", "102"], "102"), (["Yes", "No"], "no")], 1
		)
	]
	reader.page.route("**/lessons/angles-1.json*", lambda route: route.fulfill(json=lesson))
	page = reader.open("#/grade-7/mathematics/angles/angles-1")
	said = []
	for stage in ("#stage-1", "#stage-2", "#stage-3"):
		for choice in (0, 1):
			page.click(f"{stage} .choice >> nth={choice}")
			page.click(f"{stage} button")
			said.append(page.inner_text(f"{stage} .verdict"))
	assert said == ["Not yet. Try again.", "That is right."] * 3


def test_next_and_previous_run_through_the_whole_subject(reader: Reader) -> None:
	page = reader.open(LESSON)
	assert page.locator(".neighbour.previous").count() == 0
	titles = [reader.heading()]
	while page.locator(".neighbour.next").count():
		reader.follow(".neighbour.next")
		titles.append(reader.heading())
	assert titles == ["A pair of scales", "Two steps", "Right angles"]
	assert page.evaluate("location.hash") == "#/grade-7/mathematics/angles/angles-1"
	assert "last lesson" in page.inner_text(".neighbours")
	reader.follow(".neighbour.previous")
	assert reader.heading() == "Two steps"


@pytest.mark.parametrize(
	("language", "forth", "back"), [("en", "ArrowRight", "ArrowLeft"), ("ar", "ArrowLeft", "ArrowRight")]
)
def test_arrow_keys_go_the_way_that_the_page_reads(
	reader: Reader, language: str, forth: str, back: str
) -> None:
	page = reader.open(LESSON, lang=language)
	page.keyboard.press(forth)
	reader.until("document.querySelector('h1')?.textContent === 'Two steps'")
	page.keyboard.press(back)
	reader.until("document.querySelector('h1')?.textContent === 'A pair of scales'")


def test_a_plan_with_overrides_reads_its_own_files(reader: Reader) -> None:
	page = reader.open()
	reader.follow(".plan-card >> nth=1")
	assert reader.texts(".subject-card h2") == ["اللغة العربية", "الفيزياء"]
	reader.follow(".subject-card >> nth=1")
	assert reader.texts(".track h2") == ["Optics"]
	reader.server.asked()
	reader.follow("main .row >> nth=0")
	reader.follow("main .row >> nth=0")
	own = f"/files/example/{paths.plan_folder(curriculum.EVENING.name)}"
	asked = [path for path in reader.server.asked() if path.startswith("/files/")]
	assert asked == [f"{own}units/light.json", f"{own}lessons/light-1.json"]
	assert page.locator(".stage").count() == 1


# as each kind of learner


@pytest.mark.parametrize(
	("place", "learner", "items", "state"),
	[
		(LESSON, "anonymous", "", "sign in"),
		(LESSON, "signed-in", "", "open"),
		(SUN, "anonymous", "", "open"),
		(FREE, "anonymous", "", "open"),
		(MIRRORS, "anonymous", "PHYSICS", "buy"),
		(MIRRORS, "signed-in", "PHYSICS", "buy"),
		(MIRRORS, "owner", "PHYSICS-LAB", "buy"),
		(MIRRORS, "owner", "PHYSICS", "open"),
		(LAB, "owner", "PHYSICS-LAB", "buy"),
		(LAB, "owner", "PHYSICS", "buy"),
		(LAB, "owner", "PHYSICS,PHYSICS-LAB", "open"),
	],
)
def test_a_lesson_is_open_or_locked_as_the_contract_says(
	reader: Reader, place: str, learner: str, items: str, state: str
) -> None:
	page = reader.open(place, **{"as": learner, "items": items})
	asked = [path for path in reader.server.asked() if "/lessons/" in path]
	if state == "open":
		assert page.locator(".stage").count()
		assert len(asked) == 1
	else:
		assert page.inner_text(".locked h2").startswith(
			"Sign in" if state == "sign in" else "This lesson is part"
		)
		assert asked == []  # what is locked is not read


def test_the_contracts_truth_table_is_what_the_reader_does(reader: Reader) -> None:
	page = reader.open()
	table = kit.PAGE.read_text(encoding="utf-8").partition("What an app shows:")[2]
	rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:6]]
	learners = [
		{"signedIn": False, "items": ["OWN", "SUBJECT"]},
		{"signedIn": True, "items": []},
		{"signedIn": True, "items": ["OWN"]},
		{"signedIn": True, "items": ["OWN", "SUBJECT"]},
	]
	subject = {"access_level": "paid", "required_item": "SUBJECT"}
	words = {"": "open", "sign-in": "sign in", "buy": "buy"}
	assert len(rows) == 4
	rows.append(table.strip().splitlines()[6].strip("|").split("|"))
	for level, *cells in ([cell.strip() for cell in row] for row in rows):
		name, _, parent = (part.strip("` ") for part in level.partition(","))
		access = {"access_level": name, "required_item": "OWN", "parent_item_required": bool(parent)}
		said = page.evaluate(
			"""async ([access, subject, learners]) => {
				const { missing } = await import("./js/access.js");
				return learners.map((learner) => missing(access, subject, learner));
			}""",
			[access, subject, learners],
		)
		assert [words[one] for one in said] == cells, level


def test_lists_show_what_is_locked_free_and_owned(reader: Reader) -> None:
	page = reader.open("#/grade-7/physics/light")
	assert reader.texts(".row .badge") == ["Free preview", "Paid"]
	page.click(".menu-person")
	page.click('.menu-panel input[value="PHYSICS"]')
	reader.until("document.querySelectorAll('.row .badge')[1].textContent === 'Yours'")
	assert page.evaluate("document.activeElement.value") == "PHYSICS"  # the menu stays, and the focus in it
	page.click('.menu-panel input[value="anonymous"]')
	reader.until("document.querySelectorAll('.row .badge')[1].textContent === 'Paid'")
	page.keyboard.press("Escape")
	assert not page.is_visible(".menu-panel")


def test_only_what_the_visitor_chose_is_kept_for_other_visits(reader: Reader) -> None:
	learner = """() => [...document.querySelectorAll(".menu-panel input:checked")]
		.filter(({ name }) => name !== "theme").map(({ value }) => value)"""
	owned = {"as": "owner", "items": "PHYSICS"}
	page = reader.open("#/grade-7/physics/bench", lang="ar", **owned)
	page.click(".menu-moon")
	page.click('.menu-panel input[value="dark"]')
	assert page.evaluate(learner) == ["owner", "PHYSICS"]
	page.goto("about:blank")
	page.goto(f"{reader.server.address}{READER}?base=/files/example/#/grade-7/physics/bench")
	reader.settle()
	assert page.evaluate("[document.documentElement.dataset.theme, document.documentElement.lang]") == [
		"dark",
		"en",
	]
	assert page.evaluate(learner) == ["signed-in"]
	# What is chosen beside what the address says is kept, without that.
	page = reader.open("#/grade-7/physics/bench", **owned)
	page.click(".menu-person")
	page.click('.menu-panel input[value="PHYSICS-LAB"]')
	page.click('.menu-panel input[value="anonymous"]')
	reader.open("#/grade-7/physics/bench")
	assert page.evaluate(learner) == ["anonymous", "PHYSICS-LAB"]
	page.click(".menu-person")
	page.click('.menu-panel input[value="PHYSICS-LAB"]')
	reader.open("#/grade-7/physics/bench")
	assert page.evaluate(learner) == ["owner"]


def test_a_locked_lesson_can_be_seen_as_its_owner(reader: Reader) -> None:
	page = reader.open(LAB)
	assert reader.texts(".locked li") == ["PHYSICS-LAB", "PHYSICS"]
	page.click(".locked button")
	page.wait_for_selector(".stage")
	page.reload()
	page.wait_for_selector(".stage")  # the choice is kept
	reader.open(LESSON, **{"as": "anonymous"})
	page.click(".locked button")
	page.wait_for_selector(".stage")


def test_the_editors_preview_opens_what_an_item_with_a_comma_is_asked_for(reader: Reader) -> None:
	item = "PHYSICS, 100%"
	tree = {
		path: body.replace(b'"PHYSICS"', json.dumps(item).encode()) if path.endswith(".json") else body
		for path, body in curriculum.published().items()
	}
	reader.server.trees = {**reader.server.trees, "comma": tree}
	line = [("Memora Subject", "physics"), ("Memora Unit", "light"), ("Memora Lesson", "light-2")]
	place = address(f"{reader.server.address}/files/comma", "grade-7", line, item)
	reader.page.goto(f"{reader.server.address}{place}")
	reader.settle()
	assert reader.page.locator(".locked").count() == 0


# search


def search(reader: Reader, query: str) -> list[str]:
	"""What a search finds, beginning with the key that opens it."""
	page = reader.page
	if not page.locator("dialog").count():
		page.keyboard.press("/")
		page.wait_for_selector("#query")
	page.fill("#query", query)
	reader.until("query => document.querySelector('#results')?.dataset.query === query", query)
	return reader.texts(".result strong")


@pytest.mark.parametrize(
	("query", "found"),
	[
		("اللام الشمسيه", "اللَّام الشمسية ☀️"),  # without marks, and another last letter
		("اللَّامُ الشَّمسيَّة", "اللَّام الشمسية ☀️"),  # every mark
		("الــلام قمريه", "اللَّام القمرية"),
		("SCALES", "A pair of scales"),
		("équations two", "Two steps"),  # a word of the unit's
		("mirr", "Mirrors"),
	],
)
def test_what_a_person_types_finds_what_an_editor_wrote(reader: Reader, query: str, found: str) -> None:
	reader.open("#/grade-7")
	assert found in search(reader, query)


def test_a_result_shows_the_words_and_opens_its_lesson(reader: Reader) -> None:
	page = reader.open("#/grade-7/arabic")
	# The other one is in a topic that names both kinds of letters.
	assert search(reader, "لام قمر") == ["اللَّام القمرية", "اللَّام الشمسية ☀️"]
	assert reader.texts(".result >> nth=0 >> strong mark") == ["لَّام", "قمر"]
	page.keyboard.press("ArrowDown")
	page.keyboard.press("Enter")
	reader.until("document.querySelector('h1')?.textContent === 'اللَّام القمرية'")
	reader.until("!document.querySelector('dialog')")


def test_a_lesson_with_an_emoji_in_its_title_is_found_and_marked_where_the_words_stand(
	reader: Reader,
) -> None:
	index = json.loads(curriculum.published()["plans/grade-7/search_index.json"])
	for entry in index["entries"]:
		if entry["lesson_id"] == "equations-1":
			entry["lesson_name"] = "🧪🧪 A pair of scales"
	reader.page.route("**/plans/grade-7/search_index.json*", lambda route: route.fulfill(json=index))
	reader.open("#/grade-7")
	assert search(reader, "scales") == ["🧪🧪 A pair of scales"]
	assert reader.texts(".result strong mark") == ["scales"]


def test_a_search_without_a_result_says_so_and_escape_closes_it(reader: Reader) -> None:
	page = reader.open("#/grade-7")
	assert search(reader, "zzz") == []
	assert page.inner_text(".search-status") == "Nothing found for “zzz”."
	page.keyboard.press("Escape")
	reader.until("!document.querySelector('dialog')")


def test_within_a_subject_one_shard_of_two_thousand_lessons_is_read(reader: Reader) -> None:
	"""The numbers that docs/reader.md states."""
	page = reader.open("#/large/s3", tree="large")
	assert not [path for path in reader.server.asked() if "search" in path]
	assert "الدرس 1: الطاقة" in search(reader, "الطاقه")
	answers = [answer for answer in reader.server.answers if answer.path.startswith("/files/")]
	assert [answer.path.removeprefix("/files/large/plans/large/") for answer in answers] == [
		"search_index.json",
		"search/s3.json",
	]
	sent, whole = (sum(getattr(answer, name) for answer in answers) for name in ("size", "whole"))
	tell(f"a search: {len(answers)} requests, {sent:,} bytes as sent, {whole:,} uncompressed")
	assert sent <= 12_000
	search(reader, "الكسور")
	page.wait_for_timeout(300)
	assert (
		len([path for path in reader.server.asked() if path.startswith("/files/")]) == 2
	)  # nothing is read twice


def test_in_a_whole_plan_it_stops_at_enough_and_goes_on_when_asked(reader: Reader) -> None:
	page = reader.open("#/large", tree="large")
	reader.server.asked()
	assert len(search(reader, "lesson")) == 50
	assert "Looked through 1 of 10 subjects." in page.inner_text(".search-status")
	assert len([path for path in reader.server.asked() if "/search/" in path]) == 1
	page.click("dialog button.quiet")
	reader.until("/^1,000 lessons found/.test(document.querySelector('.search-status')?.textContent)")
	assert len([path for path in reader.server.asked() if "/search/" in path]) == 9


def test_a_subject_that_the_query_names_is_looked_through_first(reader: Reader) -> None:
	reader.open("#/large", tree="large")
	reader.server.asked()
	search(reader, "subject 9 lesson")
	assert next(path for path in reader.server.asked() if "/search/" in path).endswith("/search/s0.json")
	search(reader, "المادة 10 الدرس 200")
	assert reader.texts(".result strong")[0].startswith("الدرس 200")


def test_every_letter_is_folded(reader: Reader) -> None:
	page = reader.open()
	pairs = {
		"أإآٱا": "ااااا",
		"ىئي": "ييي",
		"ةه": "هه",
		"ؤو": "وو",
		"مَدْرَسَةٌ": "مدرسه",
		"كـتـاب": "كتاب",
		"٢٠٢٦ ۲": "2026 2",
	}
	pairs |= {"Ÿ Ångström": "y angstrom", "ﻻ": "لا", "ک ی": "ك ي"}
	folded = page.evaluate(
		"async (texts) => { const { fold } = await import('./js/fold.js'); return texts.map(fold); }",
		list(pairs),
	)
	assert folded == list(pairs.values())


# untrusted content

PWNED = "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script>"
HOSTILE_HTML = f"""{PWNED}<p onclick="window.pwned=1" style="position:fixed;inset:0" id="main" class="skip">text</p>
<a href="javascript:window.pwned=1">js</a><a href="data:text/html,{PWNED}">data</a><a href="https://ok.example/">ok</a>
<iframe srcdoc="<script>parent.pwned=1</script>"></iframe><object data="x"></object><embed src="x">
<form action="https://evil.example/"><input name="password"><button>go</button></form><style>*{{display:none}}</style>
<svg><script>window.pwned=1</script></svg><math><mtext><style><img src=x onerror=window.pwned=1></style></math>
<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example/">
<link rel="stylesheet" href="https://evil.example/x.css"><template><img src=x onerror=window.pwned=1></template>"""


def hostile() -> dict[str, bytes]:
	"""The example with everything that can be typed replaced by something that means harm."""
	files = dict(curriculum.published())

	def spoil(value: Any, key: str = "") -> Any:
		if isinstance(value, dict):
			return {name: spoil(item, name) for name, item in value.items()}
		if isinstance(value, list):
			return [spoil(item, key) for item in value]
		if key in ("title", "description", "lesson_name", "unit_name", "topic_name", "subject_name"):
			return f"{value} {PWNED}"
		if key in (
			"season",
			"grade",
			"stream",
			"required_item",
			"question",
			"text",
			"content",
			"name",
			"answer",
		):
			return PWNED
		if key in ("html", "instructions"):
			return HOSTILE_HTML
		if key in ("image", "badge_image", "video_url"):
			return "javascript:window.pwned=1"
		return "red;background:url(https://evil.example/x)" if key == "color_code" else value

	for path, body in files.items():
		if path.endswith(".json") and not path.startswith("schemas/"):
			files[path] = json.dumps(spoil(json.loads(body))).encode()
	return files


def test_nothing_that_was_typed_runs_or_leaves_its_place(reader: Reader) -> None:
	reader.server.trees = {**reader.server.trees, "hostile": hostile()}
	# The pictures of sanitised markup; and what a policy says of markup that DOMPurify has only parsed.
	reader.expected += ["404", "Content Security Policy"]
	page = reader.page
	reader.open(tree="hostile", **{"as": "owner", "items": "PHYSICS"})
	for place in [*EVERY_VIEW, FREE]:
		reader.go(place)
		page.wait_for_timeout(100)  # for what would run when a picture fails
		assert page.evaluate("window.pwned") is None, place
		assert not page.locator(
			"main :is(script, iframe, object, embed, style, link, meta, base, template)"
		).count()
		assert not page.locator(
			"main .prose :is(form, input, button, [id], [class], [style], svg, math)"
		).count()
		assert not page.evaluate(
			"[...document.querySelectorAll('*')].some((e) => [...e.attributes].some((a) => a.name.startsWith('on')))"
		)
		assert not page.evaluate(
			"[...document.querySelectorAll('[href],[src]')].some((e) => /^(javascript|data):/i.test(e.href || e.src))"
		)
	reader.open("#/grade-7", tree="hostile")
	assert PWNED in page.inner_text(".subject-card h2 >> nth=0")  # titles are text
	search(reader, "scales")
	assert PWNED in page.inner_text(".result strong >> nth=0")
	assert reader.outside == []


def test_without_its_library_markup_is_shown_as_text(reader: Reader) -> None:
	reader.server.gone.add("/assets/memora/node_modules/dompurify/dist/purify.min.js")
	reader.expected.append("404")
	page = reader.open(LESSON)
	assert "<strong>x is 5</strong>" in page.inner_text(".prose")


def test_the_policy_lets_nothing_run_but_the_readers_own_files(reader: Reader) -> None:
	page = reader.open()
	policy = page.get_attribute('meta[http-equiv="Content-Security-Policy"]', "content") or ""
	rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
	assert rules["default-src"] == "'none'"
	assert rules["script-src"] == rules["style-src"] == "'self'"
	assert rules["require-trusted-types-for"] == "'script'"
	assert "unsafe" not in policy
	reader.expected += ["Content Security Policy", "TrustedHTML"]
	assert page.evaluate("try { document.body.innerHTML = '<b>'; 'ran' } catch (e) { e.name }") == "TypeError"


def test_dompurify_is_pinned_to_one_version_everywhere() -> None:
	pinned = json.loads((REPO / "package.json").read_text())["dependencies"]["dompurify"]
	assert json.loads((KIT / "package.json").read_text())["dependencies"]["dompurify"] == pinned
	lock = json.loads((KIT / "package-lock.json").read_text())["packages"]["node_modules/dompurify"]
	assert lock["version"] == pinned
	assert lock["integrity"].startswith("sha512-")
	assert f"purify.min.js?v={pinned}" in (stamps.READER / "js" / "markup.js").read_text()


# when something is missing


@pytest.mark.parametrize(
	("place", "words"),
	[
		("#/nowhere", "no longer"),
		("#/grade-7/nowhere", "no longer"),
		("#/grade-7/physics/bench/nowhere", "no longer"),
	],
)
def test_what_is_gone_is_said_to_be(reader: Reader, place: str, words: str) -> None:
	page = reader.open(place)
	assert words in reader.heading()
	page.click("a.button")
	page.wait_for_selector(".plan-card")


def test_files_that_cannot_be_read_are_tried_again_when_asked(reader: Reader) -> None:
	reader.expected.append("404")
	reader.server.gone.add("/files/example/plans/index.json")
	page = reader.open()
	assert reader.heading() == "This is no longer available."
	reader.server.gone.clear()
	page.click("text=Try again")
	page.wait_for_selector(".plan-card")
	page.route("**/plans/grade-7/manifest.json", lambda route: route.abort())
	reader.expected.append("ERR_FAILED")
	reader.open("#/grade-7")
	assert reader.heading() == "The files could not be read."
	page.unroute("**/plans/grade-7/manifest.json")
	page.click("text=Try again")
	page.wait_for_selector(".subject-card")


def test_a_search_that_cannot_be_loaded_says_so(reader: Reader) -> None:
	page = reader.open("#/grade-7")
	page.route("**/js/search.js*", lambda route: route.abort())
	reader.expected += ["ERR_FAILED", "dynamically imported module"]
	page.click(".bar-search")
	reader.until("document.querySelector('h1')?.textContent === 'The files could not be read.'")
	page.unroute("**/js/search.js*")
	page.click("text=Try again")
	page.wait_for_selector(".subject-card")
	assert search(reader, "scales") == ["A pair of scales"]


@pytest.mark.parametrize("status", [404, 403])  # 403: of a bucket that may be read but not listed
def test_a_list_from_a_cache_that_names_what_is_gone_is_read_again(reader: Reader, status: int) -> None:
	"""A subject was published again while the page was open: its old version's file is there no more."""
	page = reader.open("#/grade-7")
	reader.expected.append(str(status))
	gone: list[str] = []

	def once(route: Any) -> None:
		if gone:
			route.continue_()
		else:
			gone.append(route.request.url)
			route.fulfill(status=status)

	page.route("**/subjects/mathematics.json*", once)
	reader.follow(".subject-card >> nth=0")
	assert gone
	assert reader.heading() == "Mathematics"


def test_a_page_stays_though_one_that_was_left_is_still_loading(reader: Reader) -> None:
	page = reader.open("#/grade-7/mathematics")
	held: list[Any] = []
	page.route("**/units/angles.json*", lambda route: held.append(route))
	page.evaluate(
		"""async () => {
			location.hash = '#/grade-7/mathematics/angles';
			await new Promise((done) => setTimeout(done, 50));
			location.hash = '#/grade-7/mathematics';
		}"""
	)
	page.wait_for_timeout(400)
	assert held
	assert page.locator(".skeleton").count() == 0
	assert reader.heading() == "Mathematics"
	held[0].continue_()


def test_a_plan_that_was_published_a_moment_ago_is_found_at_once(browser: Browser, server: Server) -> None:
	"""Without `reader`, whose routes switch the browser's cache off."""
	whole = curriculum.published()
	index = json.loads(whole["plans/index.json"])
	index["plans"] = [plan for plan in index["plans"] if plan["plan_id"] != "grade-7"]
	manifest = {**json.loads(whole["plans/grade-7/manifest.json"]), "subjects": []}
	before = {
		"plans/index.json": json.dumps(index).encode(),
		"plans/grade-7/manifest.json": json.dumps(manifest).encode(),
	}
	server.trees = {**server.trees, "growing": {**whole, **before}}
	context = browser.new_context()
	page = context.new_page()
	page.goto(f"{server.address}{READER}?base=/files/growing/&lang=en")
	page.wait_for_selector(".plan-card")
	page.evaluate("fetch('/files/growing/plans/grade-7/manifest.json')")
	server.trees = {**server.trees, "growing": whole}
	page = context.new_page()  # as View as Learner opens it
	page.goto(f"{server.address}{READER}?base=/files/growing/&lang=en#/grade-7/physics")
	page.wait_for_selector("h1")
	heading = page.inner_text("h1")
	context.close()
	assert heading == "Physics"


class Signed(dict[str, bytes]):
	"""A tree whose first lesson has signatures that are over, until it is asked for a second time."""

	times = 0

	def get(self, path: str, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
		if path != "lessons/equations-1.json":
			return super().get(path, default)
		self.times += 1
		lesson = json.loads(self[path])
		lesson["signed_url_expiry"] = f"20{'20' if self.times == 1 else '99'}-01-01T00:00:00+00:00"
		lesson["stages"][2]["title"] = f"Answer {self.times}"
		return json.dumps(lesson).encode()


def test_signed_addresses_that_are_over_are_read_anew_past_the_cache(reader: Reader) -> None:
	tree = Signed(curriculum.published())
	reader.server.trees = {**reader.server.trees, "signed": tree}
	reader.page.add_init_script(
		"window.asked = []; const ask = fetch; fetch = (url, how) => (asked.push([url, how.cache]), ask(url, how));"
	)
	reader.open(LESSON, tree="signed")
	assert reader.texts(".stage h2")[-1] == "Answer 2"
	caches = reader.page.evaluate(
		"window.asked.filter(([url]) => String(url).includes('/lessons/')).map(([, cache]) => cache)"
	)
	assert caches == ["default", "reload"]


def test_empty_lists_are_explained(reader: Reader) -> None:
	page = reader.page
	published = {
		path: json.loads(body) for path, body in curriculum.published().items() if path.endswith(".json")
	}
	index, manifest = published["plans/index.json"], published["plans/grade-7/manifest.json"]
	subject, lesson = (
		published["plans/grade-7/subjects/mathematics.json"],
		published["lessons/equations-1.json"],
	)
	for name, changes in {
		"none": {"plans/index.json": {**index, "plans": []}},
		"bare": {
			"plans/grade-7/manifest.json": {**manifest, "subjects": []},
		},
		"hollow": {
			"plans/grade-7/subjects/mathematics.json": {**subject, "tracks": []},
			"plans/grade-7/subjects/physics.json": {
				**subject,
				"tracks": [{**subject["tracks"][0], "units": []}],
			},
		},
		"blank": {"lessons/equations-1.json": {**lesson, "stages": [], "navigation": {}}},
	}.items():
		changed = {path: json.dumps(document).encode() for path, document in changes.items()}
		reader.server.trees = {**reader.server.trees, name: {**curriculum.published(), **changed}}
	for tree, place, words in [
		("none", "", "Nothing is published yet."),
		("bare", "#/grade-7", "This plan has no subject yet."),
		("hollow", "#/grade-7/mathematics", "Nothing in here yet."),
		("hollow", "#/grade-7/physics", "Nothing in here yet."),
		("blank", LESSON, "This lesson is still empty."),
		("example", "#/grade-7/mathematics/angles", "No lesson here yet."),
	]:
		reader.open(place, tree=tree)
		assert page.inner_text(".empty") == words


def test_what_no_type_knows_is_shown_as_it_is(reader: Reader) -> None:
	lesson = json.loads(curriculum.published()["lessons/angles-1.json"])
	configs = [
		("Text", {"mood": "calm", "see": "https://more.example/", "list": [1, {"deep": True}], "none": None}),
		("Question", {"question": "Free?", "answer": ["Yes"]}),
		("Question", {"choices": ["a", "b", "c"], "answer": ["a", "c"]}),
		("Question", {}),
		("Interactive", {"files": "not a list", "tests": [None]}),
		("Video", {}),
		("Hologram", {"beam": 1}),
	]
	lesson["stages"] = [
		{"idx": idx, "title": type_, "type": type_, "config": config}
		for idx, (type_, config) in enumerate(configs, 1)
	]
	reader.page.route("**/lessons/angles-1.json*", lambda route: route.fulfill(json=lesson))
	page = reader.open("#/grade-7/mathematics/angles/angles-1")
	assert page.locator(".stage").count() == len(configs)
	assert reader.texts("#stage-1 dt") == ["mood", "see", "list", "deep", "none"]
	assert page.get_attribute("#stage-1 dd a", "href") == "https://more.example/"
	page.fill("#stage-2 input", " yes")
	page.press("#stage-2 input", "Enter")
	assert page.inner_text("#stage-2 .verdict") == "That is right."
	page.click("#stage-3 .choice >> nth=0")
	page.click("#stage-3 button")
	assert page.inner_text("#stage-3 .verdict") == "Not yet. Try again."
	page.click("#stage-3 .choice >> nth=2")
	page.click("#stage-3 button")
	assert page.inner_text("#stage-3 .verdict") == "That is right."
	assert "no address" in page.inner_text("#stage-6")
	assert "beam" in page.inner_text("#stage-7")


# language, colours, sizes, keyboard


def test_the_reader_speaks_both_languages_in_both_directions(reader: Reader) -> None:
	page = reader.open("#/grade-7")
	assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["en", "ltr"]
	page.click("text=العربية >> nth=0")
	reader.until("document.documentElement.dir === 'rtl'")
	assert "3 مواد" in page.inner_text(".hero")
	brand, end = page.locator(".brand").bounding_box(), page.locator(".bar-end").bounding_box()
	assert brand and end and brand["x"] > end["x"]
	reader.page.goto(f"{reader.server.address}{READER}?base=/files/example/")
	reader.settle()
	assert page.evaluate("document.documentElement.lang") == "ar"  # the choice is kept


def test_the_first_visit_speaks_the_browsers_language(browser: Browser, server: Server) -> None:
	context = browser.new_context(locale="ar-EG")
	page = context.new_page()
	page.goto(f"{server.address}{READER}?base=/files/example/")
	page.wait_for_selector("h1")
	assert page.evaluate("document.documentElement.dir") == "rtl"
	context.close()


def test_both_languages_have_the_same_words(reader: Reader) -> None:
	languages, *others = reader.open().evaluate(
		"""async () => [
			(await import('./js/i18n.js')).LANGUAGES,
			...(await Promise.all(["gate", "preview", "shared", "stage_frame", "stage_words"].map((name) => import(`./js/${name}.js`)))).map((one) => one.WORDS),
		]"""
	)
	english, arabic = (
		{**languages[one], **dict(ChainMap(*(words[one] for words in others)))} for one in ("en", "ar")
	)
	assert english.keys() == arabic.keys()
	for key, words in english.items():
		said = [json.dumps(one) for one in (words, arabic[key])]
		names = [set(re.findall(r"\{(\w+)\}", one)) for one in said]
		assert names[0] >= names[1] and (names[0] == names[1] or key == "buyHint"), key
		assert isinstance(words, str) == isinstance(arabic[key], str), key
	source = "".join(
		file.read_text() for file in (stamps.READER / "js").glob("*.js") if file.name != "i18n.js"
	)
	assert set(re.findall(r'\bt\("(\w[\w-]*)"', source)) <= english.keys()


def test_dark_follows_the_device_or_the_choice(reader: Reader) -> None:
	page = reader.page
	ground = "getComputedStyle(document.body).backgroundColor"
	page.emulate_media(color_scheme="dark")
	reader.open(theme="auto")
	dark = page.evaluate(ground)
	page.emulate_media(color_scheme="light")
	light = page.evaluate(ground)
	assert dark != light
	page.click(".menu-moon")
	page.click('.menu-panel input[value="dark"]')
	assert page.evaluate(ground) == dark


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("width", [320, 768])
def test_no_page_is_wider_than_the_screen(reader: Reader, language: str, width: int) -> None:
	reader.page.set_viewport_size({"width": width, "height": 640})
	page = reader.open(lang=language)
	for place in EVERY_VIEW:
		reader.go(place)
		assert page.evaluate("document.documentElement.scrollWidth") <= width, place


def test_all_is_reached_by_keyboard(reader: Reader) -> None:
	page = reader.open("#/grade-7")
	page.keyboard.press("Tab")
	assert page.evaluate("document.activeElement.className") == "skip"
	page.keyboard.press("Enter")
	assert page.evaluate("document.activeElement.tagName") == "H1"
	page.keyboard.press("Tab")
	assert "subject-card" in page.evaluate("document.activeElement.className")
	page.keyboard.press("Enter")
	reader.until("document.title.startsWith('Mathematics')")
	page.keyboard.press("Control+k")
	page.wait_for_selector("#query:focus")


def test_a_phone_has_the_contents_folded(reader: Reader) -> None:
	reader.page.set_viewport_size({"width": 390, "height": 800})
	page = reader.open(LESSON)
	assert not page.is_visible(".outline")
	page.click("aside summary")
	assert page.is_visible(".outline")


# accessibility

AXE = "async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})).violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target + ' ' + (n.any[0]?.message ?? '')).join('; ')}`)"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_axe_finds_nothing(browser: Browser, server: Server, language: str, theme: str) -> None:
	context: BrowserContext = browser.new_context(
		viewport={"width": 1280, "height": 860}, reduced_motion="reduce", bypass_csp=True
	)
	page = context.new_page()
	page.route(lambda url: not url.startswith(server.address), lambda route: route.abort())
	reader = Reader(page, server)
	axe = (node_modules() / "axe-core" / "axe.min.js").read_text()

	def violations() -> list[str]:
		return page.evaluate(AXE)

	reader.open(lang=language, theme=theme)
	page.evaluate(axe)
	for place in EVERY_VIEW:
		reader.go(place)
		assert violations() == [], place
	reader.go(LESSON)
	page.click("main .choice >> nth=0")
	page.click("form button")
	page.click(".menu-person")
	assert violations() == [], "the menu"
	page.keyboard.press("Escape")
	search(reader, "equations")
	assert violations() == [], "search"
	page.keyboard.press("Escape")
	page.set_viewport_size({"width": 390, "height": 800})
	reader.go(EXERCISE)
	assert violations() == [], "a phone"
	context.close()


# real content


@pytest.fixture(scope="module")
def demos_files() -> dict[str, bytes]:
	return demo.published(DEV / "curriculum")


def test_the_demos_curriculum_is_shown_from_end_to_end(reader: Reader, demos_files: dict[str, bytes]) -> None:
	reader.server.trees = {**reader.server.trees, "demo": demos_files}
	page = reader.open(tree="demo")
	reader.follow(".plan-card >> nth=0")
	assert page.locator(".subject-card").count() == 9
	reader.follow(".subject-card >> nth=0")
	pictures.keep(page, "reader-subject")
	reader.follow("main .row >> nth=0")
	reader.follow("main .row >> nth=0")
	assert reader.heading() == "Say Hello to HTML Elements"
	for _ in range(12):
		reader.follow(".neighbour.next")
		assert page.locator(".stage").count() >= 1
		assert page.locator(".prose").count() >= 1
	names = search(reader, "css grid")
	assert names
	assert reader.outside == []


def test_a_lesson_in_arabic_on_a_dark_ground(reader: Reader) -> None:
	page = reader.open(SUN, lang="ar", theme="dark")
	assert reader.texts(".stage h2") == ["اقرأ", "أجب"]
	pictures.keep(page, "reader-arabic")


def test_the_readers_links_carry_their_targets_version() -> None:
	for file, text in stamps.stamped().items():
		assert file.read_text(encoding="utf-8") == text, f"{file.name}: run dev/contract/make"
