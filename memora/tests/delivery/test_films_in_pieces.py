"""Films in pieces (HLS, DASH): a signed link opens the playlist and none of its pieces, and who saves one is told so."""

from __future__ import annotations

import frappe
import orjson

from memora.api import stages
from memora.services.cdn_export.admin import doctor
from memora.services.cdn_export.model import paths
from memora.tests.helpers import factories
from memora.tests.helpers.buckets import BucketTestCase
from memora.tests.helpers.publishing import forget_gate, make_course

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

	def test_behind_the_gate_a_film_in_pieces_plays_from_a_folder_of_its_own(self) -> None:
		self.addCleanup(forget_gate)
		self.configure(gate_enabled=1, gate_url="https://gate.example")
		self.assertEqual(self.found("videos/algebra/list.m3u8"), [])
		(said,) = self.found(f"{self.endpoint}/{self.bucket}/videos/list.m3u8")
		self.assertIn("a folder of its own", said)

	def test_behind_the_gate_a_link_into_the_bucket_is_the_gates_and_signed_by_nobody(self) -> None:
		self.addCleanup(forget_gate)
		subject = frappe.get_all("Memora Subject", pluck="name")[0]
		factories.make_plan([subject], is_published=1)
		links = [
			f"s3://{self.bucket}/videos/a b.mp4",
			f"{self.endpoint}/{self.bucket}/videos/h/list.m3u8#t=3",
		]
		stages = [{"title": "Watch", "type": "Video", "config": self.config(link)} for link in links]
		self.change(self.lesson, stages=stages)
		self.publish()
		path = f"lessons/{self.lesson.name}.json"
		self.assertIn(b"X-Amz-Signature", self.read_bytes(path) or b"")
		version = self.read(path)["version"]
		self.configure(gate_enabled=1, gate_url="https://gate.example")
		for _minute in range(3):
			self.tick()
		lesson = self.read(path)
		self.assertEqual(
			[stage["config"]["video_url"] for stage in lesson["stages"]],
			["https://gate.example/videos/a%20b.mp4", "https://gate.example/videos/h/list.m3u8#t=3"],
		)
		self.assertEqual(lesson["version"], version)
		self.assertNotIn("signed_url_expiry", lesson)
		self.assertEqual(
			{found for found in self.all_paths() if found.startswith(paths.ACCESS)},
			{paths.access("videos/a b.mp4"), paths.access("videos/h/")},
		)
		self.configure(gate_enabled=0)
		for _minute in range(3):
			self.tick()
		self.assertIn(b"X-Amz-Signature", self.read_bytes(path) or b"")
		self.assertFalse([found for found in self.all_paths() if found.startswith(paths.ACCESS)])

	def test_a_link_to_the_gate_is_signed_while_the_gate_is_off_and_named(self) -> None:
		self.addCleanup(forget_gate)
		subject = frappe.get_all("Memora Subject", pluck="name")[0]
		factories.make_plan([subject], is_published=1)
		link, other = "https://gate.example/videos/a%20b.mp4", "https://other.example/videos/a%20b.mp4"
		self.configure(gate_enabled=1, gate_url="https://gate.example")
		stages = [{"title": "Watch", "type": "Video", "config": self.config(link)} for link in (link, other)]
		self.change(self.lesson, stages=stages)
		self.publish()
		self.tick()
		self.assertEqual(self.links(), [link, other])
		signed = f"{self.endpoint}/{self.bucket}/videos/a%20b.mp4?X-Amz-"
		for fields, begins in (
			({"gate_enabled": 0}, (signed, other)),
			({"gate_url": ""}, (link, other)),
			({"gate_url": "https://other.example"}, (link, signed)),
			({"gate_url": "https://gate.example", "sign": "None"}, (link, other)),
		):
			with self.subTest(fields=fields):
				self.configure(**fields)
				for _minute in range(2):
					self.tick()
				for found, begin in zip(self.links(), begins, strict=True):
					self.assertTrue(found.startswith(begin), found)

	def links(self) -> list[str]:
		stages = self.read(f"lessons/{self.lesson.name}.json")["stages"]
		return [stage["config"]["video_url"] for stage in stages]

	def test_a_config_that_is_no_object_says_what_it_said_before(self) -> None:
		for config in ("", "[]", "{", '{"video_url": 3}'):
			answer = stages.check({"type": "Video", "config": config})
			self.assertNotIn(UNPLAYABLE, str(answer))

	def read_config(self) -> object:
		return orjson.loads(frappe.get_doc("Memora Lesson", self.lesson.name).stages[0].config)
