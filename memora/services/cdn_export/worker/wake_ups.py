"""What saves and Frappe's scheduler have to know between batches: Redis says it, and the site is kept awake."""

from __future__ import annotations

import time
from datetime import timedelta

from frappe.utils import now_datetime

from memora.services.cdn_export.maintenance import dormancy
from memora.services.cdn_export.settings import ExportSettings
from memora.services.cdn_export.state import due, redis_mirror

_MARGIN = timedelta(minutes=2)
"""Longer than until the next minute's check has been run."""


def mirror(options: ExportSettings) -> None:
	"""Update Redis: it may have been flushed, or down while plans were queued."""
	waiting, dead = due.waiting_and_dead()
	tick = redis_mirror.clock()
	redis_mirror.mirror(
		[state.ref for state in waiting],
		redis_mirror.Clock(
			tick.ticked_at if tick else 0, options.threshold, options.enabled, tick.dormant if tick else False
		),
		{
			state.scope.label: redis_mirror.letter(
				state.scope.label, error, state.retry_count, state.dead_since
			)
			for state, error in dead
		},
	)


def note_check(options: ExportSettings) -> None:
	"""Note in Redis that the minute's check has run, and whether Frappe may let the site sleep before the next batch."""
	redis_mirror.set_clock(
		redis_mirror.Clock(time.time(), options.threshold, options.enabled, will_sleep(options))
	)


def will_sleep(options: ExportSettings) -> bool:
	"""Whether the site sleeps before the next batch, after that was prevented where there is work to come."""
	next_batch = now_datetime() + timedelta(minutes=options.interval_minutes) + _MARGIN
	return dormancy.will_sleep(next_batch, keep_awake=options.enabled)
