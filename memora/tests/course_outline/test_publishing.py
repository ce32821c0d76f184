"""Rows that are published or opened: what else becomes live or free is asked by title, and undo does no more than was."""

from __future__ import annotations

import frappe
from frappe.model.document import Document

from memora.api import course
from memora.tests.helpers import factories
from memora.tests.helpers.outline import OutlineTestCase, published, row, run
from memora.tests.helpers.publishing import chain, make_course


def stages_of(lesson: Document) -> list[str]:
	return frappe.get_all("Memora Lesson Stage", {"parent": lesson.name}, order_by="idx", pluck="name")


class TestPublished(OutlineTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(required_item="MATHS")
		self.subject, self.track, self.unit, self.topic, self.lesson = chain(self.course)
		for number, lesson in enumerate(self.course["lessons"]):
			self.change(lesson, title=f"L{number}")
		self.plan = factories.make_plan([self.subject], is_published=1)

	def test_a_lesson_below_what_is_live_is_published_without_a_question(self) -> None:
		self.change(self.lesson, is_published=0)
		answer = course.set_published([row(self.lesson)], 1)
		self.assertEqual((answer["done"], answer["rows"][0]["is_published"]), (True, True))
		self.assertEqual(published(self.lesson), [True])
		run(answer["undo"])
		self.assertEqual(published(self.lesson), [False])

	def test_what_a_published_parent_makes_live_is_asked_by_title_and_nothing_is_done_before(self) -> None:
		self.change(self.unit, is_published=0)
		self.change(self.course["lessons"][1], is_published=0)
		ask = course.set_published([row(self.unit)], 1)["ask"]
		self.assertEqual((ask["live"], ask["free"]), (["L0"], []))
		self.assertEqual(ask["counts"], {"live": 1, "free": 0, "deletes": 0})
		self.assertEqual(published(self.unit), [False])
		self.assertIn("ask", course.set_published([row(self.unit)], 1, 0, "something else"))
		self.change(self.course["lessons"][1], is_published=1)  # it would do more by now
		again = course.set_published([row(self.unit)], 1, 0, ask["agreed"])
		self.assertEqual(again["ask"]["live"], ["L0", "L1"])
		self.change(self.lesson, is_published=0)  # and now less
		self.assertTrue(course.set_published([row(self.unit)], 1, 0, again["ask"]["agreed"])["done"])
		self.assertEqual(published(self.unit), [True])

	def test_below_a_draft_nothing_becomes_live(self) -> None:
		self.change(self.track, is_published=0)
		self.change(self.unit, is_published=0)
		self.assertTrue(course.set_published([row(self.unit)], 1)["done"])

	def test_what_every_plan_hides_becomes_live_in_none(self) -> None:
		self.change(self.unit, is_published=0)
		self.change(self.plan, overrides=[factories.override(self.topic, "Hide")])
		ask = course.set_published([row(self.unit)], 1)
		self.assertTrue(ask["done"])  # the unit alone, which is the row in hand
		self.change(self.unit, is_published=0)
		factories.make_plan([self.subject])
		self.assertEqual(course.set_published([row(self.unit)], 1)["ask"]["live"], ["L0", "L1"])

	def test_with_all_below_everything_is_named_and_the_undo_makes_drafts_of_just_that(self) -> None:
		docs = [self.unit, self.topic, *self.course["lessons"][:2]]
		for doc in (self.unit, self.topic, self.lesson):
			self.change(doc, is_published=0)
		ask = course.set_published([row(self.unit)], 1, 1)["ask"]
		self.assertEqual(ask["live"], ["L0", "L1"])
		answer = course.set_published([row(self.unit)], 1, 1, ask["agreed"])
		self.assertEqual(published(*docs), [True] * 4)
		run(answer["undo"])
		self.assertEqual(published(*docs), [False, False, False, True])

	def test_the_undo_of_unpublishing_makes_live_what_was_live_and_asks_for_more(self) -> None:
		for more in (False, True):
			self.change(self.course["lessons"][1], is_published=0)
			answer = course.set_published([row(self.unit)], 0)
			self.assertEqual(published(self.unit), [False])
			if more:
				self.change(self.course["lessons"][1], is_published=1)
			undone = run(answer["undo"])
			self.assertEqual("ask" in undone, more)
			self.assertEqual(published(self.unit), [not more])

	def test_what_becomes_free_is_asked_the_row_itself_too(self) -> None:
		for doc, free in ((self.lesson, ["L0"]), (self.unit, ["L0", "L1"])):
			with self.subTest(doc.doctype):
				ask = course.set_free_preview([row(doc)], 1)["ask"]
				self.assertEqual((ask["free"], ask["live"]), (free, []))
				self.assertFalse(frappe.db.get_value(doc.doctype, doc.name, "is_free_preview"))
				answer = course.set_free_preview([row(doc)], 1, ask["agreed"])
				self.assertTrue(answer["rows"][0]["is_free_preview"])
				back = run(answer["undo"])
				self.assertFalse(frappe.db.get_value(doc.doctype, doc.name, "is_free_preview"))
				self.assertTrue(run(back["undo"])["done"])  # it was free before
				run(answer["undo"])
		self.change(self.subject, required_item="")
		self.assertTrue(course.set_free_preview([row(self.unit)], 1)["done"])

	def test_one_call_makes_a_document_live_with_all_above_it_and_asks_for_the_rest(self) -> None:
		for doc in (self.track, self.topic, self.lesson, self.course["units"][1]):
			self.change(doc, is_published=0)
		ask = course.make_live(self.lesson.doctype, self.lesson.name)["ask"]
		self.assertEqual(ask["live"], ["L1"])
		answer = course.make_live(self.lesson.doctype, self.lesson.name, ask["agreed"])
		self.assertEqual(published(self.track, self.topic, self.lesson), [True] * 3)
		self.assertEqual(published(self.course["units"][1]), [False])
		run(answer["undo"])
		self.assertEqual(
			published(self.track, self.unit, self.topic, self.lesson), [False, True, False, False]
		)

	def test_a_move_that_makes_something_live_or_free_is_asked(self) -> None:
		draft = factories.make_topic(parent_unit=self.unit.name)
		self.change(self.course["units"][1], is_free_preview=1)
		hidden = factories.make_lesson(title="Hidden", parent_topic=draft.name, is_published=1)
		args = (hidden.doctype, hidden.name, self.topic.name, self.course["lessons"][1].name, "")
		ask = course.move(*args)["ask"]
		self.assertEqual((ask["live"], ask["free"]), (["Hidden"], []))
		self.assertEqual(frappe.db.get_value(hidden.doctype, hidden.name, "parent_topic"), draft.name)
		self.assertTrue(course.move(*args, ask["agreed"])["row"])
		args = (
			hidden.doctype,
			hidden.name,
			self.course["topics"][1].name,
			"",
			self.course["lessons"][2].name,
		)
		ask = course.move(*args)["ask"]
		self.assertEqual((ask["live"], ask["free"]), ([], ["Hidden"]))
		answer = course.move(*args, ask["agreed"])
		self.assertNotIn("ask", run(answer["undo"]))
		self.assertEqual(self.order(self.topic)[-1], "Hidden")

	def test_a_plan_changes_a_row_and_what_contradicts_that_goes(self) -> None:
		args = (self.plan.name, self.unit.doctype, self.unit.name)

		def overrides() -> list[tuple[str, str]]:
			return [
				(each.action, each.override_value or "")
				for each in frappe.get_doc(*_ref(self.plan)).overrides
			]

		answer = course.set_override(*args, "Hide")
		self.assertEqual(answer["rows"][0]["hidden"], "self")
		ask = course.set_override(*args)["ask"]  # it shows the lessons again
		self.assertEqual(ask["live"], ["L0", "L1"])
		self.assertTrue(run(answer["undo"])["done"])  # which was so before
		self.assertEqual(overrides(), [])
		answer = course.set_override(*args, "Rename", "Other <name>")
		self.assertEqual(answer["rows"][0]["plan_title"], "Other <name>")
		ask = course.set_override(*args, "Set Free")["ask"]
		self.assertEqual((ask["live"], ask["free"]), ([], ["L0", "L1"]))
		course.set_override(*args, "Set Free", "", ask["agreed"])
		self.assertEqual([each[0] for each in overrides()], ["Rename", "Set Free"])
		answer = course.set_override(*args, "Hide")
		self.assertEqual(overrides(), [("Hide", "")])
		self.assertTrue(run(answer["undo"])["done"])
		self.assertEqual([each[0] for each in overrides()], ["Rename", "Set Free"])
		course.set_override(*args, "", "Set Free")
		self.assertEqual([each[0] for each in overrides()], ["Rename"])
		for wrong in (
			lambda: course.set_override(*args, "Explode"),
			lambda: course.set_override(*args, "Rename", ""),
			lambda: course.set_override(factories.make_plan().name, *args[1:], "Hide"),
			lambda: course.set_override("gone", *args[1:], "Hide"),
			lambda: course.set_override(self.plan.name, "User", "Administrator", "Hide"),
		):
			with self.assertRaises((frappe.ValidationError, frappe.DoesNotExistError)):
				wrong()

	def test_one_refused_save_undoes_all(self) -> None:
		self.change(self.lesson, is_published=0)
		self.change(self.track, is_published=0)
		frappe.db.set_value("Memora Track", self.track.name, {"is_sold_separately": 1, "required_item": ""})
		frappe.db.commit()
		ask = course.set_published([row(self.lesson), row(self.track)], 1)["ask"]
		with self.assertRaises(frappe.ValidationError):
			course.set_published([row(self.lesson), row(self.track)], 1, 0, ask["agreed"])
		self.assertEqual(published(self.lesson, self.track), [False, False])


def _ref(doc: Document) -> tuple[str, str]:
	return doc.doctype, doc.name

	def test_a_paid_stage_goes_into_a_free_lesson_only_after_a_question(self) -> None:
		free, stage = self.course["lessons"][1], self.lesson.stages[0]
		self.change(free, is_free_preview=1)
		before = stages_of(free)
		into = (stage.doctype, stage.name, free.name, before[-1], "")
		ask = course.move(*into)["ask"]
		self.assertEqual((ask["live"], ask["free"], stages_of(free)), ([], [stage.title], before))
		done = course.move(*into, ask["agreed"])
		self.assertEqual(len(stages_of(free)), len(before) + 1)
		self.assertNotIn("ask", run(done["undo"]))
		self.assertEqual(stages_of(free), before)

	def test_a_copy_of_a_paid_stage_is_pasted_into_a_free_lesson_only_after_a_question(self) -> None:
		free, stage = self.course["lessons"][1], self.lesson.stages[0]
		self.change(free, is_free_preview=1)
		before, rows = stages_of(free), [f"{stage.doctype}:{stage.name}"]
		ask = course.paste(rows, free.name)["ask"]
		self.assertEqual((ask["free"], stages_of(free)), ([stage.title], before))
		self.assertIn("undo", course.paste(rows, free.name, "", ask["agreed"]))
		self.assertEqual(len(stages_of(free)), len(before) + 1)
		self.assertNotIn("ask", course.paste(rows, self.lesson.name))  # where it is paid for as well

	def test_a_stage_that_goes_back_to_a_free_lesson_by_undo_is_not_asked_about(self) -> None:
		free = self.course["lessons"][1]
		self.change(free, is_free_preview=1)
		stage = free.stages[0]
		done = course.move(stage.doctype, stage.name, self.lesson.name, self.lesson.stages[-1].name)
		self.assertNotIn("ask", run(done["undo"]))
		self.assertEqual(len(stages_of(free)), len(free.stages))
