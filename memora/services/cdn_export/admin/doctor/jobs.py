"""Who does the work: workers, the scheduler, and the jobs that it knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import frappe
from frappe.utils import now_datetime
from frappe.utils.background_jobs import get_queue
from frappe.utils.scheduler import is_dormant, is_scheduler_inactive
from rq import Worker

from memora.services.cdn_export.admin import pipeline_status, schedule
from memora.services.cdn_export.admin.finding import Finding
from memora.services.cdn_export.state import job_queue

_DORMANT = timedelta(hours=25)
"""Within that Frappe's scheduler comes by also where no user logs in: once a day."""


def workers() -> Iterator[Finding]:
	"""Whether somebody takes the jobs, and keeps up."""
	count = schedule.count_workers()
	if count is None:
		yield Finding("workers", "error", "The job queue does not answer, so no worker can be seen.")
		return
	every = Worker.count(connection=get_queue(job_queue.QUEUE).connection)
	if not count:
		yield Finding(
			"workers",
			"warning",
			f"No worker takes the queue “{job_queue.QUEUE}”"
			+ (f", though {every} take others" if every else "")
			+ "; batches run in the process that starts them.",
			"bench start, or supervisorctl start all; a worker without --queue takes every queue.",
		)
	else:
		yield Finding("workers", "ok", f"{count} take the queue “{job_queue.QUEUE}”.")
	for name in ("short", "default", job_queue.QUEUE):
		yield from _queue(name)


def _queue(name: str) -> Iterator[Finding]:
	queue = get_queue(name)
	waiting = queue.get_jobs(0, 1)
	if not waiting:
		return
	since = waiting[0].enqueued_at
	if since is None:
		return
	waited = datetime.now(timezone.utc) - since.replace(tzinfo=since.tzinfo or timezone.utc)
	if waited > pipeline_status.OVERDUE:
		minutes = waited.total_seconds() / 60
		yield Finding(
			"queues",
			"error",
			f"The first of {queue.count} jobs in the queue “{name}” has waited for {minutes:,.0f} minutes.",
			"More workers, or find the job that holds one: bench doctor, and RQ Job in the Desk.",
		)


def scheduler() -> Iterator[Finding]:
	"""Whether anything happens by itself."""
	site = frappe.local.site
	if frappe.conf.maintenance_mode:
		yield Finding(
			"scheduler",
			"error",
			"The site is in maintenance mode, so nothing is scheduled.",
			f"bench --site {site} set-maintenance-mode off",
		)
		return
	if is_scheduler_inactive(verbose=False):
		yield Finding(
			"scheduler",
			"error",
			"The scheduler is off, so nothing is published by itself.",
			f"bench --site {site} enable-scheduler; and pause_scheduler in site_config.json must not be set",
		)
		return
	dormant = is_dormant()
	if dormant:
		yield Finding(
			"scheduler",
			"warning",
			"Nobody has logged in for days, so Frappe schedules jobs once a day at most, and for up to an hour "
			"after the next login. A save that queues a plan starts the batch itself, and while anything is to be "
			"tried again, removed or renewed, memora keeps the scheduler awake.",
			"Log in once, or raise dormant_days in System Settings.",
		)
	method = "memora.services.cdn_export.batch_processor.check_due"
	last = frappe.db.get_value("Scheduled Job Type", {"method": method}, "last_execution")
	if (last is None and not dormant) or (
		last and now_datetime() - last > (_DORMANT if dormant else pipeline_status.OVERDUE)
	):
		since = f"since {last:%Y-%m-%d %H:%M}" if last else "yet"
		yield Finding(
			"scheduler",
			"error",
			f"The scheduler is on, but its minute has not been run {since}.",
			"Start `bench schedule` (bench start and supervisor do), and a worker for what it starts.",
		)
	elif not dormant:
		yield Finding("scheduler", "ok", f"It last came by at {last:%Y-%m-%d %H:%M:%S}.")


def cron_rows() -> Iterator[Finding]:
	"""Whether Frappe knows the jobs that hooks.py declares."""
	migrate = f"bench --site {frappe.local.site} migrate"
	rows = {
		row.method: row
		for row in frappe.get_all(
			"Scheduled Job Type",
			{"method": ("like", "memora.%")},
			["method", "frequency", "cron_format", "stopped"],
		)
	}
	wrong = []
	declared = frappe.get_hooks("scheduler_events", app_name="memora")
	for method, cron in _jobs(declared):
		row = rows.get(method)
		if row is None or (cron and row.cron_format != cron):
			wrong.append(
				Finding("cron rows", "error", f"{method} is not scheduled as it should be.", migrate)
			)
		elif row.stopped:
			wrong.append(
				Finding(
					"cron rows",
					"error",
					f"{method} is stopped.",
					"Uncheck Stopped in its Scheduled Job Type.",
				)
			)
	yield from wrong
	if not wrong:
		yield Finding("cron rows", "ok", f"{len(list(_jobs(declared)))} jobs are scheduled.")


def _jobs(declared: dict) -> Iterator[tuple[str, str]]:
	"""Method and cron line of each job; a job by name of its frequency has no line."""
	for frequency, methods in declared.items():
		if frequency == "cron":
			for line, below in methods.items():
				yield from ((method, line) for method in below)
		else:
			yield from ((method, "") for method in methods)
