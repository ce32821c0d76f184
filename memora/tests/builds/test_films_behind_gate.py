"""Films behind the gate: open to whom some published lesson that names them lets in, and never to anybody else, whatever is
edited, breaks or is switched in between.

Before and after each write and removal the whole place is read as the gate reads it. MEMORA_SEQUENCES says how many
histories are tried, new ones then, and MEMORA_SEQUENCE_STEPS how long they are.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

import frappe

from memora.exceptions import StorageError, StorageUnavailableError
from memora.patches import find_films
from memora.services.cdn_export import cdn_uploader, settings
from memora.services.cdn_export.admin import dead_letters, doctor, gate_status
from memora.services.cdn_export.builds import film_build, film_narrowing, film_notes, film_objects
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import adoption, link_settings, rewrite, signature_renewal
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.published_file import listed_items
from memora.services.cdn_export.outbox import reconciliation
from memora.services.cdn_export.state import (
	database,
	gate_switch,
	ledger,
	publish_state,
	site_key,
	site_values,
)
from memora.services.cdn_export.storage import Upload
from memora.services.cdn_export.storage.local import LocalStorage
from memora.tests.helpers import clock, factories
from memora.tests.helpers.publishing import PublishingTestCase, forget_gate, make_course

HISTORIES = int(os.environ.get("MEMORA_SEQUENCES", 3))
STEPS = int(os.environ.get("MEMORA_SEQUENCE_STEPS", 25))

GATE = "https://gate.example"
FILMS = (
	"videos/a.mp4",
	"videos/دَرس 1+2.mp4",
	"videos/h/list.m3u8",
	"videos/h/720/list.mpd",
	"videos/h/extra.mp4",
	"videos/list.m3u8",
)
PIECES = (*FILMS, "videos/h/1.ts", "videos/h/720/1.m4s", "videos/unnamed.mp4")
LEARNERS: tuple[tuple[str, ...] | None, ...] = (None, (), ("A",), ("B",), ("A", "B"), ("صنف ٢",))
ITEMS = ("", "A", "B", "صنف ٢")


class Killed(BaseException):
	"""The worker is gone amid a write."""


class Place:
	"""A Local Directory as the gate sees it."""

	def __init__(self, storage: Any) -> None:
		self.storage = storage
		self.site = site_key.site_hash()

	def film_is_open(self, film: str, learner: tuple[str, ...] | None) -> bool:
		parts = film.split("/")
		above = ["/".join(parts[:depth]) + "/" for depth in range(len(parts) - 1, 0, -1)]
		for path in (film, *above):
			if body := self.storage.get(paths.access(path)):
				return self._lets_in(json.loads(body), learner)
		return False

	def lessons(self) -> dict[str, tuple[dict[str, Any], set[str]]]:
		"""What the lessons' files let in, and what they name, by path."""
		found = {}
		for folder in ("lessons/", "plans/"):
			for stored in self.storage.list(folder):
				if "lessons/" not in stored.path or not stored.path.endswith(".json"):
					continue
				head, body = self.storage.head(stored.path), self.storage.get(stored.path)
				metadata = dict(head.metadata)
				if items := metadata.get("required-items"):
					metadata["required-items"] = items.split(",")
				found[stored.path] = (metadata, {self._key(link) for link in self._links(json.loads(body))})
		return found

	def _links(self, lesson: dict[str, Any]) -> Iterator[str]:
		for stage in lesson["stages"]:
			if stage["type"] == "Video":
				yield stage["config"]["video_url"]

	def _key(self, link: str) -> str:
		return unquote(link.removeprefix(f"{GATE}/")) if link.startswith(GATE) else link

	def lets_in(self, film: str, learner: tuple[str, ...] | None, among: set[str] | None = None) -> bool:
		"""Whether some lesson's file that names the film, or the folder that it is in, lets a learner in."""
		return any(
			self._names(named, film) and self._lets_in(metadata, learner)
			for path, (metadata, named) in self.lessons().items()
			if among is None or path in among
		)

	def _names(self, named: set[str], film: str) -> bool:
		folders = {key.rpartition("/")[0] + "/" for key in named if paths.is_in_pieces(key)} - {"videos/"}
		return film in named - {"videos/list.m3u8"} or any(film.startswith(folder) for folder in folders)

	def _lets_in(self, named: dict[str, Any], learner: tuple[str, ...] | None) -> bool:
		level = named.get("access-level")
		if named.get("site") != self.site:
			return False
		if level in ("public", "free_preview"):
			return True
		if learner is None:
			return False
		if level == "authenticated":
			return True
		held = {listed_items([item]) for item in learner}
		ways = named.get("any-of") or [named.get("required-items") or ["nobody's"]]
		return level == "paid" and any(set(way) <= held for way in ways)

	def open_films(self) -> set[tuple[str, Any]]:
		return {(f, who) for f in PIECES for who in LEARNERS if self.film_is_open(f, who)}


class FilmsTestCase(PublishingTestCase):
	@property
	def folder(self) -> Path:
		return self.local_path / "files"

	def all_paths(self) -> set[str]:
		return {str(file.relative_to(self.folder)) for file in self.folder.rglob("*") if file.is_file()} - {
			paths.MARK
		}

	def read_bytes(self, path: str) -> bytes | None:
		file = self.folder / path
		return file.read_bytes() if file.is_file() else None

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(forget_gate)
		self.course = make_course(units=2, lessons=2, required_item="A")
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.configure(gate_enabled=1, gate_url=GATE)
		self.publish()
		self.place = Place(self.storage())

	def configure(self, **fields: Any) -> None:
		# The notes of each file are beside the folder.
		super().configure(**{"local_path": str(self.folder), **fields})

	def show(self, lesson: Any, *links: str) -> None:
		stages = [
			{"title": "Watch", "type": "Video", "config": json.dumps({"video_url": link})} for link in links
		]
		self.change(lesson, stages=stages or [{"title": "Read", "type": "Text", "config": '{"text": "x"}'}])

	def opens(self, film: str) -> list[tuple[str, ...] | None]:
		return [who for who in LEARNERS if self.place.film_is_open(film, who)]

	@contextmanager
	def watched(self, broken: Iterator[str]) -> Iterator[None]:
		"""Hold the place against the rule at each write and removal. Some are `broken`."""
		put, delete = LocalStorage.put, LocalStorage.delete

		def step(work: Any) -> Any:
			how = next(broken, "")
			self.hold()
			if how == "before":
				raise StorageUnavailableError("The storage does not answer.")
			if how == "killed":
				raise Killed
			result = work()
			self.hold()
			if how == "after":
				raise StorageUnavailableError("The storage's answer is lost.")
			return result

		def watched_put(storage: LocalStorage, upload: Upload, **condition: Any) -> str:
			return step(lambda: put(storage, upload, **condition))

		def watched_delete(storage: LocalStorage, gone: Iterable[str]) -> None:
			gone = list(gone)
			step(lambda: delete(storage, gone))

		with (
			patch.object(LocalStorage, "put", watched_put),
			patch.object(LocalStorage, "delete", watched_delete),
			patch.object(LocalStorage, "threads", 1),
			patch.object(LocalStorage, "writers", 1),
		):
			yield

	def hold(self) -> None:
		"""No film is open to a learner whom no lesson's file lets in, from when the gate is on and what was there before it is gone."""
		if not self.is_gated:
			return
		lessons = self.place.lessons()
		with patch.object(self.place, "lessons", lambda: lessons):
			for film, who in self.place.open_films():
				self.assertTrue(self.place.lets_in(film, who), f"{film} is open to {who}")

	is_gated = True


class TestFilmsBehindGate(FilmsTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.one, self.other, *_ = self.course["lessons"]

	def test_a_film_is_open_to_whom_the_lesson_lets_in(self) -> None:
		self.show(self.one, "videos/a.mp4")
		self.publish()
		self.assertEqual(self.opens("videos/a.mp4"), [("A",), ("A", "B")])
		self.change(self.one, is_free_preview=1)
		self.publish()
		self.assertEqual(self.opens("videos/a.mp4"), list(LEARNERS))
		self.change(self.one, is_free_preview=0)
		self.publish()
		self.assertEqual(self.opens("videos/a.mp4"), [("A",), ("A", "B")])
		self.change(self.one, is_published=0)
		self.publish()
		self.assertEqual(self.opens("videos/a.mp4"), [])
		self.assertEqual([path for path in self.all_paths() if path.startswith("access/")], [])

	def test_of_two_lessons_either_opens_it(self) -> None:
		second = make_course(units=1, lessons=1, required_item="B")
		self.change(self.plan, subjects=[*self.plan.subjects, {"subject": second["subject"].name}])
		self.show(self.one, "videos/a.mp4")
		self.show(second["lessons"][0], "videos/a.mp4")
		self.publish()
		self.assertEqual(self.opens("videos/a.mp4"), [("A",), ("B",), ("A", "B")])
		self.assertEqual(self.read(paths.access("videos/a.mp4"))["any-of"], [["A"], ["B"]])
		self.show(second["lessons"][0])
		self.publish()
		self.assertEqual(self.read(paths.access("videos/a.mp4"))["required-items"], ["A"])

	def test_no_cache_is_told_of_what_the_gate_alone_reads(self) -> None:
		self.show(self.one, "videos/a.mp4")
		self.publish()
		(entry,) = ledger.of_paths([paths.access("videos/a.mp4")]).values()
		self.assertEqual(purge_queue.of(entry), [])
		self.assertGreater(len(purge_queue.of(entry._replace(kind="lesson"))), 0)

	def test_a_film_in_pieces_has_its_folder(self) -> None:
		self.show(self.one, "videos/h/list.m3u8", "videos/list.m3u8")
		self.publish()
		self.assertEqual(self.opens("videos/h/1.ts"), [("A",), ("A", "B")])
		self.assertEqual(self.opens("videos/list.m3u8"), [])
		self.assertEqual(
			{path for path in self.all_paths() if path.startswith("access/")}, {paths.access("videos/h/")}
		)

	def test_links_are_the_gates_and_nothing_is_renewed(self) -> None:
		self.show(self.one, "videos/دَرس 1+2.mp4", f"{GATE}/videos/a%20b.mp4#t=30", "https://youtu.be/x")
		self.publish()
		lesson = self.read(f"lessons/{self.one.name}.json")
		self.assertEqual(
			[stage["config"]["video_url"] for stage in lesson["stages"]],
			[
				f"{GATE}/videos/%D8%AF%D9%8E%D8%B1%D8%B3%201%2B2.mp4",
				f"{GATE}/videos/a%20b.mp4#t=30",
				"https://youtu.be/x",
			],
		)
		self.assertNotIn("signed_url_expiry", lesson)
		with self.recorded() as steps:
			for _hour in range(30):
				clock.skip(3600)
				self.tick()
		self.assertEqual([step for step in steps if step[0] == "put"], [])

	def test_without_a_film_nothing_is_written_for_films(self) -> None:
		with self.recorded() as steps:
			self.change(self.one, title="Another")
			self.publish()
		self.assertFalse([path for _, path in steps if path.startswith("access/")])

	def test_an_edit_that_leaves_a_lessons_films_writes_no_access(self) -> None:
		self.show(self.one, "videos/a.mp4")
		self.publish()
		with self.recorded() as steps:
			self.change(self.one, title="Another")
			self.publish()
		self.assertFalse([path for _, path in steps if path.startswith("access/")])

	def test_what_is_no_lesson_is_removed_whatever_films_wait_for(self) -> None:
		self.publish()
		publish_state.not_live(scopes.FILMS)
		frappe.db.commit()
		with closing(PublishTarget.open()) as target, film_objects.alone(target):
			self.assertTrue(film_narrowing.before_removal(target, []))

	def test_what_is_waited_for_is_said_where_only_films_are(self) -> None:
		self.publish()
		publish_state.raise_generations([scopes.FILMS])
		said = gate_status.read("closing")
		self.assertEqual((said["done"], said["left"]), (said["lessons"], 0))
		self.assertIn("Links to films", said["message"])
		self.publish()
		self.assertNotIn("Links to films", gate_status.read("closing")["message"])

	def test_a_film_that_could_not_be_closed_is_closed_before_the_lesson_is_tried_again(self) -> None:
		self.show(self.one, "videos/a.mp4")
		self.change(self.one, is_free_preview=1)
		self.publish()
		self.assertEqual(self.opens("videos/a.mp4"), list(LEARNERS))
		self.change(self.one, is_free_preview=0)
		with self.without_access_objects():
			self.publish()
		self.assertEqual(self.opens("videos/a.mp4"), list(LEARNERS))
		clock.skip(180)
		with self.watched(iter(())):
			self.publish()
		self.assertEqual(self.opens("videos/a.mp4"), [("A",), ("A", "B")])

	def test_so_is_one_that_is_no_film_by_the_video_folders_of_now(self) -> None:
		self.show(self.one, "videos/a.mp4")
		self.publish()
		with self.without_access_objects():
			self.configure(video_folders="talks/")
			self.tick()
		self.assertEqual(self.opens("videos/a.mp4"), [("A",), ("A", "B")])
		with self.watched(iter(())):
			for _minute in range(3):
				clock.skip(180)
				self.tick()
		self.assertEqual(self.opens("videos/a.mp4"), [])

	@contextmanager
	def without_access_objects(self) -> Iterator[None]:
		"""The storage takes and removes none."""
		put, delete = LocalStorage.put, LocalStorage.delete

		def refuse(gone: Iterable[str]) -> Iterator[str]:
			for path in gone:
				if path.startswith(paths.ACCESS):
					raise StorageUnavailableError("The storage does not answer.")
				yield path

		with (
			patch.object(
				LocalStorage, "put", lambda s, upload, **c: put(s, [*refuse([upload.path])] and upload, **c)
			),
			patch.object(LocalStorage, "delete", lambda s, gone: delete(s, refuse(gone))),
		):
			yield

	def test_switching_the_gate_off_and_on_again(self) -> None:
		self.show(self.one, "videos/a.mp4")
		self.publish()
		self.configure(gate_enabled=0)
		self.publish()
		self.tick()
		self.assertEqual(self.place.open_films(), set())
		self.change(self.one, is_free_preview=1)
		self.publish()
		self.configure(gate_enabled=1)
		for _minute in range(3):
			self.publish()
			self.tick()
		self.assertEqual(self.opens("videos/a.mp4"), list(LEARNERS))
		self.assertEqual(gate_switch.parse(site_values.read(gate_switch.NOTE)).state, "private")

	def test_a_site_that_was_private_before_there_were_films_opens_them_after_an_upgrade(self) -> None:
		self.show(self.one, "videos/a.mp4")
		self.publish()
		self.tick()
		self.assertEqual(gate_switch.parse(site_values.read(gate_switch.NOTE)).state, "private")
		film = paths.access("videos/a.mp4")
		self.storage().delete([film])
		database.transaction(self.as_never_noted)
		self.assertEqual(self.opens("videos/a.mp4"), [])
		find_films.execute()
		for _minute in range(3):
			self.tick()
		self.assertEqual(self.opens("videos/a.mp4"), [("A",), ("A", "B")])

	def as_never_noted(self) -> None:
		frappe.db.delete("CDN Film")
		frappe.db.delete("CDN File", {"kind": "access"})
		frappe.db.delete("CDN Publish State", {"scope_type": "films"})

	def test_a_lesson_that_comes_back_from_its_grace_has_the_links_of_now(self) -> None:
		self.show(self.one, "videos/a.mp4")
		override = factories.override(self.other, "Rename", "Another")
		self.change(self.plan, overrides=[override])
		self.publish()
		own = paths.lesson(self.one.name, self.plan.name)
		self.assertEqual(self.link(own), f"{GATE}/videos/a.mp4")
		for change, link in (
			({"gate_url": "https://other.example"}, "https://other.example/videos/a.mp4"),
			({"gate_enabled": 0, "gate_url": ""}, "videos/a.mp4"),
			({"gate_enabled": 1, "gate_url": GATE}, f"{GATE}/videos/a.mp4"),
		):
			with self.subTest(change=change):
				self.change(self.plan, overrides=[])
				self.publish()
				self.assertEqual(ledger.of_paths([own])[own].state, "removing")
				self.configure(**change)
				self.change(self.plan, overrides=[override])
				self.publish()
				self.tick()
				self.assertEqual(self.link(own), link)
		self.tick()
		self.assertEqual(self.opens("videos/a.mp4"), [("A",), ("A", "B")])

	def link(self, path: str) -> str:
		return self.read(path)["stages"][0]["config"]["video_url"]

	def test_settings_that_change_while_films_are_waited_for_hold_for_all_lessons(self) -> None:
		second = make_course(units=1, lessons=1, required_item="B")
		self.change(self.plan, subjects=[*self.plan.subjects, {"subject": second["subject"].name}])
		lessons = [self.one, second["lessons"][0]]
		for lesson in lessons:
			self.show(lesson, "videos/a.mp4")
		self.publish()
		ledger.sign_again(other_links=True)
		publish_state.not_live(scopes.FILMS)
		prepare, saved = film_narrowing.prepare, []

		def once_they_have_changed(target: PublishTarget) -> None:
			if not saved:
				saved.append(1)
				self.configure(gate_url="https://other.example")
			prepare(target)

		frappe.db.commit()
		with (
			closing(PublishTarget.open()) as target,
			patch.object(film_narrowing, "prepare", once_they_have_changed),
		):
			signature_renewal.run(target)
		self.tick()
		self.tick()
		for lesson in lessons:
			self.assertEqual(self.link(paths.lesson(lesson.name)), "https://other.example/videos/a.mp4")

	def test_settings_whose_process_died_after_their_commit_are_followed_by_the_next_run(self) -> None:
		self.show(self.one, "videos/a.mp4")
		self.publish()
		self.tick()
		with patch.object(
			link_settings, "follow", side_effect=frappe.db.OperationalError(1205, "by the test")
		):
			self.configure(gate_url="https://other.example")
		self.assertEqual(self.link(paths.lesson(self.one.name)), f"{GATE}/videos/a.mp4")
		self.tick()
		self.assertEqual(self.link(paths.lesson(self.one.name)), "https://other.example/videos/a.mp4")
		with self.recorded() as steps:
			self.tick()
		self.assertEqual(steps, [])

	def test_an_audit_that_a_build_overtakes_closes_no_film_for_good(self) -> None:
		"""What the audit has found is entered once the build has closed: of the lesson there is nothing new by then."""
		self.show(self.one, "videos/a.mp4")
		self.publish()
		lesson = paths.lesson(self.one.name)
		with closing(PublishTarget.open()) as target, ThreadPoolExecutor(1) as pool:
			adoption.adopt(target, pool, [lesson])
		self.tick()
		self.tick()
		self.assertEqual(self.opens("videos/a.mp4"), [("A",), ("A", "B")])

	def test_what_an_audit_says_while_a_lesson_is_written_closes_no_film_for_good(self) -> None:
		self.show(self.one, "videos/a.mp4")
		self.publish()
		lesson = paths.lesson(self.one.name)
		with closing(PublishTarget.open()) as target:
			for write in (
				lambda: self.change(self.one, title=frappe.generate_hash()),
				lambda: ledger.sign_other_links([lesson]),
			):
				for doubt in (
					lambda: film_notes.doubt(target, [lesson]),
					lambda: rewrite.upload_again([lesson]),
				):
					write()
					with self.meanwhile(lesson, target, doubt):
						self.publish()
						self.tick()
					self.publish()
					self.tick()
					self.assertEqual(self.opens("videos/a.mp4"), [("A",), ("A", "B")])

	@contextmanager
	def meanwhile(self, path: str, target: PublishTarget, doubt: Any) -> Iterator[None]:
		"""Once a file has been uploaded, and is not called live yet, something is said of it, and films are looked at."""
		publish, said = cdn_uploader.publish, []

		def watched(cargo: Any, *arguments: Any, **options: Any) -> dict[str, str]:
			etags = publish(cargo, *arguments, **options)
			if not said and path in etags:
				said.append(path)
				database.transaction(doubt)
				with film_objects.alone(target) as build:
					film_build.run(build)
			return etags

		with patch.object(cdn_uploader, "publish", watched):
			yield
		self.assertEqual(said, [path])

	def test_doctor_names_what_was_written_by_hand(self) -> None:
		self.show(self.one, "videos/a.mp4")
		self.show(self.other, "videos/h/list.m3u8")
		self.publish()
		self.assertEqual(self.strange(), "")
		body = json.dumps({"access-level": "public", "site": self.place.site}).encode()
		for film in ("videos/a.mp4", "videos/unnamed.mp4"):
			self.storage().put(Upload(paths.access(film), body, "public, max-age=60"))
		self.assertEqual(self.opens("videos/unnamed.mp4"), list(LEARNERS))
		said = self.strange()
		self.assertIn("2 objects", said)
		self.assertIn(f"{paths.access('videos/a.mp4')} (videos/a.mp4)", said)
		self.assertIn(paths.access("videos/unnamed.mp4"), said)
		self.configure(gate_enabled=0)
		self.assertEqual(self.strange(), "")

	def strange(self) -> str:
		found = [one for one in doctor._made(doctor.films.access_objects) if not one.ok]
		return " ".join(one.message for one in found)

	def test_what_is_left_from_an_earlier_time_in_the_place_opens_nothing(self) -> None:
		self.show(self.one, "videos/a.mp4")
		self.change(self.one, is_free_preview=1)
		self.publish()
		self.configure(local_path=str(self.local_path / "elsewhere"))
		self.publish()
		self.change(self.one, is_free_preview=0)
		self.publish()
		with self.watched(iter(())):
			self.configure()
			self.publish()
		self.place = Place(self.storage())
		self.assertEqual(self.opens("videos/a.mp4"), [("A",), ("A", "B")])


class TestAnyHistoryOfFilms(FilmsTestCase):
	"""Random edits, settings and failures, from a seed that a failure names."""

	def setUp(self) -> None:
		super().setUp()
		self.second = make_course(units=1, lessons=2, required_item="B")
		self.lessons = [*self.course["lessons"], *self.second["lessons"]]
		self.plans = [
			self.plan,
			factories.make_plan([self.course["subject"], self.second["subject"]], is_published=1),
		]

	def edits(self) -> list[Any]:
		course, second, dice = self.course, self.second, self.dice
		films = [*FILMS, "https://youtu.be/x"]

		def override() -> None:
			target = dice.choice([course["subject"], course["units"][0], dice.choice(course["lessons"])])
			action = dice.choice(["Set Free", "Hide", "Set Sold Separately"])
			self.change(
				dice.choice(self.plans),
				overrides=[factories.override(target, action, "B" if "Sold" in action else "")],
			)

		def move() -> None:
			self.change(
				dice.choice(course["lessons"]),
				parent_topic=dice.choice([*course["topics"], *second["topics"]]).name,
			)

		return [
			*[lambda: self.show(dice.choice(self.lessons), *dice.sample(films, dice.randrange(3)))] * 6,
			*[lambda: self.change(dice.choice(self.lessons), is_free_preview=dice.randrange(2))] * 2,
			*[lambda: self.change(dice.choice(self.lessons), is_published=dice.randrange(2))] * 2,
			lambda: self.change(course["units"][0], is_published=dice.randrange(2)),
			lambda: self.change(
				dice.choice([course, second])["subject"],
				required_item=dice.choice(ITEMS),
				is_public=dice.randrange(2),
			),
			lambda: self.change(course["track"], is_sold_separately=1, required_item=dice.choice(ITEMS[1:])),
			lambda: self.change(course["track"], is_sold_separately=0, required_item=""),
			*[override] * 2,
			lambda: self.change(dice.choice(self.plans), overrides=[]),
			lambda: self.change(dice.choice(self.plans), is_published=dice.randrange(2)),
			*[move] * 2,
			lambda: clock.skip(60 * dice.choice([1, 5, 16])),
			lambda: self.switch(dice.randrange(4)),
			lambda: self.doubt(),
			lambda: self.adopt(),
			lambda: database.transaction(ledger.outdate),
			lambda: reconciliation.queue_everything(triggered_by="Manual", cause=""),
		]

	def doubt(self) -> None:
		"""An audit is not sure of a lesson."""
		frappe.db.commit()
		live = sorted(frappe.get_all("CDN File", {"kind": "lesson", "state": "live"}, pluck="path"))
		if live:
			path = self.dice.choice(live)
			database.transaction(lambda: rewrite.upload_again([path]))

	def adopt(self) -> None:
		"""An audit takes a file for one that the ledger does not know, or a lost ledger's."""
		frappe.db.commit()
		paths = sorted(frappe.get_all("CDN File", {"kind": "lesson"}, pluck="path"))
		with closing(PublishTarget.open()) as target, ThreadPoolExecutor(1) as pool:
			adoption.adopt(target, pool, self.dice.sample(paths, min(len(paths), 2)))

	def switch(self, gate: int) -> None:
		frappe.db.commit()
		self.is_gated = False
		self.configure(gate_enabled=int(bool(gate)), gate_url=GATE)

	def faults(self, likely: float) -> Iterator[str]:
		while True:
			broken = self.dice.random() < likely
			yield self.dice.choice(["before", "after", "killed"]) if broken else ""

	def run_batch(self, likely: float) -> None:
		frappe.db.commit()
		state = publish_state.of(scopes.FILMS)
		self.is_gated = self.is_gated or (
			bool(settings.load(settings.saved()).is_gated) and bool(state.is_live)
		)
		with self.watched(self.faults(likely)):
			try:
				self.tick()
				self.tick()
			except (Killed, StorageError):  # the job has ended; the next goes on
				database.rollback()
		clock.skip(61)

	def recover(self) -> None:
		with self.watched(iter(())):
			for _minute in range(40):
				for letter in frappe.get_all(
					"CDN Publish State", {"dead_since": ("is", "set")}, ["scope_type", "ref"]
				):
					dead_letters.retry(scopes.Scope(letter.scope_type, letter.ref or "").label)
				self.publish()
				self.tick()
				if not clock.anything_waits():
					break
				clock.skip(120)

	def test_no_film_is_open_to_whom_no_lesson_lets_in(self) -> None:
		seeds = range(HISTORIES) if HISTORIES < 4 else [random.randrange(10**9) for _ in range(HISTORIES)]
		with patch("os.fsync"):
			for seed in seeds:
				with self.subTest(seed=seed):
					self.history(seed)

	def history(self, seed: int) -> None:
		self.dice = random.Random(seed)
		for _step in range(STEPS):
			for _edit in range(self.dice.choice([1, 1, 2, 4])):
				try:
					self.dice.choice(self.edits())()
				except frappe.ValidationError:
					frappe.db.rollback()
				frappe.db.commit()
			self.run_batch(self.dice.choice([0, 0.1, 0.4]))
		self.configure(gate_enabled=1, gate_url=GATE)
		self.recover()
		self.adopt()
		self.recover()
		self.is_gated = True
		self.hold()
		clock.skip(60 * 16)  # what stays for a grace goes, and its films with it
		self.recover()
		self.hold()
		self.assertEqual(self.failures(), {})
		for film in PIECES:
			for who in LEARNERS:
				self.assertEqual(
					self.place.film_is_open(film, who), self.place.lets_in(film, who), (film, who)
				)
