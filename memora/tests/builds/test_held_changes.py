"""The large-change guard: what waits for an admin's word, what never does, and what an approval lets through."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe

from memora.api import cdn_admin
from memora.services.cdn_export.admin import pipeline_status
from memora.services.cdn_export.builds import event_log
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.state import redis_mirror
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course

STATE = "CDN Publish State"


class TestBrake(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.configure(hold_large_changes=1)

	def paid_course(self, **options: Any) -> tuple[dict[str, Any], Any]:
		course = make_course(required_item="PHYSICS", **options)
		plan = factories.make_plan([course["subject"]], is_published=1)
		self.publish()
		return course, plan

	def change(self, doc: Any, **fields: Any) -> None:
		frappe.get_doc(doc.doctype, doc.name).update(fields).save()
		self.publish()

	def held(self, scope: scopes.Scope) -> str:
		return frappe.db.get_value(STATE, scope.id, "held_reason") or ""

	def levels(self, plan: Any) -> list[str]:
		reading = self.learner(plan)
		return [reading.level(name) for name in reading.lessons]

	def approve(self, label: str) -> None:
		cdn_admin.approve_held(label)
		self.publish()

	def test_shared_lessons_stay_paid_until_approved(self) -> None:
		course, plan = self.paid_course()
		self.change(course["subject"], required_item="", is_public=1)
		self.assertEqual(self.levels(plan), ["paid"] * 4)
		self.assertIn(course["lessons"][0].title, self.held(scopes.subject(course["subject"].name)))
		self.check()
		self.approve(plan.name)
		self.assertEqual(self.levels(plan), ["public"] * 4)
		self.assertEqual(self.held(scopes.subject(course["subject"].name)), "")
		self.check()

	def test_what_is_held_does_not_go_out_by_way_of_another_place(self) -> None:
		course, plan = self.paid_course()
		self.change(course["subject"], required_item="", is_public=1)
		before, elsewhere = self.local_path, Path(tempfile.mkdtemp(prefix="memora-"))
		for folder in (before, elsewhere):
			self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
		with self.assertRaisesRegex(frappe.ValidationError, "held for approval"):
			self.configure(local_path=str(elsewhere))
		self.configure(sign="None")
		self.assertEqual(self.levels(plan), ["paid"] * 4)
		self.change(course["subject"], required_item="PHYSICS", is_public=0)
		self.local_path = elsewhere
		self.configure(local_path=str(elsewhere))
		self.publish()
		self.assertEqual(self.levels(plan), ["paid"] * 4)

	def test_a_plans_own_lessons_stay_paid_until_approved(self) -> None:
		course, plan = self.paid_course()
		unit = course["units"][0]
		self.change(plan, overrides=[factories.override(unit, "Set Free")])
		self.assertEqual(sorted(self.levels(plan)), ["paid"] * 4)
		self.assertTrue(self.held(scopes.plan(plan.name)))
		self.check(leaving=self.leaving())
		self.approve(plan.name)
		self.assertEqual(sorted(self.levels(plan)), ["free_preview"] * 2 + ["paid"] * 2)
		self.assertEqual(self.held(scopes.plan(plan.name)), "")

	def test_taking_a_price_back_by_dropping_an_override_waits_too(self) -> None:
		course = make_course()
		plan = factories.make_plan(
			[course["subject"]],
			is_published=1,
			overrides=[factories.override(course["units"][0], "Set Sold Separately", "UNIT")],
		)
		self.publish()
		self.assertEqual(self.levels(plan).count("paid"), 2)
		self.change(plan, overrides=[])
		self.assertEqual(self.levels(plan).count("paid"), 2)
		self.approve(plan.name)
		self.assertEqual(self.levels(plan).count("paid"), 0)

	def test_what_is_unpublished_beside_a_held_change_goes_at_once(self) -> None:
		course, plan = self.paid_course()
		frappe.get_doc("Memora Subject", course["subject"].name).update({"required_item": ""}).save()
		self.change(course["lessons"][0], is_published=0)
		self.assertEqual(self.levels(plan), ["paid"] * 3)
		self.assertIsNone(self.read_bytes(f"lessons/{course['lessons'][0].name}.json"))

	def test_a_lesson_that_moves_below_what_is_free_stays_paid_until_approved(self) -> None:
		"""Shared, in a plan's own files, and from the plan's own files to shared ones, where only the plan had a price."""
		for own_from, own_to, item in ((0, 0, "PHYSICS"), (1, 1, "PHYSICS"), (0, 1, "PHYSICS"), (1, 0, "")):
			with self.subTest(own_from=own_from, own_to=own_to):
				paid, free = make_course(required_item=item), make_course()
				lesson = paid["lessons"][0]
				rows = [factories.override(paid["lessons"][1], "Rename", "A")] * own_from
				rows += [factories.override(free["lessons"][1], "Rename", "B")] * own_to
				if not item:
					rows.append(factories.override(paid["topics"][0], "Set Sold Separately", "TOPIC"))
				subjects = [paid["subject"], free["subject"]]
				plan = factories.make_plan(subjects, is_published=1, overrides=rows)
				self.publish()
				self.assertEqual(self.learner(plan).level(lesson.name), "paid")
				self.change(lesson, parent_topic=free["topics"][0].name)
				self.assertEqual(self.learner(plan).level(lesson.name), "paid")
				self.change(free["lessons"][0], title="Sooner")
				self.assertEqual(self.learner(plan).level(lesson.name), "paid")
				self.approve(plan.name)
				self.assertEqual(self.learner(plan).level(lesson.name), "authenticated")
				self.check(leaving=self.leaving())

	def test_a_new_lesson_and_one_that_moves_to_another_price_are_not_held(self) -> None:
		course, plan = self.paid_course()
		other = make_course(required_item="CHEMISTRY", units=1, lessons=1)
		free = make_course(units=1, lessons=1)
		self.change(plan, subjects=[{"subject": found["subject"].name} for found in (course, other, free)])
		lesson = factories.make_lesson(parent_topic=free["topics"][0].name, is_published=1)
		self.change(course["lessons"][0], parent_topic=other["topics"][0].name)
		reading = self.learner(plan)
		self.assertEqual(reading.level(lesson.name), "authenticated")
		access = reading.lessons[course["lessons"][0].name]["access"]
		self.assertEqual(access["required_item"], "CHEMISTRY")
		self.assertFalse(frappe.get_all(STATE, {"held": 1}))

	def test_a_subject_that_is_renamed_stays_paid_until_approved(self) -> None:
		for own in (False, True):
			with self.subTest(own=own):
				course, plan = self.paid_course()
				if own:
					self.change(plan, overrides=[factories.override(course["lessons"][1], "Rename", "A")])
				name = frappe.rename_doc(
					"Memora Subject", course["subject"].name, f"renamed {own}", force=True
				)
				course["subject"].name = name
				self.change(course["subject"], required_item="")
				self.assertEqual(self.levels(plan), ["paid"] * 4)
				self.assertEqual(set(self.learner(plan).subjects), {name})
				self.approve(plan.name)
				self.assertEqual(self.levels(plan), ["authenticated"] * 4)

	def test_a_run_that_waits_is_no_success(self) -> None:
		courses = [make_course(), make_course()]
		plan = factories.make_plan([course["subject"] for course in courses], is_published=1)
		self.publish()
		frappe.get_doc(plan.doctype, plan.name).update({"subjects": plan.subjects[:1]}).save()
		with patch.object(event_log, "record") as told:
			self.assertEqual(self.publish().published, 0)
		self.assertTrue(self.held(scopes.plan(plan.name)))
		told.assert_not_called()
		self.assertEqual(frappe.db.count("CDN Sync Log", {"plan_id": plan.name}), 1)
		self.assertEqual(redis_mirror.waiting(), {plan.name})
		self.approve(plan.name)
		self.assertEqual(frappe.db.count("CDN Sync Log", {"plan_id": plan.name, "status": "Success"}), 2)

	def test_what_waits_is_no_failure_any_more(self) -> None:
		courses = [make_course(required_item="PHYSICS"), make_course()]
		price = factories.override(courses[0]["lessons"][0], "Set Sold Separately")
		subjects = [course["subject"] for course in courses]
		plan = factories.make_plan(subjects, is_published=1, overrides=[price])
		self.publish()
		frappe.get_doc(plan.doctype, plan.name).update({"subjects": plan.subjects[:1]}).save()
		self.change(subjects[0], required_item="")
		for _ in range(3):
			self.minutes_pass(10)
			self.publish()
		self.assertEqual([letter["label"] for letter in pipeline_status.dead_letters()], [plan.name])
		self.change(subjects[0], required_item="PHYSICS")
		self.assertIn("4 of 8", self.held(scopes.plan(plan.name)))
		self.assertEqual((pipeline_status.dead_letters(), pipeline_status.status()["failing"]), ([], []))
		self.approve(plan.name)
		self.assertEqual(len(self.learner(plan).lessons), 4)

	def test_other_edits_go_out_while_a_change_is_held(self) -> None:
		course, plan = self.paid_course()
		self.change(course["subject"], required_item="")
		self.change(course["lessons"][0], title="Sooner")
		reading = self.learner(plan)
		self.assertEqual(reading.lessons[course["lessons"][0].name]["title"], "Sooner")
		self.assertEqual(self.levels(plan), ["paid"] * 4)

	def test_a_change_taken_back_is_held_no_more(self) -> None:
		course, plan = self.paid_course()
		self.change(course["subject"], required_item="")
		self.change(course["subject"], required_item="PHYSICS")
		self.assertEqual(self.held(scopes.subject(course["subject"].name)), "")
		self.assertEqual(self.levels(plan), ["paid"] * 4)

	def test_an_approval_covers_only_what_was_there(self) -> None:
		course, plan = self.paid_course()
		self.change(course["lessons"][0], is_free_preview=1)
		cdn_admin.approve_held(plan.name)
		frappe.get_doc("Memora Lesson", course["lessons"][1].name).update({"is_free_preview": 1}).save()
		self.publish()
		self.assertEqual(self.levels(plan), ["paid"] * 4)

	def test_losing_a_subject_waits(self) -> None:
		courses = [make_course(), make_course()]
		plan = factories.make_plan([course["subject"] for course in courses], is_published=1)
		self.publish()
		self.change(plan, subjects=[{"subject": courses[0]["subject"].name}])
		self.assertEqual(len(self.learner(plan).lessons), 8)
		self.assertIn("4 of 8", self.held(scopes.plan(plan.name)))
		self.check()
		self.approve(plan.name)
		self.assertEqual(len(self.learner(plan).lessons), 4)

	def test_losing_a_subject_waits_though_the_plan_hides_a_topic_of_that_name(self) -> None:
		courses = [make_course(), make_course()]
		frappe.rename_doc("Memora Topic", courses[0]["topics"][0].name, "Algebra", force=True)
		frappe.rename_doc("Memora Subject", courses[1]["subject"].name, "Algebra", force=True)
		topic = frappe.get_doc("Memora Topic", "Algebra")
		plan = factories.make_plan(
			[courses[0]["subject"], "Algebra"], is_published=1, overrides=[factories.override(topic, "Hide")]
		)
		self.publish()
		self.change(plan, subjects=[{"subject": courses[0]["subject"].name}])
		self.assertEqual(len(self.learner(plan).lessons), 6)
		self.assertIn("4 of 6", self.held(scopes.plan(plan.name)))

	def test_a_small_loss_does_not_wait(self) -> None:
		courses = [make_course(units=4), make_course(units=1)]
		plan = factories.make_plan([course["subject"] for course in courses], is_published=1)
		self.publish()
		self.change(plan, subjects=[{"subject": courses[0]["subject"].name}])
		self.assertEqual(len(self.learner(plan).lessons), 8)

	def test_unpublishing_deleting_and_hiding_never_wait(self) -> None:
		course, plan = self.paid_course(units=3)
		self.change(course["units"][0], is_published=0)
		self.assertEqual(len(self.learner(plan).lessons), 4)
		frappe.delete_doc("Memora Lesson", course["lessons"][2].name)
		frappe.delete_doc("Memora Lesson", course["lessons"][3].name)
		self.publish()
		self.assertEqual(len(self.learner(plan).lessons), 2)
		self.change(plan, overrides=[factories.override(course["units"][2], "Hide")])
		self.assertEqual(len(self.learner(plan).lessons), 0)

	def test_without_the_setting_nothing_waits(self) -> None:
		self.configure(hold_large_changes=0)
		course, plan = self.paid_course()
		self.change(course["subject"], required_item="")
		self.assertEqual(self.levels(plan), ["authenticated"] * 4)

	def test_admins_are_told_once(self) -> None:
		course, _ = self.paid_course()
		frappe.db.delete("Notification Log")
		self.change(course["subject"], required_item="")
		self.change(course["lessons"][0], title="Again")
		self.assertEqual(frappe.db.count("Notification Log", {"for_user": "Administrator"}), 1)

	def test_there_must_be_something_to_approve(self) -> None:
		_, plan = self.paid_course()
		with self.assertRaisesRegex(frappe.ValidationError, "nothing to approve"):
			cdn_admin.approve_held(plan.name)

	def leaving(self) -> list[str]:
		return frappe.get_all("CDN File", {"state": "removing"}, pluck="path")
