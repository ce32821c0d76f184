"""From changes to builds: the batch, the minute's look, and the drains that build until nothing waits.

`process_pending_plans` and `check_due` are the scheduler's two entries. A batch folds, puts right what Redis
shows, and starts drain jobs, as many as workers can take; where no worker listens it drains itself. A drain
takes one due scope after another: lease, build, record; plans that need the same and nothing else as a group. One
failing plan is one caught, recorded failure.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

import frappe
import redis
from frappe.utils import now_datetime
from frappe.utils.background_jobs import get_queue
from rq import Worker

from memora.exceptions import (
	LeaseLostError,
	MemoraError,
	PlaceRefusedError,
	ScopeBusyError,
	StorageConfigurationError,
)
from memora.services.cdn_export import settings
from memora.services.cdn_export.builds import (
	commit,
	event_log,
	failures,
	index_build,
	media,
	plan_build,
	plan_group,
	subject_build,
)
from memora.services.cdn_export.builds.commit import Counts, Site
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.maintenance import dormancy, metadata_renewal, signature_renewal
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import (
	database,
	publish_state,
	redis_mirror,
	relocation,
	site_values,
	sync_log,
)
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state.lease import Lease
from memora.services.cdn_export.state.publish_state import State

RUN_BATCH = "memora.services.cdn_export.batch_processor.run_batch"
DRAIN = "memora.services.cdn_export.batch_processor.drain"
AUDIT = "memora.services.cdn_export.maintenance.daily.run"
QUEUE = "long"
JOB_SECONDS = 1500
"""The time-out of Frappe's long queue, for each drain job."""

DRAIN_SECONDS = 600
"""After this a drain starts no further build and leaves the rest to a fresh job."""

BATCH_SECONDS = 120
"""The same for a batch that drains itself: the scheduler's jobs may take 300 s (Frappe's default queue)."""

QUEUED_SECONDS = 60
"""How long a queued job keeps another of its kind from being queued: not for ever, since it may be lost with Redis."""

_BATCH = "batch"
_DRAIN_PLACE = "drain-{}"

Tell = Callable[[int, int], None]
"""Told how much of a long work is done: so many of so many."""

_LAST_BATCH = "memora_last_batch"
_CRON_MINUTES = 5
_BUSY_PAUSE_SECONDS = 0.2
_SLACK = timedelta(seconds=20)
_MARGIN = timedelta(minutes=2)
"""Longer than until the next minute's check has been run."""


@dataclass(slots=True)
class Drained:
	"""What a drain did."""

	published: int = 0
	failed: int = 0
	left: int = 0
	refused: str = ""
	"""Why nothing may be written to the place, if that is so: what waits goes on waiting."""


def process_pending_plans() -> dict[str, Any]:
	"""The five-minute entry of the scheduler. Runs a batch unless a longer interval is set and not over."""
	options = settings.load()
	if options.interval_minutes > _CRON_MINUTES and not _interval_is_over(options):
		return {"skipped": f"the interval of {options.interval_minutes} minutes is not over"}
	return run_batch()


def check_due() -> dict[str, Any]:
	"""The every-minute entry: in milliseconds, whether something cannot wait for the next batch.

	That is another interval, a retry, a lease that ran out, what a drain that died between two builds has left,
	a removal whose grace is over, a purge to repeat, a signature or metadata to renew.
	"""
	options = settings.load()
	_ring_clock(options)
	if not options.enabled:
		return {"due": ""}
	reason = _due_reason(options)
	if reason:
		run_batch()
	return {"due": reason}


def enqueue_batch(triggered_by: str) -> None:
	"""Have a batch run in the background: one job, however often it is asked for before that has begun.

	What was committed before is in the batch that is queued. Raises RedisError where the job queue does not answer.
	"""
	if redis_mirror.claim(_BATCH, QUEUED_SECONDS) is False:
		return
	try:
		frappe.enqueue(RUN_BATCH, queue="short", triggered_by=triggered_by)
	except redis.RedisError:
		redis_mirror.release(_BATCH)
		raise


def run_batch(triggered_by: str = "Scheduler") -> dict[str, Any]:
	"""Fold the changes and start draining. Returns what waits and how many drains were started.

	While export is disabled changes are folded and wait; nothing is built and nothing is logged as success.
	"""
	redis_mirror.release(_BATCH)  # what is committed from here on may come too late for this one
	options = settings.load(settings.saved())  # a cache may still hold what was saved over a moment ago
	redis_mirror.again(redis_mirror.WAKE_UP)  # what is saved from here on may need another batch
	relocation.follow()
	folded = relay.fold()
	if not publish_state.read([scopes.INDEX]):
		publish_state.ensure(scopes.INDEX)
	site_values.write(_LAST_BATCH, str(time.time()))
	frappe.db.commit()
	waiting = publish_state.due(now_datetime())
	_mirror(options)
	result = {"folded": folded, "waiting": len(waiting), "drains": 0}
	if not options.enabled:
		return {**result, "skipped": "export is disabled in CDN Settings"}
	_will_sleep(options)  # what this batch leaves for later must not wait for a login
	if waiting or _has_leftovers() or _to_be_renewed(options):
		batch = frappe.generate_hash(length=16)
		result["drains"] = _enqueue_drains(len(waiting), triggered_by, batch)
		if not result["drains"]:
			drain(triggered_by, seconds=BATCH_SECONDS, batch=batch)
	if folded or waiting:
		event_log.record("batch", triggered_by=triggered_by, **result)
	return result


def process(triggered_by: str = "Manual", tell: Tell | None = None) -> Drained:
	"""Fold and build in this process, until nothing waits. For `bench memora process`, tests and consoles."""
	relocation.follow()
	relay.fold()
	publish_state.ensure(scopes.INDEX)
	return drain(triggered_by, seconds=None, tell=tell)


def drain(
	triggered_by: str = "Scheduler",
	seconds: float | None = DRAIN_SECONDS,
	tell: Tell | None = None,
	batch: str = "",
	place: int | None = None,
) -> Drained:
	"""Build one due scope after another until none is left, or until `seconds` have passed.

	What others hold is looked at again after a pause. Changes committed meanwhile are folded and built too.
	`tell` hears how many are done of how many, before each build. `batch` names the batch that this is a drain of,
	and `place` is that of the job among those that may be queued at once; it is free again from here on.

	Where the place is another site's, nothing is built, and nothing has failed.
	"""
	if place is not None:
		redis_mirror.release(_DRAIN_PLACE.format(place))
	drained = Drained()
	batch = batch or frappe.generate_hash(length=16)
	try:
		_drain(drained, triggered_by, seconds, tell, batch)
	except PlaceRefusedError as error:
		database.rollback()
		drained.refused = str(error)
		drained.left = len(publish_state.due(now_datetime()))
	return drained


def _drain(drained: Drained, triggered_by: str, seconds: float | None, tell: Tell | None, batch: str) -> None:
	database.limit_idling()
	options = settings.load(settings.saved())
	if not options.enabled:
		return
	ends = time.monotonic() + seconds if seconds else float("inf")
	site: Site | None = None
	try:
		while time.monotonic() < ends and (site is None or site.options.enabled):
			relay.fold()
			waiting = publish_state.due(now_datetime())
			if waiting and site is None:
				site = _open_site(waiting, batch)
				if site is None:
					drained.failed = len(waiting)
					return
				if site.ownership.is_refused():
					site.ownership.check()  # sooner than after a build that would be for nothing
			built = _build_all(site, waiting, triggered_by, drained, ends, tell)
			if site:
				site.progress.flush()
			if not waiting:
				break
			if not built:
				_let_others_build()
		if drained.published:  # what was published again is no longer to be removed
			database.transaction(publish_state.settle_removals)
		drained.left = len(publish_state.due(now_datetime()))
		if _has_leftovers() or _to_be_renewed(options):
			site = site or Site.open(batch)
			site.follow_settings()
			if site.options.enabled:
				_sweep(site)
	finally:
		if site:
			site.progress.flush()
			site.close()
	if not drained.left and relocation.settled():
		_start_audit()
	if drained.left and seconds:
		_enqueue_drains(1, triggered_by, batch)  # where there is no worker, `check_due` sees what is left


def _build_all(
	site: Site | None,
	waiting: list[State],
	triggered_by: str,
	drained: Drained,
	ends: float,
	tell: Tell | None,
) -> int:
	"""Build what waits until it `ends`, plans in groups where that can be done. Returns how many need no build now.

	Stops when export has been switched off, which the first build after that sees.
	"""
	built = 0
	left = list(waiting)
	while site and left and site.options.enabled and time.monotonic() < ends:
		if tell:
			done = drained.published + drained.failed
			tell(done, done + len(left))
		group = _group_of(site, left)
		published = _build_together(site, group, triggered_by, drained) if group else set()
		for state in group or left[:1]:
			if state.name in published:
				built += 1
			elif site.options.enabled and time.monotonic() < ends:
				built += _build_one(site, state, triggered_by, drained)
		left = left[len(group) or 1 :]
	return built


def _group_of(site: Site, left: list[State]) -> list[State]:
	"""The next of what is left, if they are plans that may be built as a group; [] if they are not."""
	if not site.shared.has_any():
		return []
	group = list(takewhile(plan_group.may_join, left[: plan_group.MOST_PLANS]))
	return group if len(group) > 1 else []


def _build_together(site: Site, group: list[State], triggered_by: str, drained: Drained) -> set[str]:
	"""Build those plans as a group that can be. Returns their states' names; the others are as they were."""
	started_at = now_datetime()
	with ExitStack() as stack:
		lease = leases.acquire_free([state.scope for state in group])
		if lease is None:
			return set()
		for scope in lease.scopes:
			stack.enter_context(site.progress.shown(scope))
		with _uncollected(), lease:
			try:
				published = plan_group.run(site, lease)
				lease.published = tuple(state.ref for state, _ in published)
			except PlaceRefusedError:
				raise  # the same for each of them
			except MemoraError as error:
				database.rollback()
				# Each says by itself what is wrong with it, and the others are published.
				frappe.logger("memora").warning(f"{lease.label} are built one by one: {error}")
				return set()
			except Exception as error:
				database.rollback()
				if database.errno(error) in database.OTHER_SCHEMA:
					raise  # no fault of these plans: all of them wait until the site is migrated
				frappe.logger("memora").exception(f"building {lease.label} as a group; now one by one")
				return set()
		drained.published += len(published)
		refused = site.take_refusals()
		attempts = []
		for state, counts in published:
			cause = state.triggered_by or triggered_by
			_tell_of_success(state, started_at, cause, counts)
			attempts.append(sync_log.Attempt(state, started_at, cause, counts, refused))
		sync_log.write(attempts)
	return {state.name for state, _ in published}


def _let_others_build() -> None:
	"""All that waits is held by others, or waits for what they hold: look again in a moment."""
	threading.Event().wait(_BUSY_PAUSE_SECONDS)


def _build_one(site: Site, state: State, triggered_by: str, drained: Drained) -> bool:
	"""Build a scope if its lease is free. Returns whether anything was done."""
	lease = leases.acquire(state.scope)
	if lease is None:
		return False
	with site.progress.shown(state.scope):  # until its record is written, which those who are told look for
		return _build_leased(site, lease, triggered_by, drained)


def _build_leased(site: Site, lease: Lease, triggered_by: str, drained: Drained) -> bool:
	with _uncollected(), lease:
		state, seen = commit.read_state(lease)
		started_at = now_datetime()
		if state.is_current or publish_state.is_backing_off(state, started_at):
			return True
		triggered_by = state.triggered_by or triggered_by
		try:
			if site.follow_settings(seen):
				return False  # what is due may be another thing now
			counts = _builder(state)(site, lease, state)
			if counts is None:  # held: nothing was published that could be told of
				if state.dead_since:
					redis_mirror.exhume(state.scope.label)
				return True
			if state.scope_type == "plan":
				lease.published = (state.ref,)
		except (ScopeBusyError, LeaseLostError) as error:
			database.rollback()
			frappe.logger("memora").info(f"{lease.scope.label}: {error}")
			return False
		except PlaceRefusedError:
			raise  # no fault of this scope: all of them wait until an admin has decided
		except Exception as error:
			database.rollback()
			if database.errno(error) in database.OTHER_SCHEMA:
				raise  # no fault of this scope: all of them wait until the site is migrated
			frappe.logger("memora").exception(f"building {lease.scope.label}")
			drained.failed += 1
			_record_failure(state, lease, error, started_at, triggered_by)
			return True
	drained.published += 1
	_tell_of_success(state, started_at, triggered_by, counts)
	if state.scope_type == "plan":
		if state.is_live or counts.uploaded or counts.deleted:
			refused = site.take_refusals()
			sync_log.write([sync_log.Attempt(state, started_at, triggered_by, counts, refused)])
	elif state.dead_since:
		redis_mirror.exhume(state.scope.label)
	return True


@contextmanager
def _uncollected() -> Iterator[None]:
	"""Without the garbage collector: it looks at all that a build holds, 3 % of the time, and frees next to nothing,
	since documents hold no cycles."""
	was_on = gc.isenabled()
	gc.disable()
	try:
		yield
	finally:
		if was_on:
			gc.enable()


def _builder(state: State):
	return {"plan": plan_build.run, "subject": subject_build.run, "index": index_build.run}[state.scope_type]


def _tell_of_success(state: State, started_at: datetime, triggered_by: str, counts: Counts) -> None:
	_tell_of(
		"built",
		state,
		started_at,
		triggered_by=triggered_by,
		uploaded=counts.uploaded,
		deleted=counts.deleted,
		unchanged=counts.unchanged,
		bytes=counts.bytes,
	)


def _tell_of(event: str, state: State, started_at: datetime, **fields: Any) -> None:
	event_log.record(
		event,
		scope=state.scope.label,
		generation=state.generation,
		seconds=round((now_datetime() - started_at).total_seconds(), 3),
		**fields,
	)


def _record_failure(state: State, lease: Lease, error: Exception, started_at, triggered_by: str) -> None:
	failure = failures.record(state, lease, error)
	if failure:
		_tell_of(
			"failed",
			state,
			started_at,
			triggered_by=triggered_by,
			error=failures.describe(error),
			retries=failure.retries,
			next_try=failure.next_try,
			dead=failure.is_dead,
		)
	if failure and state.scope_type == "plan":
		sync_log.write(
			[
				sync_log.Attempt(
					state,
					started_at,
					triggered_by,
					Counts(),
					error_message=failures.describe(error),
					failure=failure,
				)
			]
		)


def _open_site(waiting: list[State], batch: str) -> Site | None:
	"""Open storage and purge; when the settings cannot work, that is a failure of all that waits."""
	try:
		return Site.open(batch)
	except StorageConfigurationError as error:
		for state in waiting:
			if lease := leases.acquire(state.scope):
				with lease:
					_record_failure(state, lease, error, now_datetime(), state.triggered_by or "Scheduler")
		return None


def _start_audit() -> None:
	"""Look through the place that files have moved to, in the background; without a queue once a day is enough."""
	try:
		frappe.enqueue(AUDIT, queue=QUEUE, timeout=JOB_SECONDS)
	except (redis.RedisError, OSError) as error:
		frappe.logger("memora").warning(
			f"the job queue does not answer, so the daily audit has to do: {error}"
		)


def _enqueue_drains(waiting: int, triggered_by: str, batch: str) -> int:
	"""Enqueue drains of a batch, no more than there are workers and scopes; those that are queued and have not begun
	count.

	Returns how many: 0 where no worker listens or the queue does not answer. Each has a fresh id: RQ's `deduplicate`
	can call a killed job started for a quarter of an hour.
	"""
	try:
		queue = get_queue(QUEUE)
		drains = min(Worker.count(queue=queue), max(1, waiting))
		for place in range(drains):
			if redis_mirror.claim(_DRAIN_PLACE.format(place), QUEUED_SECONDS) is False:
				continue
			# In front: after a migrate, Frappe's own jobs can fill the long queue for minutes.
			frappe.enqueue(
				DRAIN,
				queue=QUEUE,
				timeout=JOB_SECONDS,
				at_front=True,
				triggered_by=triggered_by,
				batch=batch,
				place=place,
			)
	except redis.RedisError as error:
		frappe.logger("memora").warning(f"the job queue does not answer: {error}")
		return 0
	return drains


def last_batch_at() -> datetime | None:
	"""When the last batch began, in the site's time; None before the first."""
	last = float(site_values.read(_LAST_BATCH) or 0)
	return now_datetime() - timedelta(seconds=time.time() - last) if last else None


def _interval_is_over(options: settings.ExportSettings) -> bool:
	return _since_last_batch() >= (timedelta(minutes=options.interval_minutes) - _SLACK).total_seconds()


def _since_last_batch() -> float:
	"""Seconds since the last batch; a clock that has been set back since counts as that far on."""
	return abs(time.time() - float(site_values.read(_LAST_BATCH) or 0))


def _due_reason(options: settings.ExportSettings) -> str:
	"""Why a batch should run now, "" when it need not. Few and cheap statements."""
	if options.interval_minutes != _CRON_MINUTES and _interval_is_over(options) and _anything_waits():
		return "interval"
	waiting = publish_state.due(now_datetime())
	if any(state.retry_count for state in waiting):
		return "retry"
	if publish_state.abandoned():
		return "lease"
	if waiting and _nobody_drains():
		return "left"
	if _has_leftovers():
		return "removal"
	return _to_be_renewed(options)


def _nobody_drains() -> bool:
	"""Whether the drains of the last batch are over or dead: a lease's life has passed, and none is held."""
	return _since_last_batch() >= leases.LEASE_SECONDS and not publish_state.is_anything_leased()


def _anything_waits() -> bool:
	return bool(frappe.db.sql("select 1 from `tabCDN Change` limit 1") or publish_state.due(now_datetime()))


def _to_be_renewed(options: settings.ExportSettings) -> str:
	"""What of live files is to be renewed: "signature", "metadata" or "". One statement."""
	((signatures, metadata),) = frappe.db.sql(
		f"""select exists(select 1 from {signature_renewal.DUE}), exists(select 1 from {metadata_renewal.DUE})""",
		(signature_renewal.due_before(options.signed_url_hours),),
	)
	return "signature" if signatures else "metadata" if metadata else ""


def _has_leftovers() -> bool:
	"""Whether files or caches have something to be taken out that no build will come by for."""
	now = now_datetime()
	return bool(publish_state.to_tidy() or purge_queue.is_due(now))


def _sweep(site: Site) -> None:
	"""Take away what is due outside any build: graces that are over, subjects nobody reads,
	signatures that end, purges to repeat."""
	signature_renewal.run(site)  # what is to be renewed must not wait for a storage that refuses removals
	metadata_renewal.run(site)
	for scope in publish_state.to_tidy():
		again = scope.type == "removal"
		try:
			if scope.owner == scopes.MEDIA:
				media.remove_due(site, again=again)
			elif scope.type == "subject":
				subject_build.tidy(site, scope)
			elif lease := leases.acquire(scope.owner):
				with lease:
					commit.remove_due(site, lease, again=again)
		except LeaseLostError as error:  # what remains is removed with the next check
			database.rollback()
			frappe.logger("memora").warning(str(error))
	purge_queue.run(site)
	purge_queue.forget_without_cache(site)


def _mirror(options: settings.ExportSettings) -> None:
	"""Put right what Redis shows: it may have been flushed, or down while plans were queued."""
	waiting, dead = publish_state.waiting_and_dead()
	tick = redis_mirror.clock()
	redis_mirror.mirror(
		[state.ref for state in waiting],
		redis_mirror.Clock(
			tick.ticked_at if tick else 0, options.threshold, options.enabled, tick.dormant if tick else False
		),
		{
			state.scope.label: failures.letter(state.scope.label, error, state.retry_count, state.dead_since)
			for state, error in dead
		},
	)


def _ring_clock(options: settings.ExportSettings) -> None:
	"""Leave word that the minute's check was run, and whether it may be the last before the next batch, although the site
	was kept awake if there is work to come."""
	redis_mirror.set_clock(
		redis_mirror.Clock(time.time(), options.threshold, options.enabled, _will_sleep(options))
	)


def _will_sleep(options: settings.ExportSettings) -> bool:
	next_batch = now_datetime() + timedelta(minutes=options.interval_minutes) + _MARGIN
	return dormancy.will_sleep(next_batch, keep_awake=options.enabled)
