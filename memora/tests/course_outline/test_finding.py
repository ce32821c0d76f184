"""Search and filters within a subject, and an editor's own page."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import frappe

from memora.api import outline
from memora.exceptions import StorageUnavailableError
from memora.services.cdn_export.storage.local import LocalStorage
from memora.tests.helpers import factories
from memora.tests.helpers.outline import OutlineTestCase
from memora.tests.helpers.publishing import chain, make_course
from memora.tests.helpers.statements import statements


class TestFinding(OutlineTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(title="Maths")
		self.subject, self.track, self.unit, self.topic, self.lesson = chain(self.course)
		self.plan = factories.make_plan([self.subject], is_published=1)
		self.publish()

	def found(self, **asked: Any) -> list[str]:
		return [row["name"] for row in outline.find(self.subject.name, **asked)["rows"]]

	def test_by_title_in_content_order_with_the_way_to_each(self) -> None:
		for doc, title in (
			(self.course["lessons"][3], "The <main> Angle"),
			(self.topic, "ANGLES"),
			(self.lesson, "x"),
		):
			self.change(doc, title=title)
		answer = outline.find(self.subject.name, "angle")
		self.assertEqual([row["title"] for row in answer["rows"]], ["ANGLES", "The <main> Angle"])
		self.assertEqual(answer["rows"][0]["path"], [self.track.name, self.unit.name, self.topic.name])
		self.assertEqual(answer["rows"][0]["path_titles"], [self.track.title, self.unit.title])
		self.assertEqual(answer["left_off"], 0)
		self.assertEqual(self.found(text="<MAIN>"), [self.course["lessons"][3].name])
		self.change(self.plan, overrides=[factories.override(self.unit, "Rename", "Winkel")])
		self.assertEqual(self.found(text="winkel"), [])
		self.assertEqual(self.found(text="winkel", plan=self.plan.name), [self.unit.name])

	def test_where_a_document_is(self) -> None:
		way = [self.track.name, self.unit.name, self.topic.name, self.lesson.name]
		self.assertEqual(outline.place(self.lesson.name), {"subject": self.subject.name, "path": way})
		self.assertEqual(outline.place(self.unit.name, "Memora Unit")["path"], way[:2])
		self.assertEqual(outline.place(self.subject.name), {"subject": self.subject.name, "path": []})
		with self.assertRaises(frappe.DoesNotExistError):
			outline.place("gone")

	def test_by_what_holds_of_them(self) -> None:
		self.change(self.unit, is_published=0)
		self.change(self.lesson, is_published=0)
		self.assertEqual(self.found(only="drafts"), [self.unit.name, self.lesson.name])
		self.assertEqual(self.found(only="drafts", text=self.unit.title), [self.unit.name])
		self.change(self.track, required_item="MATHS")
		self.assertEqual(len(self.found(only="paid")), 9)
		self.change(self.course["units"][1], is_free_preview=1)
		self.assertEqual(len(self.found(only="paid")), 5)
		with self.assertRaisesRegex(frappe.ValidationError, "no filter"):
			outline.find(self.subject.name, only="everything")

	def test_by_what_waits_and_what_fails(self) -> None:
		self.assertEqual((self.found(only="waiting"), self.found(only="failing")), ([], []))
		self.change(self.lesson, title="Other")
		self.assertEqual(self.found(only="waiting"), [self.lesson.name])
		with patch.object(LocalStorage, "put", side_effect=StorageUnavailableError("The disk is full")):
			self.publish()
		self.assertIn(self.lesson.name, self.found(only="failing"))
		self.assertEqual(self.found(only="waiting"), [])

	def test_of_very_many_it_says_how_many_more_there_are(self) -> None:
		factories.make_many("Memora Lesson", self.topic, ["Same"] * 230)
		answer = outline.find(self.subject.name, "same")
		self.assertEqual((len(answer["rows"]), answer["left_off"]), (200, 30))
		with patch("memora.services.course_outline.finding._MOST_PAIRS", 100):
			self.assertEqual(outline.find(self.subject.name, only="waiting")["left_off"], 239 - 100)


class TestHome(OutlineTestCase):
	def test_without_anything_it_is_empty(self) -> None:
		self.assertEqual(
			outline.home(), {"drafts": [], "attention": [], "recent": [], "subjects": [], "can_create": True}
		)

	def test_my_drafts_what_i_edited_last_what_waits_and_the_courses(self) -> None:
		self.course = make_course(title="Maths <1>")
		subject, track, unit, topic, lesson = chain(self.course)
		plan = factories.make_plan([subject], title="Grade 7", is_published=1)
		other = factories.make_lesson(title="Not mine", parent_topic=topic.name)
		for field in ("owner", "modified_by"):
			frappe.db.set_value(other.doctype, other.name, field, "Guest", update_modified=False)
		draft = factories.make_lesson(title="Mine", parent_topic=topic.name)
		self.publish()
		answer = outline.home()
		self.assertEqual([row["title"] for row in answer["drafts"]], ["Mine"])
		self.assertEqual(
			answer["drafts"][0]["path_titles"], ["Maths <1>", track.title, unit.title, topic.title]
		)
		self.assertEqual(answer["drafts"][0]["subject"], subject.name)
		self.assertEqual(answer["attention"], [])
		self.assertEqual(answer["recent"][0]["name"], draft.name)
		self.assertNotIn(other.name, [row["name"] for row in answer["recent"]])
		self.assertEqual(
			answer["subjects"], [{"name": subject.name, "title": "Maths <1>", "lessons": 6, "drafts": 2}]
		)

		self.change(lesson, title="Changed")
		(row,) = outline.home()["attention"]
		self.assertEqual(
			(row["name"], row["state"]["state"], row["subject"]), (lesson.name, "waiting", subject.name)
		)
		with patch.object(LocalStorage, "put", side_effect=StorageUnavailableError("The disk is full")):
			self.publish()
		answer = outline.home()["attention"]
		self.assertEqual({row["state"]["state"] for row in answer}, {"failed"})
		self.assertTrue({lesson.name, plan.name, subject.name} & {row["name"] for row in answer})
		self.assertIn("The disk is full", answer[0]["text"])

	def test_its_cost_does_not_grow(self) -> None:
		self.course = make_course()
		factories.make_plan([self.course["subject"]], is_published=1)
		outline.home()  # Frappe looks up what it then keeps
		counts = []
		for lessons in (1, 300):
			topic = self.course["topics"][0]
			for name in factories.make_many("Memora Lesson", topic, ["L"] * lessons, is_published=0)[:30]:
				frappe.get_doc("Memora Lesson", name).save()
			frappe.db.commit()
			with statements() as seen:
				answer = outline.home()
			counts.append(len(seen))
		self.assertLessEqual(counts[1], counts[0])
		self.assertTrue(all(len(rows) <= 20 for rows in answer.values() if isinstance(rows, list)))
