"""The admin's endpoints: what waits, what failed and why, and what to do about it.

Each checks its caller's role first. What changes something is POST only. What they do is `operations`, as for
the `bench memora` commands.
"""

from __future__ import annotations

from typing import Any

from memora.api.endpoint import endpoint
from memora.services.cdn_export.admin import dead_letters, operations, pipeline_status, publish_requests
from memora.services.cdn_export.model.plain_text import as_typed
from memora.services.cdn_export.model.roles import ADMINS


@endpoint(ADMINS)
@as_typed
def get_queue_status() -> dict[str, Any]:
	"""What waits, since when, and how many dead letters there are; from MariaDB, so also without Redis."""
	return pipeline_status.queue_status()


@endpoint(ADMINS)
@as_typed
def get_recent_failures(limit: int = 20) -> list[dict[str, Any]]:
	"""The latest failed attempts, the dead letters, and the place if it is refused, newest first, each with its cause."""
	return pipeline_status.recent_failures(limit)


@endpoint(ADMINS)
@as_typed
def get_sync_history(plan_id: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
	"""The latest attempts, of one plan or of all, newest first."""
	return pipeline_status.sync_history(plan_id or None, limit)


@endpoint(ADMINS, "POST")
@as_typed
def retry_dead_letter(plan_id: str) -> dict[str, Any]:
	"""Put a dead letter (a plan, `subject:{name}`, `removal:{scope}`) back: it is tried with the next batch, which starts
	now."""
	dead_letters.retry(plan_id)
	return operations.start_batch()


@endpoint(ADMINS, "POST")
@as_typed
def clear_dead_letter(plan_id: str) -> dict[str, Any]:
	"""Dismiss a dead letter: what is live stays as it is until its content changes again. A removal is only taken off the
	list: it is tried every hour, and its files are still said to be on the CDN."""
	dead_letters.dismiss(plan_id)
	return {"cleared": plan_id}


@endpoint(ADMINS, "POST")
@as_typed
def rebuild_plan(plan_id: str) -> dict[str, Any]:
	"""Read a plan and all its subjects again and publish what differs; starts now."""
	publish_requests.rebuild([plan_id])
	return operations.start_batch()
