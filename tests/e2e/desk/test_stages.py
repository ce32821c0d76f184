"""Stages that learners cannot use, as editors meet them: on a save, and in the report."""

from __future__ import annotations

import json

import frappe
from playwright.sync_api import expect

from tests.e2e.desk.driver import Desk
from tests.e2e.desk.school import School

BROKEN = {"question": "2 < 3?", "choices": ["<b>yes & so</b>", "no"], "answer": '"<img src=x>"'}


def test_the_report_lists_what_learners_cannot_use_as_it_was_typed(desk: Desk, here: School) -> None:
	lesson = here.docs["finding x"]
	stage = frappe.get_doc(lesson.doctype, lesson.name).stages[0]
	frappe.db.set_value(stage.doctype, stage.name, {"type": "Question", "config": json.dumps(BROKEN)})
	frappe.db.commit()
	try:
		with desk.login(here.editor) as page:
			desk.open(page, "query-report/Stages to Look At")
			row = page.locator(".dt-row", has_text=here.title("finding x"))
			expect(row).to_contain_text('"﹤img src=x﹥"')
			expect(row).to_contain_text(here.say("cannot use it"))
			expect(row.locator(".dt-cell img")).to_have_count(0)

	finally:
		frappe.db.rollback()
		values = {"type": stage.type, "config": stage.config}
		frappe.db.set_value(stage.doctype, stage.name, values)
		frappe.db.commit()


def test_a_save_that_makes_a_live_stage_unusable_is_refused_with_the_reason(desk: Desk, here: School) -> None:
	lesson = here.docs["finding x"]
	with desk.login(here.editor, expected=("417", "ValidationError")) as page:
		desk.form(page, lesson)
		page.evaluate("""() => {
			const [row] = cur_frm.doc.stages;
			frappe.model.set_value(row.doctype, row.name, {type: "Question", config: '{"question": "?"}'});
		}""")
		page.evaluate("() => { cur_frm.save(); }")
		said = page.locator(".msgprint:visible")
		expect(said).to_contain_text(
			here.say("{0} is missing, so no learner can be right. Say which answer is right.").replace(
				"{0}", '"answer"'
			)
		)
		expect(said).to_contain_text(here.title("finding x"))
	assert frappe.get_doc(lesson.doctype, lesson.name).stages[0].type != "Question"
