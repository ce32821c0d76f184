"""What the page CDN Export Dashboard shows, in one answer: a handful of statements, however many plans there are."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import Any, Literal

import frappe
from frappe import _
from frappe.utils import add_days, getdate, now_datetime

from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import (
	gate_status,
	pipeline_status,
	purge_status,
	schedule,
	status_words,
)
from memora.services.cdn_export.curriculum import items
from memora.services.cdn_export.delivery import progress
from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import due, sync_log

_PATH = re.compile(r"\b(?:plans|lessons|units|media|schemas)/\S+")
"""What differs from one to the next where the same thing is wrong with all."""

_DAYS = 14
_RUNS = 8
_PAGE = 50
_CAUSES = 5
_ITEMS = 5


def read(text: str = "", state: str = "", start: int = 0) -> dict[str, Any]:
	"""Health, what waits, what fails and why, and the runs of the last two weeks.

	`counts` and `causes` are of all there is; `rows` are a page of those in this state whose title, name or cause holds
	this text, from the one numbered `start`; `found` says how many there are.
	"""
	rows = _rows()
	status = pipeline_status.queue_status()
	wanted = plain_text.store(text.strip()).casefold()
	found = [
		row
		for row in rows
		if (not state or row["state"] == state)
		and (not wanted or any(wanted in str(row[key]).casefold() for key in ("title", "label", "reason")))
	]
	page = found[start : start + _PAGE]
	known = progress.of_scopes(row["scope"] for row in page if row["state"] == "building")
	for row in page:
		row |= {
			"progress": known.get(row["scope"]),
			"state_label": status_words.short(row["state"]),
			"color": status_words.COLORS[row["state"]],
			"live_since": status_words.moment(row.pop("live_version")),
		}
	return {
		"health": health(),
		"oldest_waiting_since": status["oldest_waiting_since"],
		"unfolded_changes": status["unfolded_changes"],
		"counts": {
			state: sum(row["state"] == state for row in rows)
			for state in ("waiting", "building", "failed", "remains", "dead", "held", "live")
		},
		"causes": _causes(rows),
		"rows": page,
		"found": len(found),
		"total": len(rows),
		"start": start,
		"page": _PAGE,
		"days": _days(),
		"runs": pipeline_status.sync_history(limit=_RUNS),
	}


def _causes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	"""What keeps more than one from being published, said once with how many it keeps; the most first."""
	counts = Counter(
		_PATH.sub("…", row["reason"]) for row in rows if row["state"] in ("failed", "dead") and row["reason"]
	)
	return [{"cause": cause, "count": count} for cause, count in counts.most_common(_CAUSES) if count > 1]


def health() -> dict[str, Any]:
	"""The last batch and the next, and what keeps batches from running."""
	options = settings.load()
	gate, last_batch_at = gate_status.with_last_batch()
	return {
		"enabled": options.enabled,
		"provider": options.provider,
		"last_batch_at": last_batch_at,
		"next_run": None if schedule.obstacle(options) else schedule.next_run(options),
		"metadata": pipeline_status.metadata_progress(),
		"gate": gate,
		"purges": purge_status.this_month(options),
		"workers": schedule.count_workers(),
		"warnings": [
			*schedule.warnings(),
			*purge_status.warnings(options),
			*({"message": text, "fix": ""} for text in items.unsellable(_ITEMS)),
		],
		"now": now_datetime(),
	}


def _rows() -> list[dict[str, Any]]:
	"""Every plan there is or was and is not yet gone, and each shared subject, and the list of plans, while they wait, are
	built or fail; the worst first. Words and moments are for the page that is shown: `read` adds them."""
	found = []
	for row in due.shown():
		state = _state(row)
		if state == "gone":
			continue
		scope = Scope(row.scope_type, row.ref or "")
		found.append(
			{
				"scope": scope.id,
				"label": scope.label,
				"type": row.scope_type,
				"name": row.ref,
				"title": row.title or _untitled(scope.owner.type) or row.ref or "",
				"exists": bool(row.title),
				"state": state,
				"live_version": row.live_version,
				"last_success_at": row.last_success_at,
				"waiting_since": row.waiting_since if state != "live" else None,
				"next_try": row.next_retry_at if state in ("failed", "remains") else None,
				"retry_count": row.retry_count,
				"reason": row.held_reason if state == "held" else row.last_error or "",
			}
		)
	order = ("dead", "failed", "remains", "held", "building", "waiting", "live", "draft")
	return sorted(found, key=lambda row: (order.index(row["state"]), row["title"].casefold(), row["label"]))


def _untitled(scope_type: str) -> str:
	"""What is published and no document of its own."""
	return {"index": _("The list of plans"), "media": _("Pictures"), "films": _("Access of films")}.get(
		scope_type, ""
	)


def _state(row: frappe._dict) -> status_words.State | Literal["gone"]:
	waits = row.published_generation < row.generation
	if row.dead_since:
		return "dead"
	if row.building:
		return "building"
	if row.retry_count:
		return "failed"
	if row.scope_type == "removal":
		return "remains"
	if row.held:
		return "held"
	if waits:
		return "waiting"
	if row.is_live:
		return "live"
	return "draft" if row.title else "gone"


def _days() -> list[dict[str, Any]]:
	"""Runs by day, today last, days without any as well."""
	today = getdate()
	first = add_days(today, 1 - _DAYS)
	rows = {
		row.day: row
		for row in frappe.db.sql(
			f"""select date(creation) as day, sum(files_uploaded) as uploaded, sum(files_deleted) as deleted,
				sum(status = 'Success') as succeeded, sum(status != 'Success') as failed,
				avg(timestampdiff(microsecond, started_at, completed_at)) / 1000000 as seconds
			from `tab{sync_log.DOCTYPE}` where creation >= %s group by date(creation)""",
			(first,),
			as_dict=True,
		)
	}
	days = []
	for offset in range(_DAYS):
		day = first + timedelta(days=offset)
		row = rows.get(day) or frappe._dict()
		days.append(
			{
				"day": day,
				"uploaded": int(row.uploaded or 0),
				"deleted": int(row.deleted or 0),
				"succeeded": int(row.succeeded or 0),
				"failed": int(row.failed or 0),
				"seconds": round(float(row.seconds or 0), 1),
			}
		)
	return days
