"""The interface of a CDN's cache: told what has changed, it forgets what it holds of it.

What changed is said by its addresses and by the tags that its object carries; the back end chooses by which it asks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple


class Stale(NamedTuple):
	"""An address that caches may hold, and the tags of what they got there: "" where it is not certain that they know any.

	The URL is absolute and just as readers ask for it: the query is part of the cache's key.
	"""

	url: str
	file_tag: str = ""
	scope_tag: str = ""


class Outcome(NamedTuple):
	"""What has become of a purge that was begun. `unknown`: the CDN does not know it, so it must be asked for again."""

	state: Literal["done", "waiting", "unknown"]
	error: str = ""


@dataclass(frozen=True, slots=True)
class PurgeResult:
	"""The result of a purge. `failed` URLs can be asked for again, not before `retry_after` seconds.

	`error` says why and how to fix it in a sentence, "" if nothing failed. `final` is True if another try is useless
	until an admin has changed CDN Settings. `spent` is how many addresses and tags the CDN has counted. A purged URL that
	has a receipt in `receipts` is only forgotten once `CachePurge.outcome` says so.
	"""

	purged: tuple[str, ...] = ()
	failed: tuple[str, ...] = ()
	retry_after: float | None = None
	error: str = ""
	final: bool = False
	spent: int = 0
	receipts: Mapping[str, str] = field(default_factory=dict)


class CachePurge(ABC):
	"""A CDN's cache, seen from the one side that matters here."""

	name: str  # the CDN, as people call it
	active: bool = True  # False: there is no cache to purge, so nothing needs to be noted for later
	by_tag: bool = False  # True: asks by tag for what has one
	place: str = ""  # which of the CDN's caches it is: zone, distribution, service

	def behind(self, base_url: str) -> str:
		"""Which cache this is, at the address that apps read through it."""
		return cache_name(self.name, self.place, base_url)

	@abstractmethod
	def purge(self, urls: Sequence[str]) -> PurgeResult:
		"""Make the CDN forget these URLs, absolute and just as readers ask for them: the query is part of
		the cache's key. Never raises for what the CDN or the network does; the result says it."""

	def forget(self, stale: Sequence[Stale]) -> PurgeResult:
		"""`purge`, by whatever the CDN knows best: the result speaks of the URLs."""
		result = self.purge(list(dict.fromkeys(each.url for each in stale)))
		return result if result.spent else _counted(result)

	def everything(self) -> PurgeResult:
		"""Make the CDN forget all that it holds of CDN Base URL. The result names no URLs, but an error, or what was spent."""
		return PurgeResult()

	def outcome(self, receipt: str) -> Outcome:
		"""What has become of the purge with this receipt. Never raises for what the CDN or the network does."""
		return Outcome("unknown")

	@abstractmethod
	def verify(self, url: str) -> None:
		"""Check that purging works by purging one URL, which need not exist. PurgeError says what is wrong
		and where to fix it."""


class NoPurge(CachePurge):
	"""No CDN in front of the storage, or one that only forgets with time."""

	name = "None"
	active = False

	def purge(self, urls: Sequence[str]) -> PurgeResult:
		"""Nothing to do, so all is done."""
		return PurgeResult(purged=tuple(urls))

	def verify(self, url: str) -> None:
		"""Always fine."""


def _counted(result: PurgeResult) -> PurgeResult:
	return PurgeResult(
		result.purged, result.failed, result.retry_after, result.error, result.final, spent=len(result.purged)
	)


def cache_name(cdn: str, place: str, base_url: str) -> str:
	"""What a CDN's cache is told apart from others by."""
	return f"{cdn}|{place}|{base_url}"
