"""Whether there is anything to do, and why: asked each minute, so in few and cheap statements."""

from __future__ import annotations

import time

import frappe
from frappe.utils import now_datetime

from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.maintenance import link_settings, metadata_renewal, signature_renewal
from memora.services.cdn_export.settings import ExportSettings
from memora.services.cdn_export.state import due, edge_notes, gate_switch, ledger, site_values
from memora.services.cdn_export.state.lease import LEASE_SECONDS


def reason(options: ExportSettings) -> str:
	"""Why a batch should run now, "" when it need not."""
	waiting = due.to_build(now_datetime())
	if any(state.retry_count for state in waiting):
		return "retry"
	if due.abandoned():
		return "lease"
	if waiting and _nobody_drains():
		return "left"
	if _has_leftovers():
		return "removal"
	return _to_be_renewed(options)


def has_any(options: ExportSettings) -> bool:
	"""Whether anything is due outside any build."""
	return bool(_has_leftovers() or _to_be_renewed(options))


def anything_waits() -> bool:
	"""Whether anything waits for the relay or for a build."""
	return bool(frappe.db.sql("select 1 from `tabCDN Change` limit 1") or due.to_build(now_datetime()))


def _nobody_drains() -> bool:
	"""Whether the drains of the last batch are over or dead: a lease's life has passed, and none is held."""
	return site_values.since_last_batch() >= LEASE_SECONDS and not due.is_anything_leased()


def _has_leftovers() -> bool:
	"""Whether files or caches have something to be taken out that no build will come by for."""
	return bool(due.to_clean_up() or purge_queue.is_due(now_datetime()))


def _to_be_renewed(options: ExportSettings) -> str:
	"""What of live files must be renewed, "signature", "metadata" or "gate"; "edge" where one must be asked for at the CDN; or
	"". One statement."""
	((signatures, metadata, gate, edge, links),) = frappe.db.sql(
		f"""select exists(select 1 from {ledger.ENDS_BEFORE}), exists(select 1 from {metadata_renewal.DUE}),
			{gate_switch.MOVES}, exists{edge_notes.DUE}, {link_settings.WAITS}""",
		(signature_renewal.due_before(options.signed_url_hours), int(time.time())),
	)
	is_due = {"signature": signatures or links, "metadata": metadata, "gate": gate, "edge": edge}
	return next((reason for reason, it_is in is_due.items() if it_is), "")
