"""What is measured: time, SQL statements, and what would have gone to the storage."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from pymysql.cursors import Cursor

from memora.services.cdn_export.storage import Upload
from memora.services.cdn_export.storage.s3 import S3Storage

_TRANSACTION_CONTROL = ("start transaction", "commit", "rollback", "savepoint", "release savepoint")


class Nowhere(S3Storage):
	"""S3 with uploads replaced by nothing: `put` returns at once, links are signed as ever."""

	def __init__(self, *arguments: Any) -> None:
		super().__init__(*arguments)
		self.puts: list[str] = []
		self.sizes: dict[str, int] = {}
		self.bodies: dict[str, bytes] | None = None

	def put(self, upload: Upload, *, if_match: str | None = None, if_absent: bool = False) -> str:
		self.puts.append(upload.path)
		self.sizes[upload.path] = len(upload.body)
		if self.bodies is not None:
			self.bodies[upload.path] = upload.body
		return "0" * 32

	def delete(self, paths: Iterable[str]) -> None:
		for path in paths:
			self.sizes.pop(path, None)


@dataclass(slots=True)
class Span:
	"""A stretch of work: how long it took, how much of that was this process's own work, and which statements it
	sent, transaction control left out."""

	seconds: float = 0.0
	cpu: float = 0.0
	statements: list[str] = field(default_factory=list)

	@property
	def count(self) -> int:
		return len(self.statements)


_open: list[Span] = []


@contextmanager
def span() -> Iterator[Span]:
	"""Measure what runs inside, in whatever thread its statements are sent. Spans may nest."""
	current = Span()
	_open.append(current)
	started, worked = time.perf_counter(), time.process_time()
	try:
		yield current
	finally:
		current.seconds = time.perf_counter() - started
		current.cpu = time.process_time() - worked
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


def median(work: Callable[[], float], times: int) -> float:
	"""The median of what `work` returns in so many runs, after one that does not count."""
	work()
	return statistics.median(work() for _ in range(times))


def seconds(work: Callable[[], Any]) -> float:
	"""How long `work` takes, once."""
	started = time.perf_counter()
	work()
	return time.perf_counter() - started
