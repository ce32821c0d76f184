"""What is measured: time, SQL statements, and what would have gone to the storage."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import frappe
import psutil
from pymysql.cursors import Cursor

from memora.exceptions import PreconditionFailedError
from memora.services.cdn_export.model.paths import MARK
from memora.services.cdn_export.storage import Upload
from memora.services.cdn_export.storage.s3 import S3Storage

_TRANSACTION_CONTROL = ("start transaction", "commit", "rollback", "savepoint", "release savepoint")


class Nowhere(S3Storage):
	"""S3 with uploads replaced by nothing: `put` returns at once, links are signed as ever. Only the mark of the place is
	kept, since each batch reads it."""

	mark: ClassVar[tuple[bytes, str] | None] = None
	notes: ClassVar[bool] = True
	"""Whether `puts` and `sizes` are kept: a path for each file is more than a build needs of memory."""

	def __init__(self, *arguments: Any) -> None:
		super().__init__(*arguments)
		self.count = 0
		self.puts: list[str] = []
		self.sizes: dict[str, int] = {}
		self.bodies: dict[str, bytes] | None = None

	def read(self, path: str) -> tuple[bytes, str] | None:
		return self.mark if path == MARK else super().read(path)

	def put(self, upload: Upload, *, if_match: str | None = None, if_absent: bool = False) -> str:
		self.count += 1
		if self.notes:
			self.puts.append(upload.path)
			self.sizes[upload.path] = len(upload.body)
		if self.bodies is not None:
			self.bodies[upload.path] = upload.body
		etag = f"{self.count:032x}"  # like no other
		if upload.path == MARK:
			if if_absent and self.mark:
				raise PreconditionFailedError(MARK)
			Nowhere.mark = upload.body, etag
		return etag

	def delete(self, paths: Iterable[str]) -> None:
		for path in paths:
			self.sizes.pop(path, None)


def as_in_use() -> None:
	"""Let this process take the site for one that people use: where tests are allowed, Frappe asks its cache for a flag
	with each statement."""
	frappe.local.conf.allow_tests = 0


@dataclass(slots=True)
class Span:
	"""A stretch of work: how long it took, how much of that this process worked and how much MariaDB worked for it,
	and which statements it sent, transaction control left out."""

	seconds: float = 0.0
	cpu: float = 0.0
	server: float = 0.0
	statements: list[str] = field(default_factory=list)

	@property
	def count(self) -> int:
		return len(self.statements)

	@property
	def work(self) -> float:
		"""What it takes where no other process wants the processor: the two take turns."""
		return self.cpu + self.server


_open: list[Span] = []


@contextmanager
def span() -> Iterator[Span]:
	"""Measure what runs inside, in whatever thread its statements are sent. Spans may nest."""
	current = Span()
	_open.append(current)
	served = _server_cpu()
	started, worked = time.perf_counter(), time.process_time()
	try:
		yield current
	finally:
		current.seconds = time.perf_counter() - started
		current.cpu = time.process_time() - worked
		current.server = _server_cpu() - served
		_open.remove(current)


@contextmanager
def counting_statements() -> Iterator[None]:
	"""Let spans see the statements; outside of it they only take the time."""
	execute = Cursor.execute

	def counted(cursor: Cursor, query: str, arguments: Any = None) -> int:
		if not query.lstrip().lower().startswith(_TRANSACTION_CONTROL):
			for current in _open:
				current.statements.append(query)
		return execute(cursor, query, arguments)

	with patch.object(Cursor, "execute", counted):
		yield


def taken_by_host() -> float:
	"""Which share of the work that the processors have had since the last call the host of a virtual machine kept
	waiting, to give them to others; 0 where that cannot be seen."""
	times = psutil.cpu_times_percent()._asdict()
	return times.get("steal", 0.0) / max(0.1, 100 - times["idle"] - times.get("iowait", 0.0))


def _server_cpu() -> float:
	"""How long MariaDB's thread for our connection has worked; 0 where that cannot be seen."""
	connection = frappe.db._conn.thread_id()
	if connection not in _threads:
		cursor = frappe.db._conn.cursor()
		cursor.execute("select tid from information_schema.processlist where id = %s", (connection,))
		_threads[connection] = cursor.fetchone()[0]
	thread = _threads[connection]
	try:
		return int(Path(f"/proc/{thread}/task/{thread}/schedstat").read_text().split()[0]) / 1e9
	except OSError:  # another machine's, or no Linux
		return 0.0


_threads: dict[int, int] = {}


def median(work: Callable[[], float], times: int) -> float:
	"""The median of what `work` returns in so many runs, after one that does not count."""
	work()
	return statistics.median(work() for _ in range(times))


def work(task: Callable[[], Any]) -> float:
	"""How long we and MariaDB work for `task`, once."""
	with span() as current:
		task()
	return current.work


def seconds(task: Callable[[], Any]) -> float:
	"""How long `task` takes, once."""
	started = time.perf_counter()
	task()
	return time.perf_counter() - started
