"""The state of the pipeline for admins: what waits, what is built, what failed and why, what is live. From MariaDB, so also
without Redis or the storage. Answers are plain data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe.utils import cint, get_datetime, now_datetime
from frappe.utils.scheduler import is_dormant

from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import gate_status, purge_status
from memora.services.cdn_export.delivery import ownership
from memora.services.cdn_export.model import doctypes, scopes
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import (
	due,
	ledger,
	publish_state,
	redis_mirror,
	refused_removals,
	sync_log,
)

OVERDUE = timedelta(minutes=10)
"""Spec, "Success": a change is live within ten minutes; with a longer interval, within that and this."""

_MOST_ROWS = 200
_MOST_NAMED = 20
_FAILED = {"status": ("in", ("Failed", "Dead Letter"))}
_FAILURE_FIELDS = (
	"name",
	"plan_id",
	"plan_title",
	"status",
	"error_message",
	"retry_count",
	"next_retry_at",
	"creation",
)

_HISTORY_FIELDS = (
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
	"changed_by",
	"changes",
)


def queue_status() -> dict[str, Any]:
	"""What waits, since when, and how many dead letters there are; from MariaDB, so also without Redis."""
	waiting, dead = due.waiting_and_dead()
	unfolded, oldest_change = frappe.db.sql("select count(*), min(creation) from `tabCDN Change`")[0]
	since = [moment for moment in (oldest_change, *(state.waiting_since for state in waiting)) if moment]
	in_redis = redis_mirror.waiting()
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
		"place_refused": place_refused(),
	}


def place_refused() -> str:
	"""Why nothing may be written to the bucket or folder, by the last look at its mark; "" where it may. No network."""
	refusal = ownership.last_refusal()
	return str(refusal) if refusal else ""


def metadata_progress() -> dict[str, int] | None:
	"""How many live files have the metadata of this release and key, of how many; None where all have."""
	outdated, files = ledger.count_outdated()
	return {"renewed": files - outdated, "files": files} if outdated else None


def status() -> dict[str, Any]:
	"""`queue_status` and what an operator wants beside it: what is being built, what is live, the last batch.

	`overdue` says that something has waited longer than the spec promises, though export is enabled. `still_on_cdn` is
	how many files should be gone that the storage refuses to remove, with some of their paths;
	`purges_failing` how many addresses the CDN's cache has not forgotten yet though it was asked to, `purges_this_month` how
	many addresses and tags it was asked for, of the `purge_budget` (0 for no limit), `edge_stale` how many addresses it goes on
	showing as they were.
	`dormant` says that Frappe schedules next to nothing, since no user has logged in for days.
	"""
	refused = refused_removals.paths()
	found = queue_status()
	options = settings.load()
	allowed = OVERDUE + timedelta(minutes=max(0, options.interval_minutes - settings.CRON_MINUTES))
	oldest = found["oldest_waiting_since"]
	building = frappe.db.sql(
		f"select scope_type, ref from `tab{publish_state.TABLE}`"
		" where lease_token is not null and lease_expires > now(6) order by name"
	)
	failing = due.failing()
	gate, last_batch_at = gate_status.with_last_batch()
	held = frappe.get_all(publish_state.TABLE, {"held": 1, "scope_type": "plan"}, pluck="ref")
	at_work = [Scope(scope_type, ref or "") for scope_type, ref in building]
	titles = _titles_of([*at_work, *map(scopes.plan, held), *(state.scope for state, _error in failing)])
	return {
		"site": frappe.local.site,
		"provider": options.provider,
		"base_url": options.base_url,
		**found,
		"failing": [
			{
				"label": state.scope.label,
				"title": titles.get(state.scope.label, ""),
				"retry_count": state.retry_count,
				"next_retry_at": state.next_retry_at,
				"error_message": error,
			}
			for state, error in failing
		],
		"held_plans": held,
		"still_on_cdn": len(refused),
		"still_on_cdn_paths": refused[:_MOST_NAMED],
		**purge_status.read(options),
		"building": [scope.label for scope in at_work],
		"titles": titles,
		"overdue": bool(options.enabled and oldest and now_datetime() - oldest > allowed),
		**_live(),
		"metadata": metadata_progress(),
		"gate": gate,
		"last_batch_at": last_batch_at,
		"dormant": bool(is_dormant()),
	}


def _live() -> dict[str, Any]:
	plans, last_success = frappe.db.sql(
		f"select sum(scope_type = 'plan' and is_live), max(last_success_at) from `tab{publish_state.TABLE}`"
	)[0]
	files, size = frappe.db.sql(
		"select count(*), sum(size) from `tabCDN File` where state in ('live', 'in_flight')"
	)[0]
	return {
		"live_plans": int(plans or 0),
		"live_files": files,
		"live_bytes": int(size or 0),
		"last_success_at": last_success,
	}


def recent_failures(limit: int = 20) -> list[dict[str, Any]]:
	"""The latest failed attempts at plans, and what fails now beside them (a shared subject, the list of plans, a removal,
	the place as a whole), newest first, each with its cause. `name` is the record of an attempt, or the label of what fails:
	"place" for a bucket or folder that is not this site's."""
	_waiting, dead = due.waiting_and_dead()
	failing = [(state, error) for state, error in [*dead, *due.failing()] if state.scope_type != "plan"]
	titles = _titles_of([state.scope for state, _error in failing])
	others = [
		{
			"name": state.scope.label,
			"plan_id": state.scope.label,
			"plan_title": titles.get(state.scope.label, ""),
			"status": "Dead Letter" if state.dead_since else "Failed",
			"error_message": error,
			"retry_count": state.retry_count,
			"next_retry_at": state.next_retry_at,
			"creation": state.dead_since or state.waiting_since or state.next_retry_at,
		}
		for state, error in failing
	]
	found = [*_refused_place(), *others, *_logs(_FAILED, _FAILURE_FIELDS, limit)]
	return sorted(found, key=lambda row: row["creation"], reverse=True)[: _rows(limit)]


def _refused_place() -> list[dict[str, Any]]:
	"""The bucket or folder as a row of `recent_failures`, if nothing may be written to it."""
	refused = place_refused()
	if not refused:
		return []
	return [
		{
			"name": "place",
			"plan_id": "",
			"plan_title": settings.place_label(settings.saved()),
			"status": "Failed",
			"error_message": refused,
			"retry_count": 0,
			"next_retry_at": None,
			"creation": get_datetime(ownership.known().refused_since),
		}
	]


def sync_history(plan: str | None = None, limit: int = 50, *, failed: bool = False) -> list[dict[str, Any]]:
	"""The latest attempts, of one plan or of all, newest first; with `failed` only those that failed.

	`cause` says who and what, with the titles that the caller may read.
	"""
	filters = {**({"plan_id": plan} if plan else {}), **(_FAILED if failed else {})}
	return sync_log.explain(_logs(filters, _HISTORY_FIELDS, limit))


def dead_letters() -> list[dict[str, Any]]:
	"""What is out of retries, longest dead first: its label, title, cause, and since when."""
	_waiting, dead = due.waiting_and_dead()
	titles = _titles_of([state.scope for state, _error in dead])
	return [
		{
			"label": state.scope.label,
			"title": titles.get(state.scope.label, ""),
			"error_message": error,
			"dead_since": state.dead_since,
			"is_live": state.is_live,
		}
		for state, error in sorted(dead, key=lambda pair: (pair[0].dead_since, pair[0].name))
	]


def current_failures() -> list[dict[str, str]]:
	"""What could not be published as things are now, with its cause."""
	_waiting, dead = due.waiting_and_dead()
	failed = sorted([*dead, *due.failing()], key=lambda pair: pair[0].name)
	titles = _titles_of([state.scope for state, _error in failed])
	return [
		{"label": state.scope.label, "title": titles.get(state.scope.label, ""), "error_message": error}
		for state, error in failed
	]


def _logs(filters: dict[str, Any], fields: Iterable[str], limit: int) -> list[dict[str, Any]]:
	return frappe.get_all(
		sync_log.DOCTYPE, filters=filters, fields=list(fields), order_by="creation desc", limit=_rows(limit)
	)


def _rows(limit: int) -> int:
	return max(1, min(cint(limit) or 1, _MOST_ROWS))


def _titles_of(named: Sequence[Scope]) -> dict[str, str]:
	"""The titles of the documents that own these scopes' files, by label; one SELECT a DocType."""
	found: dict[str, str] = {}
	for kind, doctype in (("plan", doctypes.PLAN), ("subject", doctypes.SUBJECT)):
		owners = {scope.label: scope.owner.ref for scope in named if scope.owner.type == kind}
		if owners:
			names = {"name": ("in", list(set(owners.values())))}
			titles = dict(frappe.get_all(doctype, names, ["name", "title"], as_list=True))
			found |= {label: titles[ref] for label, ref in owners.items() if ref in titles}
	return found


def seconds_since(moment: datetime | None) -> float:
	"""Seconds from a moment, as the database holds it, till now; 0 for none."""
	return max(0.0, (now_datetime() - moment).total_seconds()) if moment else 0.0
