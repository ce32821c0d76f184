"""The outline of a subject: rows in learners' order with access and counts, cheap whatever the size."""

from __future__ import annotations

import json

import frappe

from memora.api import outline
from memora.services.cdn_export.model.plain_text import store
from memora.tests.helpers import factories
from memora.tests.helpers.outline import OutlineTestCase
from memora.tests.helpers.publishing import chain, make_course
from memora.tests.helpers.statements import statements


class TestOutline(OutlineTestCase):
	def test_rows_say_what_they_are_and_who_may_open_them(self) -> None:
		self.course = make_course(required_item="MATHS", title="Maths")
		subject, track, unit, topic, lesson = chain(self.course)
		self.change(track, is_sold_separately=1, required_item="TRACK")
		self.change(unit, is_free_preview=1)
		self.change(topic, is_published=0)
		answer = outline.outline(subject.name, [track.name, unit.name, topic.name, lesson.name, "gone"])
		row = answer["subject"]
		self.assertEqual((row["level"], row["required_item"], row["title"]), ("paid", "MATHS", "Maths"))
		self.assertEqual(row["own"], {"is_public": False, "required_item": "MATHS"})
		(row,) = answer["branches"][subject.name]
		self.assertEqual((row["level"], row["required_item"], row["children"]), ("paid", "TRACK", 2))
		first, second = answer["branches"][track.name]
		self.assertEqual((first["level"], second["level"]), ("free_preview", "paid"))
		(row,) = answer["branches"][unit.name]
		self.assertEqual((row["is_published"], row["level"]), (False, "free_preview"))
		self.assertEqual([each["children"] for each in answer["branches"][topic.name]], [2, 2])
		self.assertEqual(
			[(each["title"], each["type"], each["idx"]) for each in answer["branches"][lesson.name]],
			[("Watch", "Video", 1), ("Read", "Text", 2)],
		)
		self.assertEqual(answer["left_off"], {})
		self.assertNotIn("gone", answer["branches"])
		stored = frappe.db.get_value("Memora Track", track.name, "modified")
		self.assertEqual(answer["branches"][subject.name][0]["modified"], str(stored))

	def test_something_sold_without_an_item_is_shown_as_paid(self) -> None:
		self.course = make_course()
		frappe.db.set_value("Memora Track", self.course["track"].name, "is_sold_separately", 1)
		(row,) = outline.outline(self.course["subject"].name)["branches"][self.course["subject"].name]
		self.assertEqual((row["level"], row["required_item"]), ("paid", ""))

	def test_equals_are_in_learners_order(self) -> None:
		self.course = make_course(units=1, lessons=0)
		self.lessons(self.course["topics"][0], 1, 0, 0, 1, -1)
		plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()
		(unit,) = self.learner(plan).units.values()
		shown = [lesson["title"] for lesson in unit["topics"][0]["lessons"]]
		self.assertEqual(self.order(self.course["topics"][0]), shown)
		self.assertEqual(shown, list("ebcad"))

	def test_through_a_plan_it_shows_what_the_plan_changes(self) -> None:
		self.course = make_course(required_item="MATHS")
		subject, track, unit, topic, _lesson = chain(self.course)
		plan = factories.make_plan(
			[subject],
			title="Plan <7>",
			overrides=[
				factories.override(unit, "Hide"),
				factories.override(self.course["units"][1], "Set Free"),
				factories.override(self.course["units"][1], "Rename", "Other <name>"),
				factories.override(subject, "Set Sold Separately", "OTHER"),
			],
		)
		answer = outline.outline(subject.name, [track.name, unit.name, topic.name], plan.name)
		self.assertEqual(answer["plans"], [{"name": plan.name, "title": "Plan <7>"}])
		self.assertEqual(answer["subject"]["override"], {"action": "Set Sold Separately", "value": "OTHER"})
		hidden, free = answer["branches"][track.name]
		self.assertEqual((hidden["hidden"], hidden["override"]["action"]), ("self", "Hide"))
		self.assertEqual(answer["branches"][unit.name][0]["hidden"], "above")
		self.assertEqual((free["level"], free["plan_title"]), ("free_preview", "Other <name>"))
		self.assertEqual(free["override"], {"action": "Set Free", "value": ""})
		self.assertNotIn("override", outline.outline(subject.name)["subject"])
		with self.assertRaises(frappe.DoesNotExistError):
			outline.outline(subject.name, [], factories.make_plan().name)

	def test_whatever_is_open_it_takes_few_statements_and_its_answer_has_an_end(self) -> None:
		self.course = make_course(units=1, lessons=0)
		subject, track = self.course["subject"], self.course["track"]
		names = [track.name, self.course["units"][0].name, self.course["topics"][0].name]
		title = store("عنوان <طويل> " * 9)
		for _number in range(9):
			topic = factories.make_topic(parent_unit=self.course["units"][0].name)
			names.append(topic.name)
			factories.make_many("Memora Lesson", topic, [title] * 100)
		big = factories.make_topic(parent_unit=self.course["units"][0].name)
		lessons = factories.make_many("Memora Lesson", big, ["L"] * 1_100)
		plan = factories.make_plan([subject], overrides=[factories.override(track, "Set Free")])
		for _number in range(9):
			factories.make_plan([subject])
		frappe.db.commit()
		for opened in ([], [big.name], [*names, big.name], [big.name, *names, *lessons]):
			with statements() as seen:
				answer = outline.outline(subject.name, opened, plan.name)
			self.assertLessEqual(len(seen), 8, "\n".join(seen))
			self.assertLessEqual(len(frappe.as_json({"message": answer}).encode()), 400_000)
			self.assertLessEqual(len(json.dumps({"message": answer})), 400_000)
			shown = sum(len(rows) for rows in answer["branches"].values())
			total = shown + sum(answer["left_off"].values())
			self.assertEqual(total, {0: 1, 1: 1_101}.get(len(opened), 2_013))
		self.assertGreater(len(answer["left_off"]), 0)


class TestStamp(OutlineTestCase):
	def test_it_changes_with_whatever_an_outline_shows_and_only_then(self) -> None:
		self.course = make_course()
		other = make_course()
		subject, track, unit, topic, lesson = chain(self.course)
		plan = factories.make_plan([subject], is_published=1)
		self.publish()

		def moved() -> None:
			first, second = self.course["lessons"][:2]
			self.move(first, second, None)

		def swapped() -> None:
			places = [
				frappe.db.get_value("Memora Unit", doc.name, "sort_order") for doc in self.course["units"]
			]
			for doc, place in zip(self.course["units"], reversed(places), strict=True):
				frappe.db.set_value("Memora Unit", doc.name, "sort_order", place, update_modified=False)

		for number, change in enumerate(
			(
				moved,
				swapped,
				lambda: self.change(subject, title="Another"),
				lambda: self.change(lesson, stages=lesson.stages[:1]),
				lambda: frappe.get_doc("Memora Lesson", lesson.name).stages[0].db_set("title", "s"),
				lambda: self.change(track, required_item="X"),
				lambda: frappe.db.set_value(
					"Memora Unit", unit.name, "is_published", 0, update_modified=False
				),
				lambda: frappe.delete_doc("Memora Lesson", self.course["lessons"][3].name),
				lambda: factories.make_lesson(parent_topic=topic.name),
				lambda: self.change(plan, overrides=[factories.override(unit, "Hide")]),
				lambda: factories.make_plan([subject]),
				self.publish,
			)
		):
			before = outline.stamp(subject.name)
			self.assertEqual(outline.stamp(subject.name), before)
			self.assertEqual(outline.outline(subject.name)["stamp"], before)
			change()
			self.assertNotEqual(outline.stamp(subject.name), before, number)
		before = outline.stamp(subject.name)
		self.change(other["subject"], title="Elsewhere")
		self.assertEqual(outline.stamp(subject.name), before)

	def test_it_is_asked_in_few_statements(self) -> None:
		self.course = make_course()
		frappe.db.commit()
		with statements() as seen:
			outline.stamp(self.course["subject"].name)
		self.assertLessEqual(len(seen), 3)
