"""After a purge the CDN itself is asked: a caching proxy that forgets what it is told to, and one that only says so."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any
from unittest.mock import patch

import frappe
from prometheus_client.parser import text_string_to_metric_families

from memora.api import publishing
from memora.commands import actions
from memora.commands.running import Progress
from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import dashboard, doctor, metrics
from memora.services.cdn_export.cache_purge import NoPurge
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import edge_check
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.rules import edge_watch
from memora.services.cdn_export.state import edge_notes
from memora.tests.helpers import factories
from memora.tests.helpers.caching_proxy import CachingProxy, ProxyPurge
from memora.tests.helpers.faulty_server import FaultyServer
from memora.tests.helpers.publishing import PublishingTestCase, make_course

MINUTE = 60


class TestEdgeCheck(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.proxy = CachingProxy(self.local_path)
		self.addCleanup(self.proxy.stop)
		for replaced in (
			patch.object(settings, "open_purge", lambda *_: ProxyPurge()),
			patch.object(settings, "purged_cache", lambda: ProxyPurge().behind(settings.load().base_url)),
		):
			replaced.start()
			self.addCleanup(replaced.stop)
		self.configure(cdn_base_url=self.proxy.url)
		self.course = make_course()
		self.lesson = self.course["lessons"][1]
		self.path = paths.lesson(self.lesson.name)
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()
		self.manifest = paths.manifest(self.plan.name)
		for address in (self.path, self.manifest, paths.PLAN_INDEX):
			self.proxy.get(address)
		self.proxy.asked.clear()

	def edit(self, title: str = "Edited") -> None:
		self.change(self.lesson, title=title)
		self.publish()

	def ask(self, minutes: float = 1) -> int:
		"""What a run asks that comes so many minutes after now."""
		with closing(PublishTarget.open()) as target:
			return edge_check.run(target, time.time() + minutes * MINUTE)

	def status(self, doc: Any = None) -> dict[str, Any]:
		doc = doc or self.lesson
		frappe.db.commit()
		return publishing.document_status(doc.doctype, doc.name)

	def metric(self) -> float:
		return next(
			sample.value
			for family in text_string_to_metric_families(metrics.render().decode())
			for sample in family.samples
			if sample.name == "memora_edge_stale_addresses"
		)

	def warned(self) -> str:
		return str(dashboard.health()["warnings"])

	def test_a_cache_that_forgets_is_seen_to_show_what_is_live(self) -> None:
		self.edit()
		self.assertIsNone(self.status()["edge_since"])
		self.assertFalse(self.proxy.asked, "neither a save nor a build asks")
		self.assertTrue(self.ask())
		self.assertIn(self.path, self.proxy.asked)
		self.assertLessEqual(len(self.proxy.asked), edge_watch.MOST_A_PURGE)
		status = self.status()
		self.assertTrue(status["edge_since"])
		self.assertEqual(status["plans"][0]["edge_since"], status["edge_since"])
		for doc in (self.course["units"][0], self.course["subject"], self.plan):
			self.assertTrue(self.status(doc)["edge_since"], doc.doctype)
		self.assertEqual((self.metric(), self.ask(20)), (0, 0))
		self.edit("Edited again")
		self.assertIsNone(self.status()["edge_since"], "of the version before")
		self.ask()
		self.assertTrue(self.status()["edge_since"])

	def test_a_cache_that_forgets_no_purge_turns_red_after_ten_minutes(self) -> None:
		self.proxy.forgets = False
		self.proxy.age(700)
		self.edit()
		for minutes in (1, 5, 9):
			self.ask(minutes)
		self.assertEqual(self.metric(), 0)
		self.assertNotIn("before a purge", self.warned())
		self.ask(11)
		self.assertGreaterEqual(self.metric(), 1)
		said = self.warned()
		self.assertIn(f"{self.proxy.url}/{self.path}", said)
		self.assertIn("Age 70", said)
		self.assertIn("docs/cdn.md", said)
		self.assertIsNone(self.status()["edge_since"])
		found = actions.status(Progress(shown=False))
		self.assertTrue(found.found)
		self.assertIn(self.path, "\n".join(found.lines))
		self.assertIn("edge", {finding.check for finding in doctor.run(bucket=False)})

		self.edit("Edited again")
		self.ask(13)
		self.assertGreaterEqual(self.metric(), 1, "another purge that does nothing makes it no better")

		self.proxy.forgets = True
		self.edit("Edited once more")
		self.ask(15)
		self.assertEqual(self.metric(), 0)
		self.assertNotIn("before a purge", self.warned())
		self.assertTrue(self.status()["edge_since"])

	def test_what_the_cache_gives_up_by_itself_turns_green(self) -> None:
		self.proxy.forgets = False
		self.edit()
		self.ask(1)
		self.ask(11)
		self.assertGreaterEqual(self.metric(), 1)
		self.proxy.expire()
		self.ask(17)
		self.assertEqual(self.metric(), 0)
		self.assertTrue(self.status()["edge_since"])

	def test_a_removed_lesson_that_the_cache_goes_on_showing_is_old(self) -> None:
		self.proxy.forgets = False
		self.change(self.lesson, is_published=0)
		self.publish()
		self.ask(1)
		self.ask(11)
		self.assertIn(self.path, self.warned())
		self.proxy.expire()
		self.ask(17)
		self.assertEqual(self.metric(), 0)

	def test_a_cdn_that_cannot_be_read_is_not_called_old(self) -> None:
		self.edit()
		for trouble in ({"down": True}, {"status": 503}, {"status": 302, "location": "http://127.0.0.1:1/"}):
			with self.subTest(trouble), patch.multiple(self.proxy, **trouble):
				self.make_due()
				self.ask(11)
				self.assertEqual(self.metric(), 0)
				self.assertIn("not known", self.warned())
				self.assertIsNone(self.status()["edge_since"])
		self.ask(20)
		self.assertTrue(self.status()["edge_since"])

	def test_a_run_ends_in_time_whoever_answers(self) -> None:
		self.edit()
		self.proxy.asked.clear()
		began = time.monotonic()
		with patch.object(edge_check, "RUN_SECONDS", 0.3), patch.object(self.proxy, "drips", True):
			self.ask()
		self.assertLess(time.monotonic() - began, edge_check.RUN_SECONDS / 2)
		self.assertEqual(len(self.proxy.asked), 1)
		self.assertIsNone(self.status()["edge_since"])
		self.proxy.asked.clear()
		with patch.object(self.proxy, "down", True):
			self.ask(3)
		self.assertEqual(
			len(set(self.proxy.asked)), 1, "one that does not answer is not asked for the next address"
		)

	def test_only_the_base_url_is_asked(self) -> None:
		self.edit()
		with FaultyServer() as elsewhere:
			with patch.multiple(self.proxy, status=302, location=f"{elsewhere.url}/lessons/x.json"):
				self.ask()
			self.assertEqual(elsewhere.requests, [])

	def test_what_a_gate_keeps_private_is_not_asked_for(self) -> None:
		self.change(self.course["subject"], required_item="COURSE-1")
		self.publish()
		self.ask()
		self.assertTrue(self.status()["edge_since"])
		with patch.object(settings, "is_gated", lambda _doc: True):
			self.assertIsNone(self.status()["edge_since"])
			self.edit()
			self.proxy.asked.clear()
			self.ask(2)
		self.assertIn(self.manifest, self.proxy.asked)
		self.assertNotIn(self.path, self.proxy.asked)
		self.assertNotIn(self.path, str(self.notes()))

	def notes(self) -> edge_notes.Notes:
		frappe.db.commit()
		return edge_notes.read()

	def make_due(self) -> None:
		"""Have everything that is watched asked with the next look."""
		cache = self.notes().cache
		edge_notes.change(cache, lambda watched: [each._replace(due=0) for each in watched])
		frappe.db.commit()

	def test_the_check_of_each_minute_asks(self) -> None:
		self.edit()
		self.assertEqual(self.tick(), {"due": ""})
		self.make_due()
		self.assertEqual(self.tick(), {"due": "edge"})
		self.assertIn(self.path, self.proxy.asked)
		self.assertTrue(self.status()["edge_since"])
		self.assertEqual(self.tick(), {"due": ""})

	def test_without_a_cache_nothing_is_asked_or_claimed(self) -> None:
		self.edit()
		self.ask()
		self.edit("Edited again")
		self.proxy.asked.clear()
		with (
			patch.object(settings, "open_purge", lambda *_: NoPurge()),
			patch.object(settings, "purged_cache", lambda: ""),
		):
			self.assertIsNone(self.status()["edge_since"])
			self.ask()
			self.assertEqual(self.notes(), edge_notes.Notes())
		self.assertEqual(self.proxy.asked, [])

	def test_another_cdn_is_not_claimed_to_show_what_the_last_one_did(self) -> None:
		self.edit()
		self.ask()
		other = CachingProxy(self.local_path)
		self.addCleanup(other.stop)
		self.configure(cdn_base_url=other.url)
		self.assertIsNone(self.status()["edge_since"])
		self.ask()
		self.assertEqual(edge_notes.read(), edge_notes.Notes(), "else the check begins a batch every minute")
		far = self.course["lessons"][3]
		self.change(far, description="About it")
		self.publish()
		self.assertIsNone(self.status()["edge_since"], "it was seen at the other one")
		self.ask()
		self.assertTrue(self.status(far)["edge_since"])
