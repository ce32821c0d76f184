"""The life of a plan's work: waiting, leased, built, published, or tried again until it is a dead letter."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import frappe
import pytest
from frappe.utils import now_datetime
from frappe.utils.background_jobs import get_queues_timeout

from memora.exceptions import StorageUnavailableError
from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.admin import dead_letters, pipeline_status, publish_requests
from memora.services.cdn_export.builds import plan_build
from memora.services.cdn_export.delivery import progress
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import database, job_queue, publish_state, redis_mirror, site_values
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.storage import Upload
from memora.services.cdn_export.storage.local import LocalStorage
from memora.services.cdn_export.worker import drain
from memora.tests.faults.places import STEPS, Place, killed, stopped
from memora.tests.helpers import clock, factories
from memora.tests.helpers.processes import at_once
from memora.tests.helpers.publishing import PublishingTestCase, make_course

READ = {"title": "Read", "type": "Text", "config": '{"body": "fixed"}'}


class WorkTestCase(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=1, lessons=1)
		self.lesson = self.course["lessons"][0]
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()

	def state(self) -> State:
		frappe.db.commit()
		scope = scopes.plan(self.plan.name)
		return publish_state.read([scope])[scope.id]

	def edit(self, title: str) -> None:
		self.change(self.lesson, title=title)
		frappe.db.commit()

	def live_title(self) -> str:
		return self.read(f"lessons/{self.lesson.name}.json")["title"]

	def logs(self) -> list[Any]:
		return frappe.get_all(
			"CDN Sync Log",
			{"plan_id": self.plan.name},
			["status", "retry_count", "files_uploaded", "error_message", "next_retry_at"],
			order_by="creation",
		)

	def failing(self):
		"""The plan's own build fails."""

		def fail(*_: Any) -> None:
			raise StorageUnavailableError("refused by the test")

		return patch.object(plan_build, "run", fail)


class TestWaiting(WorkTestCase):
	@pytest.mark.earlier_defect(
		"plans popped from the set before the work was done; a batch that crashed lost every plan "
		"it had popped"
	)
	def test_a_plan_waits_until_it_is_published_whatever_becomes_of_its_worker(self) -> None:
		self.edit("kept")
		killed(STEPS["before the manifest"][0])
		self.assertIn(self.plan.name, redis_mirror.waiting())
		self.assertFalse(self.state().is_current)
		clock.skip(leases.LEASE_SECONDS + 1)
		self.publish()
		self.assertEqual(self.live_title(), "kept")
		self.assertEqual(redis_mirror.waiting(), set())

	@pytest.mark.earlier_defect("a locked plan was dropped")
	def test_a_locked_plan_is_not_dropped(self) -> None:
		self.edit("kept")
		with stopped(STEPS["before the manifest"][0]) as building:
			self.edit("edited meanwhile")
			frappe.db.commit()
			self.assertIsNone(leases.acquire(scopes.plan(self.plan.name)))
			self.assertFalse(self.state().is_current)
			building.go_on()
			building.wait()
		self.assertEqual(self.live_title(), "edited meanwhile")

	@pytest.mark.earlier_defect("a batch that ran past the job's 300 s lost every plan it had popped")
	def test_a_drain_whose_time_is_up_leaves_the_rest_to_the_next(self) -> None:
		for _ in range(3):
			factories.make_plan([self.course["subject"]], is_published=1)
		frappe.db.commit()
		relay.run()
		with patch.object(job_queue, "enqueue_drains") as started:
			drained = drain.drain(seconds=1e-9)
		self.assertEqual(drained.published, 0)
		self.assertGreater(drained.left, 0)
		started.assert_called_once()
		self.assertLess(drain.DRAIN_SECONDS, job_queue.JOB_SECONDS)
		self.publish()
		self.assertEqual(len(self.read("plans/index.json")["plans"]), 4)

	def test_a_batch_without_workers_stops_in_time_and_the_minutes_look_goes_on(self) -> None:
		self.edit("kept")
		with (
			patch.object(batch_processor, "BATCH_SECONDS", 1e-9),
			patch.object(job_queue.Worker, "count", return_value=0),
		):
			self.assertEqual(batch_processor.run_batch()["drains"], 0)
		self.assertNotEqual(self.live_title(), "kept")
		clock.skip(leases.LEASE_SECONDS + 1)
		self.assertEqual(self.tick(), {"due": "left"})
		self.assertEqual(self.live_title(), "kept")
		for queue in ("short", "default"):  # where batches run
			self.assertLess(batch_processor.BATCH_SECONDS, get_queues_timeout()[queue])

	def test_a_new_connection_in_place_of_a_broken_one_may_idle_no_longer(self) -> None:
		database.limit_idling()
		((connection,),) = frappe.db.sql("select connection_id()")
		at_once(lambda: frappe.db.sql(f"kill {connection}"))
		database.rollback()
		((now, seconds),) = frappe.db.sql("select connection_id(), @@idle_write_transaction_timeout")
		self.assertNotEqual(now, connection)
		self.assertEqual(seconds, database.IDLE_SECONDS)

	def test_a_drain_sees_what_was_committed_since_its_connection_last_read(self) -> None:
		frappe.db.sql("select name from `tabMemora Lesson`")  # a snapshot

		def edit_elsewhere() -> None:
			frappe.get_doc("Memora Lesson", self.lesson.name).db_set("title", "seen")

		at_once(edit_elsewhere)
		drain.drain(seconds=None)
		self.assertEqual(self.live_title(), "seen")

	def test_what_a_drain_left_that_died_between_two_builds_is_taken_up_by_the_minutes_look(self) -> None:
		"""Nothing is leased then, so no lease runs out."""
		self.edit("kept")
		with patch.object(job_queue, "enqueue_drains", return_value=1):  # to a worker that dies
			batch_processor.run_batch()
			self.assertEqual(batch_processor.check_due(), {"due": ""})
			clock.skip(leases.LEASE_SECONDS + 1)
			self.assertEqual(batch_processor.check_due(), {"due": "left"})
		clock.skip(leases.LEASE_SECONDS + 1)
		self.assertEqual(self.tick(), {"due": "left"})
		self.assertEqual(self.live_title(), "kept")
		self.assertEqual(self.tick(), {"due": ""})

	def test_a_lease_that_a_dead_worker_has_left_where_nothing_waits_starts_no_batch(self) -> None:
		unlock = redis_mirror.unlock

		def dying(act: Callable[[], None]) -> Any:
			def unlocked(scopes: Sequence[str], *arguments: Any) -> None:
				if scopes == [f"subject:{self.course['subject'].name}"]:
					act()
				unlock(scopes, *arguments)

			return patch.object(redis_mirror, "unlock", unlocked)

		self.change(self.plan, is_published=0)
		killed(Place("after a subject that nobody reads was given up", dying))
		clock.skip(leases.LEASE_SECONDS + 1)
		self.publish()
		self.assertEqual(self.tick(), {"due": ""})
		self.check()

	def test_a_clock_that_was_set_back_keeps_no_batch_waiting(self) -> None:
		self.configure(batch_interval_minutes=10)
		for title, run in (("edited", batch_processor.process_pending_plans), ("and again", self.tick)):
			with self.subTest(title):
				self.edit(title)
				site_values.write(site_values.LAST_BATCH, str(time.time() + 24 * 60 * 60))
				frappe.db.commit()
				with patch.object(job_queue.Worker, "count", return_value=0):
					run()
				self.assertEqual(self.live_title(), title)

	def test_open_desks_are_told_of_a_build_when_its_record_can_be_read(self) -> None:
		self.edit("kept")
		before = len(self.logs())
		told: list[int] = []

		def hear(event: str, *args: Any, **options: Any) -> None:
			if event == progress.EVENT:
				(logs,) = at_once(self.logs)
				told.append(len(logs) - before)

		with patch.object(frappe, "publish_realtime", hear):
			self.publish()
		self.assertEqual(told, [0, 1])

	def test_open_desks_are_told_about_once_a_second_however_many_plans_are_built(self) -> None:
		for _ in range(20):
			factories.make_plan([self.course["subject"]], is_published=1)
		told: list[int] = []

		def hear(event: str, *args: Any, **options: Any) -> None:
			if event == progress.EVENT:
				told.append(frappe.db.count("CDN Publish State", {"scope_type": "plan", "is_live": 1}))

		started = time.monotonic()
		with patch.object(frappe, "publish_realtime", hear):
			self.publish()
		self.assertLessEqual(len(told), 3 + time.monotonic() - started)
		self.assertEqual((told[0], told[-1]), (1, 21))


class TestRetries(WorkTestCase):
	@pytest.mark.earlier_defect(
		"nothing ever read `next_retry_at`; the retry counter started at 0 on every run, so the "
		"dead letter was unreachable"
	)
	def test_it_is_tried_again_after_2_4_and_8_minutes_and_then_is_a_dead_letter(self) -> None:
		self.edit("failing")
		with self.failing():
			self.publish()
			for number, minutes in enumerate((2, 4, 8), start=1):
				state = self.state()
				self.assertEqual(state.retry_count, number)
				wait = state.next_retry_at - now_datetime()
				self.assertTrue(timedelta(0) < wait <= timedelta(minutes=minutes), wait)
				self.assertGreater(wait, timedelta(minutes=minutes - 1))
				clock.skip(minutes * 60 - 60)
				self.assertEqual(self.tick(), {"due": ""})
				self.assertEqual(self.state().retry_count, number)
				clock.skip(60)
				self.assertEqual(self.tick(), {"due": "retry"})
		self.assertIsNotNone(self.state().dead_since)
		self.assertEqual(
			[(log.status, log.retry_count) for log in self.logs()][1:],
			[("Failed", 1), ("Failed", 2), ("Failed", 3), ("Dead Letter", 3)],
		)
		self.assertEqual([letter["label"] for letter in pipeline_status.dead_letters()], [self.plan.name])

	def test_it_is_tried_again_in_time_though_the_sites_clock_was_set_back(self) -> None:
		self.edit("kept")
		with self.failing():
			self.publish()
		self.minutes_pass(2)
		with patch("frappe.utils.data.get_system_timezone", return_value="Pacific/Pago_Pago"):
			self.assertEqual(self.tick(), {"due": "retry"})
		self.assertEqual(self.live_title(), "kept")
		self.assertEqual(self.failures(), {})

	@pytest.mark.earlier_defect("Retry reported success while nothing happened")
	def test_retry_publishes(self) -> None:
		self.edit("failing")
		with self.failing():
			for _ in range(4):
				self.publish()
				clock.skip(10 * 60)
		self.publish()
		self.assertIsNotNone(self.state().dead_since)
		dead_letters.retry(self.plan.name)
		self.assertIsNone(self.state().dead_since)
		self.publish()
		self.assertTrue(self.state().is_current)
		self.assertEqual(self.logs()[-1].status, "Success")
		self.assertEqual(pipeline_status.dead_letters(), [])
		self.check()

	def test_a_plan_that_is_called_like_another_scope_is_retried_all_the_same(self) -> None:
		for name in ("index", f"subject:{self.course['subject'].name}", "plan:index", "media"):
			with self.subTest(name):
				self.plan.name = frappe.rename_doc(self.plan.doctype, self.plan.name, name, force=True)
				self.publish()
				self.edit(f"retried as {name}")
				with self.failing():
					for _ in range(4):
						self.publish()
						clock.skip(10 * 60)
				(letter,) = pipeline_status.dead_letters()
				self.assertEqual(self.buried(), {letter["label"]})
				dead_letters.retry(letter["label"])
				self.publish()
				self.assertEqual((pipeline_status.dead_letters(), self.failures()), ([], {}))
				self.check()
				titles = {lesson["title"] for lesson in self.learner(self.plan).lessons.values()}
				self.assertEqual(titles, {f"retried as {name}"})

	def test_a_plan_that_is_called_like_another_scope_takes_only_its_own_dead_letter_back(self) -> None:
		self.plan.name = frappe.rename_doc(self.plan.doctype, self.plan.name, "index", force=True)
		self.publish()
		redis_mirror.add_dead_letter("index", "refused", 3, "")
		self.edit("published")
		self.publish()
		self.assertEqual(self.buried(), {"index"})

	def buried(self) -> set[str]:
		"""The labels of the dead letters in Redis."""
		hashed = redis_mirror._guarded(
			lambda client: client.hkeys(redis_mirror.key(redis_mirror.DEAD_LETTER))
		)
		return {label.decode() for label in hashed}

	@pytest.mark.earlier_defect(
		'a bare `except` around each step: failures looked like "processed 0", with nothing logged'
	)
	def test_a_failure_is_recorded_with_its_cause(self) -> None:
		self.edit("failing")

		def refuse(*_: Any, **__: Any) -> str:
			raise OSError("a cause nobody had thought of")

		with patch.object(LocalStorage, "put", refuse):
			drained = self.publish()
		self.assertGreater(drained.failed, 0)
		self.assertIn("a cause nobody had thought of", " ".join(self.failures().values()))
		logged = frappe.get_all("CDN Sync Log", {"status": "Failed"}, pluck="error_message")
		self.assertTrue(not logged or "a cause nobody had thought of" in logged[0])


class TestDeadSubjects(WorkTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.subject = self.course["subject"]
		self.label = scopes.subject(self.subject.name).label

	def die(self) -> None:
		"""Let the storage refuse the subject's files until it is out of retries; its plan goes on without it."""

		def refuse(storage: LocalStorage, upload: Upload, **condition: Any) -> str:
			if upload.path.startswith("lessons/"):
				raise StorageUnavailableError("refused by the test")
			return put(storage, upload, **condition)

		put = LocalStorage.put
		with patch.object(LocalStorage, "put", refuse):
			self.run_out_of_retries()

	def run_out_of_retries(self) -> None:
		for _ in range(4):
			self.publish()
			clock.skip(10 * 60)
		self.assertEqual([letter["label"] for letter in pipeline_status.dead_letters()], [self.label])
		self.check()

	def test_what_a_retry_publishes_stands_in_the_plans_that_had_gone_on_without_it(self) -> None:
		unit = factories.make_unit(parent_track=self.course["track"].name, is_published=1)
		topic = factories.make_topic(parent_unit=unit.name, is_published=1)
		lesson = factories.make_lesson(parent_topic=topic.name, is_published=1)
		self.die()
		self.assertNotIn(unit.name, self.learner(self.plan).units)
		dead_letters.retry(self.label)
		self.publish()
		self.check()
		reading = self.learner(self.plan)
		self.assertIn(unit.name, reading.units)
		self.assertEqual({entry["lesson_id"] for entry in reading.entries}, {self.lesson.name, lesson.name})
		self.assertEqual(reading.subjects[self.subject.name]["stats"]["total_lessons"], 2)

	def test_what_is_given_up_stays_as_it_was_published_until_it_changes_again(self) -> None:
		fellow = factories.make_lesson(
			parent_topic=self.course["topics"][0].name, is_published=1, sort_order=1
		)
		self.publish()
		before = self.learner(self.plan)
		new = factories.make_lesson(parent_topic=self.course["topics"][0].name, is_published=1)
		self.change(fellow, is_published=0)
		self.change(self.subject, required_item="GOLD")
		self.die()
		dead_letters.dismiss(self.label)
		self.change(self.plan, title="Edited")
		self.publish()
		self.check()
		reading = self.learner(self.plan)
		self.assertEqual(reading.manifest["title"], "Edited")
		for shown in ("subjects", "units", "lessons", "entries"):
			self.assertEqual(getattr(reading, shown), getattr(before, shown))
		self.assertEqual(
			(pipeline_status.dead_letters(), pipeline_status.queue_status()["pending_count"]), ([], 0)
		)

		self.change(self.lesson, title="Edited")
		self.publish()
		self.check()
		reading = self.learner(self.plan)
		self.assertEqual(set(reading.lessons), {self.lesson.name, new.name})
		self.assertEqual({entry["lesson_id"] for entry in reading.entries}, set(reading.lessons))
		self.assertEqual(reading.level(self.subject.name), "paid")
		self.assertEqual(reading.level(self.lesson.name), "paid")

	def test_what_was_edited_before_it_was_given_up_is_published_with_the_next_change(self) -> None:
		fellow = factories.make_lesson(
			parent_topic=self.course["topics"][0].name, is_published=1, sort_order=1, stages=[READ]
		)
		self.publish()
		frappe.db.set_value("Memora Lesson Stage", fellow.stages[0].name, "config", "[1]")
		publish_requests.rebuild([self.plan.name])
		self.change(self.lesson, stages=[{**READ, "config": '{"body": "given up"}'}])
		self.run_out_of_retries()
		dead_letters.dismiss(self.label)
		self.change(fellow, stages=[READ])
		self.publish()
		self.check()
		(stage,) = self.learner(self.plan).lessons[self.lesson.name]["stages"]
		self.assertEqual(stage["config"], {"body": "given up"})

	def test_what_is_given_up_is_tried_again_for_a_plan_that_is_to_show_it(self) -> None:
		new = factories.make_lesson(parent_topic=self.course["topics"][0].name, is_published=1)
		self.die()
		dead_letters.dismiss(self.label)
		second = factories.make_plan([self.subject], is_published=1)
		self.publish()
		self.check()
		for plan in (self.plan, second):
			reading = self.learner(plan)
			self.assertIn(new.name, reading.lessons)
			self.assertEqual({entry["lesson_id"] for entry in reading.entries}, set(reading.lessons))


class TestDisabled(WorkTestCase):
	@pytest.mark.earlier_defect("export disabled: the plan was popped and logged as Success with 0 files")
	def test_while_export_is_disabled_changes_wait_and_nothing_is_logged(self) -> None:
		before = len(self.logs())
		self.configure(enabled=0)
		self.edit("waits")
		batch_processor.run_batch()
		self.publish()
		self.assertEqual(len(self.logs()), before)
		self.assertFalse(self.state().is_current)
		self.assertNotEqual(self.live_title(), "waits")
		self.configure(enabled=1)
		self.publish()
		self.assertEqual(self.live_title(), "waits")

	@pytest.mark.earlier_defect(
		"`error_message`, `files_uploaded` and `batch_interval_minutes` were never used"
	)
	def test_a_log_says_what_was_uploaded_or_why_not(self) -> None:
		self.edit("another")
		self.publish()
		self.assertGreater(self.logs()[-1].files_uploaded, 0)
		self.edit("failing")
		with self.failing():
			self.publish()
		self.assertIn("refused by the test", self.logs()[-1].error_message)

	@pytest.mark.earlier_defect(
		"`error_message`, `files_uploaded` and `batch_interval_minutes` were never used"
	)
	def test_the_interval_of_the_settings_is_kept(self) -> None:
		self.configure(batch_interval_minutes=15)
		batch_processor.run_batch()
		self.edit("waits for its interval")
		for _ in range(2):
			clock.skip(5 * 60)
			self.assertIn("skipped", batch_processor.process_pending_plans())
			self.assertEqual(self.tick(), {"due": ""})
		clock.skip(5 * 60)
		self.assertEqual(self.tick(), {"due": "interval"})
		self.assertEqual(self.live_title(), "waits for its interval")
