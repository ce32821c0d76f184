"""CDN Settings name another place, or other keys, while content is live and builders are at work."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe

from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.delivery import target as targets
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.state import relocation
from memora.services.cdn_export.storage import Upload
from memora.services.cdn_export.storage.local import LocalStorage
from memora.services.cdn_export.worker import builder
from memora.tests.helpers import factories
from memora.tests.helpers.processes import Stops, fork
from memora.tests.helpers.publishing import PublishingTestCase, make_course
from memora.tests.helpers.utils import messages


class TestRelocation(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course()
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()

	def move(self, **fields: Any) -> Path:
		"""Publish to another folder from now on; returns the one before."""
		before, self.local_path = self.local_path, Path(tempfile.mkdtemp(prefix="memora-"))
		self.addCleanup(shutil.rmtree, before, ignore_errors=True)
		frappe.clear_messages()
		self.configure(**fields)
		return before

	def versions(self) -> dict[str, int]:
		return dict(frappe.get_all("CDN File", {"state": "live"}, ["path", "live_version"], as_list=True))

	def test_all_is_published_anew_with_higher_versions_and_said_so(self) -> None:
		before = self.versions()
		old = self.move()
		self.assertIn("All 1 published plans will be published there again", messages())
		self.assertEqual(self.versions(), {})
		drained = self.publish()
		self.assertEqual((drained.failed, drained.left), (0, 0))
		self.check()
		after = self.versions()
		self.assertEqual(after.keys(), before.keys())
		self.assertTrue(all(after[path] > before[path] for path in before))
		self.assertTrue((old / paths.PLAN_INDEX).is_file())

	def test_nothing_is_published_anew_when_other_settings_change(self) -> None:
		before = self.contents()
		frappe.clear_messages()
		self.configure(batch_threshold=7, bucket_name="unused", local_path=f"{self.local_path}/")
		self.assertEqual(messages(), "")
		self.publish()
		self.assertWritten(before, set())

	def test_a_change_past_the_form_is_seen_by_the_next_run(self) -> None:
		self.local_path = Path(tempfile.mkdtemp(prefix="memora-"))
		frappe.db.set_single_value("CDN Settings", "local_path", str(self.local_path))
		self.publish()
		self.check()

	def test_while_a_builder_writes_to_the_old_place(self) -> None:
		for place in ("lessons", "plans"):
			with self.subTest(stopped_at=place):
				for lesson in self.course["lessons"]:
					self.change(lesson, title=f"New {frappe.generate_hash(length=6)}")
				frappe.db.commit()
				child = fork(lambda stops, place=place: self._build_and_stop(stops, place))
				self.assertEqual(child.arrived(), place)
				self.move()
				drained = self.publish()
				self.assertEqual((drained.failed, drained.left), (0, 0))
				self.check()
				published = self.contents()
				child.go_on()
				self.assertEqual(child.wait(), (0, 0))
				self.publish()
				self.check()
				self.assertEqual(published.keys(), self.contents().keys())

	def _build_and_stop(self, stops: Stops, place: str) -> tuple[int, int]:
		put = LocalStorage.put
		stopped = []

		def stopping(storage: LocalStorage, upload: Upload, **condition: Any) -> str:
			if upload.path.startswith(place) and not stopped:
				stopped.append(1)
				stops.stop(place)
			return put(storage, upload, **condition)

		with patch.object(LocalStorage, "put", stopping):
			drained = batch_processor.process("Scheduler")
		return drained.failed, drained.left

	def test_a_run_that_was_open_goes_on_in_the_new_place(self) -> None:
		target = PublishTarget.open()
		old = self.move()
		self.assertTrue(target.has_moved())
		self.assertTrue(target.follow_settings())
		self.assertEqual(target.storage.target, self.storage().target)
		self.assertFalse(target.follow_settings())
		target.close()
		self.assertNotIn(str(old), target.storage.target)

	def test_a_place_that_changes_while_a_run_opens_it_is_followed_before_anything_is_built(self) -> None:
		before, follow = self.versions(), relocation.follow

		def and_then_it_changes() -> int:
			plans = follow()
			self.local_path = Path(tempfile.mkdtemp(prefix="memora-"))
			frappe.db.set_single_value("CDN Settings", "local_path", str(self.local_path))
			frappe.db.commit()
			return plans

		with patch.object(relocation, "follow", and_then_it_changes):
			target = PublishTarget.open()
		self.assertEqual(target.storage.target, self.storage().target)
		self.assertEqual(self.versions(), before)  # of the place before
		self.assertTrue(target.follow_settings())
		self.assertEqual(self.versions(), {})
		self.assertFalse(target.follow_settings())
		target.close()
		self.publish()
		self.check()

	def test_new_keys_are_used_at_once_and_nothing_is_written_anew(self) -> None:
		before = self.contents()
		target = PublishTarget.open()
		self.configure(access_key="AKIANEW", secret_key="rotated")
		self.assertFalse(target.has_moved())
		with patch.object(targets.settings, "open_storage", wraps=targets.settings.open_storage) as opened:
			self.assertTrue(target.follow_settings())
		self.assertEqual(opened.call_args[0][0].get_password("secret_key"), "rotated")
		target.close()
		self.publish()
		self.assertWritten(before, set())

	def test_a_drain_stops_when_export_is_switched_off(self) -> None:
		self.change(self.course["lessons"][0], title="Later")
		frappe.db.commit()
		before, build_one = self.contents(), builder.Builder._build_one

		def switched_off(*arguments: Any) -> bool:
			if frappe.db.get_single_value("CDN Settings", "enabled", cache=False):
				self.configure(enabled=0)
			return build_one(*arguments)

		with patch.object(builder.Builder, "_build_one", switched_off):
			drained = self.publish()
		self.assertEqual((drained.published, drained.failed), (0, 0))
		self.assertWritten(before, set())
		self.assertGreater(drained.left, 0)
		self.configure(enabled=1)
		self.publish()
		self.check()
