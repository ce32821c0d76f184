"""Events in the order of their time, and processors that those who want them share: what `benchmarks/model.py` runs on."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count


class Clock:
	"""Events in the order of their time."""

	def __init__(self) -> None:
		self.now = 0.0
		self._events: list[tuple[float, int, Callable[[], None]]] = []
		self._number = count()

	def at(self, moment: float, act: Callable[[], None]) -> None:
		heappush(self._events, (moment, next(self._number), act))

	def run(self) -> None:
		while self._events:
			self.now, _, act = heappop(self._events)
			act()


class Processors:
	"""Cores that all who want them share alike. `busy` is core seconds."""

	def __init__(self, clock: Clock, cores: int) -> None:
		self.cores, self.busy = cores, 0.0
		self._clock, self._number = clock, count()
		self._jobs: list[tuple[float, int, Callable[[], None]]] = []
		self._done = self._since = 0.0
		self._turn = 0

	def do(self, seconds: float, then: Callable[[], None]) -> None:
		self._advance()
		heappush(self._jobs, (self._done + seconds, next(self._number), then))
		self._expect()

	def _advance(self) -> None:
		passed, self._since = self._clock.now - self._since, self._clock.now
		self.busy += passed * min(len(self._jobs), self.cores)
		self._done += passed * min(1.0, self.cores / max(1, len(self._jobs)))

	def _expect(self) -> None:
		self._turn += 1
		if self._jobs:
			turn, left = self._turn, self._jobs[0][0] - self._done
			moment = self._clock.now + max(0.0, left) * max(1.0, len(self._jobs) / self.cores)
			self._clock.at(moment, lambda: self._finish(turn))

	def _finish(self, turn: int) -> None:
		if turn == self._turn:  # else others have come or gone since
			self._advance()
			_, _, then = heappop(self._jobs)
			self._expect()
			then()
