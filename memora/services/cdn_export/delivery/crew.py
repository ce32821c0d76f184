"""Threads that do the same work for many items, as many as make sense while it goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


def for_each(
	items: Sequence[T],
	work: Callable[[T], None],
	pool: ThreadPoolExecutor,
	at_once: Callable[[], int],
	between: Callable[[], None],
) -> None:
	"""Do `work` for all items in as many threads as `at_once` says, which may change; this one is among them, and calls
	`between` after each of its own.

	All take their items from one row: a task for each item would cost as much as a fast upload. Raises the first error, and
	begins nothing after it: whoever has taken an item works at it, and does not wait with it in hand.
	"""
	_Crew(items, work, pool, at_once).run(between)


class _Crew(Generic[T]):
	def __init__(
		self,
		items: Sequence[T],
		work: Callable[[T], None],
		pool: ThreadPoolExecutor,
		at_once: Callable[[], int],
	) -> None:
		self._row: SimpleQueue[T] = SimpleQueue()
		for item in items:
			self._row.put(item)
		self._work = work
		self._pool = pool
		self._at_once = at_once
		self._failed = threading.Event()
		self._lock = threading.Lock()
		self._size = 1
		self._hired: list[Future[None]] = []

	def run(self, between: Callable[[], None]) -> None:
		self._take(between)
		for hired in self._hired:  # which grows meanwhile: whoever hires has not done yet
			hired.result()

	def _take(self, between: Callable[[], None] | None = None) -> None:
		"""Work while there is something left. Hired hands, who have nothing to call between, leave when they are too many."""
		try:
			self._hire()
			while not self._failed.is_set() and not (between is None and self._leaves()):
				self._work(self._row.get_nowait())
				if between:
					between()
				self._hire()
		except Empty:
			return
		except BaseException:
			self._failed.set()
			raise

	def _hire(self) -> None:
		"""Each starts one more at most: all at once, for what a few have done by then, would cost as much as they save."""
		with self._lock:
			if self._size < self._at_once() and not self._row.empty() and not self._failed.is_set():
				self._size += 1
				self._hired.append(self._pool.submit(self._take))

	def _leaves(self) -> bool:
		with self._lock:
			is_spare = self._size > self._at_once()
			self._size -= is_spare
			return is_spare
