"""Where stages are opened and what becomes of what was typed: the course page, a browser that is left, files, and stages
that are larger than any form."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import frappe
from playwright.sync_api import Page, Route, expect

from tests.e2e.desk.driver import PATIENCE, Desk, save, shoot
from tests.e2e.desk.school import School
from tests.e2e.desk.stage_forms import StageEditor, add_stage, lesson_of, open_stage, rows_of, stored

TEXT = {"type": "Text", "config": '{"text": "one", "own": 1.50}'}
ASKS = {"type": "Question", "config": json.dumps({"question": "?", "choices": ["a", "b"], "answer": "a"})}
REFUSED = (
	"EXPECTATION FAILED",
	"ValidationError",
	"FORBIDDEN",
	"UNAUTHORIZED",
	"403",
	"401",
	"PermissionError",
	"AuthenticationError",
)


@contextmanager
def outline(
	desk: Desk, here: School, lesson: Any, expected: tuple[str, ...] = (), **size: int
) -> Iterator[Page]:
	"""The course page with the stages of a lesson in sight."""
	with desk.login(here.editor, expected=expected, **size) as page:
		see(desk, here, page, lesson)
		yield page


def see(desk: Desk, here: School, page: Page, lesson: Any) -> None:
	desk.open(page, f"memora-course/{here.name('mathematics')}/{lesson.name}")
	node = page.locator(f"[data-name='{lesson.name}']")
	expect(node).to_be_focused()
	node.press("ArrowLeft" if here.language == "ar" else "ArrowRight")
	page.locator(".is-stage .memora-row").first.wait_for()


def row_of(page: Page, stage: Any) -> Any:
	return page.locator(f"[data-name='{stage.name}']")


@contextmanager
def logged_out(page: Page) -> Iterator[None]:
	"""Without a session, until somebody logs in again."""
	cookies = page.context.cookies()
	page.context.clear_cookies()
	try:
		yield
	finally:
		page.goto("about:blank")  # an answer that is still under way would make a guest of whoever logs in
		page.context.add_cookies(cookies)


_KEPT_OF = """(lesson) => new Promise((done, fail) => {
	const request = indexedDB.open("memora", 1);
	request.onupgradeneeded = () => request.result.createObjectStore("stages", { keyPath: "key" });
	request.onerror = fail;
	request.onsuccess = () => {
		const all = request.result.transaction("stages").objectStore("stages").getAll();
		all.onerror = fail;
		all.onsuccess = () => {
			request.result.close();
			done(all.result.filter((one) => one.lesson === lesson));
		};
	};
})"""


def kept_of(page: Page, lesson: str) -> list[dict[str, Any]]:
	"""What the browser keeps of a lesson."""
	return list(page.evaluate(_KEPT_OF, lesson))


def is_kept(desk: Desk, page: Page, lesson: str, text: str) -> list[dict[str, Any]]:
	"""Wait until the browser has kept this of a lesson, and hold its store. Returns what it has kept of it."""
	deadline = time.monotonic() + PATIENCE
	while text not in str(kept := kept_of(page, lesson)):
		assert time.monotonic() < deadline, f"the browser keeps {kept}"
		page.evaluate("new Promise(requestAnimationFrame)")
	hold(desk, page)
	return kept


def hold(desk: Desk, page: Page) -> None:
	"""Hold the browser's stores open: a private window, as a test's is, forgets those that no tab has open, as between two
	pages."""
	tab = page.context.new_page()
	page.once("close", lambda _: tab.close())
	tab.goto(f"{desk.address}/assets/memora/reader/stage.html")
	tab.evaluate(
		"""new Promise((done) => {
			localStorage.length;
			const request = indexedDB.open("memora", 1);
			request.onupgradeneeded = () => request.result.createObjectStore("stages", { keyPath: "key" });
			request.onsuccess = () => { window.held = request.result; done(); };
		})"""
	)


def test_a_stage_is_edited_on_the_course_page(desk: Desk, here: School) -> None:
	with lesson_of(here, TEXT, ASKS) as lesson, outline(desk, here, lesson, width=1440, height=900) as page:
		row_of(page, stored(lesson)[0]).focus()
		page.keyboard.press("Enter")
		editor = StageEditor(page, here)
		editor.fill("text", "two")
		editor.title.fill("Read on")
		editor.done()
		expect(page.locator(".memora-title", has_text="Read on")).to_be_visible()
		first, second = stored(lesson)
		assert (first.title, first.config) == ("Read on", '{"text": "two", "own": 1.50}')
		page.locator(".memora-title", has_text=second.title).click()
		editor = StageEditor(page, here)
		expect(editor.rows("answer")).to_have_count(2)
		editor.has_keys()
		page.keyboard.press("Escape")
		expect(page.locator(".memora-stage-dialog")).to_have_count(0)
		assert stored(lesson)[1].config == ASKS["config"]


def test_a_published_lesson_gets_a_stage_whole(desk: Desk, here: School) -> None:
	with (
		lesson_of(here, TEXT, is_published=1) as lesson,
		outline(desk, here, lesson, REFUSED, width=1440, height=900) as page,
	):
		row_of(page, stored(lesson)[0]).focus()
		page.keyboard.press("n")
		editor = StageEditor(page, here)
		editor.pick("Question", "Ask")
		editor.fill("question", "Is it so?")
		editor.choose("Short answer")
		editor.locator(".standard-actions .btn-primary").click()
		expect(editor.locator(".memora-stage-status")).to_contain_text(
			here.say("Learners could not use this, so a published lesson cannot have it.")
		)
		editor.rows("answer").first.locator("input").fill("yes")
		editor.done()
		expect(page.locator(".memora-title", has_text="Ask")).to_be_visible()
		assert json.loads(stored(lesson)[1].config) == {
			"question": "Is it so?",
			"kind": "short",
			"answer": "yes",
		}


def test_a_check_that_a_later_one_overtakes_keeps_it_from_being_done(desk: Desk, here: School) -> None:
	with (
		lesson_of(here, TEXT, is_published=1) as lesson,
		outline(desk, here, lesson, REFUSED, width=1440, height=900) as page,
	):
		row_of(page, stored(lesson)[0]).focus()
		page.keyboard.press("n")
		editor = StageEditor(page, here)
		editor.pick("Question", "Ask")
		editor.choose("Short answer")
		held: list[Route] = []
		page.route("**/*memora.api.stages.check*", lambda route: held.append(route))
		with page.expect_request("**/*memora.api.stages.check*"):
			editor.locator(".standard-actions .btn-primary").click()
		with page.expect_request("**/*memora.api.stages.check*"):
			editor.fill("question", "Is it so?")
		for route in held:
			route.continue_()
		page.unroute("**/*memora.api.stages.check*")
		expect(editor.locator(".memora-stage-status")).to_contain_text(
			here.say("Learners could not use this, so a published lesson cannot have it.")
		)


def test_what_someone_else_has_made_of_a_stage_is_not_lost(desk: Desk, here: School) -> None:
	with lesson_of(here, TEXT) as lesson, outline(desk, here, lesson) as page:
		page.locator(".memora-title", has_text=stored(lesson)[0].title).click()
		editor = StageEditor(page, here)
		editor.fill("text", "mine")
		doc = frappe.get_doc(lesson.doctype, lesson.name)
		doc.stages[0].config = '{"text": "theirs"}'
		doc.save()
		frappe.db.commit()
		editor.locator(".standard-actions .btn-primary").click()
		asked = page.locator(".modal.show", has_text=here.say("Changed Meanwhile")).last
		asked.locator(".btn-modal-secondary").click()
		theirs = page.locator(".memora-stage-dialog.show", has=page.locator("textarea:disabled")).last
		expect(theirs.locator("[data-field=text] textarea")).to_have_value("theirs")
		theirs.locator(".btn-modal-close").click()
		expect(page.locator(".memora-stage-dialog.show")).to_have_count(1)
		assert stored(lesson)[0].config == '{"text": "theirs"}'
		editor.locator(".standard-actions .btn-primary").click()
		asked = page.locator(".modal.show", has_text=here.say("Changed Meanwhile")).last
		asked.locator(".standard-actions .btn-primary").click()
		expect(page.locator(".memora-stage-dialog")).to_have_count(0)
		assert stored(lesson)[0].config == '{"text": "mine", "own": 1.50}'


def test_what_was_typed_in_a_form_is_offered_after_a_reload(desk: Desk, here: School) -> None:
	with lesson_of(here, TEXT) as lesson, desk.login(here.editor, width=1440, height=900) as page:
		desk.form(page, lesson)
		editor = open_stage(page, here)
		editor.fill("text", "typed and left")
		is_kept(desk, page, lesson.name, "typed and left")
		desk.form(page, lesson)
		box = page.locator(".memora-stages-kept")
		box.wait_for()
		shoot(page, "stage-kept", here)
		box.locator("button").first.click()
		editor = StageEditor(page, here)
		expect(editor.field("text").locator("textarea")).to_have_value("typed and left")
		expect(editor.locator(".memora-stage-kept")).to_be_visible()
		editor.done()
		new = add_stage(page, here)
		new.pick("Text", "Another one")
		new.write("html", "new and left")
		new.done()
		is_kept(desk, page, lesson.name, "new and left")
		desk.form(page, lesson)  # what was done, but not saved
		expect(box.locator("li")).to_have_count(2)
		for place in (0, 1):
			box.locator("li").nth(0).locator("button").first.click()
			StageEditor(page, here).done()
			assert box.locator("li").count() == 1 - place
		save(page)
		assert sorted(json.loads(stage.config).get("text", "") for stage in stored(lesson)) == [
			"",
			"typed and left",
		]
		assert "new and left" in stored(lesson)[1].config
		desk.form(page, lesson)
		expect(page.locator("[data-fieldname=stages] .grid-row[data-idx='2']")).to_be_visible()
		assert kept_of(page, lesson.name) == []
		expect(box).to_have_count(0)


def test_what_was_typed_outlives_the_session_and_can_be_discarded(desk: Desk, here: School) -> None:
	with lesson_of(here, TEXT) as lesson, outline(desk, here, lesson, REFUSED) as page:
		title = stored(lesson)[0].title
		page.locator(".memora-title", has_text=title).click()
		editor = StageEditor(page, here)
		with page.expect_response("**/memora.api.stages.check"):  # its answer would bring the session back
			editor.fill("text", "typed without a session")
		is_kept(desk, page, lesson.name, "typed without a session")
		with logged_out(page):
			editor.locator(".standard-actions .btn-primary").click()
			# Releases of Frappe lead to the login page.
			expect(
				editor.locator(".memora-stage-status.is-bad")
				.or_(page.locator(".page-card, .for-login"))
				.first
			).to_be_visible()
		see(desk, here, page, lesson)
		page.locator(".memora-title", has_text=title).click()
		editor = StageEditor(page, here)
		expect(editor.field("text").locator("textarea")).to_have_value("typed without a session")
		editor.locator(".memora-stage-kept button").click()
		expect(editor.field("text").locator("textarea")).to_have_value("one")
		editor.done()
		page.locator(".memora-title", has_text=title).click()
		editor = StageEditor(page, here)
		expect(editor.field("text").locator("textarea")).to_have_value("one")
		assert stored(lesson)[0].config == TEXT["config"]


def test_files_of_this_computer_are_put_in_place(desk: Desk, here: School, tmp_path: Path) -> None:
	words = tmp_path / "waves.vtt"
	words.write_text("WEBVTT\n\n00:00.000 --> 00:02.000\nHello\n")
	film = {"type": "Video", "config": '{"video_url": "https://youtu.be/aqz-KE-bpKQ"}'}
	with lesson_of(here, film) as lesson, desk.login(here.editor) as page:
		desk.form(page, lesson)
		editor = open_stage(page, here)
		editor.add("captions")
		row = editor.rows("captions").first
		with page.expect_file_chooser() as chooser:
			row.get_by_role("button", name=here.say("Upload")).click()
		chooser.value.set_files(words)
		address = editor.part(row, "src").first
		expect(address).to_have_value(re.compile("^/files/waves"))
		editor.part(row, "lang").fill("en")
		editor.part(row, "label").fill("English")
		editor.done()
		save(page)
		[captions] = json.loads(stored(lesson)[0].config)["captions"]
		assert captions["src"].startswith("/files/waves")
		assert frappe.db.exists("File", {"file_url": captions["src"], "attached_to_name": lesson.name})


def test_what_is_larger_than_any_form_stays_as_it_is(desk: Desk, schools: dict[str, School]) -> None:
	here = schools["en"]
	choices = [f"choice {place}" for place in range(10_000)]
	many = {"question": "Which?", "choices": choices, "answer": "choice 7"}
	stages = [
		{"type": "Question", "config": json.dumps(many)},
		{"type": "Text", "config": json.dumps({"html": "<p>word word word</p>" * 45_000, "text": "x"})},
		{"type": "Interactive", "config": json.dumps({"starter": "x = 1\n" * 100_000})},
	]
	with lesson_of(here, *stages) as lesson, desk.login(here.editor) as page:
		before = [stage.config for stage in stored(lesson)]
		desk.form(page, lesson)
		for place in range(1, 4):
			started = time.monotonic()
			editor = open_stage(page, here, place)
			editor.title.fill(f"Large {place}")
			editor.raw.focus()
			assert time.monotonic() - started < 15
			editor.done()
		assert [row["config"] for row in rows_of(page)] == before
		assert [row["title"] for row in rows_of(page)] == ["Large 1", "Large 2", "Large 3"]


def test_a_stage_is_made_on_a_phone(desk: Desk, here: School) -> None:
	with lesson_of(here) as lesson, desk.login(here.editor, width=390, height=800) as page:
		desk.form(page, lesson)
		editor = add_stage(page, here)
		editor.pick("Question", "الكسور" if here.language == "ar" else "Fractions")
		editor.fill("question", r"\(\frac{1}{2}\) = ?")
		rows = editor.rows("answer")
		for place, text in enumerate(("0.5", "0.2")):
			rows.nth(place).locator("textarea").fill(text)
		rows.nth(0).locator("[type=radio]").check()
		shoot(page, "stage-phone", here)
		editor.choose("As learners see it")
		expect(editor.locator("iframe")).to_be_visible()
		shoot(page, "stage-phone-seen", here)
		overflow = page.evaluate(
			"document.querySelector('.memora-stage').scrollWidth - document.querySelector('.memora-stage').clientWidth"
		)
		assert overflow <= 0
		editor.done()
		assert json.loads(rows_of(page)[0]["config"])["answer"] == "0.5"
