"""The site's background jobs that publish: their names, queue and time-outs, and how one is queued once.

A job queue is a convenience. Waiting work is in MariaDB, and the minute's check starts what no job did.
"""

from __future__ import annotations

from typing import Any

import frappe
import redis
from frappe.utils.background_jobs import get_queue
from rq import Worker

from memora.exceptions import JobQueueError
from memora.frappe_versions import QUEUE_IS_FULL
from memora.services.cdn_export.state import redis_mirror

RUN_BATCH = "memora.services.cdn_export.batch_processor.run_batch"
DRAIN = "memora.services.cdn_export.worker.drain.drain"
AUDIT = "memora.services.cdn_export.maintenance.daily.run"
QUEUE = "long"
JOB_SECONDS = 1500
"""The time-out of Frappe's long queue, for each drain job."""

QUEUED_SECONDS = 60
"""How long a queued job keeps another of its kind from being queued: not for ever, since it may be lost with Redis."""

_DRAIN_PLACE = "drain-{}"


def enqueue(method: str, **options: Any) -> None:
	"""Queue a job, with the options of `frappe.enqueue`. Raises JobQueueError where the queue takes none: Redis does not
	answer, or Frappe's limit of waiting jobs is reached (after v15). Leaves no message for the user, who caused neither."""
	shown = len(frappe.local.message_log)
	try:
		# What each job does may be done twice, and RQ's `deduplicate` can call a killed job started (`enqueue_drains`).
		frappe.enqueue(method, **options)  # frapast:ignore FR-HOOK-004
	except (redis.RedisError, OSError, *QUEUE_IS_FULL) as error:
		del frappe.local.message_log[shown:]
		raise JobQueueError(
			f"the job queue takes no job: {error}. See that its Redis runs and that workers keep up: bench doctor"
		) from error


def enqueue_batch(triggered_by: str) -> None:
	"""Have a batch run in the background: one job, however often it is asked for before that has begun.

	What was committed before is in the batch that is queued. Raises JobQueueError where the queue takes no job.
	"""
	_enqueue_once(redis_mirror.BATCH, RUN_BATCH, queue="short", triggered_by=triggered_by)


def _enqueue_once(claim: str, method: str, **options: Any) -> None:
	"""`enqueue`, unless a job with this claim is queued and has not begun. Raises JobQueueError, and nothing is claimed then."""
	if redis_mirror.claim(claim, QUEUED_SECONDS) is False:
		return
	try:
		enqueue(method, **options)
	except JobQueueError:
		redis_mirror.release(claim)
		raise


def enqueue_audit() -> None:
	"""Look through the place that files have moved to, in the background; without a queue once a day is enough."""
	try:
		enqueue(AUDIT, queue=QUEUE, timeout=JOB_SECONDS, anew=True)
	except JobQueueError as error:
		frappe.logger("memora").warning(f"the daily audit has to do: {error}")


def enqueue_drains(waiting: int, triggered_by: str, batch: str) -> int:
	"""Enqueue drains of a batch, no more than there are workers and scopes; those that are queued and have not begun
	count.

	Returns how many: 0 where no worker listens or the queue takes no job. Each has a fresh id: RQ's `deduplicate`
	can call a killed job started for a quarter of an hour.
	"""
	try:
		queue = get_queue(QUEUE)
		drains = min(Worker.count(queue=queue), max(1, waiting))
		for place in range(drains):
			# In front: after a migrate, Frappe's own jobs can fill the long queue for minutes.
			_enqueue_once(
				_DRAIN_PLACE.format(place),
				DRAIN,
				queue=QUEUE,
				timeout=JOB_SECONDS,
				at_front=True,
				triggered_by=triggered_by,
				batch=batch,
				place=place,
			)
	except (redis.RedisError, JobQueueError) as error:
		frappe.logger("memora").warning(f"the batch builds in its own process: {error}")
		return 0
	return drains


def batch_begins() -> None:
	"""The batch that was queued has begun: from here on another may be queued, and a save may need one."""
	redis_mirror.release(redis_mirror.BATCH, redis_mirror.WAKE_UP)


def drain_begins(place: int) -> None:
	"""The drain at this place has begun: from here on another may be queued there."""
	redis_mirror.release(_DRAIN_PLACE.format(place))
