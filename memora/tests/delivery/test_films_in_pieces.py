"""Films in pieces (HLS, DASH): a signed link opens the playlist and none of its pieces, and who saves one is told so."""

from __future__ import annotations

import frappe
import orjson

from memora.api import stages
from memora.services.cdn_export.admin import doctor
from memora.tests.helpers.buckets import BucketTestCase
from memora.tests.helpers.publishing import make_course

UNPLAYABLE = "leads to a film in pieces, and this link is signed"


class TestFilmsInPieces(BucketTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.lesson = make_course(units=1, lessons=1)["lessons"][0]

	def config(self, link: str) -> str:
		return orjson.dumps({"video_url": link}).decode()

	def told(self, link: str) -> str:
		"""What a save of the published lesson with this film says."""
		frappe.clear_messages()
		self.change(self.lesson, stages=[{"title": "Watch", "type": "Video", "config": self.config(link)}])
		return " ".join(str(message) for message in frappe.get_message_log())

	def found(self, link: str) -> list[str]:
		"""What the editor of stages says while such a link is typed."""
		answer = stages.check({"type": "Video", "config": self.config(link)})
		return [found["text"].format(*found["about"]) for found in answer if found["path"] == ["video_url"]]

	def test_who_saves_a_signed_playlist_is_told_and_the_lesson_is_saved(self) -> None:
		for link in (
			"videos/algebra/list.m3u8",
			f"{self.endpoint}/{self.bucket}/videos/algebra/manifest.MPD",
			f"s3://{self.bucket}/videos/algebra/list.m3u8",
		):
			with self.subTest(link):
				self.assertIn(UNPLAYABLE, self.told(link))
				(said,) = self.found(link)
				self.assertIn("MP4", said)
				self.assertEqual(self.read_config(), {"video_url": link})
		(finding,) = (found for found in doctor.run(bucket=False) if found.check == "stages")
		self.assertIn(UNPLAYABLE, finding.message)

	def test_what_plays_is_not_spoken_of(self) -> None:
		for link in (
			"videos/algebra/list.mp4",
			"videos/algebra.m3u8/film.mp4",
			"https://elsewhere.example/videos/algebra/list.m3u8",
			f"{self.endpoint}/another-bucket/videos/list.m3u8",
		):
			with self.subTest(link):
				self.assertNotIn(UNPLAYABLE, self.told(link))
				self.assertEqual(self.found(link), [])
		self.configure(sign="None")
		self.assertEqual(self.found("videos/algebra/list.m3u8"), [])
		self.configure(sign="Paid")
		self.assertEqual(len(self.found("videos/algebra/list.m3u8")), 1)

	def test_a_config_that_is_no_object_says_what_it_said_before(self) -> None:
		for config in ("", "[]", "{", '{"video_url": 3}'):
			answer = stages.check({"type": "Video", "config": config})
			self.assertNotIn(UNPLAYABLE, str(answer))

	def read_config(self) -> object:
		return orjson.loads(frappe.get_doc("Memora Lesson", self.lesson.name).stages[0].config)
