"""`kill -9` of a worker at every step of a build, and workers that wake after their lease has passed."""

from __future__ import annotations

import frappe

from memora.tests import factories
from memora.tests.faults import FULL, PLACES, FaultTestCase, differences, let_leases_run_out, stalled, worker
from memora.tests.publishing import make_course


class WorkersTestCase(FaultTestCase):
	"""Two plans: one reads the subject as it is, the other has its own rendition of it."""

	def setUp(self) -> None:
		super().setUp()
		self.course = make_course()
		self.lessons = self.course["lessons"]
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.own = factories.make_plan(
			[self.course["subject"]],
			is_published=1,
			overrides=[factories.override(self.lessons[0], "Rename", "Renamed")],
		)
		self.publish()
		self.check()

	def edit(self, number: int) -> None:
		"""Something for every step: all lessons written anew, one removed, one new, the list of plans changed."""
		frappe.get_doc("Memora Subject", self.course["subject"].name).db_set("title", f"Title {number}")
		frappe.get_doc("Memora Lesson", self.lessons[3].name).db_set("is_published", number % 2)
		lesson = frappe.get_doc("Memora Lesson", self.lessons[1].name)
		lesson.stages[1].config = f'{{"body": {number}}}'
		lesson.save()
		for plan in (self.plan, self.own):
			frappe.get_doc(plan.doctype, plan.name).db_set("title", f"{plan.name} {number}")
		frappe.db.commit()


class TestKilled(WorkersTestCase):
	def test_at_every_step_the_work_is_taken_up_and_no_link_dies(self) -> None:
		for place in PLACES if FULL else PLACES[::2]:
			with self.subTest(place=place.name):
				self.edit(1)
				self.publish()
				self.edit(2)
				self.assertIsNone(worker(place).wait(), "the worker never came there")
				self.assertLinksHold(place.name)
				self.assertRecovers(place.name)

	def test_at_every_step_an_edit_that_reverts_is_published(self) -> None:
		"""After a PUT whose worker died, the ledger alone would call the old content unchanged."""
		for place in PLACES if FULL else PLACES[1::2]:
			with self.subTest(place=place.name):
				self.edit(3)
				self.publish()
				self.edit(4)
				self.assertIsNone(worker(place).wait(), "the worker never came there")
				self.assertLinksHold(place.name)
				self.edit(3)
				self.assertRecovers(place.name)


class TestStalled(WorkersTestCase):
	def test_at_every_step_a_late_builder_overwrites_nothing(self) -> None:
		"""It stops, its lease passes, another publishes newer content; then it wakes and goes on."""
		for place in PLACES if FULL else PLACES[::3]:
			with self.subTest(place=place.name):
				self.edit(3)
				self.publish()
				self.edit(4)
				with stalled(place) as late:
					let_leases_run_out()
					self.edit(6)
					self.publish()
					before = self.contents()
					late.go_on()
					late.over()
				self.assertEqual(differences(self.contents(), before), [])
				self.assertRecovers(place.name)
