"""Pictures that editors attach: published once by content, and removed when nothing shows them."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe

from memora.exceptions import StorageUnavailableError
from memora.services.cdn_export.admin import verification
from memora.services.cdn_export.builds import media, media_removal, upload
from memora.services.cdn_export.curriculum import public_files
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.outbox import reconciliation
from memora.services.cdn_export.state import due
from memora.services.cdn_export.storage.local import LocalStorage
from memora.tests.helpers import factories
from memora.tests.helpers.files import PNG
from memora.tests.helpers.processes import Stops, fork
from memora.tests.helpers.publishing import PublishingTestCase, make_course


@contextmanager
def lock_of_pictures() -> Iterator[None]:
	"""Another worker is at the pictures meanwhile."""

	def hold(stops: Stops) -> None:
		with media.alone():
			stops.stop("held")

	frappe.db.commit()
	holder = fork(hold)
	try:
		assert holder.arrived() == "held"
		yield
		holder.go_on()
		holder.wait()
	finally:
		holder.end()


class TestMedia(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course()
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)

	def published(self, content: bytes) -> str:
		return f"media/{hashlib.sha256(PNG + content).hexdigest()}.png"

	def media(self) -> set[str]:
		return {path for path in self.paths() if path.startswith("media/")}

	def sweep(self) -> int:
		target = PublishTarget.open()
		try:
			return media_removal.sweep(target)
		finally:
			target.close()

	def test_the_same_bytes_are_published_once_and_stay_through_rebuilds(self) -> None:
		unit, lesson, topic = self.course["units"][0], self.course["lessons"][0], self.course["topics"][1]
		self.change(unit, image=self.picture(b"one"), badge_image=self.picture(b"one"))
		self.change(lesson, image=self.picture(b"one"))
		self.change(topic, image=self.picture(b"two"))
		with self.recorded() as steps:
			self.publish()
		one, two = self.published(b"one"), self.published(b"two")
		self.assertEqual(sorted(path for _, path in steps if path.startswith("media/")), sorted([one, two]))
		self.assertEqual(steps[0][1].split("/")[0], "media")
		self.assertEqual(self.learner(self.plan).units[unit.name]["badge_image"], one)
		stored = self.storage().head(one)
		self.assertEqual(
			(stored.content_type, stored.cache_control), ("image/png", "public, max-age=31536000, immutable")
		)
		with self.recorded() as steps:
			self.change(lesson, description="New")
			reconciliation.daily()
			self.publish()
			self.minutes_pass(20)
			self.tick()
		self.assertNotIn("media/", " ".join(path for _, path in steps))
		self.assertEqual(self.media(), {one, two})
		self.assertEqual(self.sweep(), 0)
		self.check()

	def test_types_are_the_same_where_the_machine_knows_none(self) -> None:
		with patch("mimetypes._db", mimetypes.MimeTypes(filenames=())):
			for ending, wanted in (("png", "png"), ("jpg", "jpeg"), ("svg", "svg+xml"), ("webp", "webp")):
				self.assertEqual(public_files.content_type(f"media/1.{ending}"), f"image/{wanted}")

	def test_a_replaced_picture_goes_with_the_daily_sweep(self) -> None:
		lesson = self.course["lessons"][0]
		self.change(lesson, image=self.picture(b"old"))
		self.publish()
		self.change(lesson, image=self.picture(b"new"))
		self.publish()
		self.assertEqual(self.media(), {self.published(b"old"), self.published(b"new")})
		self.assertTrue(verification.verify()["ok"], "what waits for the sweep is no fault")
		self.assertEqual(self.sweep(), 1)
		self.assertEqual(self.media(), {self.published(b"new")})
		self.check()
		self.change(lesson, image=self.picture(b"old"))
		self.publish()
		self.check(leaving=[self.published(b"new")])

	def test_the_picture_of_what_is_hidden_goes_at_once(self) -> None:
		lesson, topic, unit = self.course["lessons"][0], self.course["topics"][1], self.course["units"][1]
		for number, doc in enumerate((lesson, topic, unit)):
			self.change(doc, image=self.picture(b"%d" % number))
		shown = self.picture(b"shared")
		self.change(self.course["lessons"][1], image=shown)
		self.change(self.course["lessons"][2], image=shown)
		self.publish()
		self.assertEqual(len(self.media()), 4)
		self.change(lesson, is_published=0)
		self.publish()
		self.assertNotIn(self.published(b"0"), self.media())
		self.change(topic, is_published=0)
		self.publish()
		self.assertEqual(self.media(), {self.published(b"2"), self.published(b"shared")})
		self.check()
		self.change(self.plan, is_published=0)
		self.publish()
		self.assertEqual(self.media(), set())

	def test_no_picture_goes_up_that_no_file_shows(self) -> None:
		self.publish()
		for kind in ("subject", "track"):
			self.change(self.course[kind], image=self.picture(kind.encode()))
		self.change(self.plan, is_published=0)
		self.publish()
		self.assertEqual(self.media(), set())
		self.change(self.plan, is_published=1)
		self.publish()
		self.assertEqual(self.media(), {self.published(b"subject"), self.published(b"track")})
		self.check()

	def test_a_file_whose_content_changed_is_published_under_another_name(self) -> None:
		url = self.picture(b"before")
		self.change(self.course["lessons"][0], image=url)
		self.publish()
		self.picture(b"after!", url.removeprefix("/files/"))
		reconciliation.daily()
		self.publish()
		self.assertEqual(self.sweep(), 1)
		self.assertEqual(self.media(), {self.published(b"after!")})
		self.check()

	def test_a_picture_that_was_attached_anew_under_another_name_comes_back(self) -> None:
		"""Whichever of the two names is looked at first."""
		lesson = self.course["lessons"][0]
		for old, new in (("memora-a.png", "memora-b.png"), ("memora-b.png", "memora-a.png")):
			with self.subTest(f"{old} is now {new}"):
				content = old.encode()
				self.change(lesson, image=self.picture(content, old))
				self.publish()
				Path(frappe.get_site_path("public", "files", old)).unlink()
				self.change(lesson, image=self.picture(content, new))
				self.publish()
				self.change(lesson, is_published=0)
				self.publish()
				self.sweep()
				self.assertEqual(self.media(), set())
				self.change(lesson, is_published=1)
				self.publish()
				self.assertEqual(self.failures(), {})
				self.assertEqual(self.media(), {self.published(content)})
				self.check()

	def test_a_missing_file_is_left_out_with_a_warning(self) -> None:
		url = self.picture(b"gone")
		lesson = self.course["lessons"][0]
		self.change(lesson, image=url)
		Path(frappe.get_site_path("public", *url.split("/"))).unlink()
		with patch.object(frappe, "logger") as logger:
			self.publish()
		self.assertIn(url, str(logger.mock_calls))
		self.assertNotIn("image", self.learner(self.plan).lessons[lesson.name])
		self.assertEqual(self.media(), set())

	def test_an_address_with_nothing_behind_it_is_left_out_and_fails_nobody(self) -> None:
		for image in ("https://", "http://\n"):
			with self.subTest(image=image):
				self.change(self.course["subject"], image=image)
				self.publish()
				self.assertEqual([error for _state, error in due.failing()], [])

	def test_a_file_that_goes_while_it_is_published_fails_the_build_and_the_next_leaves_it_out(self) -> None:
		url = self.picture(b"going")
		lesson = self.course["lessons"][0]
		self.change(lesson, image=url)
		missing = media.missing_uploads

		def too_late(*arguments: Any):
			Path(frappe.get_site_path("public", *url.split("/"))).unlink(missing_ok=True)
			return missing(*arguments)

		with patch.object(upload.media, "missing_uploads", too_late):
			self.publish()
		self.assertIn("was changed or deleted while it was published", str(self.failures()))
		self.minutes_pass(3)
		self.tick()
		self.assertEqual(self.failures(), {})
		self.check()

	def test_a_hidden_picture_that_another_worker_is_in_the_way_of_goes_with_the_next_check(self):
		lesson = self.course["lessons"][0]
		self.change(lesson, image=self.picture(b"x"))
		self.publish()
		self.change(lesson, is_published=0)
		with patch.object(media, "_PATIENCE_SECONDS", 0), lock_of_pictures():
			self.assertEqual(self.publish().failed, 0)
			self.assertEqual(self.media(), {self.published(b"x")})
		self.tick()
		self.assertEqual(self.media(), set())
		self.assertEqual(self.tick(), {"due": ""})

	def test_a_picture_that_is_named_again_meanwhile_stays(self):
		first, second = self.course["lessons"][:2]
		self.change(first, image=self.picture(b"x"))
		self.publish()
		self.change(first, is_published=0)
		with patch.object(media, "_PATIENCE_SECONDS", 0), lock_of_pictures():
			self.publish()
		self.change(second, image=self.picture(b"x"))
		self.publish()
		self.tick()
		self.assertEqual(self.media(), {self.published(b"x")})
		self.check()
		self.assertEqual(self.tick(), {"due": ""})

	def test_a_picture_that_cannot_be_removed_is_tried_again(self) -> None:
		lesson = self.course["lessons"][0]
		self.change(lesson, image=self.picture(b"x"))
		self.publish()
		self.change(lesson, is_published=0)
		delete = LocalStorage.delete

		def refused(storage, paths):
			paths = list(paths)
			if any(path.startswith("media/") for path in paths):
				raise StorageUnavailableError("down")
			delete(storage, paths)

		with patch.object(LocalStorage, "delete", refused):
			drained = self.publish()
		self.assertEqual(drained.failed, 0)
		self.assertEqual(self.media(), {self.published(b"x")})
		self.minutes_pass(2)
		self.tick()
		self.assertEqual(self.media(), set())
