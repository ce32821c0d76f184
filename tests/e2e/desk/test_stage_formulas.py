"""Formulas in the plain texts of a question: a button puts one at the cursor, and opens the one that the cursor is in."""

from __future__ import annotations

import json

from playwright.sync_api import Locator, Page, expect

from tests.e2e.desk.driver import Desk, shoot
from tests.e2e.desk.school import School
from tests.e2e.desk.stage_forms import add_stage, lesson_of, rows_of


def _formula(page: Page, here: School, source: str, own_line: bool = False) -> None:
	dialog = page.locator(".modal.show", has=page.locator("[data-fieldname=source]")).last
	dialog.locator("[data-fieldname=source] textarea").fill(source)
	dialog.locator("[data-fieldname=display] [type=checkbox]:visible").set_checked(own_line)
	dialog.locator(".memora-rt-picture .katex-html").wait_for()
	shoot(page, "stage-formula", here)
	dialog.locator(".btn-modal-primary").click()
	expect(page.locator("[data-fieldname=source]:visible")).to_have_count(0)


def _cursor(area: Locator, place: int) -> None:
	area.focus()
	area.evaluate("(area, place) => area.setSelectionRange(place, place)", place)


def test_a_button_puts_formulas_into_question_and_choices(desk: Desk, here: School) -> None:
	with lesson_of(here) as lesson, desk.login(here.editor, width=1440, height=900) as page:
		desk.form(page, lesson)
		editor = add_stage(page, here)
		editor.pick("Question", "Power")
		editor.fill("question", "What is  here?")
		question = editor.field("question").locator("textarea")
		_cursor(question, len("What is "))
		editor.field("question").locator("[data-formula]").click()
		_formula(page, here, "2^3")
		expect(question).to_have_value(r"What is \(2^3\) here?")
		expect(question).to_be_focused()
		first, second = (editor.rows("answer").nth(place) for place in (0, 1))
		first.locator("[data-formula]").click()
		_formula(page, here, "8", own_line=True)
		expect(first.locator("textarea")).to_have_value(r"\[8\]")
		second.locator("textarea").fill(r"\(6\)")
		_cursor(question, len(r"What is \(2"))
		editor.field("question").locator("[data-formula]").click()
		source = page.locator("[data-fieldname=source] textarea:visible")
		expect(source).to_have_value("2^3")
		_formula(page, here, "2^{3}")
		first.locator("[type=radio]").check()
		editor.done()
		assert json.loads(rows_of(page)[0]["config"]) == {
			"question": r"What is \(2^{3}\) here?",
			"choices": [r"\[8\]", r"\(6\)"],
			"answer": r"\[8\]",
		}
