"""When the next batch runs, and what keeps it from running: for people who wait for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import frappe
import redis
from frappe import _
from frappe.utils import now_datetime
from frappe.utils.background_jobs import get_queue
from frappe.utils.scheduler import is_dormant, is_scheduler_inactive
from rq import Worker

from memora.services.cdn_export import settings
from memora.services.cdn_export.delivery import ownership
from memora.services.cdn_export.settings import CRON_MINUTES, ExportSettings
from memora.services.cdn_export.state import job_queue, site_values


def next_run(options: ExportSettings) -> datetime:
	"""When the scheduler's next batch is due, in the site's time."""
	now = now_datetime()
	last = site_values.last_batch_at()
	if options.interval_minutes == CRON_MINUTES or last is None or last > now:  # the clock was set back
		past = timedelta(minutes=now.minute % CRON_MINUTES, seconds=now.second, microseconds=now.microsecond)
		return now - past + timedelta(minutes=CRON_MINUTES)
	return max(now, last + timedelta(minutes=options.interval_minutes))


def obstacle(options: ExportSettings) -> str:
	"""Why no batch will run by itself, in plain words; "" when one will."""
	if not options.enabled:
		return _("Export is switched off in CDN Settings, so changes wait until it is on.")
	if ownership.last_refusal():
		return _(
			"The bucket or folder is not known to be this site's, so changes wait. An admin has to decide."
		)
	if _is_off():
		return _("The scheduler is off, so nothing is published by itself. Publish now, or ask an admin.")
	return ""


def warnings() -> list[dict[str, Any]]:
	"""What an admin has to know of scheduler and workers, each with its fix."""
	found = []
	options = settings.load()
	if not options.enabled:
		found.append(
			_warning(_("Export is off."), _("Changes are noted and wait. Check Enabled to publish them."))
		)
	if refusal := ownership.last_refusal():
		found.append({**_warning(refusal.message, refusal.fix), "take_over": True})
	if _is_off():
		found.append(
			_warning(
				_("The scheduler is off."),
				_("Nothing is published by itself. Run: bench --site {0} enable-scheduler").format(
					frappe.local.site
				),
			)
		)
	elif is_dormant():
		found.append(
			_warning(
				_("The scheduler is dormant."),
				_(
					"Nobody has logged in for days, so Frappe runs jobs once a day at most, and for an hour more."
				),
			)
		)
	workers = count_workers()
	if workers is None:
		found.append(
			_warning(
				_("The job queue does not answer."),
				_("Start the queue Redis of the bench. Changes are safe and wait."),
			)
		)
	elif not workers:
		found.append(
			_warning(
				_("No worker listens."),
				_(
					"Batches then run inside the scheduler, one at a time, and Publish now waits. Start one: bench worker"
				),
			)
		)
	return found


def count_workers() -> int | None:
	"""How many workers take publishing jobs; None when the job queue does not answer."""
	try:
		return Worker.count(queue=get_queue(job_queue.QUEUE))
	except (redis.RedisError, OSError):
		return None


def lacks_workers() -> bool:
	"""Whether export is enabled and no worker takes what is queued."""
	return settings.load().enabled and count_workers() == 0


def _is_off() -> bool:
	return bool(is_scheduler_inactive(verbose=False))


def _warning(message: str, fix: str) -> dict[str, Any]:
	return {"message": message, "fix": fix}
