"""What an anonymous learner can read, where something slipped through. And the daily maintenance that looks for it."""

from __future__ import annotations

from contextlib import closing
from typing import Any
from unittest.mock import patch

import frappe
import orjson

from memora.exceptions import StorageUnavailableError
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import audit, daily, public_check
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import ledger, publish_state
from memora.services.cdn_export.state.ledger import SLICES, Share
from memora.tests.helpers import factories
from memora.tests.helpers.buckets import SECRET_KEY, BucketTestCase
from memora.tests.helpers.publishing import PublishingTestCase, make_course


class PublicCheckCase:
	"""The same in a folder and, over HTTP, in a bucket."""

	def setUp(self) -> None:
		super().setUp()
		self.course = make_course()
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.unit = self.course["units"][1]
		self.other = factories.make_plan(
			[self.course["subject"]], is_published=1, overrides=[factories.override(self.unit, "Hide")]
		)
		self.lesson = self.course["lessons"][0]
		self.publish()

	def exposed(self) -> dict[str, list[str]]:
		frappe.db.commit()
		with closing(PublishTarget.open()) as target:
			found: dict[str, list[str]] = {}
			for exposure in public_check.check(target).exposures:
				found.setdefault(exposure.path, []).append(exposure.message)
		return found

	def secret(self) -> str:
		"""One of the site's own."""
		known = patch.dict(frappe.conf, {"admin_password": "not-to-be-read"})
		known.start()
		self.addCleanup(known.stop)
		return "not-to-be-read"

	def smuggle(self, path: str, **fields: Any) -> None:
		"""Alter a published document, as memora never would."""
		self.write(path, orjson.dumps({**self.read(path), **fields}))

	def test_nothing_is_exposed(self) -> None:
		self.assertEqual(self.exposed(), {})

	def test_what_is_unpublished_or_hidden_is_found_in_every_file_that_shows_it(self) -> None:
		frappe.db.set_value("Memora Topic", self.course["topics"][0].name, "is_published", 0)
		found = self.exposed()
		self.assertIn(f"lessons/{self.lesson.name}.json", found)
		self.assertIn(f"units/{self.course['units'][0].name}.json", found)
		self.assertIn(f"plans/{self.plan.name}/search_index.json", found)
		self.assertIn("which is unpublished or gone", found[f"lessons/{self.lesson.name}.json"][0])
		frappe.db.set_value("Memora Topic", self.course["topics"][0].name, "is_published", 1)
		own = f"plans/{self.other.name}/subjects/{self.course['subject'].name}.json"
		tracks = self.read(own)["tracks"]
		shared = self.read(f"plans/{self.plan.name}/subjects/{self.course['subject'].name}.json")["tracks"]
		tracks[0]["units"] = shared[0]["units"]
		self.smuggle(own, tracks=tracks)
		self.assertEqual(self.exposed(), {own: [f"shows unit {self.unit.name}, which its plan hides"]})

	def test_a_plan_whose_season_is_unpublished_is_found(self) -> None:
		frappe.db.set_value("Memora Season", self.plan.season, "is_published", 0)
		self.assertIn("is unpublished or gone", str(self.exposed()[f"plans/{self.plan.name}/manifest.json"]))

	def test_what_waits_for_its_build_is_no_exposure(self) -> None:
		self.change(self.lesson, is_published=0)
		self.assertEqual(self.exposed(), {})
		relay.run()
		self.assertEqual(self.exposed(), {})
		frappe.db.set_value(
			publish_state.TABLE, f"plan:{self.plan.name}", {"dead_since": "2026-01-01 00:00:00"}
		)
		self.assertIn(f"plans/{self.plan.name}/search_index.json", self.exposed())

	def test_removed_files_that_can_be_read_are_found(self) -> None:
		paths = [f"lessons/{self.lesson.name}.json", f"plans/{self.other.name}/manifest.json"]
		bodies = [self.read_bytes(path) for path in paths]
		self.change(self.lesson, is_published=0)
		self.change(self.other, is_published=0)
		self.publish()
		self.minutes_ago(10)
		self.assertEqual(self.exposed(), {})
		for path, body in zip(paths, bodies, strict=True):
			self.write(path, body)
		self.assertEqual(self.exposed(), {path: ["was removed and can still be read"] for path in paths})

	def test_what_was_removed_last_is_asked_for_first_whenever_it_was_uploaded(self) -> None:
		paths = [f"{folder}lessons/{self.lesson.name}.json" for folder in ("", f"plans/{self.other.name}/")]
		bodies = [self.read_bytes(path) for path in paths]
		self.minutes_ago(60)
		last = self.course["lessons"][3]
		self.change(last, title="Uploaded last")
		self.publish()
		for lesson in (last, self.lesson):
			self.change(lesson, is_published=0)
			self.publish()
		self.minutes_ago(10)
		for path, body in zip(paths, bodies, strict=True):
			self.write(path, body)
		with closing(PublishTarget.open()) as target:
			found = public_check.check(target, sample=2).exposures
		self.assertEqual({exposure.path for exposure in found}, set(paths))

	def test_each_file_is_read_in_one_turn_of_shares(self) -> None:
		lesson = f"lessons/{self.lesson.name}.json"
		self.smuggle(lesson, description=self.secret())
		shares = [*(Share(first % SLICES, 60) for first in range(200, 440, 60)), Share(440 % SLICES, 16)]
		with closing(PublishTarget.open()) as target:
			whole = public_check.check(target)
			found = [public_check.check(target, share=share) for share in shares]
		read = []
		for share in shares:
			for page in ledger.documents(share, limit=2):
				self.assertTrue(all(share.has(path) for path, _, _ in page))
				read += [path for path, _, _ in page]
		self.assertEqual([one.path for one in whole.exposures], [lesson])
		self.assertEqual([exposure.path for one in found for exposure in one.exposures], [lesson])
		self.assertEqual(sum(one.files for one in found), whole.files)
		self.assertEqual((len(read), len(set(read))), (whole.files, whole.files))

	def minutes_ago(self, minutes: int) -> None:
		"""Let all that was done to published files so far be that long ago."""
		frappe.db.sql("update `tabCDN File` set modified = modified - interval %s minute", minutes)

	def test_a_secret_is_found(self) -> None:
		path = f"lessons/{self.lesson.name}.json"
		self.smuggle(path, description=f"key: {self.secret()}")
		self.assertEqual(self.exposed(), {path: ["holds a secret of this site"]})


class TestPublicFolder(PublicCheckCase, PublishingTestCase):
	def write(self, path: str, body: bytes) -> None:
		file = self.local_path / path
		file.parent.mkdir(parents=True, exist_ok=True)
		file.write_bytes(body)

	def test_the_daily_maintenance_fixes_and_tells(self) -> None:
		lesson, unit = f"lessons/{self.lesson.name}.json", f"units/{self.unit.name}.json"
		whole = self.contents()
		secret = self.secret()
		self.smuggle(lesson, description=secret)
		(self.local_path / unit).unlink()
		daily.daily()
		errors = frappe.get_all("Error Log", fields=["method", "error"], order_by="creation desc", limit=2)
		self.assertEqual({error.method for error in errors}, {"What is published is not as it should be"})
		self.assertEqual(
			{error.error.splitlines()[0] for error in errors},
			{
				"Learners can read what they should not",
				"Published files were not as they should be: 1 altered, 1 missing",
			},
		)
		self.assertNotIn(secret, str(errors))
		told = frappe.get_last_doc("Notification Log")
		self.assertEqual(told.subject, "Learners can read what they should not")
		self.publish()
		self.assertEqual(self.contents(), whole)
		with patch.object(frappe, "log_error") as logged:
			daily.daily()
		logged.assert_not_called()

	def test_the_maintenance_goes_on_in_another_job_and_rests_while_export_is_off(self) -> None:
		with (
			patch.object(audit, "PAGE", 4),
			patch.object(daily, "_PART_SECONDS", 1e-9),
			patch.object(daily, "_AUDIT_SECONDS", 1e-9),
			patch.object(frappe, "enqueue") as enqueue,
		):
			daily.daily()
		self.assertEqual(enqueue.call_args[0], (daily.AUDIT,))
		self.assertTrue(enqueue.call_args[1]["after"])
		self.configure(enabled=0)
		with patch.object(daily, "run") as run:
			daily.daily()
		run.assert_not_called()


class TestPublicBucket(PublicCheckCase, BucketTestCase):
	def write(self, path: str, body: bytes) -> None:
		self.put(path, body)

	def test_bucket_links_without_a_signature_and_keys_are_found(self) -> None:
		path = f"lessons/{self.lesson.name}.json"
		stages = self.read(path)["stages"]
		stages[0]["config"] = {
			"video_url": "videos/1.mp4",
			"poster": f"{self.endpoint}/{self.bucket}/videos/1.jpg",
			"more": "https://v.example/1.mp4",
			"key": SECRET_KEY,
		}
		self.smuggle(path, stages=stages)
		said = self.exposed()[path]
		self.assertEqual(len(said), 3)
		self.assertNotIn(SECRET_KEY, str(said))
		self.configure(sign="None")
		self.assertEqual(self.exposed()[path], ["holds a secret of this site"])

	def test_what_caches_may_still_have_is_not_asked_for(self) -> None:
		path = f"lessons/{self.lesson.name}.json"
		body = self.read_bytes(path)
		self.minutes_ago(60)
		self.change(self.lesson, is_published=0)
		self.publish()
		self.write(path, body)
		self.assertEqual(self.exposed(), {})
		self.minutes_ago(10)
		self.assertEqual(self.exposed(), {path: ["was removed and can still be read"]})

	def test_a_base_url_that_leads_nowhere_is_said(self) -> None:
		self.configure(cdn_base_url=self.endpoint)
		with self.assertRaisesRegex(StorageUnavailableError, "plans/index.json cannot be read"):
			self.exposed()

	def test_a_base_url_that_does_not_answer_is_said(self) -> None:
		self.configure(cdn_base_url="http://127.0.0.1:9")
		with self.assertRaisesRegex(StorageUnavailableError, "Check CDN Base URL"):
			self.exposed()
		daily.run()
		self.assertIn("Check CDN Base URL", frappe.get_last_doc("Error Log").error)
