"""Stages larger than any form: what is put in is taken at once and kept whole, and the form says that it shows the beginning."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, expect

from tests.e2e.desk.driver import Desk, save, shoot
from tests.e2e.desk.school import School
from tests.e2e.desk.stage_forms import StageEditor, add_stage, lesson_of, open_stage, rows_of, stored

SIZE = 9_900_000
WORDS = "The force of a spring grows with its length. "
TOO_LONG = "This text is too long to be edited here. It stays as it is; its beginning is shown."
FROZEN = 60
"""Seconds after which a page is called frozen: as long as these tests wait for anything, on a busy machine too."""


@contextmanager
def answers(page: Page) -> Iterator[None]:
	"""The page draws again soon after this."""
	started = time.monotonic()
	yield
	page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
	took = time.monotonic() - started
	assert took < FROZEN, took


def paste(field: Locator, text: str) -> None:
	"""Paste into a field as people do; the page answers soon."""
	page = field.page
	page.context.grant_permissions(["clipboard-read", "clipboard-write"])
	if not field.evaluate("field => field === document.activeElement"):
		field.focus()
	page.evaluate("text => navigator.clipboard.writeText(text)", text)
	with answers(page):
		page.keyboard.press("ControlOrMeta+v")


def filled(part: str, size: int = SIZE) -> str:
	return part * (size // len(part))


def _saved(page: Page, editor: StageEditor) -> None:
	with answers(page):
		editor.done()
	save(page)


def test_a_book_is_pasted_into_a_text_and_taken_back(desk: Desk, here: School) -> None:
	with lesson_of(here) as lesson, desk.login(here.editor) as page:
		desk.form(page, lesson)
		editor = add_stage(page, here)
		editor.pick("Text", "A book")
		area = editor.write("html", "Before")
		paste(area, filled(WORDS))
		source = editor.field("html").locator("textarea")
		expect(editor.field("html").locator("[role=status]").first).to_have_text(here.say(TOO_LONG))
		assert len(source.input_value()) < 20_000
		shoot(page, "stage-too-long", here)
		editor.dialog.get_by_role("button", name=here.say("Take It Back")).click()
		expect(editor.field("html").locator(".ProseMirror")).to_have_text("Before")
		page.keyboard.press("Control+End")
		paste(editor.field("html").locator(".ProseMirror"), filled(WORDS))
		_saved(page, editor)
		html = json.loads(stored(lesson)[0].config)["html"]
		assert html.startswith("<p>Before</p>\n<p>The force")
		assert len(html) > SIZE - 100
		editor = open_stage(page, here)
		with answers(page):
			editor.title.fill("The same book")
		editor.done()
		assert json.loads(rows_of(page)[0]["config"])["html"] == html


def test_a_book_is_pasted_into_a_field(desk: Desk, schools: dict[str, School]) -> None:
	here = schools["en"]
	code = filled("x" * 79 + " ")  # a line's end would be six bytes of what is sent, and Frappe takes 10 MB
	with lesson_of(here) as lesson, desk.login(here.editor) as page:
		desk.form(page, lesson)
		editor = add_stage(page, here)
		editor.pick("Interactive", "Code")
		paste(editor.add("starter").locator("textarea"), code)
		expect(editor.field("starter")).to_contain_text("too long to be edited here")
		_saved(page, editor)
		assert json.loads(stored(lesson)[0].config)["starter"] == code


def test_a_book_is_pasted_as_json(desk: Desk, schools: dict[str, School]) -> None:
	here = schools["en"]
	whole = '{"text": "' + filled("x" * 80, SIZE - 20) + '"}'
	with lesson_of(here, {"type": "Text", "config": '{"text": "a"}'}) as lesson:
		with desk.login(here.editor) as page:
			desk.form(page, lesson)
			editor = open_stage(page, here)
			raw = editor.raw
			raw.select_text()
			paste(raw, whole)
			expect(raw).to_have_value(re.compile(re.escape(TOO_LONG)))
			_saved(page, editor)
			assert stored(lesson)[0].config == whole


def test_ten_thousand_choices_are_pasted(desk: Desk, here: School) -> None:
	choices = [f"choice {place}" for place in range(10_000)]
	with lesson_of(here) as lesson, desk.login(here.editor) as page:
		desk.form(page, lesson)
		editor = add_stage(page, here)
		editor.pick("Question", "Which?")
		editor.fill("question", "Which?")
		paste(editor.rows("answer").first.locator("textarea"), "\n".join(choices))
		expect(editor.field("answer")).to_contain_text(
			here.say("This is too long to be edited here. It stays as it is.")
		)
		_saved(page, editor)
		assert json.loads(stored(lesson)[0].config)["choices"] == choices
