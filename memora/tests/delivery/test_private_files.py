"""*Paid Content Is Private*: lessons that are not open are published so that no shared cache keeps them, and switching that on
or off writes all of them again, with everybody told how far it is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe

from memora.api import cdn_admin
from memora.memora.doctype.cdn_settings import after_save
from memora.services.access_gate import keys
from memora.services.cdn_export import cdn_uploader, settings
from memora.services.cdn_export.admin import doctor, operations, pipeline_status
from memora.services.cdn_export.cache_purge import NoPurge
from memora.services.cdn_export.maintenance import header_renewal
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.state import publish_state
from memora.tests.delivery.test_purges import Cache
from memora.tests.helpers import factories
from memora.tests.helpers.buckets import SeaweedFSTestCase
from memora.tests.helpers.publishing import (
	PNG,
	PublishingTestCase,
	forget_gate,
	make_course,
	publish_to,
	run_command,
)

PRIVATE, PUBLIC, KEPT = "private, max-age=300", "public, max-age=300", "public, max-age=31536000, immutable"


class Private(SeaweedFSTestCase):
	"""A paid subject with one free lesson, a worksheet in each of two lessons, and a cache in front."""

	def setUp(self) -> None:
		super().setUp()
		self.cache: Any = Cache()
		behind = patch.object(settings, "open_purge", lambda *_: self.cache)
		behind.start()
		self.addCleanup(behind.stop)
		self.addCleanup(forget_gate)
		self.course = make_course(required_item="PHYSICS")
		self.free, self.paid, *_ = self.course["lessons"]
		self.change(self.free, is_free_preview=1)
		for lesson in (self.free, self.paid):
			config = frappe.as_json({"image": self.picture(lesson.name.encode())})
			self.change(lesson, stages=[{"title": "S", "type": "Text", "config": config}])
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		keys.ensure()
		self.publish()
		self.assertEqual(self.failures(), {})

	def lesson_path(self, lesson: Any) -> str:
		return f"lessons/{lesson.name}.json"

	def file_path(self, lesson: Any) -> str:
		return paths.lesson_file(lesson.name, f"{hashlib.sha256(PNG + lesson.name.encode()).hexdigest()}.png")

	def headers(self) -> dict[str, str]:
		return {path: found[2] for path, found in self.objects().items()}

	def closed(self) -> set[str]:
		"""What the gate wants a token for."""
		others = self.course["lessons"][1:]
		return {self.file_path(self.paid), *map(self.lesson_path, others)}

	def assertPrivate(self) -> None:
		"""What is closed is private, all else as without a gate."""
		for path, found in self.headers().items():
			if path == self.file_path(self.paid):
				self.assertEqual(found, "private, max-age=3600")
			elif path in self.closed():
				self.assertEqual(found, PRIVATE, path)
			else:
				self.assertTrue(found.startswith("public, "), (path, found))
		self.assertEqual(self.headers()[self.lesson_path(self.free)], PUBLIC)
		self.assertEqual(self.headers()[self.file_path(self.free)], KEPT)

	def gate(self) -> dict[str, Any] | None:
		return pipeline_status.status()["gate"]

	def switch(self, on: int) -> None:
		self.configure(gate_enabled=on)

	def as_before(self, before: dict[str, Any]) -> None:
		"""Bytes, types and metadata are what they were."""
		self.assertEqual(
			{path: (found[0], found[1], found[3]) for path, found in self.objects().items()},
			{path: (found[0], found[1], found[3]) for path, found in before.items()},
		)


class TestSwitch(Private):
	def test_switched_on_all_that_is_closed_becomes_private_and_nothing_else_changes(self) -> None:
		before = self.objects()
		self.assertIsNone(self.gate())
		self.switch(1)
		self.assertEqual(self.gate()["state"], "closing")
		self.assertEqual((self.gate()["done"], self.gate()["lessons"], self.gate()["left"]), (0, 3, 4))
		self.assertEqual(operations.repair(only_look=True)["left"], [])  # none of it is damage
		self.assertEqual(self.tick(), {"due": "signature"})  # links to films, which are others now, go first
		self.as_before(before)
		self.assertPrivate()
		self.assertEqual(self.gate()["state"], "private")
		self.assertEqual(self.tick(), {"due": ""})
		self.assertEqual(operations.repair(only_look=True)["left"], [])
		self.check()

	def test_what_was_public_is_purged_and_only_then_is_it_called_private(self) -> None:
		versions = {path: found[3]["version"] for path, found in self.objects().items()}
		self.cache.refuses = True
		self.switch(1)
		self.tick()
		self.assertPrivate()
		self.assertEqual(self.gate()["state"], "purging")
		for said in (self.gate()["message"], run_command("status").output, self.doctor().message):
			self.assertNotIn("Paid lessons are private", said)
		self.cache.refuses = False
		self.minutes_pass(5)
		self.tick()
		base = f"{self.endpoint}/{self.bucket}"
		wanted = {f"{base}/{url}" for p in self.closed() for url in (p, f"{p}?v={versions[p]}")}
		self.assertEqual(set(self.cache.forgot), wanted)
		self.assertEqual(self.gate()["state"], "private")
		for said in (
			self.gate()["message"],
			run_command("status").output,
			self.doctor().message,
			cdn_admin.get_health()["gate"]["message"],
		):
			self.assertIn("Paid lessons are private", said)

	def test_where_no_cache_is_purged_any_longer_it_claims_nothing_of_it(self) -> None:
		self.cache.refuses = True
		self.switch(1)
		self.tick()
		self.assertEqual(self.gate()["state"], "purging")
		self.cache = NoPurge()
		self.tick()
		self.assertEqual(self.gate()["state"], "private")
		self.assertIn("memora has purged no cache", self.gate()["message"])

	def doctor(self) -> Any:
		(found,) = (one for one in doctor.run(bucket=False) if one.check == "gate")
		return found

	def test_without_a_cache_to_purge_it_says_what_to_do(self) -> None:
		self.cache = NoPurge()
		self.switch(1)
		self.tick()
		self.assertPrivate()
		self.assertEqual(self.gate()["state"], "private")
		self.assertIn("by hand", self.gate()["message"])
		self.assertNotIn("Paid lessons are private", self.gate()["message"])

	def test_a_purge_of_a_lessons_file_is_tried_until_it_is_done(self) -> None:
		"""It may be kept for a year, so it is still tried after a day."""
		self.cache.refuses = True
		self.switch(1)
		self.tick()
		for _ in range(3):
			self.minutes_pass(25 * 60)
			frappe.db.sql("update `tabCDN Purge` set creation = creation - interval 25 hour")
			self.tick()
		left = frappe.get_all("CDN Purge", pluck="url")
		self.assertTrue(any(self.file_path(self.paid) in url for url in left), left)
		self.assertEqual(self.gate()["state"], "purging")

	def test_switched_off_all_is_as_it_was(self) -> None:
		before = self.objects()
		self.switch(1)
		self.tick()
		self.switch(0)
		self.assertEqual(self.gate()["state"], "opening")
		self.tick()
		self.assertEqual(self.objects(), before)
		self.assertIsNone(self.gate())
		self.assertEqual(self.tick(), {"due": ""})

	def test_it_says_how_far_it_is(self) -> None:
		self.switch(1)
		with patch.object(header_renewal, "PAGE", 1), patch.object(header_renewal, "SECONDS", 1e-9):
			for left in (3, 2, 1):
				self.tick()
				gate = self.gate()
				self.assertEqual((gate["state"], gate["left"]), ("closing", left))
				self.assertIn(f"{gate['done']} of 3 lessons", run_command("status").output)
			self.tick()
		self.assertPrivate()
		self.assertEqual(self.gate()["state"], "private")

	def test_a_crash_in_the_middle_goes_on(self) -> None:
		self.switch(1)
		with patch.object(header_renewal, "PAGE", 2):
			renewed = header_renewal.ledger.headers_renewed
			calls: list[int] = []

			def dies(etags: Any) -> None:
				calls.append(len(etags))
				if len(calls) == 2:
					raise KeyboardInterrupt
				renewed(etags)

			with (
				patch.object(header_renewal.ledger, "headers_renewed", dies),
				self.assertRaises(KeyboardInterrupt),
			):
				self.tick()
		frappe.db.rollback()
		self.assertEqual(self.gate()["state"], "closing")
		publish_state.end_leases()
		for _ in range(3):
			self.publish()
			self.tick()
		self.assertPrivate()
		self.assertEqual(self.gate()["state"], "private")
		self.assertEqual(operations.repair(only_look=True)["left"], [])
		self.check()

	def test_a_process_that_dies_after_the_save_is_made_up_for(self) -> None:
		with patch.object(after_save, "_take_steps"):
			self.switch(1)
		self.assertIsNone(self.gate())
		self.publish()
		self.tick()
		self.assertPrivate()
		self.assertEqual(self.gate()["state"], "private")

	def test_an_edit_meanwhile_is_published_right(self) -> None:
		self.switch(1)
		self.change(self.paid, title="News")
		with patch.object(header_renewal, "run"):
			self.publish()
		self.assertEqual(self.headers()[self.lesson_path(self.paid)], PRIVATE)
		self.assertEqual(self.read(self.lesson_path(self.paid))["title"], "News")
		self.assertEqual(self.gate()["left"], 2)  # not the lesson, and not the neighbour that names it
		self.tick()
		self.assertPrivate()
		self.assertEqual(self.gate()["state"], "private")
		self.check()

	def test_who_was_building_when_it_was_switched_calls_nothing_live(self) -> None:
		load = cdn_uploader.load
		switched: list[int] = []

		def slow(*args: Any, **kwargs: Any) -> Any:
			cargo = load(*args, **kwargs)
			if not switched:
				switched.append(1)
				self.switch(1)
			return cargo

		self.change(self.paid, title="News")
		with patch.object(cdn_uploader, "load", slow), patch.object(header_renewal, "run"):
			self.publish()
		self.assertEqual(self.headers()[self.lesson_path(self.paid)], PRIVATE)
		for _ in range(2):
			self.minutes_pass(3)
			self.publish()
			self.tick()
		self.assertEqual(self.failures(), {})
		self.assertPrivate()
		self.assertEqual(self.gate()["state"], "private")

	def test_what_a_worker_that_died_may_have_written_counts_until_it_is_found_out(self) -> None:
		load, publish = cdn_uploader.load, cdn_uploader.publish

		def slow(*args: Any, **kwargs: Any) -> Any:
			cargo = load(*args, **kwargs)
			self.switch(1)
			return cargo

		def dies(*args: Any, **kwargs: Any) -> Any:
			publish(*args, **kwargs)
			raise KeyboardInterrupt

		self.change(self.paid, title="News")
		with (
			patch.object(cdn_uploader, "load", slow),
			patch.object(cdn_uploader, "publish", dies),
			self.assertRaises(KeyboardInterrupt),
		):
			self.publish()
		frappe.db.rollback()
		with patch("memora.services.cdn_export.state.due.to_build", return_value=[]):
			self.publish()
		self.assertEqual(self.headers()[self.lesson_path(self.paid)], PUBLIC)
		self.assertEqual((self.gate()["state"], self.gate()["left"]), ("closing", 2))
		self.publish()
		self.tick()
		self.assertPrivate()
		self.assertEqual(self.gate()["state"], "private")

	def test_from_paid_to_free_and_back(self) -> None:
		self.switch(1)
		self.tick()
		self.change(self.paid, is_free_preview=1)
		self.publish()
		self.assertEqual(self.headers()[self.lesson_path(self.paid)], PUBLIC)
		self.assertEqual(self.headers()[self.file_path(self.paid)], KEPT)
		self.cache.forgot.clear()
		self.change(self.paid, is_free_preview=0)
		self.publish()
		self.assertPrivate()
		for path in (self.lesson_path(self.paid), self.file_path(self.paid)):
			self.assertIn(f"{self.endpoint}/{self.bucket}/{path}", self.cache.forgot)
		self.assertEqual(operations.repair(only_look=True)["left"], [])

	def test_what_is_not_the_object_that_was_published_is_built_again(self) -> None:
		self.put(self.lesson_path(self.paid), b"{}")
		self.drop(self.file_path(self.paid))
		self.switch(1)
		for _ in range(2):
			self.tick()
			self.publish()
		self.assertPrivate()
		self.assertEqual(self.gate()["state"], "private")
		self.check()

	def test_a_scope_that_cannot_be_built_keeps_nothing_public(self) -> None:
		"""Its files are written again as they are."""
		self.change(self.course["lessons"][2], title="x" * 100)
		with patch("memora.services.cdn_export.builds.subject_build.run", side_effect=ValueError("broken")):
			for _ in range(5):
				self.publish()
				self.minutes_pass(9)
			self.assertNotEqual(pipeline_status.dead_letters(), [])
			self.switch(1)
			self.tick()
			self.assertPrivate()
			self.assertEqual(self.gate()["state"], "private")

	def test_a_file_in_its_grace_counts_until_it_is_gone(self) -> None:
		old = self.file_path(self.paid)
		self.change(self.paid, stages=[{"title": "S", "type": "Text", "config": '{"text": "none"}'}])
		self.publish()
		self.assertIn(old, self.paths())
		self.switch(1)
		self.tick()
		self.assertEqual((self.gate()["state"], self.gate()["left"]), ("closing", 1))
		self.minutes_pass(20)
		self.tick()
		self.assertNotIn(old, self.paths())
		self.assertEqual(self.gate()["state"], "private")

	def test_an_audit_finds_what_a_shared_cache_may_keep(self) -> None:
		self.switch(1)
		self.tick()
		self.rewrite(self.lesson_path(self.paid), CacheControl=PUBLIC)
		answer = operations.repair()
		self.assertEqual(answer["left"], [])
		self.publish()
		self.assertPrivate()

	def test_another_bucket_is_private_from_the_start(self) -> None:
		self.switch(1)
		self.tick()
		self.bucket = self.make_bucket()
		self.configure()
		self.publish()
		self.assertPrivate()


class TestFolder(PublishingTestCase):
	def test_a_folder_that_the_site_serves_is_refused_with_where_to_put_it(self) -> None:
		self.addCleanup(publish_to, gate_enabled=0)
		inside = str(Path(frappe.get_site_path("public", "files", "x")).resolve())
		for folder in ("", "public/files/paid", inside):
			with self.subTest(folder), self.assertRaises(frappe.ValidationError) as caught:
				self.configure(gate_enabled=1, local_path=folder)
			self.assertIn("/srv/memora", str(caught.exception))
			frappe.db.rollback()
		self.configure(gate_enabled=1)
		self.assertTrue(settings.load(settings.saved()).is_gated)

	def test_one_that_was_saved_stays_and_doctor_says_so(self) -> None:
		self.addCleanup(publish_to, gate_enabled=0)
		self.configure(local_path="")
		frappe.db.set_single_value("CDN Settings", "gate_enabled", 1)
		frappe.db.commit()
		publish_to(batch_threshold=51)
		self.addCleanup(publish_to, batch_threshold=50)
		said = [one.message for one in doctor.run(bucket=False) if one.check == "settings"]
		self.assertIn("is served to everybody by this site", " ".join(said))
