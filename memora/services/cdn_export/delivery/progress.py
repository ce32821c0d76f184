"""How far a build has come, for whoever watches: open Desks are told to look again, and how much is up is kept for
those that look.

Nothing here is needed for publishing. It lives in the cache, is told about once a second however many builds that
takes, and never raises.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import frappe
import redis

from memora.services.cdn_export.model.scopes import Scope

EVENT = "memora_publishing"
_SECONDS_BETWEEN = 1.0
_KEPT_SECONDS = 120


class Progress:
	"""What one run tells of its builds."""

	def __init__(self) -> None:
		self._told_at = float("-inf")
		self._is_news = False
		self._kept: set[str] = set()

	@contextmanager
	def shown(self, scope: Scope) -> Iterator[None]:
		"""Say that a build of this scope has begun, and at the end that it is over, well or badly."""
		self._tell()
		try:
			yield
		finally:
			if scope.id in self._kept:
				self._kept.discard(scope.id)
				with suppress(redis.RedisError, OSError):
					frappe.cache().delete_value(_key(scope.id))
			self._tell()

	def teller(self, scopes: Iterable[Scope]) -> Callable[[int, int], None]:
		"""What the upload for these scopes calls with the files that are up, and all there are."""
		told = time.monotonic()

		def tell(done: int, total: int) -> None:
			nonlocal told
			if time.monotonic() - told < _SECONDS_BETWEEN:
				return
			told = time.monotonic()
			for scope in scopes:
				self._kept.add(scope.id)
				with suppress(redis.RedisError, OSError):
					frappe.cache().set_value(
						_key(scope.id), {"done": done, "total": total}, expires_in_sec=_KEPT_SECONDS
					)
			self._tell()

		return tell

	def flush(self) -> None:
		"""Tell what has not been told yet: before the run waits, or turns to something else."""
		if not self._is_news:
			return
		self._told_at, self._is_news = time.monotonic(), False
		with suppress(redis.RedisError, OSError):
			frappe.publish_realtime(EVENT)

	def _tell(self) -> None:
		self._is_news = True
		if time.monotonic() - self._told_at >= _SECONDS_BETWEEN:
			self.flush()


def of_scopes(ids: Iterable[str]) -> dict[str, dict[str, int]]:
	"""How far the builds of these scopes are, where anything is known of them."""
	found = {}
	for scope_id in ids:
		with suppress(redis.RedisError, OSError):
			if known := frappe.cache().get_value(_key(scope_id), expires=True):
				found[scope_id] = known
	return found


def _key(scope_id: str) -> str:
	return f"memora_progress:{scope_id}"
