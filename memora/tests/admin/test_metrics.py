"""Numbers for Prometheus and lines for log collectors: what they say, and who may read them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

import frappe
from frappe.utils import set_request
from prometheus_client.parser import text_string_to_metric_families

from memora.api import metrics as endpoint
from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.admin import metrics
from memora.services.cdn_export.builds import event_log
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.state import job_queue, publish_state
from memora.tests.helpers import factories
from memora.tests.helpers.frappe_versions import set_in_test
from memora.tests.helpers.publishing import PublishingTestCase, make_course


class TestMetrics(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=1)
		self.plan = factories.make_plan(is_published=1, subjects=[self.course["subject"]])
		frappe.db.commit()

	def numbers(self) -> dict[str, float]:
		"""Every sample by its name and labels, as Prometheus's own parser reads it."""
		found = {}
		for family in text_string_to_metric_families(metrics.render().decode()):
			self.assertTrue(family.documentation, family.name)
			for sample in family.samples:
				label = sample.labels.get("status", "")
				found[sample.name + (f"/{label}" if label else "")] = sample.value
		return found

	def test_what_waits_and_what_is_live(self) -> None:
		frappe.db.sql("update `tabCDN Change` set creation = creation - interval 90 second")
		before = self.numbers()
		self.assertGreaterEqual(before["memora_oldest_waiting_seconds"], 90)
		self.assertGreater(before["memora_unfolded_changes"], 0)
		self.assertNotIn("memora_last_success_age_seconds", before)

		self.publish()

		after = self.numbers()
		self.assertEqual(after["memora_oldest_waiting_seconds"], 0)
		self.assertEqual((after["memora_live_plans"], after["memora_pending_plans"]), (1, 0))
		self.assertEqual(after["memora_live_files"], len(self.all_paths()))
		self.assertEqual(after["memora_attempts_last_hour/Success"], 1)
		self.assertEqual(
			after["memora_files_uploaded_last_hour"], len(self.paths()) - 1
		)  # the list is no plan's
		self.assertLess(after["memora_last_success_age_seconds"], 60)
		self.assertEqual((after["memora_export_enabled"], after["memora_queue_redis_up"]), (1, 1))

	def test_failures(self) -> None:
		with patch("memora.services.cdn_export.rules.contracts.validate", side_effect=ValueError("odd")):
			self.publish()
		self.assertGreater(self.numbers()["memora_failing"], 0)
		state = scopes.plan(self.plan.name).id
		frappe.db.set_value(publish_state.TABLE, state, "dead_since", frappe.utils.now_datetime())
		self.assertEqual(self.numbers()["memora_dead_letters"], 1)

	def test_expired_signatures_are_counted_alike_wherever_the_site_is(self) -> None:
		"""An earlier build compared moments in UTC with the site's time."""
		self.publish()
		(lesson, *_) = frappe.get_all("CDN File", {"kind": "lesson"}, pluck="name")
		for zone in ("America/New_York", "Asia/Riyadh"):
			for hours, expired in ((-1, 1), (1, 0)):
				with self.subTest(zone=zone, hours=hours):
					ends = datetime.now(timezone.utc) + timedelta(hours=hours)
					frappe.db.set_value("CDN File", lesson, "signed_until", ends.replace(tzinfo=None))
					with patch("frappe.utils.data.get_system_timezone", return_value=zone):
						self.assertEqual(self.numbers()["memora_signatures_expired"], expired)

	def ask(self, user: str = "Guest", **headers: str):
		"""Call the endpoint as this user, as outside of tests, where `frappe.only_for` really asks."""
		set_request(method="GET", path="/api/method/memora.api.metrics.prometheus", headers=headers)
		frappe.set_user(user)
		set_in_test(False)
		try:
			return endpoint.prometheus()
		finally:
			set_in_test(True)
			frappe.set_user("Administrator")

	def test_who_may_read_them(self) -> None:
		self.assertIn("prometheus", [method.__name__ for method in frappe.guest_methods])
		for headers in ({}, {endpoint.HEADER: ""}, {endpoint.HEADER: "t0ken"}):
			self.assertRaises(frappe.PermissionError, self.ask, **headers)
		with patch.dict(frappe.conf, {endpoint.TOKEN: "t0ken"}):
			self.assertRaises(frappe.PermissionError, self.ask)
			self.assertRaises(frappe.PermissionError, self.ask, **{endpoint.HEADER: "t0ken "})
			answer = self.ask(**{endpoint.HEADER: "t0ken"})
		self.assertIn(b"memora_pending_plans", answer.data)
		self.assertTrue(answer.content_type.startswith("text/plain; version=0.0.4"))
		self.assertEqual(self.ask("Administrator").status_code, 200)

	def test_no_secret_is_among_them(self) -> None:
		self.configure(secret_key="s3cr3t", cloudflare_zone_id="")
		self.assertNotIn(b"s3cr3t", metrics.render())


class TestEvents(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=1)
		self.plan = factories.make_plan(is_published=1, subjects=[self.course["subject"]])
		frappe.db.commit()

	def lines(self, work) -> list[dict]:
		with self.assertLogs(f"{event_log.LOG}-{frappe.local.site}", "INFO") as logs:
			work()
		return [json.loads(record.getMessage()) for record in logs.records]

	def test_a_build_says_what_it_did(self) -> None:
		built = {line["scope"]: line for line in self.lines(self.publish)}[self.plan.name]
		self.assertEqual((built["event"], built["site"]), ("built", frappe.local.site))
		self.assertEqual((built["uploaded"], built["deleted"]), (len(self.paths()) - 1, 0))
		self.assertGreater(built["generation"], 0)
		self.assertGreater(built["seconds"], 0)

	def test_a_failure_says_why_and_what_next(self) -> None:
		with patch("memora.services.cdn_export.rules.contracts.validate", side_effect=ValueError("odd")):
			failed = [line for line in self.lines(self.publish) if line["event"] == "failed"]
		self.assertIn("odd", failed[0]["error"])
		self.assertEqual((failed[0]["retries"], failed[0]["dead"]), (1, False))

	def test_a_batch_says_what_it_found(self) -> None:
		with patch.object(job_queue.Worker, "count", return_value=0):
			batch = next(line for line in self.lines(batch_processor.run_batch) if line["event"] == "batch")
		self.assertGreater(batch["relayed"], 0)
		self.assertEqual(batch["triggered_by"], "Scheduler")

	def test_a_log_that_cannot_be_written_holds_nothing_up(self) -> None:
		with patch.object(event_log.frappe, "logger", side_effect=OSError("disk full")):
			event_log.record("built", scope="x")
