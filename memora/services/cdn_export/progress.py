"""How far a build has come, for whoever watches: told to open Desks as it happens, and kept for those that ask.

Nothing here is needed for publishing. It lives in the cache, is told at most once a second, and never raises.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import frappe
import redis

from memora.services.cdn_export.scopes import Scope

EVENT = "memora_publishing"
_SECONDS_BETWEEN = 1.0
_KEPT_SECONDS = 120


@contextmanager
def shown(scope: Scope) -> Iterator[None]:
	"""Say that a build of this scope has begun, and at the end that it is over, well or badly."""
	_tell(scope, "building")
	try:
		yield
	finally:
		with suppress(redis.RedisError, OSError):
			frappe.cache().delete_value(_key(scope.id))
		_tell(scope, "done")


def teller(scope: Scope) -> Callable[[int, int], None]:
	"""What an upload calls with the files that are up, and all there are."""
	told = time.monotonic()

	def tell(done: int, total: int) -> None:
		nonlocal told
		if time.monotonic() - told < _SECONDS_BETWEEN:
			return
		told = time.monotonic()
		with suppress(redis.RedisError, OSError):
			frappe.cache().set_value(
				_key(scope.id), {"done": done, "total": total}, expires_in_sec=_KEPT_SECONDS
			)
		_tell(scope, "building", done=done, total=total)

	return tell


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


def _tell(scope: Scope, state: str, **numbers: Any) -> None:
	with suppress(redis.RedisError, OSError):
		frappe.publish_realtime(EVENT, {"type": scope.type, "ref": scope.ref, "state": state, **numbers})
