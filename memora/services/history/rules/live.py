"""Which state of a document learners have."""

from __future__ import annotations

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
