"""Which stages a save takes: a draft's all, a published lesson's only those that learners can use."""

from __future__ import annotations

import json
from unittest.mock import patch

import frappe

from memora.memora.report.stages_to_look_at import stages_to_look_at
from memora.services.cdn_export.admin.doctor import content
from memora.tests.helpers.factories import make_lesson
from memora.tests.helpers.utils import MemoraTestCase, messages

GOOD = {"question": "2 + 2?", "choices": ["3", "4"], "answer": "4"}
BROKEN = {"question": "2 + 2?", "choices": ["3", "4"], "answer": 1}
DOUBTFUL = {**GOOD, "points": 3}


def question(config: object, title: str = "Ask", **fields: object) -> dict[str, object]:
	return {"title": title, "type": "Question", "config": json.dumps(config), **fields}


class TestPublishedLessons(MemoraTestCase):
	def setUp(self) -> None:
		super().setUp()
		frappe.clear_messages()

	def refused(self, doc: object) -> str:
		with self.assertRaises(frappe.ValidationError) as refused:
			doc.save()
		return str(refused.exception)

	def with_old_stage(self, **fields: object) -> object:
		"""A lesson with a stage from before there was a check."""
		lesson = make_lesson(title="Sums", stages=[question(GOOD, "Old"), question(GOOD, "Other")], **fields)
		frappe.db.set_value("Memora Lesson Stage", lesson.stages[0].name, "config", json.dumps(BROKEN))
		return frappe.get_doc("Memora Lesson", lesson.name)

	def test_a_stage_that_a_save_makes_unusable_is_refused_and_all_are_named(self) -> None:
		lesson = make_lesson(title="Sums", is_published=1, stages=[question(GOOD), question(GOOD, "More")])
		lesson.stages[0].config = json.dumps(BROKEN)
		lesson.append("stages", {"title": "Watch", "type": "Video"})
		said = self.refused(lesson)
		self.assertIn("Lesson “Sums”, row 1 (“Ask”): its answer “1” is none of its choices", said)
		self.assertIn("Lesson “Sums”, row 3 (“Watch”): it has no film", said)
		self.assertNotIn("row 2", said)

	def test_a_warning_stops_nothing(self) -> None:
		lesson = make_lesson(is_published=1, stages=[question(DOUBTFUL)])
		self.assertIn("points", messages())
		self.assertEqual(
			json.loads(frappe.db.get_value("Memora Lesson Stage", lesson.stages[0].name, "config")), DOUBTFUL
		)

	def test_a_stage_that_a_save_does_not_touch_stops_nothing(self) -> None:
		lesson = self.with_old_stage(is_published=1)
		lesson.title = "Sums and more"
		lesson.stages[0].title = "Older"
		lesson.stages[1].config = json.dumps({**GOOD, "answer": "3"})
		lesson.stages.reverse()
		lesson.save()
		self.assertEqual(messages(), "")
		lesson.stages[1].config = json.dumps({**BROKEN, "answer": 0})
		self.assertIn("(“Older”)", self.refused(lesson))

	def test_a_lesson_is_not_published_with_a_stage_that_was_never_live(self) -> None:
		lesson = make_lesson(title="Sums", stages=[question(BROKEN), question(GOOD)])
		lesson.is_published = 1
		self.assertIn("row 1 (“Ask”)", self.refused(lesson))
		lesson.reload()
		lesson.stages[0].config = json.dumps(GOOD)
		lesson.is_published = 1
		lesson.save()
		with self.assertRaises(frappe.ValidationError):
			make_lesson(is_published=1, stages=[question(BROKEN)])

	def saved(self, lesson: object, **fields: object) -> None:
		"""Save as a person does, with a history; Frappe keeps none in tests."""
		lesson.update(fields)
		lesson.save(ignore_version=False)

	def test_a_lesson_that_was_unpublished_is_published_again_with_what_was_live(self) -> None:
		lesson = self.with_old_stage(is_published=1)
		self.saved(lesson, is_published=0)
		self.saved(lesson, description="Meanwhile")
		self.saved(lesson, is_published=1)
		self.assertEqual(frappe.db.get_value("Memora Lesson", lesson.name, "is_published"), 1)
		self.saved(lesson, is_published=0)
		self.saved(lesson, is_published=1)

	def test_what_changed_in_the_draft_meanwhile_is_looked_at(self) -> None:
		for change in (
			lambda lesson: lesson.append("stages", question(BROKEN, "New")),
			lambda lesson: lesson.stages[1].update({"config": json.dumps(BROKEN)}),
		):
			for at_once in (True, False):
				lesson = self.with_old_stage(is_published=1)
				lesson.is_published = 0
				if not at_once:
					self.saved(lesson)
				change(lesson)
				self.saved(lesson)
				lesson.is_published = 1
				said = self.refused(lesson)
				self.assertIn("is none of its choices", said)
				self.assertNotIn("“Old”", said)

	def test_what_comes_back_from_the_trash_is_as_it_was(self) -> None:
		lesson = self.with_old_stage(is_published=1)
		frappe.delete_doc("Memora Lesson", lesson.name)
		deleted = frappe.get_last_doc("Deleted Document", {"deleted_name": lesson.name})
		frappe.call("frappe.core.doctype.deleted_document.deleted_document.restore", name=deleted.name)
		self.assertEqual(frappe.db.get_value("Memora Lesson", lesson.name, "is_published"), 1)

	def test_a_row_saved_by_itself_is_refused_where_its_lesson_is_published(self) -> None:
		for is_published in (0, 1):
			row = make_lesson(title="Sums", is_published=is_published, stages=[question(GOOD)]).stages[0]
			row.config = json.dumps(BROKEN)
			if is_published:
				self.assertIn("Lesson “Sums”, row 1", self.refused(row))
			else:
				row.save()

	def test_what_an_editor_typed_is_no_markup_in_the_message(self) -> None:
		make_lesson(stages=[question({**GOOD, "answer": "<img src=x onerror=alert(1)>"})])
		self.assertIn("onerror", messages())
		self.assertNotIn("<img", messages())

	def test_a_long_list_is_cut(self) -> None:
		make_lesson(stages=[question({}, f"Ask {number}") for number in range(30)])
		self.assertIn("… and 48 more.", messages())


class TestReport(MemoraTestCase):
	def rows(self) -> list[dict[str, object]]:
		return stages_to_look_at.execute()[1]

	def test_the_report_lists_what_learners_cannot_use_before_what_they_miss(self) -> None:
		make_lesson(title="Draft", stages=[question(BROKEN)])
		live = make_lesson(title="Live", is_published=1, stages=[question(DOUBTFUL), question(GOOD)])
		frappe.db.set_value("Memora Lesson Stage", live.stages[1].name, "config", '{"a": <b>')
		self.assertEqual(
			[(row["is_published"], row["row"], row["learners"]) for row in self.rows()],
			[
				(1, 2, "cannot use it"),
				(1, 1, "miss something"),
				(0, 1, "cannot use it"),
				(0, 1, "miss something"),
			],
		)
		self.assertIn("line 1, column 7", self.rows()[0]["problem"])
		self.assertNotIn("<", json.dumps(self.rows()))

	def test_its_texts_are_plain(self) -> None:
		make_lesson(title='"A" & B', stages=[question({**GOOD, "answer": '"<img src=x>" & more'})])
		(row,) = self.rows()
		self.assertEqual(row["lesson_title"], '"A" & B')
		self.assertIn('"﹤img src=x﹥" & more', row["problem"])

	def test_a_user_sees_the_lessons_that_they_may_read(self) -> None:
		make_lesson(stages=[question(BROKEN)])
		self.assertTrue(self.rows())
		with patch.object(frappe, "get_list", return_value=[]):
			self.assertEqual(self.rows(), [])

	def test_editors_can_open_it(self) -> None:
		roles = {row.role for row in frappe.get_doc("Report", "Stages to Look At").roles}
		self.assertEqual(roles, {"System Manager", "Memora CDN Admin", "Memora Editor"})

	def test_the_doctor_names_both(self) -> None:
		self.assertEqual([finding.level for finding in content.stages()], ["ok"])
		make_lesson(title="Sums", stages=[question(BROKEN), question(DOUBTFUL, "Points")])
		broken, incomplete = content.stages()
		self.assertIn("Learners cannot use 1 stages: Sums, row 1 (Ask)", broken.message)
		self.assertIn(
			"Learners do not get 1 stages as they were meant: Sums, row 2 (Points)", incomplete.message
		)
