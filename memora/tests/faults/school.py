"""A school for fault scenarios: content, plans, editors who save, and a place where it is published."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
from frappe.model.document import Document

from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.storage import s3
from memora.services.cdn_export.worker.drain import Drained
from memora.tests.faults.anew import files_below
from memora.tests.faults.links import Read
from memora.tests.faults.mariadb_server import MariaDBServer
from memora.tests.faults.redis_server import CannotRunError, RedisServer
from memora.tests.helpers import factories
from memora.tests.helpers.buckets import S3Server, moto
from memora.tests.helpers.faulty_server import FaultyServer
from memora.tests.helpers.publishing import make_course, publish_to
from memora.tests.helpers.utils import wipe


@dataclass
class School:
	"""A site with plans of one course: the first reads it as it is, the second has its own subject.

	`read` and `files` look at what is published past memora. `committed` is what editors were told is saved, `wrong`
	what a scenario itself has seen that must not be. `until_recovered` ends when a run has recovered; a scenario that
	waits for that itself says in `recovered_after` how long it was.
	"""

	read: Read
	files: Callable[[], dict[str, bytes]]
	redis: RedisServer
	full: bool
	server: FaultyServer | None = None
	disk: Path | None = None
	mariadb: MariaDBServer | None = None
	run: int = 0
	dice: random.Random = field(default_factory=random.Random)
	committed: dict[tuple[str, str, str], Any] = field(default_factory=dict)
	dangling: list[str] = field(default_factory=list)
	wrong: list[str] = field(default_factory=list)
	crowd: list[str] = field(default_factory=list)
	recovered_after: float | None = None
	until_recovered: ExitStack = field(default_factory=ExitStack)
	_edits: int = 0

	def fill(self) -> None:
		"""Content and plans, published."""
		course = make_course(units=3)
		self.subject: Document = course["subject"]
		self.lessons: list[Document] = course["lessons"]
		self.plan = factories.make_plan([self.subject], is_published=1)
		self.own = factories.make_plan(
			[self.subject],
			is_published=1,
			overrides=[factories.override(self.lessons[0], "Rename", "Renamed")],
		)
		self.publish()

	@property
	def plans(self) -> list[str]:
		return frappe.get_all("Memora Academic Plan", pluck="name", order_by="creation, name")

	def save(self, doctype: str, name: str, **values: Any) -> None:
		"""An editor saves a document and is told that it is saved."""
		doc = frappe.get_doc(doctype, name)
		doc.update(values)
		doc.save()
		frappe.db.commit()
		for fieldname, value in values.items():
			self.committed[doctype, name, fieldname] = value

	def edit(self) -> int:
		"""Something for every step of a build: each file written again, a lesson removed or back, the list of plans
		changed. Returns the number of this edit, with which `repeat` makes it again."""
		self._edits += 1
		self.repeat(self._edits)
		return self._edits

	def edit_shared(self, number: int = 0) -> int:
		"""Something that every plan shows and that asks for no more than showing it: those that read the course as it is
		can be built as a group. Returns the number of this edit, with which to make it again."""
		if not number:
			self._edits += 1
			number = self._edits
		self.save("Memora Subject", self.subject.name, title=f"Shared title {number}")
		self.save("Memora Lesson", self.lessons[1].name, description=f"For all {number}")
		return number

	def publish_all(self) -> int:
		"""Edit and publish, so that the next edit takes a lesson away: its build then passes every step, removals
		too. Returns the number of the edit that is live."""
		number = self.edit()
		if number % 2 == 0:
			number = self.edit()
		self.publish()
		return number

	def repeat(self, number: int) -> None:
		"""Bring about just what the edit of this number did."""
		self.save("Memora Subject", self.subject.name, title=f"Title {number}")
		self.save("Memora Lesson", self.lessons[3].name, is_published=number % 2)
		lesson = frappe.get_doc("Memora Lesson", self.lessons[1].name)
		lesson.stages[1].config = f'{{"html": "Edit {number}"}}'
		lesson.save()
		for name in self.plans:
			self.save("Memora Academic Plan", name, title=f"{name} {number}")

	def publish(self) -> Drained:
		"""Relay and build until nothing waits, in this process, as a batch does."""
		frappe.db.commit()
		return batch_processor.process("Scheduler")

	def forgotten(self) -> list[str]:
		"""What editors were told is saved, and the database does not hold."""
		return [
			f"{doctype} {name}: {fieldname} was saved as {value!r}"
			for (doctype, name, fieldname), value in self.committed.items()
			if frappe.db.get_value(doctype, name, fieldname) != value
		]


@contextmanager
def in_a_folder(full: bool) -> Iterator[School]:
	"""A school that publishes to a folder."""
	folder = Path(tempfile.mkdtemp(prefix="memora-school-"))
	try:
		with _opened(full, _read_below(folder), lambda: files_below(folder)) as school:
			publish_to(storage_provider="Local Directory", local_path=str(folder))
			school.fill()
			yield school
	finally:
		shutil.rmtree(folder, ignore_errors=True)
		shutil.rmtree(f"{folder}.meta", ignore_errors=True)


@contextmanager
def with_many_plans(full: bool) -> Iterator[School]:
	"""A school with ten plans, in a folder."""
	with in_a_folder(full) as school:
		for _ in range(8):
			factories.make_plan([school.subject], is_published=1)
		school.publish()
		yield school


@contextmanager
def with_many_lessons(full: bool) -> Iterator[School]:
	"""A school with a lesson for each of twenty editors, `school.crowd`, in a folder."""
	with in_a_folder(full) as school:
		topic = school.lessons[0].parent_topic
		for number in range(20):
			lesson = factories.make_lesson(parent_topic=topic, is_published=1, sort_order=10 + number)
			school.crowd.append(lesson.name)
		school.publish()
		yield school


@contextmanager
def on_a_mariadb_of_its_own(full: bool) -> Iterator[School]:
	"""A school as `with_many_lessons`, on a MariaDB that may be killed, `school.mariadb`."""
	with MariaDBServer() as server, with_many_lessons(full) as school:
		school.mariadb = server
		yield school


@contextmanager
def on_a_small_disk(full: bool) -> Iterator[School]:
	"""A school that publishes to a disk of four megabytes, `school.disk`."""
	disk = Path(tempfile.mkdtemp(prefix="memora-disk-"))
	mount = subprocess.run(
		["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True, text=True
	)
	try:
		if mount.returncode:
			raise CannotRunError(f"a small disk cannot be mounted: {mount.stderr.strip()}")
		folder = disk / "files"
		with _opened(full, _read_below(folder), lambda: files_below(folder)) as school:
			publish_to(storage_provider="Local Directory", local_path=str(folder))
			school.disk = disk
			school.fill()
			yield school
	finally:
		if not mount.returncode:
			subprocess.run(["umount", "--lazy", str(disk)], check=True)
		shutil.rmtree(disk, ignore_errors=True)


@contextmanager
def in_a_bucket(full: bool) -> Iterator[School]:
	"""A school that publishes to a bucket, through `school.server`. Nothing waits between two tries of a call."""
	with (
		moto() as endpoint,
		FaultyServer(endpoint) as server,
		patch("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0),
		patch.object(s3, "pause", lambda _seconds: None),
	):
		s3_server = S3Server(endpoint)
		bucket = s3_server.make_bucket()

		def read(path: str) -> bytes | None:
			return s3_server.read(bucket, path)

		def files() -> dict[str, bytes]:
			return {path: read(path) or b"" for path in s3_server.paths(bucket) - {paths.MARK}}

		with _opened(full, read, files) as school:
			publish_to(storage_provider="AWS S3", **s3_server.settings(bucket, server.url))
			school.server = server
			school.fill()
			yield school


def _read_below(folder: Path) -> Read:
	def read(path: str) -> bytes | None:
		try:
			return (folder / path).read_bytes()
		except OSError:
			return None

	return read


@contextmanager
def _opened(full: bool, read: Read, files: Callable[[], dict[str, bytes]]) -> Iterator[School]:
	wipe()
	try:
		with RedisServer() as redis:
			yield School(read, files, redis, full)
			frappe.db.rollback()
	finally:
		wipe()
