"""For tests that publish: a site with export to a folder of the test's own, and eyes to read what is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
import orjson
from click.testing import CliRunner, Result
from frappe.model.document import Document

from memora.commands import memora
from memora.services.cdn_export import batch_processor, settings
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.rules import published_check
from memora.services.cdn_export.rules.crawl import Report
from memora.services.cdn_export.state import database, gate_switch, job_queue, site_values
from memora.services.cdn_export.storage import Storage, Upload
from memora.services.cdn_export.worker.drain import Drained
from memora.tests.helpers import clock, factories
from memora.tests.helpers.files import PNG
from memora.tests.helpers.utils import MemoraTestCase


@dataclass(slots=True)
class Reading:
	"""Every document a learner of one plan reads, by the id of what it shows; `paths` are where they were."""

	manifest: dict[str, Any]
	search: dict[str, Any]
	subjects: dict[str, dict[str, Any]] = field(default_factory=dict)
	units: dict[str, dict[str, Any]] = field(default_factory=dict)
	lessons: dict[str, dict[str, Any]] = field(default_factory=dict)
	entries: list[dict[str, str]] = field(default_factory=list)
	paths: dict[str, str] = field(default_factory=dict)

	def level(self, name: str) -> str:
		"""The access level of a subject, unit or lesson."""
		return (self.subjects.get(name) or self.units.get(name) or self.lessons[name])["access"][
			"access_level"
		]


class PublishingTestCase(MemoraTestCase):
	"""Export is enabled and goes to `local_path`, read back without the ledger's help."""

	def setUp(self) -> None:
		super().setUp()
		self.configure()

	def configure(self, **fields: Any) -> None:
		"""Save CDN Settings, publishing to this test's folder unless told otherwise."""
		publish_to(**{"storage_provider": "Local Directory", "local_path": str(self.local_path), **fields})

	def picture(self, content: bytes, name: str = "") -> str:
		"""A public picture with this content behind what makes it a PNG; returns its URL."""
		name = name or f"memora-{frappe.generate_hash(length=8)}.png"
		file = Path(frappe.get_site_path("public", "files", name))
		file.write_bytes(PNG + content)
		self.addCleanup(file.unlink, missing_ok=True)
		return f"/files/{name}"

	def publish(self) -> Drained:
		"""Commit, then relay and build until nothing waits, as a batch does."""
		frappe.db.commit()
		return batch_processor.process("Scheduler")

	def change(self, doc: Document, **fields: Any) -> None:
		"""Save a document with other values, as an editor does who has just opened it."""
		doc.reload()
		doc.update(fields)
		doc.save()

	def tick(self) -> dict[str, Any]:
		"""The scheduler's look of every minute, in this process."""
		frappe.db.commit()
		with patch.object(job_queue.Worker, "count", return_value=0):
			return batch_processor.check_due()

	def minutes_pass(self, minutes: int) -> None:
		"""Let everything that waits for a moment wait that much less."""
		clock.skip(minutes * 60)

	@contextmanager
	def recorded(self) -> Iterator[list[tuple[str, str]]]:
		"""What is done to published files meanwhile, in order: ("put" or "delete", path)."""
		steps: list[tuple[str, str]] = []
		kind = type(self.storage())
		put, delete = kind.put, kind.delete

		def recorded_put(storage: Storage, upload: Upload, **condition: Any) -> str:
			if upload.path != paths.MARK:
				steps.append(("put", upload.path))
			return put(storage, upload, **condition)

		def recorded_delete(storage: Storage, gone: Iterable[str]) -> None:
			gone = list(gone)
			steps.extend(("delete", path) for path in gone)
			delete(storage, gone)

		with patch.multiple(kind, put=recorded_put, delete=recorded_delete):
			yield steps

	def storage(self) -> Storage:
		"""The storage, for what it keeps beside the files."""
		return settings.open_storage()

	def failures(self) -> dict[str, str]:
		"""What could not be published, with what is said about it."""
		rows = frappe.get_all("CDN Publish State", {"last_error": ("is", "set")}, ["ref", "last_error"])
		return {row.ref: row.last_error for row in rows}

	def learner(self, plan: Any) -> Reading:
		"""Read a plan as an app does, from its manifest down."""
		manifest = self.read(paths.manifest(plan.name))
		reading = Reading(manifest, self.read(manifest["search_index_url"]))

		def follow(kind: str, url: str) -> dict[str, Any]:
			document = self.read(url)
			getattr(reading, kind)[document["id"]] = document
			reading.paths[document["id"]] = url.partition("?")[0]
			return document

		for subject in manifest["subjects"]:
			for track in follow("subjects", subject["url"])["tracks"]:
				for unit in track["units"]:
					for topic in follow("units", unit["url"])["topics"]:
						for lesson in topic["lessons"]:
							follow("lessons", lesson["url"])
		reading.entries += reading.search.get("entries", [])
		for shard in reading.search.get("shards", []):
			reading.entries += self.read(shard["url"])["entries"]
		return reading

	def paths(self) -> set[str]:
		"""Every published path but those of the contract's schemas, which are beside any content."""
		return {path for path in self.all_paths() if not path.startswith("schemas/")}

	def all_paths(self) -> set[str]:
		"""Every published path. The mark of the place is none."""
		found = (
			str(file.relative_to(self.local_path)) for file in self.local_path.rglob("*") if file.is_file()
		)
		return set(found) - {paths.MARK}

	def read_bytes(self, path: str) -> bytes | None:
		file = self.local_path / Path(path)
		return file.read_bytes() if file.is_file() else None

	def read(self, path: str) -> dict[str, Any]:
		"""A published document; `path` may be a URL with its version."""
		body = self.read_bytes(path.partition("?")[0])
		self.assertIsNotNone(body, f"{path} is not published")
		return orjson.loads(body)

	def contents(self) -> dict[str, bytes]:
		"""All published files."""
		return {path: self.read_bytes(path) or b"" for path in self.paths()}

	def check(self, leaving: Iterable[str] = ()) -> Report:
		"""Read what is published as a learner's app does, and assert that nothing is wrong, and that only what
		is `leaving` is there without a link to it."""
		report = published_check.check(self.read_bytes, self.all_paths)
		self.assertEqual([str(problem) for problem in report.problems], [])
		self.assertEqual(report.unlinked, sorted(leaving))
		return report

	def assertWritten(self, before: dict[str, bytes], paths: set[str]) -> None:
		"""Since `before`, exactly these files were written."""
		after = self.contents()
		self.assertEqual({path for path, body in after.items() if before.get(path) != body}, paths)


def publish_to(**fields: Any) -> None:
	"""Save CDN Settings with export enabled; commits."""
	doc = frappe.get_doc("CDN Settings")
	doc.update({"enabled": 1, **fields})
	doc.flags.save_anyway = True  # what does not answer is what many tests are about
	doc.save()
	frappe.db.commit()


def forget_gate() -> None:
	"""For what a test has done with a gate: none is before the files, nor is it on the way there; commits."""
	publish_to(gate_enabled=0, gate_url="", other_addresses="")
	database.transaction(lambda: site_values.write(gate_switch.NOTE, ""))


def run_command(*arguments: str, answer: str = "") -> Result:
	"""Run `bench memora …` in this process, on this connection."""
	frappe.db.commit()
	with patch("memora.commands.running.connected", lambda site: nullcontext()):
		result = CliRunner().invoke(memora, list(arguments), obj={"sites": [frappe.local.site]}, input=answer)
	if not isinstance(result.exception, SystemExit | None):
		raise result.exception
	return result


def make_course(units: int = 2, lessons: int = 2, **subject: Any) -> dict[str, Any]:
	"""A published subject with one track and topic: the documents by kind, units and lessons as lists."""
	subject_doc = factories.make_subject(is_published=1, **subject)
	track = factories.make_track(parent_subject=subject_doc.name, is_published=1)
	course: dict[str, Any] = {
		"subject": subject_doc,
		"track": track,
		"units": [],
		"topics": [],
		"lessons": [],
	}
	for number in range(units):
		unit = factories.make_unit(parent_track=track.name, is_published=1, sort_order=number)
		topic = factories.make_topic(parent_unit=unit.name, is_published=1)
		course["units"].append(unit)
		course["topics"].append(topic)
		for place in range(lessons):
			course["lessons"].append(
				factories.make_lesson(
					parent_topic=topic.name,
					is_published=1,
					sort_order=place,
					stages=[
						{
							"title": "Watch",
							"type": "Video",
							"config": '{"video_url": "https://v.example/1.mp4"}',
						},
						{"title": "Read", "type": "Text", "config": '{"text": "نص الدرس"}'},
					],
				)
			)
	return course


def chain(course: dict[str, Any]) -> list[Document]:
	"""The first node of each kind, from the subject down."""
	return [
		course["subject"],
		course["track"],
		course["units"][0],
		course["topics"][0],
		course["lessons"][0],
	]
