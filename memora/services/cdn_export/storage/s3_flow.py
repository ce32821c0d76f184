"""How many writes are on their way to a server at once: more while it takes them, half as many when it asks for fewer."""

from __future__ import annotations

import threading

FIRST = 64  # writes at once to begin with
FEWEST = 4


class Flow:
	"""A bound on writes at once that follows what the server takes.

	Each write that goes through makes room for one more, up to `most`: so the number doubles with each round trip until
	it is as large as the latency needs. A server that is busy halves it, once for all writes that were on their way;
	from then on it grows by one with each round trip.
	"""

	def __init__(self, most: int) -> None:
		self._most = most
		self._allowed = float(min(FIRST, most))
		self._under_way = 0
		self._cuts = 0
		self._freed = threading.Condition()

	@property
	def allowed(self) -> int:
		"""Writes at once, as of now."""
		return int(self._allowed)

	def begin(self) -> int:
		"""Wait for room. What it returns belongs into `end`."""
		with self._freed:
			while self._under_way >= self.allowed:
				self._freed.wait()
			self._under_way += 1
			return self._cuts

	def end(self, began: int, *, is_busy: bool) -> None:
		"""Make room again, once for each `begin`; `is_busy` when the server asked for fewer requests."""
		with self._freed:
			self._under_way -= 1
			if not is_busy:
				more = 1 if not self._cuts else 1 / self._allowed
				self._allowed = min(self._most, self._allowed + more)
			elif began == self._cuts:  # the others that were on their way say the same once more
				self._cuts += 1
				self._allowed = max(FEWEST, self._allowed / 2)
			self._freed.notify(2)
