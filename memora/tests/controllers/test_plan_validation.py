"""What a plan may hold: its subjects, its overrides, its season."""

import frappe

from memora.tests.helpers.factories import (
	make,
	make_lesson,
	make_plan,
	make_subject,
	make_topic,
	make_track,
	make_unit,
	override,
)
from memora.tests.helpers.utils import MemoraTestCase, messages


class PlanTestCase(MemoraTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.subject = make_subject(title="Physics")
		self.track = make_track(title="Basics", parent_subject=self.subject.name)
		self.unit = make_unit(title="Optics", parent_track=self.track.name)
		self.topic = make_topic(title="Light", parent_unit=self.unit.name)
		self.lesson = make_lesson(title="Lenses", parent_topic=self.topic.name)
		frappe.clear_messages()

	def plan(self, *overrides: dict, **fields):
		return make_plan([self.subject], overrides=list(overrides), **fields)

	def refused(self, *overrides: dict) -> str:
		with self.assertRaises(frappe.ValidationError) as refused:
			self.plan(*overrides)
		return str(refused.exception)


class TestPlan(PlanTestCase):
	def test_a_plan_needs_no_subject(self) -> None:
		self.assertEqual(make_plan(is_published=1).is_published, 1)

	def test_a_title_stands_once(self) -> None:
		self.plan(title="Grade 9")
		with self.assertRaises(frappe.UniqueValidationError):
			self.plan(title="Grade 9")

	def test_a_subject_twice_is_refused_naming_both_rows(self) -> None:
		with self.assertRaises(frappe.ValidationError) as refused:
			make_plan([self.subject, make_subject(), self.subject])
		self.assertIn("row 3", str(refused.exception))
		self.assertIn("row 1", str(refused.exception))

	def test_validation_of_a_plan_without_overrides_needs_one_statement_at_most(self) -> None:
		for is_published, statements in ((0, 0), (1, 1)):
			plan = self.plan(is_published=is_published)
			plan.reload()
			plan.load_doc_before_save()
			with self.assertQueryCount(statements):
				plan.run_method("validate")

	def test_validation_of_many_overrides_needs_one_statement_a_level(self) -> None:
		lessons = [make_lesson(parent_topic=self.topic.name) for _ in range(20)]
		plan = self.plan(*(override(lesson, "Hide") for lesson in lessons))
		plan.load_doc_before_save()
		with self.assertQueryCount(5):
			plan.run_method("validate")


class TestOverrides(PlanTestCase):
	def test_every_action_on_every_level_of_the_plan(self) -> None:
		for target in (self.subject, self.track, self.unit, self.topic, self.lesson):
			self.plan(override(target, "Hide"))
			self.plan(override(target, "Rename", "Another"), override(target, "Set Free"))
			self.plan(override(target, "Set Sold Separately", "ITEM"), override(target, "Rename", "Another"))

	def test_a_node_outside_the_plans_subjects_is_refused_naming_row_and_title(self) -> None:
		for stranger in (make_subject(title="Chemistry"), make_lesson(title="Acids")):
			message = self.refused(override(self.lesson, "Hide"), override(stranger, "Hide"))
			self.assertIn("row 2", message)
			self.assertIn(stranger.title, message)

	def test_a_node_that_does_not_exist_is_refused(self) -> None:
		with self.assertRaises(frappe.LinkValidationError):
			self.plan({"target_doctype": "Memora Lesson", "target_name": "gone", "action": "Hide"})

	def test_only_content_can_be_overridden(self) -> None:
		for doctype, name in (("User", "Administrator"), ("Memora Academic Plan", self.plan().name)):
			with self.assertRaises(frappe.ValidationError):
				self.plan({"target_doctype": doctype, "target_name": name, "action": "Hide"})

	def test_contradictions_are_refused_naming_both_rows(self) -> None:
		actions = ("Hide", "Set Free", "Set Sold Separately")
		pairs = [(first, second) for first in actions for second in actions]
		pairs += [("Rename", "Rename"), ("Rename", "Hide"), ("Hide", "Rename")]
		for first, second in pairs:
			message = self.refused(
				override(self.topic, first, "X"),
				override(self.unit, "Hide"),
				override(self.topic, second, "Y"),
			)
			for expected in ("row 3", "row 1", first, second, "Light"):
				self.assertIn(expected, message, (first, second))

	def test_rename_needs_a_value(self) -> None:
		for value in ("", "   ", None):
			self.assertIn("row 1", self.refused(override(self.lesson, "Rename", value)))
		self.assertEqual(self.plan(override(self.lesson, "Rename", 2026)).overrides[0].override_value, "2026")

	def test_set_sold_separately_needs_a_value_unless_its_target_has_or_inherits_an_item(self) -> None:
		sold = override(self.lesson, "Set Sold Separately")
		message = self.refused(sold)
		self.assertIn("row 1", message)
		self.assertIn("Lenses", message)

		self.track.update({"required_item": "BASICS"}).save()
		self.plan(sold)
		self.plan(override(self.track, "Set Sold Separately"))
		self.refused(override(self.subject, "Set Sold Separately"))

	def test_an_item_is_inherited_from_another_override_and_across_a_free_preview(self) -> None:
		sold = override(self.lesson, "Set Sold Separately")
		self.plan(override(self.unit, "Set Sold Separately", "UNIT-1"), sold)
		self.plan(
			override(self.unit, "Set Sold Separately", "UNIT-1"), override(self.topic, "Set Free"), sold
		)

	def test_no_item_is_inherited_from_what_is_not_paid(self) -> None:
		self.track.update({"required_item": "BASICS", "is_free_preview": 1}).save()
		self.refused(override(self.lesson, "Set Sold Separately"))

	def test_a_plan_that_has_lost_an_item_can_be_unpublished_and_is_refused_anything_else(self) -> None:
		self.track.update({"required_item": "BASICS"}).save()
		plan = self.plan(override(self.lesson, "Set Sold Separately"), is_published=1)
		self.track.update({"required_item": ""}).save()

		with self.assertRaises(frappe.MandatoryError):
			frappe.get_doc(plan.doctype, plan.name).update({"title": "Another"}).save()
		changed = frappe.get_doc(plan.doctype, plan.name).update({"is_published": 0})
		changed.append("overrides", override(self.topic, "Set Sold Separately"))
		with self.assertRaisesRegex(frappe.MandatoryError, "row 2"):
			changed.save()
		frappe.get_doc(plan.doctype, plan.name).update({"is_published": 0}).save()

		self.assertEqual(frappe.db.get_value(plan.doctype, plan.name, "is_published"), 0)
		with self.assertRaisesRegex(frappe.MandatoryError, "Lenses"):
			frappe.get_doc(plan.doctype, plan.name).update({"is_published": 1}).save()

	def test_a_plan_is_checked_before_its_content_is_published(self) -> None:
		self.assertEqual(self.lesson.is_published, 0)
		self.refused(override(self.lesson, "Set Sold Separately"))

	def test_an_override_stranded_by_a_move_is_dropped_on_the_next_save_which_says_so(self) -> None:
		plan = self.plan(override(self.topic, "Hide"), override(self.unit, "Rename", "Optics I"))
		self.topic.update({"parent_unit": make_unit().name}).save()
		frappe.clear_messages()

		plan = frappe.get_doc(plan.doctype, plan.name)
		plan.save()

		plan = frappe.get_doc(plan.doctype, plan.name)
		self.assertEqual([(row.idx, row.target_name) for row in plan.overrides], [(1, self.unit.name)])
		self.assertIn("Light", messages())
		self.assertIn("moved out", messages())

	def test_removing_a_subject_that_overrides_still_name_is_refused(self) -> None:
		plan = self.plan(override(self.lesson, "Hide"))
		plan.subjects = []
		with self.assertRaises(frappe.ValidationError) as refused:
			plan.save()
		self.assertIn("Lenses", str(refused.exception))

	def test_a_row_saved_by_itself_is_checked_too(self) -> None:
		row = self.plan(override(self.lesson, "Rename", "Glasses")).overrides[0]
		row.override_value = ""
		with self.assertRaises(frappe.MandatoryError):
			row.save()

	def test_a_node_that_an_override_names_stays_and_the_plan_is_named(self) -> None:
		self.plan(override(self.lesson, "Hide"), title="Grade 9")

		with self.assertRaises(frappe.LinkExistsError) as refused:
			frappe.delete_doc("Memora Lesson", self.lesson.name)

		self.assertIn("Lenses", str(refused.exception))
		self.assertIn("Grade 9", str(refused.exception))

	def test_a_subject_that_a_plan_lists_stays(self) -> None:
		subject = make_subject(title="Chemistry")
		make_plan([subject], title="Grade 9")
		with self.assertRaises(frappe.LinkExistsError) as refused:
			frappe.delete_doc("Memora Subject", subject.name)
		self.assertIn("Grade 9", str(refused.exception))


class TestSeason(PlanTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.season = make("Memora Season", title="2026")

	def published(self, plan) -> int:
		return frappe.db.get_value("Memora Academic Plan", plan.name, "is_published")

	def test_an_unpublished_season_unpublishes_its_plans_and_says_which(self) -> None:
		plan = self.plan(title="Grade 9", season=self.season.name, is_published=1)
		other = self.plan(title="Grade 10", is_published=1)
		frappe.clear_messages()

		self.season.is_published = 0
		self.season.save()

		self.assertEqual((self.published(plan), self.published(other)), (0, 1))
		self.assertIn("Grade 9", messages())
		self.assertNotIn("Grade 10", messages())

	def test_the_plans_hooks_fire(self) -> None:
		plan = self.plan(season=self.season.name, is_published=1)
		frappe.db.delete("CDN Change")

		self.season.is_published = 0
		self.season.save()

		self.assertTrue(frappe.db.exists("CDN Change", {"ref_doctype": plan.doctype, "ref_name": plan.name}))

	def test_db_set_unpublishes_too(self) -> None:
		plan = self.plan(season=self.season.name, is_published=1)
		self.season.db_set("is_published", 0)
		self.assertEqual(self.published(plan), 0)

	def test_a_plan_stays_unpublished_while_its_season_is(self) -> None:
		self.season.update({"is_published": 0}).save()
		plan = self.plan(season=self.season.name, is_published=1)
		self.assertEqual(self.published(plan), 0)
		self.assertIn("Publish the season first", messages())

	def test_a_season_merged_into_an_unpublished_one_unpublishes_its_plans_and_says_which(self) -> None:
		plan = self.plan(title="Grade 9", season=self.season.name, is_published=1)
		draft = make("Memora Season", is_published=0)
		frappe.clear_messages()

		frappe.rename_doc("Memora Season", self.season.name, draft.name, merge=True)

		self.assertEqual(self.published(plan), 0)
		self.assertIn("Unpublished with the season: “Grade 9”", messages())

	def test_dates_stand_in_order(self) -> None:
		self.season.update({"start_date": "2026-09-01", "end_date": "2026-06-30"})
		with self.assertRaises(frappe.ValidationError) as refused:
			self.season.save()
		self.assertIn("End Date", str(refused.exception))

	def test_what_a_plan_uses_stays_and_the_plan_is_named(self) -> None:
		plan = self.plan(title="Grade 9", season=self.season.name)
		for fieldname in ("season", "grade", "stream"):
			with self.assertRaises(frappe.LinkExistsError) as refused:
				frappe.delete_doc(f"Memora {fieldname.title()}", plan.get(fieldname))
			self.assertIn("Grade 9", str(refused.exception))
