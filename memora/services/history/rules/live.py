"""Which state of a document learners have, and in which run each went out."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta

_RENDERED = timedelta(minutes=2)
"""A file's version is a little later than the moment whose content it shows."""


def place(changes: Sequence[datetime], is_current: bool, since: datetime | None) -> int | None:
	"""The change, by its place among these, the newest first, whose state is live; None if none of them is, or that is not known.

	`since` is when what is live was made, None where nothing is live; `is_current` whether it shows all changes.
	"""
	if since is None:
		return None
	if is_current:
		return 0 if changes else None
	for at, moment in enumerate(changes):
		if moment <= (since if at else since - _RENDERED):
			return at
	return None


def runs(changes: Sequence[datetime], starts: Sequence[datetime]) -> list[int | None]:
	"""For each of these changes, the newest first, the first run that took its state up, by its place among the `starts` of runs,
	the oldest first. None where none began before the next change."""
	found: list[int | None] = []
	for at, moment in enumerate(changes):
		place = bisect_left(starts, moment)
		is_before_next = place < len(starts) and (at == 0 or starts[place] < changes[at - 1])
		found.append(place if is_before_next else None)
	return found
