"""The addresses that the CDN is asked about after a purge, in one note of the site: `rules.edge_watch` says which.

The note begins with the second in which the next question is due, for the check of each minute. It speaks of one cache; where
CDN Settings name another one, it is empty again, and what was seen before no longer counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from frappe.utils import now_datetime

from memora.services.cdn_export.rules import edge_watch
from memora.services.cdn_export.rules.edge_watch import Answer, Watched
from memora.services.cdn_export.state import site_values

NOTE = "memora_edge"
DUE = f"""(select 1 from `tabDefaultValue` where name = '{NOTE}'
	and cast(substring_index(coalesce(defvalue, ''), ' ', 1) as unsigned) between 1 and %s)"""
"""SQL: whether a question is due by a Unix second."""


class Notes(NamedTuple):
	"""What is noted of one cache: the addresses, and since when it is the one that CDN Settings name."""

	cache: str = ""
	since: str = ""
	watched: tuple[Watched, ...] = ()

	@property
	def began(self) -> datetime | None:
		return datetime.fromisoformat(self.since) if self.since else None


def read() -> Notes:
	"""What is noted. One statement."""
	return _parse(site_values.read(NOTE))


def of_cache(cache: str) -> Notes:
	"""What is noted of this cache, nothing if that is of another one. One statement."""
	notes = read()
	return notes if notes.cache == cache else Notes()


def add(cache: str, purged: Iterable[str], now: float) -> None:
	"""Have some of these paths asked for, which the cache was told to forget. In the caller's transaction."""
	paths = [path for path in purged if edge_watch.is_asked(path)]
	if paths:
		change(cache, lambda watched: edge_watch.add(watched, paths, now))


def change(cache: str, work: Callable[[Sequence[Watched]], Sequence[Watched]]) -> None:
	"""Change what is noted of the cache, kept from others until the caller's transaction ends."""
	notes = _parse(site_values.locked(NOTE))
	if notes.cache != cache:
		notes = Notes(cache, str(now_datetime()))
	site_values.write(NOTE, _text(notes._replace(watched=tuple(work(notes.watched)))))


def forget() -> None:
	"""Ask about nothing any more: no cache is purged. In the caller's transaction."""
	if site_values.read(NOTE):
		site_values.write(NOTE, "")


def _text(notes: Notes) -> str:
	due = min((int(each.due) + 1 for each in notes.watched), default=0)
	return f"{due} {json.dumps(notes)}"


def _parse(noted: str | None) -> Notes:
	_due, _, text = (noted or "").partition(" ")
	if not text:
		return Notes()
	cache, since, watched = json.loads(text)
	return Notes(
		cache, since, tuple(Watched._make([*values, Answer._make(answer)]) for *values, answer in watched)
	)
