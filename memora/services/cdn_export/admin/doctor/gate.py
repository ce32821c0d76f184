"""Whether what is paid is private, and whether its owners can read it."""

from __future__ import annotations

from collections.abc import Iterator

import frappe

from memora.exceptions import GateKeyError
from memora.services.access_gate import keys
from memora.services.cdn_export.admin import gate_status
from memora.services.cdn_export.admin.finding import Finding
from memora.services.cdn_export.state import gate_switch, site_values


def gate() -> Iterator[Finding]:
	"""How far *Paid Content Is Private* has come, and what holds it up."""
	noted = site_values.read(gate_switch.NOTE)
	found = gate_status.read(noted)
	if not found:
		return
	moves = gate_switch.parse(noted).moves
	fix = f"bench --site {frappe.local.site} memora process goes on with it now." if moves else ""
	yield Finding("gate", "warning" if moves else "ok", found["message"], fix)


def gate_keys() -> Iterator[Finding]:
	"""Whether tokens can be made, where there is a gate."""
	if not gate_switch.parse(site_values.read(gate_switch.NOTE)).state:
		return
	try:
		keys.signing()
	except GateKeyError as error:
		yield Finding("gate keys", "error", str(error))
