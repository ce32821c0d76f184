"""*Preview as Learner*: from a form to the reader and back, in both languages, with nothing published."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import frappe
from playwright.sync_api import Locator, Page, expect

from memora.services.cdn_export.model import paths
from tests.e2e.desk.driver import Bench, Desk, shoot
from tests.e2e.desk.school import PASSWORD, STRANGER, School
from tests.e2e.desk.stage_forms import lesson_of

FILM = "videos/draft.mp4"
PICTURE = base64.b64decode(
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
WORDS = {
	"en": {
		"new": "Learners do not see it yet.",
		"changed": "Differs from what learners see.",
		"same": "Learners see it like this.",
		"draft": "Draft",
		"hidden": "Hidden",
		"drafts": "Show drafts",
		"form": "Back to the form",
		"film": "Play the film",
		"anonymous": "Sign in to open this lesson.",
		"left out": "The next run does not publish this.",
		"forbidden": "You may not see this.",
		"log in": "Log in",
	},
	"ar": {
		"new": "لا يراه المتعلمون بعد.",
		"changed": "يختلف عما يراه المتعلمون.",
		"same": "هكذا يراه المتعلمون.",
		"draft": "مسودة",
		"hidden": "مخفي",
		"drafts": "إظهار المسودات",
		"form": "العودة إلى النموذج",
		"film": "شغّل الفيلم",
		"anonymous": "سجّل الدخول لفتح هذا الدرس.",
		"left out": "لن ينشر التشغيل التالي هذا.",
		"forbidden": "لا يحق لك رؤية هذا.",
		"log in": "تسجيل الدخول",
	},
}


@contextmanager
def opened(page: Page, line: Locator, here: School) -> Iterator[Page]:
	"""Press the button of the form's line: the tab that opens."""
	with page.expect_popup() as popup:
		line.get_by_role("link", name=here.say("Preview as Learner")).first.click()
	tab = popup.value
	errors: list[str] = []
	tab.on("pageerror", lambda error: errors.append(str(error)))
	tab.locator("section.preview").wait_for()
	yield tab
	assert not errors
	tab.close()


def banner(tab: Page) -> Locator:
	return tab.locator("section.preview")


def test_a_draft_is_seen_as_a_learner_before_it_is_live(desk: Desk, bench: Bench, here: School) -> None:
	say, lesson = WORDS[here.language], here.docs["word problems"]
	desk.edit(lesson, is_published=0)
	desk.publish()
	stage = {"title": "Film", "type": "Video", "config": json.dumps({"video_url": FILM})}
	desk.edit(lesson, stages=[stage, *[{"title": "Read", "type": "Text", "config": '{"text": "Twice."}'}]])
	with desk.login(here.editor) as page, films(desk), opened(page, desk.form(page, lesson), here) as tab:
		asked: list[str] = []
		tab.on("request", lambda request: asked.append(request.url))
		tab.route("http://127.0.0.1:9/**", lambda route: route.fulfill(status=404))
		expect(tab.locator("html")).to_have_attribute("dir", {"en": "ltr", "ar": "rtl"}[here.language])
		expect(tab.locator("h1")).to_contain_text(here.title("word problems"))
		expect(tab.locator("h1 .preview-badge")).to_have_text(say["draft"])
		expect(banner(tab)).to_contain_text(here.title("word problems"))
		expect(banner(tab)).to_contain_text(say["new"])
		expect(tab.locator(".stage h2")).to_have_text(["Film", "Read"])
		expect(tab.locator(".bar-search")).to_have_count(0)
		expect(tab.locator(".mark-done")).to_have_count(0)
		# What this browser has kept of published lessons goes, and a preview adds nothing.
		progress = "Object.keys(localStorage).filter((key) => key.startsWith('memora-progress'))"
		tab.evaluate(f"{progress}.forEach((key) => localStorage.removeItem(key))")
		tab.reload()
		expect(tab.locator(".stage h2")).to_have_text(["Film", "Read"])
		assert tab.evaluate(progress) == []
		shoot(tab, "learner-preview", here)

		tab.reload()
		play = tab.get_by_role("button", name=say["film"])
		play.wait_for()
		assert not [url for url in asked if "learner_preview.film" in url or "X-Amz" in url]
		with tab.expect_request("http://127.0.0.1:9/**") as played:
			play.click()
		assert f"/{FILM}?X-Amz-Algorithm=" in played.value.url

		tab.locator(".menu-person").click()
		tab.locator('.menu-panel input[value="anonymous"]').check()
		tab.keyboard.press("Escape")
		expect(tab.locator(".locked h2")).to_have_text(say["anonymous"])
		expect(tab.locator(".stage")).to_have_count(0)

		banner(tab).get_by_label(say["drafts"]).uncheck()
		expect(tab.locator("h1")).to_have_text(say["left out"])
		banner(tab).get_by_label(say["drafts"]).check()
		banner(tab).get_by_role("link", name=say["form"]).click()
		tab.wait_for_function("name => window.cur_frm && cur_frm.docname === name", arg=lesson.name)
	assert desk.read(paths.lesson(lesson.name)) == ""
	desk.edit(lesson, is_published=1)
	desk.publish()


def test_formulas_of_a_draft_are_drawn(desk: Desk, here: School) -> None:
	stages = [
		{"type": "Text", "config": json.dumps({"html": r"<p>\(\frac{1}{2}\) and \[\vec{v}\]</p>"})},
		{
			"type": "Question",
			"config": json.dumps({"question": r"\(2^3\)?", "choices": [r"\(8\)", "6"], "answer": "6"}),
		},
	]
	with lesson_of(here, *stages) as lesson, desk.login(here.editor) as page:
		with opened(page, desk.form(page, lesson), here) as tab:
			expect(tab.locator(".formula .katex-html")).to_have_count(4)
			expect(tab.locator(".formula.is-broken")).to_have_count(0)


def test_what_is_a_draft_or_hidden_is_marked_and_a_track_leads_to_its_place(desk: Desk, here: School) -> None:
	say, track = WORDS[here.language], here.docs["geometry"]
	desk.edit(here.docs["equations"], is_published=0)
	desk.publish()
	with desk.login(here.editor) as page, opened(page, desk.form(page, track), here) as tab:
		expect(tab.locator("h1")).to_have_text(here.title("mathematics"))
		expect(banner(tab)).to_contain_text(here.title("geometry"))
		expect(banner(tab)).to_contain_text(say["changed"])
		marked = tab.locator("main .row", has=tab.locator(".preview-badge"))
		expect(marked).to_have_text([re.compile(f"{here.title('equations')}.*{say['draft']}", re.S)])
		banner(tab).get_by_label(say["drafts"]).uncheck()
		expect(tab.locator("main .row")).to_have_count(1)
		expect(banner(tab)).to_contain_text(say["same"])
		expect(tab.locator(".preview-badge")).to_have_count(0)
		tab.evaluate("location.hash = '#/%E0%A4%A'")  # no address: all plans are shown
		expect(tab.locator("body")).to_have_attribute("data-view", "plans")
		expect(tab.locator(".plan-card").first).to_be_visible()
		expect(tab.locator("section.locked")).to_have_count(0)
	with desk.login(here.editor) as page, opened(page, desk.form(page, here.docs["short plan"]), here) as tab:
		expect(tab.locator("h1")).to_have_text(here.title("short plan"))
		tab.locator(".subject-card").click()
		expect(tab.locator(".track h2", has_text=here.title("geometry"))).to_contain_text(say["hidden"])
		expect(banner(tab)).to_contain_text(here.title("mathematics"))
		shoot(tab, "learner-preview-subject", here)
		tab.set_viewport_size({"width": 390, "height": 780})
		assert tab.evaluate("document.documentElement.scrollWidth") <= 390
		tab.emulate_media(color_scheme="dark")
		shoot(tab, "learner-preview-phone", here)
	desk.edit(here.docs["equations"], is_published=1)
	desk.publish()


def test_an_edit_is_seen_when_one_comes_back_to_the_preview(desk: Desk, here: School) -> None:
	say, lesson = WORDS[here.language], here.docs["finding x"]
	title = lesson.title
	with desk.login(here.editor) as page, opened(page, desk.form(page, lesson), here) as tab:
		expect(banner(tab)).to_contain_text(say["same"])
		desk.edit(lesson, title=f"{title} 2")
		tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
		expect(tab.locator("h1")).to_have_text(f"{title} 2")
		expect(banner(tab)).to_contain_text(say["changed"])
	desk.edit(lesson, title=title)
	desk.publish()


def test_what_no_plan_lists_is_seen_in_a_plan_of_its_own_and_nothing_by_a_stranger(
	desk: Desk, here: School
) -> None:
	say = WORDS[here.language]
	with desk.login(here.editor) as page, opened(page, desk.form(page, here.docs["music"]), here) as tab:
		expect(tab.locator("h1")).to_have_text(here.title("music"))
		expect(tab.locator(".bar-plan")).to_have_text(here.say("Not in a plan yet"))
		address = tab.url
	with desk.login(STRANGER, expected=("403", "Failed to load")) as page:
		page.goto(address)
		expect(page.locator("h1")).to_have_text(say["forbidden"])
		expect(page.locator("body")).not_to_contain_text(here.title("music"))
	context = desk.browser.new_context()
	page = context.new_page()
	page.goto(address)
	page.get_by_role("link", name=say["log in"]).click()
	expect(page.locator("#login_email")).to_be_visible()
	# Before Frappe's script listens to it, the form would be sent as it is.
	page.wait_for_function("() => window.$?._data($('.form-login')[0], 'events')?.submit")
	page.locator("#login_email").fill(here.editor)
	page.locator("#login_password").fill(PASSWORD)
	page.keyboard.press("Enter")
	expect(page.locator("h1")).to_have_text(here.title("music"))
	context.close()


def test_a_film_whose_link_has_run_out_is_asked_for_again(desk: Desk, here: School) -> None:
	lesson, held = here.docs["finding x"], []
	stages = lesson.stages
	desk.edit(lesson, stages=[{"title": "Film", "type": "Video", "config": json.dumps({"video_url": FILM})}])
	with desk.login(here.editor) as page, films(desk), opened(page, desk.form(page, lesson), here) as tab:
		tab.route("http://127.0.0.1:9/**", lambda route: held.append(route))
		tab.clock.install()
		tab.reload()
		with tab.expect_request("http://127.0.0.1:9/**"):
			tab.get_by_role("button", name=WORDS[here.language]["film"]).click()
		tab.clock.fast_forward("11:00")
		with tab.expect_request("**/memora.api.learner_preview.film?*"):
			held.pop().abort()
	desk.edit(lesson, stages=[{"title": s.title, "type": s.type, "config": s.config} for s in stages])
	desk.publish()


def test_pictures_that_are_not_published_yet_are_shown(desk: Desk, here: School) -> None:
	unit = here.docs["triangles"]
	name = f"preview-{here.language}.png"
	file = frappe.get_doc({"doctype": "File", "file_name": name, "content": PICTURE}).insert()
	frappe.db.commit()
	desk.edit(unit, badge_image=file.file_url)
	with (
		desk.login(here.editor) as page,
		opened(page, desk.form(page, here.docs["mathematics"]), here) as tab,
	):
		picture = tab.locator("img.row-picture")
		expect(picture).to_have_attribute("src", f"{desk.address}{file.file_url}")
		expect(picture).to_have_js_property("naturalWidth", 1)
	desk.edit(unit, badge_image="")
	frappe.delete_doc("File", file.name)
	desk.publish()


@contextmanager
def films(desk: Desk) -> Iterator[None]:
	"""Meanwhile CDN Settings name a bucket that nobody answers for: its links can be signed all the same."""
	doc = frappe.get_doc("CDN Settings")
	before = {field: doc.get(field) for field in ("enabled", "storage_provider")}
	doc.flags.save_anyway = True
	doc.update(
		{
			"enabled": 0,
			"storage_provider": "AWS S3",
			"endpoint_url": "http://127.0.0.1:9",
			"region": "eu-central-1",
			"bucket_name": "school",
			"access_key": "key",
			"secret_key": "secret",
		}
	)
	doc.save()
	frappe.db.commit()
	try:
		yield
	finally:
		frappe.db.rollback()
		desk.configure(**before)
