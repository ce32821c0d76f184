"""Run memora's batch the way the scheduler does, wait until nothing waits, and see what it did to the storage."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import frappe
from frappe.utils.background_jobs import get_queue

from memora.services.cdn_export.model import paths
from memora.services.cdn_export.storage import Storage, StoredObject

from . import console

ENTRY_POINT = "memora.services.cdn_export.batch_processor.process_pending_plans"
PATIENCE_SECONDS = 180
SETTLE_SECONDS = 20
EARLIER_JOBS_SECONDS = 60
POLL_SECONDS = 0.1
QUEUES = ("short", "default", "long")


class BatchError(Exception):
	"""The batch did not publish what waits; the message says why."""


@dataclass(frozen=True, slots=True)
class Seen:
	"""One published file: what tells a write apart, its size, and its version (0: it has none)."""

	written: tuple[str, datetime | None]
	size: int
	version: int


Snapshot = dict[str, Seen]


@dataclass(frozen=True, slots=True)
class Batch:
	"""What one batch did to the storage."""

	seconds: float
	before: Snapshot
	after: Snapshot

	@property
	def written(self) -> list[str]:
		"""The files that were written, changed or not."""
		return [
			path
			for path, seen in self.after.items()
			if path not in self.before or seen.written != self.before[path].written
		]

	@property
	def removed(self) -> list[str]:
		return [path for path in self.before if path not in self.after]

	@property
	def bytes(self) -> int:
		return sum(self.after[path].size for path in self.written)


def run(storage: Storage, known: Snapshot | None = None) -> Batch:
	"""Put the scheduler's job on the queue and return when nothing waits any more.

	`known` is a snapshot of before; what it knows is not read again.
	"""
	before = snapshot(storage, known or {})
	started = time.monotonic()
	job = frappe.get_doc("Scheduled Job Type", {"method": ENTRY_POINT})
	if not job.enqueue(force=True):
		# RQ still calls the job before this one started: its worker was killed.
		frappe.enqueue(ENTRY_POINT, queue="long")  # frapast:ignore FR-HOOK-004 (a batch may run twice)
	try:
		_wait_until_nothing_waits(started + PATIENCE_SECONDS)
	finally:
		console.done_passing()
	return Batch(time.monotonic() - started, before, snapshot(storage, before))


def let_jobs_end() -> None:
	"""Wait until none of the site's jobs is left, so that a batch is timed without them."""
	deadline = time.monotonic() + EARLIER_JOBS_SECONDS
	while _jobs() and time.monotonic() < deadline:
		console.passing("other jobs of the site come first")
		time.sleep(POLL_SECONDS)
	console.done_passing()


def snapshot(storage: Storage, known: Mapping[str, Seen]) -> Snapshot:
	"""Return all that is published; of files that are as `known` says, nothing is read."""

	def see(found: StoredObject) -> tuple[str, Seen]:
		written = (found.etag, found.modified)
		if found.path in known and known[found.path].written == written:
			return found.path, known[found.path]
		body = storage.get(found.path) if found.path.endswith(".json") else None
		return found.path, Seen(written, found.size, json.loads(body).get("version", 0) if body else 0)

	with ThreadPoolExecutor(storage.threads) as pool:
		return dict(pool.map(see, published(storage)))


def published(storage: Storage) -> Iterator[StoredObject]:
	"""All that is published, without the mark that says which site publishes here."""
	return (found for found in storage.list() if found.path != paths.MARK)


def _wait_until_nothing_waits(deadline: float) -> None:
	settled = None
	while True:
		frappe.db.rollback()  # a new snapshot of the database
		changes, waiting, failed = _state()
		console.passing(f"{changes:,} changes and {waiting} plans and subjects wait")
		if failed:
			raise BatchError(f"{failed[0][0]} could not be published: {failed[0][1]}")
		now = time.monotonic()
		if changes or waiting:
			settled = None
		else:
			settled = settled or now
			if not _jobs() or now - settled > SETTLE_SECONDS:
				return
		if now > deadline:
			raise BatchError(
				f"the batch has not ended in {PATIENCE_SECONDS} s: {changes:,} changes and {waiting} plans and "
				"subjects still wait. Does a worker run?"
			)
		time.sleep(POLL_SECONDS)


def _state() -> tuple[int, int, Sequence[tuple[str, str]]]:
	"""Return the changes not relayed yet, the plans and subjects that wait, and what failed, with its reason."""
	changes = frappe.db.count("CDN Change")
	waiting = frappe.db.sql(
		"""select count(*) from `tabCDN Publish State` where published_generation < generation
		and (scope_type != 'subject'
			or exists (select 1 from `tabCDN Rendition` r where r.subject = ref and r.mode = 'shared'))"""
	)[0][0]
	failed = frappe.db.sql(
		"""select concat(scope_type, ' ', ref), last_error from `tabCDN Publish State`
		where (retry_count > 0 or dead_since is not null) and published_generation < generation"""
	)
	return changes, waiting, failed


def _jobs() -> int:
	"""Return how many of the site's jobs are queued or at work."""
	ours = frappe.local.site
	return sum(
		job.startswith(ours)
		for queue in map(get_queue, QUEUES)
		for job in (*queue.get_job_ids(), *queue.started_job_registry.get_job_ids())
	)
