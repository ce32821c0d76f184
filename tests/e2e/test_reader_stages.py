"""Stages of contract 1.1 in the reader: each kind of question answered, hints, orders by chance, exercises to read, films."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e import pictures
from tests.e2e.conftest import Reader
from tests.e2e.server import Server
from tests.e2e.test_reader import AXE
from tests.example.configs import CONFIGS
from tests.npm import node_modules

ANSWER = "button[type=submit]"


def question(**config: Any) -> tuple[str, dict[str, object]]:
	return "Question", {"question": "Which?", **config}


def verdict(reader: Reader, stage: int = 1) -> str:
	reader.page.click(f"#stage-{stage} {ANSWER}")
	return (
		(reader.page.get_attribute(f"#stage-{stage} .verdict", "class") or "").removeprefix("verdict").strip()
	)


# questions


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_each_kind_of_question_is_answered_wrong_and_right(reader: Reader, lang: str) -> None:
	page = reader.show(
		question(kind="one", choices=["a", "b"], answer="b"),
		question(kind="several", choices=["2", "9", "11"], answer=["2", "11"]),
		question(kind="true_false", choices=["صحيح", "خطأ"], answer="صحيح"),
		question(kind="short", answer=["Cairo", "القاهرة"]),
		question(kind="number", answer="9.81", tolerance=0.05, unit="m/s"),
		question(kind="several", choices=["x", "y"], answer="x"),
		lang=lang,
	)
	types = page.locator("main .choice input").evaluate_all("inputs => inputs.map((input) => input.type)")
	assert types == ["radio"] * 2 + ["checkbox"] * 3 + ["radio"] * 2 + ["checkbox"] * 2
	assert page.inner_text("#stage-5 .with-unit") == "m/s"
	for stage, wrong, right in [(1, [0], [1]), (2, [0], [2]), (3, [1], [0]), (6, [0, 1], [0])]:
		boxes = page.locator(f"#stage-{stage} .choice input")
		for place in wrong:
			boxes.nth(place).check()
		assert verdict(reader, stage) == "wrong", stage
		if stage == 6:
			boxes.nth(1).uncheck()
		for place in right:
			boxes.nth(place).check()
		assert verdict(reader, stage) == "right", stage
	for stage, wrong, rights in [(4, "Alexandria", ["cairo", "القاهره"]), (5, "9.75", ["9.76", "٩٫٨٥ m/s"])]:
		page.fill(f"#stage-{stage} input", wrong)
		assert verdict(reader, stage) == "wrong"
		for right in rights:
			page.fill(f"#stage-{stage} input", right)
			assert verdict(reader, stage) == "right", right


NEAR: list[tuple[str, str, float, str]] = [
	("9,81", "9.81", 0, ""),
	("٩٫٨١", "9.81", 0, ""),
	("۹٫۸۱", "9.81", 0, ""),
	("９．８１", "9.81", 0, ""),
	("9.86", "9.81", 0.05, ""),  # which binary fractions put a little beyond
	("9.76", "9.81", 0.05, ""),
	("9.81m/s", "9.81", 0, "m/s"),
	("٥ كجم", "5", 0, "كجم"),
	("100℃", "100", 0, "°C"),
	("$5", "5", 0, "$"),
	("٢٠٪", "20", 0, "%"),
	("1,234", "1234", 0, ""),
	("1.234", "1234", 0, ""),
	("1,234", "1.234", 0, ""),
	("1 234,5", "1234.5", 0, ""),
	("1.234,5", "1234.5", 0, ""),
	("١٬٢٣٤", "1234", 0, ""),
	("1,234,567", "1234567", 0, ""),
	("½", "0.5", 0, ""),
	("1½", "1.5", 0, ""),
	("3 / 4", "0.75", 0, ""),
	("− 3", "-3", 0, ""),
	("+3", "3", 0, ""),
	(".5", "0.5", 0, ""),
	("5.0", "5", 0, ""),
	("1e3", "1000", 0, ""),
	("1000", "1e3", 0, ""),
	("2.5·10⁻³", "0.0025", 0, ""),
	("12345678901234567890", "12345678901234567890", 0, ""),
]
FAR: list[tuple[str, str, float, str]] = [
	("9.87", "9.81", 0.05, ""),
	("9.81 km", "9.81", 0, "m"),
	("9.81 m", "9.81", 0, ""),
	("5 MW", "5", 0, "mW"),
	("five", "5", 0, ""),
	("5 6", "56", 0, ""),
	("3", "-3", 0, ""),
	("1/0", "5", 1e9, ""),
	("1e999", "5", 0, ""),
	("Infinity", "5", 0, ""),
	("0x10", "16", 0, ""),
	("12345678901234567891", "12345678901234567890", 0, ""),
	("1000000000000001", "1000000000000000", 0, ""),
	("1.2.3", "1.2", 1, ""),
	("1, 2", "1.2", 0, ""),
	("١، ٢", "1.2", 0, ""),
	("1 , 2 m", "1.2", 0, "m"),
]


def test_a_typed_number_is_right_within_its_tolerance_however_it_is_written(reader: Reader) -> None:
	cases = [*NEAR, *FAR]
	page = reader.show(
		*[
			question(kind="number", answer=answer, tolerance=near, **({"unit": unit} if unit else {}))
			for _, answer, near, unit in cases
		]
	)
	said = []
	for stage, (typed, *_) in enumerate(cases, 1):
		page.fill(f"#stage-{stage} input", typed)
		said.append(verdict(reader, stage))
	assert [case for case, is_ in zip(cases, said, strict=True) if (is_ == "right") != (case in NEAR)] == []


def test_who_answers_nothing_is_told_so(reader: Reader) -> None:
	page = reader.show(question(choices=["a", "b"], answer="b"))
	page.click(f"main {ANSWER}")
	assert page.inner_text(".verdict") == "Answer it first."
	page.check("main .choice input >> nth=1")
	assert verdict(reader) == "right"


def test_a_hint_is_folded_and_the_reason_comes_after_the_answer(reader: Reader) -> None:
	page = reader.show(
		question(
			choices=["a", "b"],
			answer="b",
			hint="<p>Not the <b>first</b>.</p>",
			explanation="<p>BECAUSE <script>window.pwned=1</script></p>",
		)
	)
	assert not page.is_visible("text=Not the first")
	assert "BECAUSE" not in page.content()
	# All by keyboard: past the choices to the hint, then back to answer.
	page.focus("main .choice input >> nth=0")
	page.keyboard.press("Space")
	page.keyboard.press("Tab")
	page.keyboard.press("Enter")
	assert page.is_visible(".hint b")
	page.keyboard.press("Tab")
	page.keyboard.press("Enter")
	assert page.inner_text(".verdict") == "Not yet. Try again."
	assert not page.is_visible("text=BECAUSE")  # it may tell the right one: who tries again opens it or not
	page.check("main .choice input >> nth=1")
	assert page.inner_text(".verdict") == ""  # that was said of another answer
	assert verdict(reader) == "right"
	assert "BECAUSE" in page.inner_text(".explanation .prose")
	assert page.locator(".explanation .prose").count() == 1
	assert page.evaluate("window.pwned") is None


def test_shuffled_choices_have_another_order_each_time_and_stay_right(reader: Reader) -> None:
	choices = [f"choice {place}" for place in range(8)]
	orders = set()
	for _ in range(4):
		page = reader.show(
			question(choices=choices, answer="choice 3", shuffle=True),
			question(choices=choices, answer="choice 3"),
		)
		orders.add(tuple(reader.texts("#stage-1 .choice")))
		assert reader.texts("#stage-2 .choice") == choices
		page.check("#stage-1 >> text=choice 3")
		assert verdict(reader) == "right"
	assert len(orders) > 1
	assert all(sorted(order) == choices for order in orders)
	shown = reader.texts("#stage-1 .choice")
	page.click(".bar >> text=العربية")
	reader.until("document.documentElement.lang === 'ar' && !document.querySelector('.verdict.right')")
	assert reader.texts("#stage-1 .choice") == shown  # not shuffled again while one reads


def test_what_a_question_can_do_without_is_left_out_where_it_is_of_another_form(reader: Reader) -> None:
	page = reader.show(
		question(
			kind=["several"],
			choices=["a", "b"],
			answer="b",
			hint=5,
			explanation={"a": "SECRET"},
			shuffle="yes",
			unit="m",
		),
		question(kind="number", answer="5", tolerance="wide", unit={"a": 1}),
		question(kind="number", answer="five"),
	)
	assert not page.locator(".hint, .with-unit, .explanation:not([hidden])").count()
	page.check("#stage-1 .choice >> nth=1")
	assert verdict(reader) == "right"
	for stage, typed in [(2, "5,0"), (3, "Five")]:
		page.fill(f"#stage-{stage} input", typed)
		assert verdict(reader, stage) == "right"
	assert "SECRET" not in page.content()


def test_ten_thousand_choices_are_shown_and_answered(reader: Reader) -> None:
	choices = [f"choice {place}" for place in range(10_000)]
	page = reader.show(question(choices=choices, answer=choices[7], shuffle=True))
	assert page.locator("main .choice").count() == 10_000
	page.check(f"input[value='{choices[7]}']")
	assert verdict(reader) == "right"


# exercises and texts


def test_an_exercise_is_shown_to_read_and_claims_no_test_has_passed(reader: Reader) -> None:
	page = reader.show(
		(
			"Interactive",
			{
				"instructions": "<p>Print squares.</p>",
				"starter": "print(1)",
				"language": "python",
				"tests": [{"text": "It prints <code>1</code>", "code": "SECRET"}],
			},
		),
		(
			"Interactive",
			{"files": [{"name": "a.py", "content": "x = 1", "language": "python", "before": "SECRET"}]},
		),
		question(answer="url", tests=[{"text": "It is online"}]),
	)
	assert page.inner_text("#stage-1 figure pre") == "print(1)"
	assert page.inner_text("#stage-1 .checks li code") == "1"
	assert "no code runs here" in page.inner_text("#stage-1 .note")
	assert page.inner_text("#stage-2 figcaption bdi") == "a.py"
	assert reader.texts(".checks li") == ["It prints 1", "It is online"]
	assert not page.locator(".checks svg, .checks input").count()
	assert not page.locator(".rest").count()
	assert "SECRET" not in page.content()


def test_a_text_has_the_direction_that_its_editor_gave(reader: Reader) -> None:
	page = reader.show(
		("Text", {"html": "<p>Latin</p><p dir='ltr'>kept</p><pre>x</pre>", "text": "more", "dir": "rtl"}),
		("Text", {"html": "<p>عربي</p>"}),
		lang="ar",
	)
	way = "nodes => nodes.map((node) => getComputedStyle(node).direction)"
	assert page.locator("#stage-1 :is(p, pre)").evaluate_all(way) == ["rtl", "ltr", "ltr", "rtl"]
	assert page.locator("#stage-2 p").evaluate_all(way) == ["rtl"]
	assert not page.locator(".rest").count()


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_on_a_phone_no_question_is_wider_than_the_screen(reader: Reader, lang: str) -> None:
	reader.page.set_viewport_size({"width": 320, "height": 640})
	long = "pneumonoultramicroscopicsilicovolcanoconiosis" * 3
	page = reader.show(
		question(choices=[long, "b"], answer="b", hint=f"<p>{long}</p>", explanation=f"<p>{long}</p>"),
		question(kind="number", answer="5", unit=long),
		question(kind="several", choices=["a", "b"], answer=["a", "b"]),
		lang=lang,
	)
	page.click(".hint summary")
	page.check("#stage-1 .choice >> nth=1")
	assert verdict(reader) == "right"
	assert page.evaluate("document.documentElement.scrollWidth") <= 320
	assert page.locator("#stage-2 input").evaluate("field => field.clientWidth") >= 60


# films


def film(**config: Any) -> tuple[str, dict[str, object]]:
	return "Video", config


def test_a_film_has_its_poster_captions_name_and_part(reader: Reader) -> None:
	reader.expected.append("404")
	reader.page.route("https://videos.example/**", lambda _: None)  # is still loading while the test looks
	own = f"lessons/angles-1/{'0123456789abcdef' * 4}"
	page = reader.show(
		film(
			video_url="https://videos.example/waves.mp4",
			title="Waves on a rope",
			poster=f"{own}.png",
			captions=[
				{"src": f"{own}.vtt", "lang": "ar", "label": "العربية"},
				{"src": "javascript:alert(1)", "lang": "en", "label": "bad"},
				{"src": f"{own}.vtt", "lang": 5, "label": "bad"},
			],
			start=12.5,
			end=95,
		),
		film(video_url="https://videos.example/waves.mp4#t=7", end=20),
		film(video_url="https://videos.example/waves.mp4#t=7,30", end=20),
		film(
			video_url="https://videos.example/waves.mp4",
			start="soon",
			end=-1,
			title=["x"],
			poster={},
			captions="x",
		),
	)
	there = f"{reader.server.address}/files/example/{own}"
	shown = "#stage-1 video"
	assert page.get_attribute(shown, "src") == "https://videos.example/waves.mp4#t=12.5,95"
	assert page.get_attribute(shown, "poster") == f"{there}.png"
	assert page.get_attribute(shown, "aria-label") == "Waves on a rope"
	tracks = page.locator(f"{shown} track").evaluate_all(
		"all => all.map((one) => [one.src, one.srclang, one.label, one.kind])"
	)
	assert tracks == [[f"{there}.vtt", "ar", "العربية", "captions"]]
	assert page.get_attribute("#stage-2 video", "src") == "https://videos.example/waves.mp4#t=7,20"
	assert page.get_attribute("#stage-3 video", "src") == "https://videos.example/waves.mp4#t=7,20"
	assert page.get_attribute("#stage-4 video", "src") == "https://videos.example/waves.mp4"
	assert not page.locator(".rest, #stage-4 :is(track, [poster], [aria-label=x])").count()


@pytest.mark.parametrize(
	("config", "wanted"),
	[
		({"video_url": "https://youtu.be/aqz-KE-bpKQ?t=95", "start": 12.7, "end": 30.2}, "&start=12&end=31"),
		({"video_url": "https://youtu.be/aqz-KE-bpKQ?t=95", "start": 0}, "autoplay=1"),
		({"video_url": "https://youtu.be/aqz-KE-bpKQ?t=95", "start": 50, "end": 40}, "&start=50"),
		({"video_url": "https://vimeo.com/76979871#t=80s", "start": 9, "end": 30}, "&end_time=30#t=9s"),
		({"video_url": "https://vimeo.com/76979871#t=80s", "end": 90}, "&end_time=90#t=80s"),
	],
)
def test_a_services_player_plays_the_part_and_has_the_name(
	reader: Reader, config: dict[str, object], wanted: str
) -> None:
	captions = [{"src": "https://school.example/ar.vtt", "lang": "ar", "label": "العربية"}]
	page = reader.show(
		film(**config, title="Waves", captions=captions, poster="https://school.example/a.png")
	)
	assert page.get_attribute(".poster img", "src") == "https://school.example/a.png"
	assert "Waves" in page.inner_text(".poster")
	assert page.get_attribute("#stage-1 .note a", "href") == "https://school.example/ar.vtt"
	assert [url for url in reader.outside if "school" not in url] == []
	page.focus(".poster")
	page.keyboard.press("Enter")
	assert (page.get_attribute("iframe", "src") or "").endswith(wanted)
	assert page.get_attribute("iframe", "title") == "Waves"


def test_captions_of_another_host_leave_the_film_where_that_does_not_agree(reader: Reader) -> None:
	"""The page's tests answer for other hosts without CORS, and with what is no film in the end."""
	reader.expected += ["CORS", "ERR_FAILED"]
	page = reader.show(
		film(
			video_url="https://videos.example/waves.mp4",
			captions=[{"src": "https://school.example/ar.vtt", "lang": "ar", "label": "العربية"}],
		)
	)
	page.wait_for_selector("#stage-1 .note")
	assert "captions cannot be shown" in page.inner_text("#stage-1 .note")
	assert not page.locator("track").count()


# seen whole

EVERY = [(type_, config) for type_, configs in CONFIGS.items() for config in configs]


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("ar", "dark")])
def test_axe_finds_nothing_in_any_stage(browser: Browser, server: Server, lang: str, theme: str) -> None:
	context = browser.new_context(
		viewport={"width": 1280, "height": 860}, reduced_motion="reduce", bypass_csp=True
	)
	page = context.new_page()
	page.route(lambda url: not url.startswith(server.address), lambda route: route.abort())
	reader = Reader(page, server)
	reader.show(*EVERY, lang=lang)
	page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
	for fold in page.locator("main details > summary").all():
		fold.click()
	page.locator("main form").evaluate_all(
		"forms => forms.forEach((form) => form.querySelector('input').click())"
	)
	for button in page.locator(f"main {ANSWER}").all():
		button.click()
	page.click(".mark-done")
	assert page.locator(".explanation .prose").count() == 1
	page.evaluate((node_modules() / "axe-core" / "axe.min.js").read_text())
	nodes = context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
	names = [node["name"]["value"] for node in nodes if node.get("role", {}).get("value") == "radio"]
	assert sorted(names[:3]) == ["2x", "\\frac{x^3}{3}", "x"]  # in an order by chance
	# Stages of this lesson have the same titles.
	assert [found for found in page.evaluate(AXE) if not found.startswith("landmark-unique")] == []
	context.close()


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("ar", "dark")])
def test_a_lesson_of_questions_is_seen(reader: Reader, lang: str, theme: str) -> None:
	"""The pictures of docs/reader.md."""
	asked = {
		"en": question(
			question="Which is the derivative of \\(x^2\\)?",
			choices=["\\(x\\)", "\\(2x\\)", "\\(\\frac{x^3}{3}\\)"],
			answer="\\(2x\\)",
			hint="<p>The exponent comes to the front.</p>",
			explanation="<p>\\[\\frac{d}{dx} x^n = n x^{n-1}\\]</p>",
		),
		"ar": question(
			question="ما مشتقة \\(x^2\\)؟",
			choices=["\\(x\\)", "\\(2x\\)", "\\(\\frac{x^3}{3}\\)"],
			answer="\\(2x\\)",
			hint="<p>ينزل الأس إلى الأمام.</p>",
			explanation="<p>\\[\\frac{d}{dx} x^n = n x^{n-1}\\]</p>",
		),
	}
	fall = {
		"en": question(
			kind="number",
			question="How fast does a stone fall after one second?",
			answer="9.81",
			tolerance=0.05,
			unit="m/s",
		),
		"ar": question(
			kind="number",
			question="ما سرعة حجر بعد ثانية من سقوطه؟",
			answer="9.81",
			tolerance=0.05,
			unit="م/ث",
		),
	}
	page = reader.show(asked[lang], fall[lang], lang=lang)
	page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
	page.click(".hint summary")
	page.check("main .choice >> nth=1")
	assert verdict(reader) == "right"
	page.fill("#stage-2 input", "٩٫٨" if lang == "ar" else "9.8")
	assert verdict(reader, 2) == "right"
	page.evaluate("document.querySelector('#stage-1').scrollIntoView()")
	pictures.keep(page, f"reader-questions-{lang}")
