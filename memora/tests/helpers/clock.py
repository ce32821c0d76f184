"""Time for tests: what is waited for comes sooner by as much as a test says, and the scheduler's minutes go by.

Nothing sleeps: the moments that memora waits for are in MariaDB, and are moved there.
"""

from __future__ import annotations

import random
import time
from datetime import timedelta
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime
from frappe.utils.background_jobs import get_queue
from rq import Worker

from memora.services.access_gate import keys
from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.state import (
	database,
	due,
	job_queue,
	ledger,
	publish_state,
	redis_mirror,
	site_values,
)
from memora.services.cdn_export.worker import drain

MINUTE = 60.0
_MOMENT = 1.0
_LONGEST_MINUTES = 120
_MOMENTS = (
	(publish_state.TABLE, "lease_expires"),
	(publish_state.TABLE, "next_retry_at"),
	(ledger.TABLE, "remove_at"),
	(purge_queue.TABLE, "next_try_at"),
	(keys.TABLE, "made"),
	(keys.TABLE, "live_since"),
	(keys.TABLE, "revoked"),
)
_WORKERS_SECONDS = 20
_POLL_SECONDS = 0.02


def skip(seconds: float) -> None:
	"""Let everything that waits for a moment wait that much less; commits."""

	def work() -> None:
		for table, column in _MOMENTS:
			frappe.db.sql(
				f"update `tab{table}` set {column} = {column} - interval %s microsecond where {column} is not null",
				int(seconds * 1_000_000),
			)
		if last := site_values.read(site_values.LAST_BATCH):
			site_values.write(site_values.LAST_BATCH, str(float(last) - seconds))

	database.transaction(work)  # a worker may have written since this process has read
	redis_mirror._broken_until -= seconds


def scheduler(dice: random.Random) -> float | None:
	"""Let the scheduler's minutes go by until nothing waits. Returns the seconds that took, skipped ones included;
	None when something still waits after two hours.

	Where in its minute and its five minutes the scheduler is when this begins, the dice say. A drain that waits for
	others in this process waits in skipped seconds, too.
	"""
	began = time.monotonic()
	skipped = dice.uniform(0, MINUTE)
	minute = dice.randrange(5)
	skip(skipped)

	def wait() -> None:
		nonlocal skipped
		skip(_MOMENT)
		skipped += _MOMENT

	with patch.object(drain, "_let_others_build", wait):
		for _ in range(_LONGEST_MINUTES):
			look(batch=minute % 5 == 0)
			if not anything_waits():
				return skipped + time.monotonic() - began
			skip(MINUTE)
			skipped += MINUTE
			minute += 1
	return None


def look(*, batch: bool) -> None:
	"""What Frappe's scheduler starts in a minute, and with `batch` in a fifth one. Where real workers listen, it
	returns when they have nothing left to do."""
	frappe.db.commit()
	batch_processor.check_due()
	if batch:
		frappe.db.commit()
		batch_processor.process_pending_plans()
	ends = time.monotonic() + _WORKERS_SECONDS
	while _workers_listen() and anything_waits() and time.monotonic() < ends:
		time.sleep(_POLL_SECONDS)


def anything_waits() -> bool:
	"""Whether a change is not relayed, something relayed neither published nor a dead letter, or a removal or
	purge was refused."""
	frappe.db.commit()
	return bool(
		frappe.db.sql("select 1 from `tabCDN Change` limit 1")
		or due.to_build(now_datetime() + timedelta(days=1))
		or frappe.db.sql(
			f"select 1 from `tab{publish_state.TABLE}`"
			" where published_generation < generation and lease_token is not null"
			" or scope_type = 'removal' limit 1"
		)
		or frappe.db.sql(f"select 1 from `tab{purge_queue.TABLE}` limit 1")
	)


def _workers_listen() -> bool:
	return bool(Worker.count(queue=get_queue(job_queue.QUEUE)))
