"""From an editor's save to what a learner's app reads, on a real site and a real folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from unittest.mock import patch

import frappe
from frappe.model.document import Document
from frappe.utils.background_jobs import get_redis_connection_without_auth
from pymysql import OperationalError

from memora.exceptions import ContractError, StorageUnavailableError
from memora.memora.doctype.cdn_sync_log.cdn_sync_log import CDNSyncLog
from memora.services.cdn_export.builds import plan_build
from memora.services.cdn_export.rules import contracts
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state import ledger
from memora.tests.faults.places import STEPS, killed
from memora.tests.helpers import clock, factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course


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

	def test_where_one_document_breaks_its_contract_nothing_of_its_subject_is_begun(self) -> None:
		for lessons in (2, 40):  # files that are made before they are noted as in flight, and while they are
			with self.subTest(lessons=lessons):
				course = make_course(units=1, lessons=lessons)
				factories.make_plan([course["subject"]], is_published=1)
				before = self.contents().keys()
				with self.breaking(f"lessons/{course['lessons'][-1].name}.json"):
					self.publish()
				self.assertEqual(frappe.get_all("CDN File", {"subject": course["subject"].name}), [])
				self.assertEqual([p for p in self.contents().keys() - before if "lessons/" in p], [])
				self.minutes_pass(2)
				self.publish()
				self.check()

	def test_noting_files_as_in_flight_is_tried_again_after_a_deadlock_and_each_goes_up_once(self) -> None:
		for lessons in (2, 40):
			with self.subTest(lessons=lessons):
				course = make_course(units=1, lessons=lessons)
				factories.make_plan([course["subject"]], is_published=1)
				begin, calls = ledger.begin, []

				def begun(*arguments: Any, begin: Any = begin, calls: list[Any] = calls) -> None:
					begin(*arguments)
					calls.append(arguments)
					if len(calls) == 1:
						raise frappe.QueryDeadlockError(OperationalError(1213, "Deadlock found"))

				with patch.object(ledger, "begin", begun), self.recorded() as steps:
					drained = self.publish()
				self.assertEqual((drained.failed, drained.left), (0, 0))
				self.assertGreater(len(calls), 1)
				self.assertEqual(sum("lessons/" in path for _, path in steps), lessons)
				self.check()

	@contextmanager
	def breaking(self, path: str) -> Iterator[None]:
		"""The document of this path breaks its contract meanwhile."""
		validate = contracts.validate

		def validated(kind: str, document: dict[str, Any], at: str) -> None:
			if at == path:
				raise ContractError(f"{at} was broken by the test")
			validate(kind, document, at)

		with patch.object(contracts, "validate", validated):
			yield

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


class TestRecord(PublishingTestCase):
	"""What a site adds to CDN Sync Log."""

	def setUp(self) -> None:
		super().setUp()
		self.course = make_course()
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)

	def test_a_site_hears_of_each_record_as_of_any_new_document(self) -> None:
		heard: list[tuple[str, str]] = []

		def hear(doc: Document, event: str) -> None:
			if doc.doctype == "CDN Sync Log" and event.startswith(("after_", "on_")):
				heard.append((event, doc.status))

		with (
			patch("frappe.model.document.run_webhooks", hear),
			self.listening() as told,
		):
			self.publish()
			self.assertEqual(
				heard,
				[(event, "Success") for event in ("after_insert", "on_update", "on_submit", "on_change")],
			)
			(log,) = frappe.get_all("CDN Sync Log", {"plan_id": self.plan.name}, pluck="name")
			news = {"doctype": "CDN Sync Log", "name": log, "user": frappe.session.user}
			lists = [message for message in told() if message["event"] == "list_update"]
			self.assertEqual([m["message"] for m in lists if m["room"] == "doctype:CDN Sync Log"], [news])
			heard.clear()
			self.change(self.course["lessons"][0], title="Edited")
			with patch.object(plan_build, "run", side_effect=StorageUnavailableError("refused by the test")):
				self.publish()
			self.assertEqual(
				heard, [(event, "Failed") for event in ("after_insert", "on_update", "on_change")]
			)

	@contextmanager
	def listening(self) -> Iterator[Callable[[], list[dict[str, Any]]]]:
		"""Hear in Redis what Frappe's socket server would pass on to open Desks; all that came until asked."""
		connection = get_redis_connection_without_auth()
		with closing(connection.pubsub(ignore_subscribe_messages=True)) as heard:
			heard.subscribe("events")
			heard.get_message(timeout=5)

			def told() -> list[dict[str, Any]]:
				connection.publish("events", "null")
				messages = iter(lambda: json.loads(next(heard.listen())["data"]), None)
				return [message for message in messages if message["namespace"] == frappe.local.site]

			yield told

	def test_a_record_that_a_site_refuses_holds_nothing_up(self) -> None:
		def refuse(doc: Document) -> None:
			frappe.throw("refused by the test")  # frapast:ignore FR-I18N-001

		with patch.object(CDNSyncLog, "after_insert", refuse, create=True):
			drained = self.publish()
		self.assertEqual((drained.published, drained.failed, drained.left), (2, 0, 0))
		self.assertEqual(frappe.get_all("CDN Sync Log", {"plan_id": self.plan.name}), [])
		self.assertTrue(
			frappe.get_all(
				"Error Log", {"reference_name": self.plan.name, "error": ("like", "%refused by the test%")}
			)
		)
		self.check()
