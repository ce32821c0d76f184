"""The admin's endpoints: what waits, what failed and why, and what to do about it.

Each checks its caller's role first. What changes something is POST only. They call the same functions as the
console and the `bench` commands.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.utils import cint

from memora.services.cdn_export import (
	database,
	dependency_resolver,
	fold,
	pending_queue,
	publish_state,
	scopes,
	settings,
)
from memora.services.cdn_export.scopes import Scope

ROLES = ("System Manager", "Memora CDN Admin")
LOG = "CDN Sync Log"
_MOST_ROWS = 200


@frappe.whitelist(methods=["GET", "POST"])
def get_queue_status() -> dict[str, Any]:
	"""What waits, since when, and how many dead letters there are; from MariaDB, so also without Redis."""
	frappe.only_for(ROLES)
	waiting, dead = publish_state.waiting_and_dead()
	unfolded, oldest_change = frappe.db.sql("select count(*), min(creation) from `tabCDN Change`")[0]
	since = [moment for moment in (oldest_change, *(state.waiting_since for state in waiting)) if moment]
	in_redis = pending_queue.waiting()
	return {
		"enabled": settings.load().enabled,
		"pending_count": len(waiting),
		"pending_plans": [state.ref for state in waiting],
		"retrying": [
			{"plan_id": state.ref, "retry_count": state.retry_count, "next_retry_at": state.next_retry_at}
			for state in waiting
			if state.next_retry_at
		],
		"unfolded_changes": unfolded,
		"oldest_waiting_since": min(since) if since else None,
		"dead_letter_count": len(dead),
		"redis_available": in_redis is not None,
	}


@frappe.whitelist(methods=["GET", "POST"])
def get_recent_failures(limit: int = 20) -> list[dict[str, Any]]:
	"""The latest failed attempts, and the dead letters, newest first, each with its cause."""
	frappe.only_for(ROLES)
	return frappe.get_all(
		LOG,
		filters={"status": ("in", ("Failed", "Dead Letter"))},
		fields=[
			"name",
			"plan_id",
			"plan_title",
			"status",
			"error_message",
			"retry_count",
			"next_retry_at",
			"creation",
		],
		order_by="creation desc",
		limit=_rows(limit),
	)


@frappe.whitelist(methods=["GET", "POST"])
def get_sync_history(plan_id: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
	"""The latest attempts, of one plan or of all, newest first."""
	frappe.only_for(ROLES)
	return frappe.get_all(
		LOG,
		filters={"plan_id": str(plan_id)} if plan_id else {},
		fields=[
			"name",
			"plan_id",
			"plan_title",
			"status",
			"started_at",
			"completed_at",
			"files_uploaded",
			"files_deleted",
			"files_unchanged",
			"bytes_uploaded",
			"error_message",
			"retry_count",
			"triggered_by",
		],
		order_by="creation desc",
		limit=_rows(limit),
	)


@frappe.whitelist(methods=["POST"])
def retry_dead_letter(plan_id: str) -> dict[str, Any]:
	"""Put a dead letter (a plan, or `subject:{name}`) back: it is built with the next batch, which starts now."""
	frappe.only_for(ROLES)
	scope = _scope(plan_id)
	if not database.transaction(lambda: publish_state.revive(scope, triggered_by="Manual")):
		frappe.throw(_("{0} is not among the dead letters, so there is nothing to retry.").format(plan_id))
	pending_queue.exhume(scope.label)
	if scope.type == "plan":
		pending_queue.ring([scope.ref])
	return _start()


@frappe.whitelist(methods=["POST"])
def clear_dead_letter(plan_id: str) -> dict[str, Any]:
	"""Give a dead letter up: what is live stays as it is until its content changes again."""
	frappe.only_for(ROLES)
	scope = _scope(plan_id)
	if not database.transaction(lambda: publish_state.give_up(scope)):
		frappe.throw(_("{0} is not among the dead letters, so there is nothing to clear.").format(plan_id))
	pending_queue.exhume(scope.label)
	return {"cleared": plan_id}


@frappe.whitelist(methods=["POST"])
def rebuild_plan(plan_id: str) -> dict[str, Any]:
	"""Read a plan and all its subjects anew and publish what differs; starts now."""
	frappe.only_for(ROLES)
	plan_id = str(plan_id)
	if not frappe.db.exists(dependency_resolver.PLAN, plan_id):
		frappe.throw(_("There is no Academic Plan {0}.").format(plan_id), frappe.DoesNotExistError)
	subjects = frappe.get_all(
		"Memora Plan Subject",
		filters={"parent": plan_id, "parenttype": dependency_resolver.PLAN},
		pluck="subject",
	)
	database.transaction(lambda: fold.touch([plan_id], subjects, triggered_by="Manual"))
	database.transaction(lambda: publish_state.revive(scopes.plan(plan_id), triggered_by="Manual"))
	pending_queue.ring([plan_id])
	return _start()


def _start() -> dict[str, Any]:
	"""Start a batch in the background; without a queue the scheduler's next one takes it."""
	if not settings.load().enabled:
		return {
			"queued": True,
			"message": _("Export is disabled in CDN Settings; this waits until it is enabled."),
		}
	frappe.enqueue(
		"memora.services.cdn_export.batch_processor.run_batch", queue="short", triggered_by="Manual"
	)
	return {"queued": True, "message": _("Queued; a batch starts now.")}


def _scope(label: str) -> Scope:
	label = str(label)
	return (
		scopes.subject(label.removeprefix("subject:")) if label.startswith("subject:") else scopes.plan(label)
	)


def _rows(limit: int) -> int:
	return max(1, min(cint(limit) or 1, _MOST_ROWS))
