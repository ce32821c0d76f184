"""For tests that publish: a site with export to a folder of the test's own, and eyes to read what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import frappe
import orjson

from memora.services.cdn_export import batch_processor, published_check
from memora.services.cdn_export.batch_processor import Drained
from memora.services.cdn_export.published_check import Report
from memora.tests import factories
from memora.tests.utils import MemoraTestCase


class PublishingTestCase(MemoraTestCase):
	"""Export is enabled and goes to `local_path`, read back without the ledger's help."""

	def setUp(self) -> None:
		super().setUp()
		self.configure()

	def configure(self, **fields: Any) -> None:
		"""Save CDN Settings, publishing to this test's folder unless told otherwise."""
		settings = frappe.get_doc("CDN Settings")
		settings.update(
			{
				"enabled": 1,
				"storage_provider": "Local Directory",
				"local_path": str(self.local_path),
				**fields,
			}
		)
		settings.save()
		frappe.db.commit()

	def publish(self) -> Drained:
		"""Commit, then fold and build until nothing waits, as a batch does."""
		frappe.db.commit()
		return batch_processor.process("Scheduler")

	def paths(self) -> set[str]:
		"""Every published path."""
		return {
			str(file.relative_to(self.local_path)) for file in self.local_path.rglob("*") if file.is_file()
		}

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

	def check(self) -> Report:
		"""Read what is published as a learner's app does, and assert that nothing is wrong."""
		report = published_check.check(self.read_bytes, self.paths)
		self.assertEqual([str(problem) for problem in report.problems], [])
		self.assertEqual(report.unlinked, [])
		return report

	def assertWritten(self, before: dict[str, bytes], paths: set[str]) -> None:
		"""Since `before`, exactly these files were written."""
		after = self.contents()
		self.assertEqual({path for path, body in after.items() if before.get(path) != body}, paths)


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
						{"title": "Read", "type": "Text", "config": '{"body": "نص الدرس"}'},
					],
				)
			)
	return course
