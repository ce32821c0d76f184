"""From changes to builds: the scheduler's two entries, what is due, and the start of the jobs that build.

`process_pending_plans` runs every five minutes, `check_due` every minute. A batch runs the relay, updates Redis, and
starts as many drain jobs (`worker.drain`) as there are workers. Where no worker listens it drains by itself. Jobs that
an earlier release has queued call `drain` here.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import frappe
from frappe.utils import now_datetime

from memora.services.cdn_export import settings
from memora.services.cdn_export.builds import event_log, failures
from memora.services.cdn_export.maintenance import dormancy
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.counts import Tell
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import (
	due,
	job_queue,
	publish_state,
	redis_mirror,
	relocation,
	site_values,
)
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.worker import sweep
from memora.services.cdn_export.worker.drain import Drained, drain

BATCH_SECONDS = 120
"""How long a batch drains that drains itself: the scheduler's jobs may take 300 s (Frappe's default queue)."""

_CRON_MINUTES = 5
_SLACK = timedelta(seconds=20)
_MARGIN = timedelta(minutes=2)
"""Longer than until the next minute's check has been run."""


def process_pending_plans() -> dict[str, Any]:
	"""The five-minute entry of the scheduler. Runs a batch unless a longer interval is set and not over."""
	options = settings.load()
	if options.interval_minutes > _CRON_MINUTES and not _interval_is_over(options):
		return {"skipped": f"the interval of {options.interval_minutes} minutes is not over"}
	return run_batch()


def check_due() -> dict[str, Any]:
	"""The every-minute entry: asks in milliseconds whether anything cannot wait for the next batch, and starts one.

	That may be another interval, a retry, a lease that ran out, work that a killed drain has left, a removal whose
	grace is over, a purge to repeat, a signature or metadata to renew.
	"""
	options = settings.load()
	_ring_clock(options)
	if not options.enabled:
		return {"due": ""}
	reason = _due_reason(options)
	if reason:
		run_batch()
	return {"due": reason}


def run_batch(triggered_by: str = "Scheduler") -> dict[str, Any]:
	"""Run the relay and start drains. Returns what waits and how many drains were started.

	While export is disabled the relay runs and changes wait; nothing is built, and nothing is logged as success.
	"""
	job_queue.batch_begins()  # a change that is committed from here on may be too late for this one
	options = settings.load(settings.saved())  # a cache may still hold the settings from before the last save
	relocation.follow()
	relayed = relay.run()
	if not publish_state.read([scopes.INDEX]):
		publish_state.ensure(scopes.INDEX)
	site_values.note_batch()
	frappe.db.commit()
	waiting = due.to_build(now_datetime())
	_mirror(options)
	result = {"relayed": relayed, "waiting": len(waiting), "drains": 0}
	if not options.enabled:
		return {**result, "skipped": "export is disabled in CDN Settings"}
	_will_sleep(options)  # work that this batch leaves for later must not wait for a login
	if waiting or sweep.has_leftovers() or sweep.to_be_renewed(options):
		batch = frappe.generate_hash(length=16)
		result["drains"] = job_queue.enqueue_drains(len(waiting), triggered_by, batch)
		if not result["drains"]:
			drain(triggered_by, seconds=BATCH_SECONDS, batch=batch)
	if relayed or waiting:
		former = {"folded": relayed}  # what `relayed` was called until 0.1; goes with 0.3
		event_log.record("batch", triggered_by=triggered_by, **result, **former)
	return result


def process(triggered_by: str = "Manual", tell: Tell | None = None) -> Drained:
	"""Run the relay and build in this process until nothing waits. For `bench memora process`, tests and consoles."""
	relocation.follow()
	relay.run()
	publish_state.ensure(scopes.INDEX)
	return drain(triggered_by, seconds=None, tell=tell)


def _interval_is_over(options: settings.ExportSettings) -> bool:
	return (
		site_values.since_last_batch()
		>= (timedelta(minutes=options.interval_minutes) - _SLACK).total_seconds()
	)


def _due_reason(options: settings.ExportSettings) -> str:
	"""Why a batch should run now, "" when it need not. Few and cheap statements."""
	if options.interval_minutes != _CRON_MINUTES and _interval_is_over(options) and _anything_waits():
		return "interval"
	waiting = due.to_build(now_datetime())
	if any(state.retry_count for state in waiting):
		return "retry"
	if due.abandoned():
		return "lease"
	if waiting and _nobody_drains():
		return "left"
	if sweep.has_leftovers():
		return "removal"
	return sweep.to_be_renewed(options)


def _nobody_drains() -> bool:
	"""Whether the drains of the last batch are over or dead: a lease's life has passed, and none is held."""
	return site_values.since_last_batch() >= leases.LEASE_SECONDS and not due.is_anything_leased()


def _anything_waits() -> bool:
	return bool(frappe.db.sql("select 1 from `tabCDN Change` limit 1") or due.to_build(now_datetime()))


def _mirror(options: settings.ExportSettings) -> None:
	"""Update Redis: it may have been flushed, or down while plans were queued."""
	waiting, dead = due.waiting_and_dead()
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
	"""Note in Redis that the minute's check has run, and whether Frappe may let the site sleep before the next batch."""
	redis_mirror.set_clock(
		redis_mirror.Clock(time.time(), options.threshold, options.enabled, _will_sleep(options))
	)


def _will_sleep(options: settings.ExportSettings) -> bool:
	next_batch = now_datetime() + timedelta(minutes=options.interval_minutes) + _MARGIN
	return dormancy.will_sleep(next_batch, keep_awake=options.enabled)
