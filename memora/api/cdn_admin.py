"""The admin's endpoints: what waits, what failed and why, and what to do about it; the dashboard and CDN Settings.

Each checks its caller's role first. What changes something is POST only. What they do is in `admin`, as for
the `bench memora` commands.
"""

from __future__ import annotations

from typing import Any

from frappe import _

from memora.api.endpoint import endpoint, told
from memora.services.cdn_export.admin import (
	connection,
	dashboard,
	dead_letters,
	decisions,
	operations,
	pipeline_status,
	publish_requests,
)
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


@endpoint(ADMINS)
@as_typed
def get_dashboard(text: str = "", state: str = "", start: int = 0) -> dict[str, Any]:
	"""What the page CDN Export Dashboard shows: all counts, and a page of the rows in this state that hold this text."""
	return dashboard.read(text, state, max(0, start))


@endpoint(ADMINS)
@as_typed
def get_health() -> dict[str, Any]:
	"""The last batch and the next, and what keeps batches from running, for CDN Settings."""
	return dashboard.health()


@endpoint(ADMINS, "POST")
@as_typed
def test_connection() -> dict[str, Any]:
	"""Try what publishing will do with the settings as saved; each finding says how to fix it."""
	return {"findings": told(lambda: [finding.as_dict() for finding in connection.prepare(_)()])}


@endpoint(ADMINS, "POST")
@as_typed
def take_over() -> dict[str, Any]:
	"""Make the bucket or folder this site's although its mark says otherwise; publishes everything there again."""
	return told(decisions.take_over)


@endpoint(ADMINS, "POST")
@as_typed
def approve_held(plan_id: str) -> dict[str, Any]:
	"""Let through what the large-change guard holds of a plan, or of `subject:{name}`; starts now."""
	return decisions.approve(plan_id)


@endpoint(ADMINS, "POST")
@as_typed
def retry_all() -> dict[str, Any]:
	"""Put all dead letters back: they are built with the next batch, which starts now."""
	return dead_letters.retry_all()
