"""The CDN Sync Log: one record for each attempt at a plan, written once, at its end.

It goes straight to its table, and what a site has attached to it then hears of it as of any new document: hooks,
Notifications, Webhooks, Server Scripts. What they do before one is saved, and Frappe's checks of what people enter,
take longer than building a plan that shares its subjects, and could only keep the record from being written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import now_datetime

from memora.services.cdn_export.model import causes, doctypes, plain_text
from memora.services.cdn_export.model.causes import Cause
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.state import database
from memora.services.cdn_export.state.retries import Failure

DOCTYPE = "CDN Sync Log"
FALLBACK = "Fallback Recovery"


@dataclass(frozen=True, slots=True)
class Attempt:
	"""An attempt at a plan that is over: well, or with `failure` and what went wrong."""

	state: State
	started_at: datetime
	triggered_by: str
	counts: Counts
	error_message: str = ""
	failure: Failure | None = None


def write(attempts: Sequence[Attempt]) -> None:
	"""Record attempts and commit, all in one transaction if that works.

	A Success or a Dead Letter is finished, so it is submitted and can no longer be edited; a Failed one says
	when the plan is tried again. What was published is published: a record that cannot be written (a site's
	own validation on the DocType, say) goes to the error log and holds nothing up.
	"""
	try:
		for attempt in attempts:
			_insert(_document(attempt))
		frappe.db.commit()
	except Exception:  # noqa: BLE001 - whatever a site's hooks raise
		database.rollback()
		if len(attempts) > 1:
			for attempt in attempts:
				write([attempt])
			return
		# The name is beside the title, which holds 140 characters and is not cut.
		frappe.log_error(
			"CDN Sync Log could not be written",
			reference_doctype=doctypes.PLAN,
			reference_name=attempts[0].state.ref,
		)
		frappe.db.commit()


def successes(plans: Collection[str], since: datetime) -> list[tuple[datetime, datetime]]:
	"""When the runs began and ended that have published something of these plans since then, the first first. One SELECT."""
	if not plans:
		return []
	return list(
		frappe.db.sql(
			f"""select started_at, completed_at from `tab{DOCTYPE}`
			where plan_id in %s and status = 'Success' and started_at >= %s order by started_at""",
			(tuple(plans), since),
		)
	)


def explain(logs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
	"""The same logs, each with `cause`: "Salma: Lesson “Angles 1”, Unit “Angles” and 12 more". One SELECT a DocType.

	Titles are those that the caller may read; what they may not read, or is gone, is named instead.
	"""
	read = [causes.read(log["changes"] or "") for log in logs]
	named = [cause for found, _more, _is_cut in read for cause in found]
	titles, people = _titles(named), _full_names({cause.user for cause in named})
	return [
		{**log, "cause": _said(*found, titles=titles, people=people)}
		for log, found in zip(logs, read, strict=True)
	]


def _titles(named: Sequence[Cause]) -> dict[tuple[str, str], str]:
	names: dict[str, set[str]] = defaultdict(set)
	for cause in named:
		if cause.doctype:
			names[cause.doctype].add(cause.name)
	found: dict[tuple[str, str], str] = {}
	for doctype, of_it in names.items():
		if frappe.has_permission(doctype, "read"):
			rows = frappe.get_list(doctype, {"name": ("in", sorted(of_it))}, ["name", "title"])
			found |= {(doctype, row.name): row.title for row in rows}
	return found


def _full_names(users: set[str]) -> dict[str, str]:
	rows = frappe.get_all("User", {"name": ("in", sorted(users))}, ["name", "full_name"]) if users else []
	return {row.name: plain_text.store(row.full_name or row.name) for row in rows} | {
		causes.HOURLY: _("Found by the hourly check"),
		causes.NIGHTLY: _("Found by the nightly check"),
	}


def _said(
	found: Sequence[Cause],
	more: int,
	is_cut: bool,
	*,
	titles: dict[tuple[str, str], str],
	people: dict[str, str],
) -> str:
	words = {
		causes.REBUILD: _("asked for a rebuild"),
		causes.RETRY: _("asked for a retry"),
		causes.APPROVAL: _("approved the change"),
		causes.START: _("published now"),
		causes.REPAIR: _("repaired what is published"),
		causes.MOVE: _("files go to another place"),
	}
	by_user: dict[str, list[str]] = defaultdict(list)
	for user, doctype, name in found:
		if not doctype:
			what = words.get(name, name)
		elif title := titles.get((doctype, name)):
			what = _("{0} “{1}”").format(_(doctype).removeprefix("Memora "), title)
		else:
			what = _("{0} {1}").format(_(doctype).removeprefix("Memora "), name)
		by_user[user] += [what] if what else []
	said = []
	for user, listed in by_user.items():
		what, who = ", ".join(listed), people.get(user, user)
		said.append(_("{0}: {1}").format(who, what) if who and what else who or what)
	whole = "; ".join(said)
	if is_cut:
		return _("{0} and others").format(whole)
	return _("{0} and {1} more").format(whole, more) if more else whole


def _document(attempt: Attempt) -> Document:
	state, counts, failure = attempt.state, attempt.counts, attempt.failure
	said = state.causes
	if attempt.triggered_by == "Manual" and state.triggered_by != "Manual":
		said += causes.action(frappe.session.user, causes.START)
	said = causes.short(said)
	users = dict.fromkeys(cause.user for cause in causes.read(said)[0] if cause.user)
	status = "Success" if failure is None else "Dead Letter" if failure.is_dead else "Failed"
	return frappe.get_doc(
		{
			"doctype": DOCTYPE,
			"plan_id": state.ref,
			"plan_title": plain_text.store(
				counts.title or frappe.db.get_value(doctypes.PLAN, state.ref, "title") or ""
			),
			"status": status,
			"started_at": attempt.started_at,
			"completed_at": now_datetime(),
			"files_uploaded": counts.uploaded,
			"files_deleted": counts.deleted,
			"files_unchanged": counts.unchanged,
			"bytes_uploaded": counts.bytes,
			"error_message": plain_text.store(attempt.error_message),
			"retry_count": failure.retries if failure else state.retry_count,
			"next_retry_at": failure.next_try if failure else None,
			"is_fallback": int(attempt.triggered_by == FALLBACK),
			"triggered_by": attempt.triggered_by,
			"changed_by": ", ".join(users),
			"changes": plain_text.store(said),
			"docstatus": 0 if status == "Failed" else 1,
		}
	)


def _insert(log: Document) -> None:
	log.set_user_and_timestamp()
	log.set_new_name()
	log.db_insert()
	for event in ("after_insert", "on_update", "on_submit", "on_change"):
		if event != "on_submit" or log.docstatus:
			log.run_method(event)
	# Lists hear of it as of any document; its form, which `notify_update` would tell too, is not open anywhere yet.
	news = {"doctype": DOCTYPE, "name": log.name, "user": frappe.session.user}
	frappe.publish_realtime("list_update", news, after_commit=True)
