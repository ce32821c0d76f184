"""From an editor's save to what a learner's app reads, on a real site and a real folder."""

from __future__ import annotations

import frappe

from memora.services.cdn_export import lease as leases
from memora.tests import clock, factories
from memora.tests.faults.places import STEPS, killed
from memora.tests.publishing import PublishingTestCase, make_course


class TestPublishing(PublishingTestCase):
	def test_a_published_plan_is_complete(self) -> None:
		course = make_course()
		plan = factories.make_plan([course["subject"]], is_published=1)
		drained = self.publish()
		self.assertEqual((drained.failed, drained.left), (0, 0))
		report = self.check()
		self.assertEqual([seen.plan_id for seen in report.plans], [plan.name])
		self.assertEqual(set(report.plans[0].lessons), {lesson.name for lesson in course["lessons"]})
		log = frappe.get_last_doc("CDN Sync Log")
		self.assertEqual((log.plan_id, log.status, log.docstatus), (plan.name, "Success", 1))
		self.assertEqual(log.files_uploaded, 4 + 2 + 1 + 1 + 1)

	def test_a_second_run_writes_nothing(self) -> None:
		course = make_course()
		factories.make_plan([course["subject"]], is_published=1)
		self.publish()
		before = self.contents()
		frappe.get_doc("Memora Lesson", course["lessons"][0].name).save()
		self.publish()
		self.assertWritten(before, set())

	def test_an_edited_body_is_written_from_the_lesson_up(self) -> None:
		course = make_course()
		plan = factories.make_plan([course["subject"]], is_published=1)
		self.publish()
		before = self.contents()
		lesson = frappe.get_doc("Memora Lesson", course["lessons"][1].name)
		lesson.stages[1].config = '{"body": "new"}'
		lesson.save()
		self.publish()
		self.check()
		self.assertWritten(
			before,
			{
				f"lessons/{lesson.name}.json",
				f"units/{course['units'][0].name}.json",
				f"plans/{plan.name}/subjects/{course['subject'].name}.json",
				f"plans/{plan.name}/manifest.json",
			},
		)

	def test_a_new_lesson_goes_up_before_the_neighbours_that_lead_to_it(self) -> None:
		course = make_course(units=1, lessons=3)
		first, new, last = (f"lessons/{lesson.name}.json" for lesson in course["lessons"])
		factories.make_plan([course["subject"]], is_published=1)
		for _ in range(2):  # never there before, and removed before
			self.change(course["lessons"][1], is_published=0)
			self.publish()
			self.change(course["lessons"][1], is_published=1)
			with self.recorded() as steps:
				self.publish()
			lessons = [path for _, path in steps if path.startswith("lessons/")]
			self.assertEqual(lessons[0], new)
			self.assertEqual(set(lessons[1:]), {first, last})

	def test_a_lesson_comes_back_before_its_neighbours_though_its_removal_was_broken_off(self) -> None:
		course = make_course(units=1, lessons=3)
		back = f"lessons/{course['lessons'][1].name}.json"
		factories.make_plan([course["subject"]], is_published=1)
		self.publish()
		self.change(course["lessons"][1], is_published=0)
		killed(STEPS["at the removals"][1])
		self.assertNotIn(back, self.paths())
		self.change(course["lessons"][1], is_published=1)
		clock.skip(leases.LEASE_SECONDS + 1)
		with self.recorded() as steps:
			self.publish()
		self.assertEqual(next(path for _, path in steps if path.startswith("lessons/")), back)
		self.check()
