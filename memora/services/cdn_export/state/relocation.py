"""When CDN Settings name another place: all that is published is published there again, and says so.

The place that the ledger speaks of is noted in one row. It is compared when CDN Settings have been saved and
whenever a run opens its storage, so that a change past the form (a script, a restored backup) is seen too.
Versions go on: the rows of the old place become tombstones. Builders that still write to the old place lose
their leases, and with them the right to close.
"""

from __future__ import annotations

from collections.abc import Callable

import frappe
from frappe import _

from memora.services.cdn_export import settings
from memora.services.cdn_export.model import causes, doctypes, scopes
from memora.services.cdn_export.model.causes import Cause
from memora.services.cdn_export.state import (
	database,
	gate_switch,
	ledger,
	publish_state,
	redis_mirror,
	refused_removals,
	renditions,
	site_values,
)

_NOTE = "memora_place"
_MOVED = "memora_moved"
_TABLE = "DefaultValue"

NOTED = f"(select defvalue from `tab{_TABLE}` where name = '{_NOTE}')"
"""SQL: the place that the ledger speaks of. It changes only together with all leases, which it ends."""


def settings_saved(doc) -> Callable[[], object] | None:
	"""Tell whoever saves CDN Settings what follows, and return what does once they are committed.

	Not before: the save would have to wait for builders, and could fail because of them. Should this process
	die in between, the next run makes up for it.
	"""
	if _noted() == settings.place(doc):
		return None
	if moves(doc) and (plans := _live_plans()):
		message = _(
			"Files go to another place from now on. All {0} published plans will be published there again. "
			"The files in the old place stay: remove them when no app reads it any more."
		).format(plans)
		if not doc.enabled:
			message += " " + _("Export is switched off, so that waits until it is on.")
		frappe.msgprint(message, title=_("Everything will be published again"), indicator="orange")
	return follow


def moves(doc) -> bool:
	"""Whether files would go to another place than the ledger speaks of, by CDN Settings as they are in `doc`."""
	return _noted() not in ("", settings.place(doc))


def follow() -> int:
	"""Bring ledger and states in line with the place that CDN Settings name, and with whether a gate is before it. Returns
	how many plans will be published again: 0 when nothing has changed. Commits."""
	((noted, gate),) = frappe.db.sql(f"select {NOTED}, {gate_switch.NOTED}")
	doc = settings.saved()
	gate_switch.follow(doc, gate_switch.parse(gate))
	if (noted or "") == settings.place(doc):
		return 0
	plans = database.transaction(start_again)
	redis_mirror.notify(plans)
	return len(plans)


def settled() -> bool:
	"""Whether everything has been published again since the last look: then an audit looks for what memora left in the
	new place when it was there before. Says so once; commits."""
	if not frappe.db.sql(f"select 1 from `tab{_TABLE}` where name = %s", (_MOVED,)):
		return False
	return bool(
		database.transaction(
			lambda: database.execute(f"delete from `tab{_TABLE}` where name = %s", (_MOVED,))
		)
	)


def start_again(taken_over: str = "") -> list[str]:
	"""Forget which files are where, but not the versions, unless CDN Settings still name the place that the ledger speaks
	of; also then if that is the one that was `taken_over`. Returns the plans to publish again. In the caller's
	transaction; one at a time."""
	noted = site_values.locked(_NOTE)
	place = settings.place(settings.saved())
	if noted == place != taken_over:
		return []
	site_values.write(_NOTE, place)
	if place != taken_over and (not noted or not ledger.has_any()):
		return []  # nothing was published before
	frappe.logger("memora").warning(
		f"files go to {place} now (before: {noted or 'nowhere'}): all is published again"
	)
	ledger.forget_place()
	frappe.db.sql(f"delete from `tab{renditions.TABLE}`")
	frappe.db.sql("delete from `tabCDN Node Change`")
	refused_removals.settle()
	publish_state.start_again()
	site_values.write_once(_MOVED, "1")
	plans = frappe.get_all(doctypes.PLAN, pluck="name")
	cause = causes.text([Cause("", "", causes.MOVE)])
	publish_state.raise_generations(
		[*map(scopes.plan, plans), scopes.INDEX],
		triggered_by="Manual",
		causes={scopes.plan(plan).id: cause for plan in plans},
	)
	return plans


def _noted() -> str:
	return frappe.db.sql(f"select {NOTED}")[0][0] or ""


def _live_plans() -> int:
	return frappe.db.count(publish_state.TABLE, {"scope_type": "plan", "is_live": 1})
