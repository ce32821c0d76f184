"""Whether the CDN really shows what was published: which addresses are asked after a purge, and what their answers mean.

Pure. A purge that a CDN accepts may still do nothing: another cache in between, another zone, a rule of its own. So a few
addresses of each purge are asked until they show what is live. `maintenance.edge_check` asks.

- Asked are addresses that apps read without a version. All others carry it, so no cache can show an old one.
- An answer is *right* if it is of the live version or a newer one, or says that a removed file is gone.
- It is *old* if it is of an earlier version, if a removed document is still there, or a live one is not.
- All else is *unknown*: no connection, a login page, an error of the CDN's. It proves nothing. After an hour
  the address is dropped, unless it was old.
- An address is *stale* if it is old 10 minutes after the purge. A new version at an old address starts the 10 minutes again,
  another purge does not: else nothing that is edited often would ever be stale.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from typing import Literal, NamedTuple

MOST_A_PURGE = 20
MOST = 40
"""How many addresses are asked about after one purge, and at all. Where a CDN forgets nothing, a few tell it."""

FIRST_SECONDS = 10
"""After the purge: most CDNs have forgotten by then."""

STALE_SECONDS = 600
_AGAIN_SECONDS = 60
_LATER_SECONDS = 300
"""Between two questions, and once an address is stale."""

_UNKNOWN_SECONDS = 3600

_GONE = (401, 403, 404, 410)
"""What a storage answers for a file that is not there, depending on whether its files may be listed."""

_KINDS = (
	re.compile(r"plans/index\.json"),
	re.compile(r"plans/[^/]+/manifest\.json"),
	re.compile(r"(plans/[^/]+/)?lessons/[^/]+\.json"),
	re.compile(r"plans/[^/]+/search_index\.json"),
)

Verdict = Literal["", "right", "old", "unknown", "between"]
"""Nothing yet; and *between*: the file is being written, or in its grace, so that either answer is right."""


class Answer(NamedTuple):
	"""What an address has answered: the status, 0 for no answer; the document's version, -1 for no document; `Age` in
	seconds, -1 without."""

	status: int
	version: int = -1
	age: int = -1


class Watched(NamedTuple):
	"""An address, without the base, that is asked until it shows what is live. Moments are Unix seconds: `since` its purge,
	or since it last showed something new, `noted` its last purge, `due` the next question, `asked` the last."""

	path: str
	since: float
	noted: float
	due: float
	asked: float = 0.0
	verdict: Verdict = ""
	answer: Answer = Answer(0)

	@property
	def is_stale(self) -> bool:
		"""Whether it was old when it was last asked, 10 minutes after the purge."""
		return self.verdict == "old" and self.asked - self.since >= STALE_SECONDS

	@property
	def is_unreadable(self) -> bool:
		"""Whether it has told nothing for 10 minutes."""
		return self.verdict == "unknown" and self.asked - self.since >= STALE_SECONDS


def is_asked(path: str) -> bool:
	"""Whether apps read this file without its version, so that a cache may show them an old one."""
	return any(kind.fullmatch(path) for kind in _KINDS)


def add(watched: Sequence[Watched], purged: Iterable[str], now: float) -> list[Watched]:
	"""`watched` with the most telling of the addresses that were purged; one that is asked already goes on as it is."""
	known = {each.path: each for each in watched}
	for path in _telling(purged):
		before = known.get(path)
		if before:
			known[path] = before._replace(noted=now, due=min(before.due, now + FIRST_SECONDS))
		elif len(known) < MOST:
			known[path] = Watched(path, since=now, noted=now, due=now + FIRST_SECONDS)
	return list(known.values())


def _telling(purged: Iterable[str]) -> list[str]:
	"""Some of each kind in turn, so that many of one do not hide the others."""
	listed = list(dict.fromkeys(purged))
	of_kinds = [[path for path in listed if kind.fullmatch(path)] for kind in _KINDS]
	in_turn: Iterator[str | None] = chain.from_iterable(zip_longest(*of_kinds))
	return [path for path in in_turn if path][:MOST_A_PURGE]


def judge(wanted: int, answer: Answer) -> Verdict:
	"""What an answer tells where this version is live; 0 where the file was removed."""
	if answer.status == 200 and answer.version >= 0:
		return "right" if 0 < wanted <= answer.version else "old"
	if not wanted:
		return "right" if answer.status in (200, *_GONE) else "unknown"
	return "old" if answer.status in (404, 410) else "unknown"


def after(asked: Watched, verdict: Verdict, answer: Answer, now: float) -> Watched | None:
	"""The address as it is watched after an answer; None where there is no more to ask."""
	if verdict in ("", "right"):
		return None
	if verdict != "old" and asked.verdict == "old":  # an hour's fault of the CDN's makes it no better
		return asked._replace(due=now + _AGAIN_SECONDS)
	if verdict != "old" and now - asked.since >= _UNKNOWN_SECONDS:
		return None
	if verdict == "between":
		return asked._replace(due=now + _AGAIN_SECONDS)
	moved_on = asked.verdict == verdict == "old" and answer.version > asked.answer.version
	since = now if moved_on else asked.since
	pause = _LATER_SECONDS if now - since >= STALE_SECONDS else _AGAIN_SECONDS
	return asked._replace(since=since, due=now + pause, asked=now, verdict=verdict, answer=answer)


def merge(
	watched: Sequence[Watched], results: Iterable[tuple[Watched, Watched | None]], now: float
) -> list[Watched]:
	"""What is watched now, with what became of those that were asked. One that was purged again meanwhile is asked again."""
	known = {each.path: each for each in watched}
	for asked, result in results:
		current = known.get(asked.path)
		if current is None:
			continue
		if current.noted != asked.noted:
			again = result or Watched(asked.path, current.noted, current.noted, now)
			known[asked.path] = again._replace(noted=current.noted, due=now + FIRST_SECONDS)
		elif result:
			known[asked.path] = result
		else:
			del known[asked.path]
	return list(known.values())
