"""The interface of a CDN's cache: told which URLs have changed, it forgets what it holds of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PurgeResult:
	"""The result of a purge. `failed` URLs can be given to `purge` again, not before `retry_after` seconds.

	`error` says why and how to fix it in a sentence, "" if nothing failed. `final` is True if another try is useless
	until an admin has changed CDN Settings.
	"""

	purged: tuple[str, ...] = ()
	failed: tuple[str, ...] = ()
	retry_after: float | None = None
	error: str = ""
	final: bool = False


class CachePurge(ABC):
	"""A CDN's cache, seen from the one side that matters here."""

	name: str  # the CDN, as people call it
	active: bool = True  # False: there is no cache to purge, so nothing needs to be noted for later

	@abstractmethod
	def purge(self, urls: Sequence[str]) -> PurgeResult:
		"""Make the CDN forget these URLs, absolute and just as readers ask for them: the query is part of
		the cache's key. Never raises for what the CDN or the network does; the result says it."""

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
