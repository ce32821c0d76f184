"""From changes to builds: the scheduler's two entries, and the start of the jobs that build.

`process_pending_plans` runs every five minutes, `check_due` every minute. A batch runs the relay, updates Redis, and
starts as many drain jobs (`worker.drain`) as there are workers. Where no worker listens it drains by itself. Jobs that
an earlier release has queued call `drain` here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import frappe
from frappe.utils import now_datetime

from memora.services.cdn_export import settings
from memora.services.cdn_export.builds import event_log, index_build
from memora.services.cdn_export.model.counts import Tell
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import due, job_queue, relocation, site_values
from memora.services.cdn_export.worker import due_work, wake_ups
from memora.services.cdn_export.worker.drain import Drained, drain

BATCH_SECONDS = 120
"""How long a batch drains that drains itself: the scheduler's jobs may take 300 s (Frappe's default queue)."""

_SLACK = timedelta(seconds=20)


def process_pending_plans() -> dict[str, Any]:
	"""The five-minute entry of the scheduler. Runs a batch unless a longer interval is set and not over."""
	options = settings.load()
	if options.interval_minutes > settings.CRON_MINUTES and not _interval_is_over(options):
		return {"skipped": f"the interval of {options.interval_minutes} minutes is not over"}
	return run_batch()


def check_due() -> dict[str, Any]:
	"""The every-minute entry: asks in milliseconds whether anything cannot wait for the next batch, and starts one.

	That may be another interval, a retry, a lease that ran out, work that a killed drain has left, a removal whose
	grace is over, a purge to repeat, an address to ask the CDN for, a signature or metadata to renew.
	"""
	options = settings.load()
	wake_ups.note_check(options)
	if not options.enabled:
		return {"due": ""}
	is_interval = options.interval_minutes != settings.CRON_MINUTES and _interval_is_over(options)
	reason = "interval" if is_interval and due_work.anything_waits() else due_work.reason(options)
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
	index_build.ensure()
	site_values.note_batch()
	frappe.db.commit()
	waiting = due.to_build(now_datetime())
	wake_ups.mirror(options)
	result = {"relayed": relayed, "waiting": len(waiting), "drains": 0}
	if not options.enabled:
		return {**result, "skipped": "export is disabled in CDN Settings"}
	wake_ups.will_sleep(options)  # work that this batch leaves for later must not wait for a login
	if waiting or due_work.has_any(options):
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
	index_build.ensure()
	return drain(triggered_by, seconds=None, tell=tell)


def _interval_is_over(options: settings.ExportSettings) -> bool:
	return (
		site_values.since_last_batch()
		>= (timedelta(minutes=options.interval_minutes) - _SLACK).total_seconds()
	)
