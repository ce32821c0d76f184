"""Order in the outline: what is added is the last, a move changes one document, and no mover undoes what others did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import frappe

from memora.api import course
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.doctypes import CONTENT, PARENT_FIELDS
from memora.services.cdn_export.rules.sibling_order import GAP
from memora.tests.helpers import factories
from memora.tests.helpers.outline import OutlineTestCase
from memora.tests.helpers.processes import at_once
from memora.tests.helpers.publishing import chain, make_course


class TestAtOnce(OutlineTestCase):
	"""Editors on connections of their own."""

	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=1, lessons=0)
		self.topic = self.course["topics"][0]

	def at_once(self, *works: Callable[[], Any]) -> list[Any]:
		frappe.db.commit()
		found = at_once(*(_told(work) for work in works))
		frappe.db.rollback()
		return found

	def test_of_moves_into_the_same_gap_one_is_refused(self) -> None:
		a, b, c, d = self.lessons(self.topic, 0, 1, 2, 3)
		answers = self.at_once(lambda: self.move(c, a, b), lambda: self.move(d, a, b))
		refused = [answer for answer in answers if isinstance(answer, str)]
		self.assertEqual(len(refused), 1)
		self.assertIn("has changed meanwhile", refused[0])
		self.assertIn(self.order(self.topic), (["a", "c", "b", "d"], ["a", "d", "b", "c"]))

	def test_moves_elsewhere_do_not_disturb_each_other(self) -> None:
		a, b, _c, d, e, f = self.lessons(self.topic, 0, 0, 0, 0, 0, 0)
		answers = self.at_once(lambda: self.move(b, None, a), lambda: self.move(f, d, e))
		self.assertEqual([isinstance(answer, str) for answer in answers], [False, False])
		self.assertEqual(self.order(self.topic), ["b", "a", "c", "d", "f", "e"])

	def test_what_is_added_at_once_is_all_there_one_behind_the_other(self) -> None:
		rows = self.at_once(*[lambda: course.add("Memora Lesson", self.topic.name, "x")] * 4)
		places = [row["sort_order"] for row in self.branch(self.topic.name)]
		self.assertEqual((len(rows), places), (4, [0, GAP, 2 * GAP, 3 * GAP]))

	def test_a_move_beside_a_save_of_the_same_document_loses_neither(self) -> None:
		a, b, c = self.lessons(self.topic, 0, GAP, 2 * GAP)
		opened = frappe.get_doc(c.doctype, c.name)

		def save() -> None:
			try:
				write()
			except (
				frappe.QueryDeadlockError
			):  # MariaDB from 11.6 on, if the move came after the first read: who saves does so again
				frappe.db.rollback()
				write()

		def write() -> None:
			doc = frappe.get_doc(c.doctype, c.name)
			doc.set("__memora_place", {"parent": opened.parent_topic, "sort_order": opened.sort_order})
			doc.update({"title": "typed", "sort_order": opened.sort_order})
			doc.save()

		answers = self.at_once(save, lambda: self.move(c, a, b))
		self.assertEqual([isinstance(answer, str) for answer in answers], [False, False])
		self.assertEqual(self.order(self.topic), ["a", "typed", "b"])


def _told(work: Callable[[], Any]) -> Callable[[], Any]:
	"""The answer, or what an editor is told instead."""

	def told() -> Any:
		try:
			return work()
		except frappe.ValidationError as error:
			return str(error)

	return told


class TestOrder(OutlineTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=2, lessons=0)
		self.topic, self.other = self.course["topics"]

	def test_a_move_takes_the_place_between_its_neighbours_and_changes_nothing_else(self) -> None:
		a, b, c = self.lessons(self.topic, 0, GAP, 2 * GAP)
		frappe.db.commit()
		before = {doc.name: frappe.get_doc(doc.doctype, doc.name).as_dict() for doc in (a, b, c)}
		answer = self.move(c, a, b)
		self.assertFalse(answer["renumbered"])
		self.assertEqual(self.order(self.topic), ["a", "c", "b"])
		for doc in (a, b, c):
			after = frappe.get_doc(doc.doctype, doc.name).as_dict()
			self.assertEqual(
				{key for key, value in after.items() if value != before[doc.name][key]},
				{"sort_order"} if doc is c else set(),
			)

	def test_every_kind_is_moved_within_its_parent_and_across(self) -> None:
		other = make_course(units=1, lessons=1)
		for doc, home in zip(chain(make_course())[1:], chain(other), strict=False):
			with self.subTest(doc.doctype):
				sibling = frappe.get_last_doc(doc.doctype, {PARENT_FIELDS[doc.doctype]: home.name})
				self.move(doc, sibling, None, parent=home)
				rows = self.branch(home.name, other["subject"].name)
				self.assertEqual([row["name"] for row in rows], [sibling.name, doc.name])
				self.move(doc, None, sibling)
				rows = self.branch(home.name, other["subject"].name)
				self.assertEqual([row["name"] for row in rows], [doc.name, sibling.name])

	def test_to_either_end_it_is_a_gap_away(self) -> None:
		a, b, c = self.lessons(self.topic, 0, GAP, 2 * GAP)
		self.move(a, c, None)
		self.assertEqual(self.order(self.topic), ["b", "c", "a"])
		self.move(c, None, b)
		self.assertEqual(self.order(self.topic), ["c", "b", "a"])
		self.assertEqual([row["sort_order"] for row in self.branch(self.topic.name)], [0, GAP, 3 * GAP])

	def test_where_no_gap_is_left_all_siblings_are_numbered_and_their_parent_is_noted_once(self) -> None:
		for places in ((0, 1, 2), (5, 5, 5), (0, 0, 9)):
			with self.subTest(places):
				topic = factories.make_topic(parent_unit=self.course["units"][0].name)
				a, b, c = self.lessons(topic, *places)
				self.publish()
				answer = self.move(c, a, b)
				self.assertTrue(answer["renumbered"])
				self.assertEqual(self.order(topic), ["a", "c", "b"])
				rows = self.branch(topic.name)
				self.assertEqual([row["sort_order"] for row in rows], [0, GAP, 2 * GAP])
				noted = frappe.db.sql("select ref_doctype, ref_name, event from `tabCDN Change`")
				self.assertEqual(
					sorted(noted),
					sorted([("Memora Topic", topic.name, "change"), ("Memora Lesson", c.name, "change")]),
				)

	def test_among_equals_neighbours_are_those_that_learners_see(self) -> None:
		a, b, c = self.lessons(self.topic, 0, 0, 0)
		for doc, moment in ((a, "2026-01-02"), (b, "2026-01-01"), (c, "2026-01-01")):
			frappe.db.set_value(doc.doctype, doc.name, "creation", moment, update_modified=False)
		first, second = sorted((b, c), key=lambda doc: doc.name)
		self.assertEqual(self.order(self.topic), [first.title, second.title, "a"])
		self.move(a, first, second)
		self.assertEqual(self.order(self.topic), [first.title, "a", second.title])
		self.move(second, None, first)
		self.assertEqual(self.order(self.topic), [second.title, first.title, "a"])

	def test_old_content_is_numbered_only_where_a_move_needs_it(self) -> None:
		a, b, _c, d = self.lessons(self.topic, 3, 9, 9, 9)
		answer = self.move(d, a, b)
		self.assertFalse(answer["renumbered"])
		self.assertEqual([row["sort_order"] for row in self.branch(self.topic.name)], [3, 6, 9, 9])
		self.assertEqual(self.order(self.topic), ["a", "d", "b", "c"])

	def test_at_the_end_of_the_numbers_siblings_are_numbered_again(self) -> None:
		a, _b, c = self.lessons(self.topic, 2**31 - 3, 2**31 - 1, 2**31 - 1)
		self.move(a, c, None)
		self.assertEqual(self.order(self.topic), ["b", "c", "a"])

	def test_a_move_to_where_it_is_writes_nothing(self) -> None:
		a, b, c = self.lessons(self.topic, 0, 0, 0)
		frappe.db.commit()
		frappe.db.delete("CDN Change")
		answer = self.move(b, a, c)
		self.assertEqual((answer["renumbered"], answer["undo"]), (False, None))
		self.assertEqual(frappe.db.count("CDN Change"), 0)

	def test_a_move_whose_neighbours_are_none_any_more_is_refused_with_a_sentence(self) -> None:
		a, b, c = self.lessons(self.topic, 0, GAP, 2 * GAP)
		self.move(c, a, b)  # by another editor
		for after, before in ((a, b), (None, b), (b, c), (None, None)):
			with self.assertRaisesRegex(frappe.ValidationError, "has changed meanwhile"):
				self.move(factories.make_lesson(parent_topic=self.other.name), after, before, self.topic)
		self.assertEqual(self.order(self.topic), ["a", "c", "b"])
		frappe.delete_doc("Memora Lesson", c.name)
		with self.assertRaisesRegex(frappe.ValidationError, "has changed meanwhile"):
			self.move(a, c, b)

	def test_what_cannot_be_there_is_refused(self) -> None:
		(a,) = self.lessons(self.topic, 0)
		unit = self.course["units"][0]
		for call in (
			lambda: course.move(a.doctype, a.name, unit.name),
			lambda: course.move(a.doctype, a.name, "gone"),
			lambda: course.move(a.doctype, "gone", self.topic.name),
			lambda: course.move("Memora Subject", self.course["subject"].name, ""),
			lambda: course.move("User", "Administrator", ""),
			lambda: course.move("Memora Academic Plan", "x", ""),
		):
			with self.assertRaises((frappe.DoesNotExistError, frappe.ValidationError)):
				call()

	def test_the_undo_of_a_move_is_a_call_that_brings_the_order_back(self) -> None:
		a, _b, c = self.lessons(self.topic, 0, 1, 2)
		for after, before, parent in ((None, a, self.topic), (None, None, self.other)):
			undo = self.move(c, after, before, parent)["undo"]
			self.assertEqual(undo["method"], "memora.api.course.move")
			course.move(**undo["args"])
			self.assertEqual(self.order(self.topic), ["a", "b", "c"])

	def test_what_is_added_is_a_draft_and_the_last_or_behind_the_sibling_that_was_named(self) -> None:
		a, b = self.lessons(self.topic, 0, 1)
		self.assertEqual(course.add("Memora Lesson", self.topic.name, "last")["is_published"], False)
		self.assertEqual(
			course.add("Memora Lesson", self.topic.name, "behind a", a.name)["title"], "behind a"
		)
		course.add("Memora Lesson", self.topic.name, "behind b", b.name)
		course.add("Memora Lesson", self.topic.name, "behind what is gone", "gone")
		self.assertEqual(
			self.order(self.topic), ["a", "behind a", "b", "behind b", "last", "behind what is gone"]
		)

	def test_a_whole_course_is_added_row_by_row(self) -> None:
		parent = course.add("Memora Subject", "", "Course <1>")
		subject = parent["name"]
		self.assertEqual(parent["title"], "Course <1>")
		for doctype in CONTENT[1:]:
			row = course.add(doctype, parent["name"], f"A {doctype}")
			self.assertEqual((row["parent"], row["children"]), (parent["name"], 0))
			parent = row
		stage = course.add("Memora Lesson Stage", parent["name"], "Read this")
		self.assertEqual((stage["type"], stage["idx"]), ("Text", 1))
		first = course.add("Memora Lesson Stage", parent["name"], "Then that", stage["name"])
		course.add("Memora Lesson Stage", parent["name"], "Between", stage["name"])
		self.assertEqual(first["idx"], 2)
		self.assertEqual(
			[(row["title"], row["idx"]) for row in self.branch(parent["name"], subject)],
			[("Read this", 1), ("Between", 2), ("Then that", 3)],
		)

	def test_a_title_that_another_editor_has_changed_is_not_overwritten(self) -> None:
		(a,) = self.lessons(self.topic, 0)
		self.assertEqual(course.set_title(a.doctype, a.name, "x > y", "a")["title"], "x > y")
		with self.assertRaisesRegex(frappe.ValidationError, "by now"):
			course.set_title(a.doctype, a.name, "mine", "a")
		course.set_title(a.doctype, a.name, "mine", "x > y")
		self.assertEqual(self.order(self.topic), ["mine"])
		with self.assertRaisesRegex(frappe.ValidationError, "nothing to read"):
			course.add("Memora Lesson Stage", a.name, "s")  # learners would see an empty stage
		self.change(a, is_published=0)
		stage = course.add("Memora Lesson Stage", a.name, "s")
		self.assertEqual(course.set_title(stage["doctype"], stage["name"], "t", "s")["title"], "t")
		with self.assertRaises(frappe.ValidationError):
			course.set_title(stage["doctype"], stage["name"], "u", "s")

	def test_a_move_writes_its_file_those_of_its_parents_and_its_neighbours(self) -> None:
		a, b, _c, d, e = self.lessons(self.topic, *(number * GAP for number in range(5)))
		plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()
		with self.recorded() as steps:
			self.move(e, a, b)
			self.publish()
		unit = self.course["units"][0].name
		self.assertEqual(
			sorted(path for kind, path in steps if kind == "put"),
			sorted(
				[
					*(paths.lesson(doc.name) for doc in (a, e, b, d)),  # d is the last now
					paths.unit(unit),
					paths.plan_subject(plan.name, self.course["subject"].name),
					paths.search_index(plan.name),
					paths.manifest(plan.name),
				]
			),
		)
		self.assertEqual([kind for kind, _path in steps if kind == "delete"], [])
		self.check()

	def test_a_move_to_another_unit_writes_both_and_the_neighbours_on_both_sides(self) -> None:
		a, b, c = self.lessons(self.topic, 0, GAP, 2 * GAP)
		d, e = self.lessons(self.other, 0, GAP)
		plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()
		with self.recorded() as steps:
			self.move(b, d, e, self.other)
			self.publish()
		units = self.course["units"]
		self.assertEqual(
			sorted(path for kind, path in steps if kind == "put"),
			sorted(
				[
					*(paths.lesson(doc.name) for doc in (a, b, c, d, e)),
					*(paths.unit(unit.name) for unit in units),
					paths.plan_subject(plan.name, self.course["subject"].name),
					paths.search_index(plan.name),
					paths.manifest(plan.name),
				]
			),
		)
		self.check()

	def test_a_move_of_a_draft_or_among_drafts_writes_nothing(self) -> None:
		a, b, c = self.lessons(self.topic, 0, GAP, 2 * GAP)
		self.change(b, is_published=0)
		factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()
		for move in (lambda: self.move(b, c, None), lambda: self.move(b, a, c)):
			with self.recorded() as steps:
				move()
				self.publish()
			self.assertEqual(steps, [])

	def test_siblings_that_are_numbered_again_are_written_once_each(self) -> None:
		lessons = self.lessons(self.topic, *range(6))
		plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()
		with self.recorded() as steps:
			self.assertTrue(self.move(lessons[5], lessons[0], lessons[1])["renumbered"])
			self.publish()
		written = [path for kind, path in steps if kind == "put"]
		self.assertEqual(len(written), len(set(written)))
		self.assertLessEqual({paths.lesson(doc.name) for doc in lessons[1:]}, set(written))
		(unit,) = (unit for unit in self.learner(plan).units.values() if unit["topics"][0]["lessons"])
		shown = [each["id"] for each in unit["topics"][0]["lessons"]]
		self.assertEqual(shown, [row["name"] for row in self.branch(self.topic.name)])
