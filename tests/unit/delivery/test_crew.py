"""Threads that share work: `delivery.crew`."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from memora.services.cdn_export.delivery import crew


class Counted:
	"""Work that notes what it was given, and how many were at it at once."""

	def __init__(self, parties: int = 1) -> None:
		self.done: list[int] = []
		self.most = 0
		self._now = 0
		self._lock = threading.Lock()
		self._together = threading.Barrier(parties)

	def __call__(self, item: int) -> None:
		with self._lock:
			self._now += 1
			self.most = max(self.most, self._now)
		self._together.wait(10)
		with self._lock:
			self._now -= 1
			self.done.append(item)


def run(items, work, at_once) -> None:
	with ThreadPoolExecutor(64) as pool:
		crew.for_each(list(items), work, pool, at_once, lambda: None)


@pytest.mark.parametrize("at_once", [1, 3, 8])
def test_each_item_is_done_once_by_as_many_as_there_should_be(at_once: int) -> None:
	work = Counted(at_once)  # which goes on only if so many are there
	run(range(24), work, lambda: at_once)
	assert sorted(work.done) == list(range(24)) and work.most == at_once


def test_none_is_hired_for_nothing() -> None:
	work = Counted()
	run([1], work, lambda: 50)
	assert work.done == [1]
	run([], work, lambda: 50)


def test_it_grows_and_shrinks_while_it_works() -> None:
	allowed, seen = [8], []
	lock = threading.Lock()
	now = [0]

	def work(item: int) -> None:
		with lock:
			now[0] += 1
			seen.append(now[0])
			if item == 40:
				allowed[0] = 2
		time.sleep(0.002)
		with lock:
			now[0] -= 1

	run(range(200), work, lambda: allowed[0])
	assert max(seen[:40]) > 2
	assert max(seen[60:]) <= 2, "who was too many has left"
	assert len(seen) == 200


def test_after_a_failure_nothing_is_begun() -> None:
	"""With nobody waiting for anything: whoever has taken an item is at work."""
	begun: list[int] = []
	failed = threading.Event()
	at_work = threading.Barrier(4)

	def work(item: int) -> None:
		begun.append(item)
		at_work.wait(10)
		if item == 0:
			failed.set()
			raise ValueError("no")
		assert failed.wait(10)
		time.sleep(0.02)

	with pytest.raises(ValueError, match="no"):
		run(range(100), work, lambda: 4)
	assert len(begun) <= 4
