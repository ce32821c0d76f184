"""What a CDN's cache should forget: noted in the transaction that makes it stale, purged after it.

A purge that fails is tried again by itself with growing pauses, and never fails a build. If its worker dies, the next
check purges it. A CDN that takes its time gives a receipt, by which later checks ask whether it is done. Whether it then shows
what is live is asked of a few addresses (`maintenance.edge_check`).
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

from memora.services.cdn_export.cache_purge import Outcome, PurgeResult, Stale
from memora.services.cdn_export.delivery import purge_budget, tagged_cache
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import paths, plain_text, published_file
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.state import database, edge_notes

TABLE = "CDN Purge"
_AT_ONCE = 5_000
_LONGEST_PAUSE_MINUTES = 60
_REST_SECONDS = 60
"""A CDN that does not answer can take two minutes to say so: no build of this run is to wait for that again so soon."""

_ASK_SECONDS = 30
"""Between two questions whether a purge is done; the check comes once a minute."""

_ASKED_AT_ONCE = 20
_SLOW_MINUTES = 15
"""A purge that takes longer is said on the dashboard: CloudFront's are over in 25 seconds, as a rule."""

_KEPT_HOURS = 24
"""Longer than what has no version may be cached (300 s): by then caches have forgotten it themselves, and it is logged."""

_FOR_GOOD = re.compile("/(media|subjects|search|units)/|/lessons/[^/]+/")
"""In the URL of what caches may keep for a year: it is tried until it is purged."""


def urls(path: str, version: int) -> tuple[str, str]:
	"""The URLs, relative to the CDN's base, under which caches may hold a file: the query is part of the key."""
	return path, paths.versioned(path, version)


def of(entry: LedgerEntry) -> list[Stale]:
	"""What is stale once this live file is replaced or removed, relative to the CDN's base. It has tags only where it is certain
	that what caches hold carries just these: else an upload that was broken off, or an earlier release, may have written
	others, or none. No cache holds what the gate alone reads."""
	if entry.kind == "access":
		return []
	certain = (entry.state == "live" or entry.is_left) and not entry.outdated
	tags = published_file.tags(entry.path, entry.subject) if certain else ("", "")
	return [Stale(url, *tags) for url in urls(entry.path, entry.live_version or entry.version)]


def by_url(entry: LedgerEntry) -> list[Stale]:
	"""As `of`, by its addresses whatever the CDN is told to purge by: where much depends on that it reads them."""
	return [Stale(url) for url in urls(entry.path, entry.live_version)]


def of_media(media_paths: Iterable[str]) -> list[Stale]:
	"""Pictures have one address each, which costs no more than a tag."""
	return [Stale(path) for path in media_paths]


def add(target: PublishTarget, stale: Iterable[Stale]) -> None:
	"""Note what to purge, by URLs relative to the CDN's base, in the caller's transaction. Nothing to do where there is no
	cache."""
	if not target.purge.active or not target.options.base_url:
		return
	now = now_datetime()
	database.upsert(
		TABLE,
		("name", "url", "file_tag", "scope_tag", "receipt", "tries", "next_try_at"),
		[
			(
				frappe.generate_hash(length=20),
				f"{target.options.base_url}/{url}",
				file_tag,
				scope_tag,
				"",
				0,
				now,
			)
			for url, file_tag, scope_tag in dict.fromkeys(stale)
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
	_ask_after(target)
	purged, tags_hold = 0, None
	while True:
		frappe.db.commit()
		rows = frappe.db.sql(
			f"""select name, url, tries, creation, file_tag, scope_tag from `tab{TABLE}`
				where next_try_at <= %s and coalesce(receipt, '') = '' order by creation limit {_AT_ONCE}""",
			(now_datetime(),),
		)
		frappe.db.commit()
		if not rows:
			return purged
		target.ownership.claim()
		if tags_hold is None:
			tags_hold = tagged_cache.holds(target)
		result = target.purge.forget(
			[Stale(url, *((file, scope) if tags_hold else ())) for _, url, _, _, file, scope in rows]
		)
		done = set(result.purged)
		database.transaction(partial(_settle, target, rows, done, result))
		purge_budget.warn(target.options.purge_budget)
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


def _settle(target: PublishTarget, rows: Sequence[tuple], done: set[str], result: PurgeResult) -> None:
	"""Forget what is done, or what caches have forgotten themselves; the rest is tried again, each time after a longer pause."""
	now = now_datetime()
	finished, again, begun = [], defaultdict(list), defaultdict(list)
	for name, url, tries, creation, *_tags in rows:
		if url in done and (receipt := result.receipts.get(url)):
			begun[receipt].append(name)
		elif url in done:
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
	for receipt, names in begun.items():
		values = (receipt, now + timedelta(seconds=_ASK_SECONDS))
		database.update_names(TABLE, names, "receipt = %s, next_try_at = %s", values)
	database.delete_names(TABLE, finished)
	purge_budget.spend(result.spent)
	_watch(target, done.difference(result.receipts))


def _ask_after(target: PublishTarget) -> None:
	"""Ask what has become of purges that were begun."""
	frappe.db.commit()
	begun = frappe.db.sql(
		f"""select receipt, min(creation) from `tab{TABLE}` where next_try_at <= %s and receipt <> ''
			group by receipt order by min(creation) limit {_ASKED_AT_ONCE}""",
		(now_datetime(),),
	)
	frappe.db.commit()
	for receipt, since in begun:
		outcome = target.purge.outcome(receipt)
		database.transaction(partial(_note, target, receipt, since, outcome))


def _note(target: PublishTarget, receipt: str, since: datetime, outcome: Outcome) -> None:
	now = now_datetime()
	if outcome.state == "done":
		_watch(
			target, frappe.db.sql(f"select url from `tab{TABLE}` where receipt = %s", (receipt,), pluck=True)
		)
		frappe.db.sql(f"delete from `tab{TABLE}` where receipt = %s", (receipt,))
	elif outcome.state == "unknown":  # another CDN's, or too old: it is asked for again
		frappe.db.sql(
			f"update `tab{TABLE}` set receipt = '', next_try_at = %s where receipt = %s", (now, receipt)
		)
	else:
		slow = now - since > timedelta(minutes=_SLOW_MINUTES)
		frappe.db.sql(
			f"update `tab{TABLE}` set next_try_at = %s, tries = %s, error = %s where receipt = %s",
			(
				now + timedelta(seconds=_ASK_SECONDS),
				int(slow),
				plain_text.store(outcome.error) if slow else "",
				receipt,
			),
		)


def _watch(target: PublishTarget, forgotten: Iterable[str]) -> None:
	"""Have some of the addresses asked for that the cache says it has forgotten."""
	top = f"{target.options.base_url}/"
	paths = sorted(url.removeprefix(top) for url in forgotten if url.startswith(top))
	edge_notes.add(target.cache, paths, time.time())
