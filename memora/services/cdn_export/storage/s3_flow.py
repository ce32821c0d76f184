"""How many writes should be on their way to a server at once: more while it takes them quickly, fewer when it does not."""

from __future__ import annotations

import threading

FIRST = 64  # writes at once to begin with
FEWEST = 4
QUICK_SECONDS = 1.0  # a write that takes no longer makes room for more
SLOW_SECONDS = 5.0  # one that takes so long says that there are too many: a weak line, or retries


class Flow:
	"""A number of writes at once that follows what the server and the line take.

	Each write that is quick makes room for one more, up to `most`: so the number doubles with each round trip until it is as
	large as the latency needs. One that is slow, or that fails, halves it, once for all writes that were on their way; from
	then on it grows by one with each round trip.
	"""

	def __init__(self, most: int) -> None:
		self._most = most
		self._allowed = float(min(FIRST, most))
		self._cuts = 0
		self._lock = threading.Lock()

	@property
	def allowed(self) -> int:
		"""Writes at once, as of now."""
		return int(self._allowed)

	def begin(self) -> int:
		"""A write begins. What it returns belongs into `end`."""
		return self._cuts

	def end(self, began: int, *, seconds: float, is_well: bool) -> None:
		"""It has taken so long, and was brought to a good end or not."""
		with self._lock:
			if is_well and seconds <= QUICK_SECONDS:
				more = 1 if not self._cuts else 1 / self._allowed
				self._allowed = min(self._most, self._allowed + more)
			elif (not is_well or seconds >= SLOW_SECONDS) and began == self._cuts:
				self._cuts += 1  # the others that were on their way say the same once more
				self._allowed = max(FEWEST, self._allowed / 2)
