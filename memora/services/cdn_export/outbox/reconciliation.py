"""What hooks cannot see: `frappe.db.set_value`, raw SQL, a restored backup. Found by looking, and queued.

Hourly by `modified`: every monitored row written since the last look, less a margin, counts as changed. It
costs one indexed SELECT a DocType, and a rebuild that uploads nothing where hooks had seen it already.
Nightly in full: every subject and plan is read again, so that even a change that left `modified` alone is
found; what is unchanged is not uploaded. The latest a change can go unseen is therefore one day.
"""

from __future__ import annotations

from datetime import timedelta

import frappe
from frappe.utils import get_datetime, now_datetime

from memora.services.cdn_export import dependency_resolver as resolver
from memora.services.cdn_export import settings
from memora.services.cdn_export.curriculum import known_files
from memora.services.cdn_export.model import causes, doctypes
from memora.services.cdn_export.model.causes import Cause
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import database, ledger, publish_state, site_values
from memora.services.cdn_export.state.sync_log import FALLBACK

_LAST_LOOK = "memora_last_reconciliation"
_MARGIN = timedelta(minutes=15)
"""A row's `modified` is older than its commit: no save takes longer than this."""

#: Child tables and the DocType their rows count for.
_CHILDREN = {
	"Memora Lesson Stage": doctypes.LESSON,
	"Memora Plan Subject": doctypes.PLAN,
	"Memora Plan Override": doctypes.PLAN,
}


def hourly() -> int:
	"""Queue what was written since the last look. Returns how many documents that were."""
	now = now_datetime()
	_unpublish_with_seasons()
	last = get_datetime(site_values.read(_LAST_LOOK) or now)
	if last >= now:  # the first look, or the clock was set back
		last = now - timedelta(hours=1)
	refs = _written_since(last - _MARGIN) | known_files.shown_in(known_files.changed_files())
	if refs:
		found = [(Cause(causes.HOURLY, *ref), [ref]) for ref in sorted(refs)]
		database.transaction(lambda: relay.raise_for(_affected_by(refs), found, triggered_by=FALLBACK))
	site_values.write(_LAST_LOOK, str(now))
	frappe.db.commit()
	return len(refs)


def _affected_by(refs: set[doctypes.Ref]) -> resolver.Affected:
	"""What these documents touch; of lessons that have moved since, with or without what is above them, also the
	subjects that still show them."""
	affected = resolver.affected_by(refs)
	lessons = {name for doctype, name in refs if doctype == doctypes.LESSON}
	lessons = lessons.union(*resolver.lessons_below(refs).values())
	for subject in ledger.subjects_showing(lessons):
		affected.subjects[subject].add((doctypes.SUBJECT, subject))
	return affected


def _unpublish_with_seasons() -> None:
	"""Unpublish what is left published in an unpublished season, as saving that season does: the builds leave it out
	anyway, and its form should say so."""
	for (season,) in frappe.db.sql(
		f"""select season.name from `tabMemora Season` season where season.is_published = 0 and exists (
			select 1 from `tab{doctypes.PLAN}` plan where plan.season = season.name and plan.is_published = 1)"""
	):
		database.transaction(frappe.get_doc("Memora Season", season).unpublish_plans)


def daily() -> None:
	"""Queue every plan and subject to be read in full."""
	if not settings.load().enabled:
		return
	cause = causes.text([Cause(causes.NIGHTLY, "", "")])
	queue_everything(triggered_by=FALLBACK, cause=cause, shown_again=False)


def queue_everything(*, triggered_by: str, cause: str, shown_again: bool = True) -> int:
	"""Queue every plan, with all lessons of every subject, so that all is read again, and plans' files made again; not
	`shown_again`, only those of subjects in which a change is found. Returns how many plans.

	Those that are live and no longer exist are among them: SQL can delete them past every hook.
	"""
	plans = {*frappe.get_all(doctypes.PLAN, pluck="name"), *publish_state.live("plan")}
	subjects = {*frappe.get_all(doctypes.SUBJECT, pluck="name"), *publish_state.live("subject")}

	def touch() -> None:
		relay.touch(plans, subjects, triggered_by=triggered_by, cause=cause, shown_again=shown_again)

	database.transaction(touch)
	return len(plans)


def _written_since(since) -> set[doctypes.Ref]:
	refs: set[doctypes.Ref] = set()
	for doctype in (*doctypes.CONTENT, doctypes.PLAN, *doctypes.PLAN_TITLES):
		rows = frappe.db.sql(f"select name from `tab{doctype}` where modified >= %s", (since,))
		refs |= {(doctype, name) for (name,) in rows}
	for child, parent in _CHILDREN.items():
		rows = frappe.db.sql(
			f"select distinct parent from `tab{child}` where modified >= %s and parenttype = %s",
			(since, parent),
		)
		refs |= {(parent, name) for (name,) in rows}
	return refs
