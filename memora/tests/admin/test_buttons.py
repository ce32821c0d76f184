"""What buttons start: one job, however often they are pressed before it has begun."""

from __future__ import annotations

import unittest
from unittest.mock import patch

import frappe
import redis
from frappe.utils.background_jobs import get_queue
from rq.job import Job

from memora.api import cdn_admin, publishing
from memora.exceptions import JobQueueError
from memora.frappe_versions import QUEUE_IS_FULL
from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.admin import operations
from memora.services.cdn_export.state import job_queue, redis_mirror
from memora.services.cdn_export.worker import drain
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course

PRESSED = 150


class TestButtons(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=1, lessons=1)
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		frappe.db.commit()
		self.forget_jobs()
		self.addCleanup(self.forget_jobs)

	def jobs(self) -> list[Job]:
		"""The jobs of memora that wait for a worker."""
		return [
			job
			for name in ("short", "long")
			for job in get_queue(name).get_jobs()
			if job.kwargs.get("site") == frappe.local.site and "cdn_export" in str(job.kwargs["method"])
		]

	def drains(self) -> list[Job]:
		return [job for job in self.jobs() if job.kwargs["method"] == job_queue.DRAIN]

	def forget_jobs(self) -> None:
		for job in self.jobs():
			job.delete()

	def test_a_button_that_is_pressed_often_starts_one_job(self) -> None:
		lesson = self.course["lessons"][0].name
		for press in (
			lambda: publishing.publish_now("Memora Lesson", lesson),
			lambda: cdn_admin.rebuild_plan(self.plan.name),
			operations.start_batch,
		):
			with self.subTest(press):
				self.assertIn("Queued", [press()["message"] for _ in range(PRESSED)][-1])
				self.assertEqual([job.kwargs["method"] for job in self.jobs()], [job_queue.RUN_BATCH])

	@unittest.skipUnless(QUEUE_IS_FULL, "this Frappe counts no waiting jobs")
	def test_a_full_queue_fails_no_save_and_work_waits_for_the_next_batch(self) -> None:
		lesson = self.course["lessons"][0]
		redis_mirror.release(redis_mirror.WAKE_UP)
		with (
			patch.dict(frappe.local.conf, max_queued_jobs=-(10**6)),
			patch.object(job_queue.Worker, "count", return_value=1),
		):
			lesson.title = "Saved while the queue is full"
			lesson.save()
			frappe.db.commit()
			said = publishing.publish_now("Memora Lesson", lesson.name)["message"]
			self.assertIn("the scheduler's next batch takes it", said)
			self.assertEqual(batch_processor.run_batch()["drains"], 0)  # it builds by itself
		self.assertEqual(frappe.local.message_log, [])
		self.assertEqual(self.jobs(), [])
		self.assertEqual(self.read(f"lessons/{lesson.name}.json")["title"], lesson.title)

	def test_one_that_has_begun_leaves_room_for_the_next(self) -> None:
		operations.start_batch()
		self.forget_jobs()  # a worker takes it
		with patch.object(job_queue.Worker, "count", return_value=0):
			batch_processor.run_batch()
		operations.start_batch()
		self.assertEqual(len(self.jobs()), 1)

	def test_one_that_was_lost_keeps_no_other_for_long(self) -> None:
		operations.start_batch()
		self.forget_jobs()
		client = redis_mirror._client()
		claim = redis_mirror.key(f"cdn_export:claim:{redis_mirror.BATCH}")
		self.assertLessEqual(0, client.ttl(claim))
		self.assertLessEqual(client.ttl(claim), job_queue.QUEUED_SECONDS)
		client.delete(claim)
		operations.start_batch()
		self.assertEqual(len(self.jobs()), 1)

	def test_what_the_queue_did_not_take_is_queued_as_soon_as_it_takes_jobs(self) -> None:
		with patch.object(job_queue.Worker, "count", return_value=2):
			with patch.object(frappe, "enqueue", side_effect=redis.ConnectionError("the queue is away")):
				self.assertEqual(job_queue.enqueue_drains(2, "Manual", "first"), 0)
				with self.assertRaises(JobQueueError):
					job_queue.enqueue_batch("Manual")
			self.assertEqual(job_queue.enqueue_drains(2, "Manual", "second"), 2)
		self.assertEqual(len(self.drains()), 2)
		job_queue.enqueue_batch("Manual")
		self.assertEqual(len(self.jobs()), 3)

	def test_batches_queue_no_more_drains_than_there_are_workers(self) -> None:
		with patch.object(job_queue.Worker, "count", return_value=2):
			for _ in range(20):
				factories.make_plan([self.course["subject"]], is_published=1)
				frappe.db.commit()
				self.assertIn(batch_processor.run_batch()["drains"], (1, 2))
			drains = self.drains()
			self.assertEqual(len(drains), 2)
			drains[0].delete()
			drain.drain(**drains[0].kwargs["kwargs"])
			for _ in range(2):
				factories.make_plan([self.course["subject"]], is_published=1)
			frappe.db.commit()
			batch_processor.run_batch()
			self.assertEqual(len(self.drains()), 2)
