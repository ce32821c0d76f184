"""Questions of a spreadsheet or of GIFT into a lesson: what was seen comes in, in one save, by whoever may write it."""

from __future__ import annotations

import json
from typing import Any

import frappe

from memora.api import question_import
from memora.install import ADMIN, EDITOR
from memora.services.course_outline import importing
from memora.tests.helpers import factories
from memora.tests.helpers.outline import NO_ROLE, REFUSED, RolesTestCase, run

SHEET = {
	"text": "Question\tA\tB\tRight answer\n"
	"Which is even?\t1\t2\tB\n"
	"Which is <odd>?\t1\t2\tC\n"
	"How many?\t\t\t٣٫٥\n"
}
GIFT = {"text": "::One:: Is it <b>?{=yes ~no}\n\nMatch{=a->b =c->d}\n\n$CATEGORY: Two\n\nSo?{T}"}


class TestQuestionImport(RolesTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.lesson = factories.make_lesson(parent_topic=self.course["topics"][0].name, title="Quiz")
		for title in ("First", "Last"):
			self.lesson.append("stages", {"title": title, "type": "Text", "config": '{"text": "Read."}'})
		self.lesson.save()
		frappe.db.commit()

	def stages(self) -> list[tuple[str, str, Any]]:
		return [
			(stage.title, stage.type, json.loads(stage.config or "{}"))
			for stage in frappe.get_doc("Memora Lesson", self.lesson.name).stages
		]

	def add(self, given: dict[str, Any], *places: int, after: str = "") -> dict[str, Any]:
		return question_import.add(self.lesson.name, json.dumps(given), json.dumps(list(places)), after)

	def test_what_would_come_in_is_said_row_by_row_and_changes_nothing(self) -> None:
		before = self.stages()
		found = question_import.read(json.dumps(SHEET))
		self.assertEqual(found["form"], "spreadsheet")
		rows = found["rows"]
		self.assertEqual([row["title"] for row in rows], ["Which is even?", "Which is <odd>?", "How many?"])
		self.assertEqual([row["can_come_in"] for row in rows], [True, False, True])
		self.assertEqual([row["line"] for row in rows], [2, 3, 4])
		self.assertEqual(
			rows[0]["choices"], [{"text": "1", "is_right": False}, {"text": "2", "is_right": True}]
		)
		self.assertEqual(rows[2]["answers"], ["3.5"])
		(finding,) = rows[1]["findings"]
		self.assertEqual(
			finding,
			{
				"severity": "broken",
				"text": "“C” is none of its choices. Write the choice itself, its letter or its number.",
			},
		)
		found = question_import.read(json.dumps(GIFT))
		self.assertEqual((found["form"], [row["group"] for row in found["rows"]]), ("gift", ["", "", "Two"]))
		self.assertEqual(self.stages(), before)

	def test_what_was_chosen_comes_in_behind_a_stage_and_goes_again_by_undo(self) -> None:
		before = self.stages()
		first = frappe.get_doc("Memora Lesson", self.lesson.name).stages[0].name
		answer = self.add(SHEET, 2, 0, after=first)
		self.assertEqual([row["title"] for row in answer["rows"]], ["Which is even?", "How many?"])
		new = [
			(
				"Which is even?",
				"Question",
				{"question": "Which is even?", "kind": "one", "choices": ["1", "2"], "answer": "2"},
			),
			("How many?", "Question", {"question": "How many?", "kind": "number", "answer": "3.5"}),
		]
		self.assertEqual(self.stages(), [before[0], *new, *before[1:]])
		run(answer["undo"])
		self.assertEqual(self.stages(), before)
		self.add(SHEET, 0)
		self.assertEqual(self.stages(), [*before, new[0]])

	def test_a_title_keeps_its_signs_and_is_called_by_its_line_where_there_is_none(self) -> None:
		self.add({"text": "[html]<hr>{=[plain]<p> ~[plain]<b>}"}, 0)
		title, _type, config = self.stages()[-1]
		self.assertEqual((title, config["choices"]), ("Question in line 1", ["<p>", "<b>"]))
		self.add({"text": "Is it a <p>?{=yes ~no}"}, 0)
		stored = frappe.get_doc("Memora Lesson", self.lesson.name).stages[-1].title
		self.assertEqual(stored, "Is it a ﹤p﹥?")
		self.assertEqual(self.stages()[-1][2]["question"], "Is it a <p>?")

	def test_all_that_were_chosen_are_one_save(self) -> None:
		frappe.db.delete("CDN Change")
		self.add(SHEET, 0, 2)
		self.assertEqual(frappe.db.count("CDN Change", {"ref_name": self.lesson.name}), 1)

	def test_a_published_lesson_takes_them_too_and_learners_get_them(self) -> None:
		lesson = self.course["lessons"][0]
		plan = factories.make_plan([self.course["subject"]], is_published=1)
		question_import.add(lesson.name, json.dumps(SHEET), '["0"]')
		self.publish()
		stages = self.learner(plan).lessons[lesson.name]["stages"]
		self.assertEqual(stages[-1]["config"]["answer"], "2")

	def test_a_row_that_cannot_come_in_keeps_all_out(self) -> None:
		before = self.stages()
		for places in ([0, 1], [7], [10**6]):
			with self.subTest(places), self.assertRaises(frappe.ValidationError):
				self.add(SHEET, *places)
		for rows in ("[]", '["x"]', '["-1"]', f'["{"9" * 5_000}"]'):
			with self.subTest(rows[:9]), self.assertRaises(frappe.ValidationError):
				question_import.add(self.lesson.name, json.dumps(SHEET), rows)
		frappe.db.rollback()
		self.assertEqual(self.stages(), before)

	def test_what_is_no_text_or_too_large_is_refused(self) -> None:
		for given in ({}, {"text": 5}, {"text": ["a"]}, {"text": "a", "form": 5}, {"text": "a" * 10_000_001}):
			with self.assertRaises(frappe.ValidationError):
				question_import.read(given)
		self.assertEqual(question_import.read({"text": ""})["rows"], [])

	def test_many_rows_are_read_at_once_and_a_thousand_come_in_by_one_save(self) -> None:
		text = "Question,A,B,Answer\n" + "".join(
			f'"Is {number}\neven?",yes,no,A\n' for number in range(12_000)
		)
		found = question_import.read({"text": text})
		self.assertEqual(len(found["rows"]), 10_000)
		self.assertIn("Only the first 10000", found["notes"][0]["text"])
		self.assertLess(len(json.dumps(found)), 5_000_000)
		with self.assertRaises(frappe.ValidationError):
			self.add({"text": text}, *range(importing.MOST_AT_ONCE + 1))
		before = len(self.stages())
		self.add({"text": text}, *range(importing.MOST_AT_ONCE))
		self.assertEqual(len(self.stages()), before + importing.MOST_AT_ONCE)

	def test_the_template_comes_in_as_it_is_in_each_language(self) -> None:
		self.addCleanup(setattr, frappe.local, "lang", frappe.local.lang)
		for language, question in (("en", "Which gas"), ("ar", "أي غاز")):
			frappe.local.lang = language
			for text in question_import.templates().values():
				rows = question_import.read({"text": text})["rows"]
				self.assertEqual([row["findings"] for row in rows], [[]] * 5)
				self.assertTrue(rows[0]["question"].startswith(question))
		self.add({"text": question_import.templates()["pasted"]}, *range(5))

	def test_only_who_may_write_the_lesson_brings_questions_into_it(self) -> None:
		before = self.stages()
		self.become(self.users[NO_ROLE])
		for call in (
			lambda: question_import.read(SHEET),
			question_import.templates,
			lambda: self.add(SHEET, 0),
		):
			with self.assertRaises(frappe.PermissionError):
				call()
		self.become(self.users[ADMIN])
		self.assertTrue(question_import.read(SHEET)["rows"])
		with self.assertRaises(frappe.PermissionError):
			self.add(SHEET, 0)
		self.become(self.users[EDITOR])
		self.add(SHEET, 0)
		self.become("Administrator")
		self.assertEqual(len(self.stages()), len(before) + 1)
		self.keep_to(self.others["subject"].name)
		self.become(self.users[EDITOR])
		with self.assertRaises(REFUSED):
			self.add(SHEET, 0)

	def test_reading_is_open_to_both_methods_and_adding_is_post_only(self) -> None:
		methods = frappe.allowed_http_methods_for_whitelisted_func
		self.assertEqual(methods[question_import.add], ["POST"])
		self.assertEqual(methods[question_import.read], ["GET", "POST"])

	def keep_to(self, subject: str) -> None:
		"""The editor may see this subject alone."""
		self.addCleanup(frappe.db.delete, "User Permission", {"user": self.users[EDITOR]})
		values = {"user": self.users[EDITOR], "allow": "Memora Subject", "for_value": subject}
		frappe.get_doc({"doctype": "User Permission", **values}).insert(ignore_permissions=True)
