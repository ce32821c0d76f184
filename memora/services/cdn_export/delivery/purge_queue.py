"""URLs that a CDN's cache should forget: noted in the transaction that makes them stale, purged after it.

A purge that fails is tried again by itself with growing pauses, and never fails a build. If its worker dies, the next
check purges it.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

import frappe
from frappe.utils import now_datetime

from memora.services.cdn_export.cache_purge import PurgeResult
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import paths, plain_text
from memora.services.cdn_export.state import database

TABLE = "CDN Purge"
_AT_ONCE = 5_000
_LONGEST_PAUSE_MINUTES = 60
_REST_SECONDS = 60
"""A CDN that does not answer can take two minutes to say so: no build of this run is to wait for that again so soon."""

_KEPT_HOURS = 24
"""Longer than what has no version may be cached (300 s): by then caches have forgotten it themselves, and it is logged."""

_FOR_GOOD = re.compile("/(media|subjects|search|units)/|/lessons/[^/]+/")
"""In the URL of what caches may keep for a year: it is tried until it is purged."""


def urls(path: str, version: int) -> tuple[str, str]:
	"""The URLs, relative to the CDN's base, under which caches may hold a file: the query is part of the key."""
	return path, paths.versioned(path, version)


def add(target: PublishTarget, relative_urls: Iterable[str]) -> None:
	"""Note URLs to purge, in the caller's transaction. Nothing to do where there is no cache."""
	if not target.purge.active or not target.options.base_url:
		return
	now = now_datetime()
	database.upsert(
		TABLE,
		("name", "url", "tries", "next_try_at"),
		[
			(frappe.generate_hash(length=20), f"{target.options.base_url}/{url}", 0, now)
			for url in dict.fromkeys(relative_urls)
		],
		"tries = tries",
	)


def is_due(now: datetime) -> bool:
	"""Whether a noted purge has waited long enough."""
	return bool(frappe.db.sql(f"select 1 from `tab{TABLE}` where next_try_at <= %s limit 1", (now,)))


def waits(until: datetime) -> bool:
	"""Whether a lesson, or a lesson's file, that was noted up to a moment is still to be purged."""
	return bool(
		frappe.db.sql(
			f"select 1 from `tab{TABLE}` where creation <= %s and url like '%%/lessons/%%' limit 1", (until,)
		)
	)


def failing() -> tuple[int, str]:
	"""How many addresses could not be purged yet, and why the last of them could not."""
	((count, error),) = frappe.db.sql(
		f"select count(*), max(error) from `tab{TABLE}` where tries > 0",
	)
	return count, error or ""


def run(target: PublishTarget) -> int:
	"""Purge what is due. Returns how many URLs were purged; never raises for what the CDN does, but what
	`Ownership.claim` raises."""
	if not target.purge.active or time.monotonic() < target.purge_rests_until:
		return 0
	purged = 0
	while True:
		frappe.db.commit()
		rows = frappe.db.sql(
			f"select name, url, tries, creation from `tab{TABLE}` where next_try_at <= %s order by creation limit {_AT_ONCE}",
			(now_datetime(),),
		)
		frappe.db.commit()
		if not rows:
			return purged
		target.ownership.claim()
		result = target.purge.purge(list(dict.fromkeys(row[1] for row in rows)))
		done = set(result.purged)
		database.transaction(partial(_settle, rows, done, result))
		purged += len(done)
		if result.failed:
			if not result.purged:
				target.purge_rests_until = time.monotonic() + _REST_SECONDS
			frappe.logger("memora").warning(
				f"{len(result.failed)} URLs could not be purged and will be tried again: {result.error}"
			)
			return purged


def forget_without_cache(target: PublishTarget) -> None:
	"""Delete what is noted if CDN Settings name no cache any more: nothing can purge it."""
	if not target.purge.active:
		database.transaction(lambda: frappe.db.sql(f"delete from `tab{TABLE}`"))


def _settle(rows: Sequence[tuple], done: set[str], result: PurgeResult) -> None:
	"""Forget what is done, or what caches have forgotten themselves; the rest is tried again, each time after a longer pause."""
	now = now_datetime()
	finished, again = [], defaultdict(list)
	for name, url, tries, creation in rows:
		if url in done:
			finished.append(name)
		elif now - creation > timedelta(hours=_KEPT_HOURS) and not _FOR_GOOD.search(url):
			finished.append(name)
			frappe.logger("memora").error(f"{url} could not be purged in {_KEPT_HOURS} h: {result.error}")
		else:
			again[tries].append(name)
	for tries, names in again.items():
		pause = max(min(2**tries, _LONGEST_PAUSE_MINUTES) * 60, result.retry_after or 0)
		values = (now + timedelta(seconds=pause), plain_text.store(result.error))
		database.update_names(TABLE, names, "tries = tries + 1, next_try_at = %s, error = %s", values)
	database.delete_names(TABLE, finished)
