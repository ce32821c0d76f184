"""How far *Paid Content Is Private* has come, for CDN Settings, `status` and `doctor`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from frappe import _

from memora.services.cdn_export.state import gate_switch, ledger, site_values


def read(noted: str) -> dict[str, Any] | None:
	"""What the note of the gate (`gate_switch.NOTE`) means; None without a gate. `done` of so many `lessons` have the
	headers of now, and of their files, those that wait for their removal among them, so many are `left`. No statement without
	a gate, and one with it; three while films alone are waited for."""
	gate = gate_switch.parse(noted)
	if not gate.state:
		return None
	counts = ledger.count_old_headers()
	found = {"state": gate.state, "lessons": counts.lessons, "done": counts.lessons, "left": 0}
	if gate.state in ("closing", "opening"):
		found |= {"done": counts.lessons - counts.old, "left": counts.left}
	return found | {"message": _said(gate, found)}


def with_last_batch() -> tuple[dict[str, Any] | None, datetime | None]:
	"""`read`, and when the last batch began: both are notes, read in one statement."""
	noted = site_values.read_all(site_values.LAST_BATCH, gate_switch.NOTE)
	return read(noted[gate_switch.NOTE]), site_values.last_batch_at(noted[site_values.LAST_BATCH])


def _said(gate: gate_switch.Noted, found: dict[str, Any]) -> str:
	counts = [f"{found[key]:,}" for key in ("done", "lessons", "left")]
	is_written = found["done"] == found["lessons"] and not found["left"]
	if gate.state in ("closing", "opening") and is_written and gate_switch.films_wait():
		return _(
			"All lessons and files are written. Links to films, or who may see them, are still waiting for that."
		)
	if gate.state == "closing":
		return _(
			"{0} of {1} lessons that are not open are published as private, and {2} files are left. Until all are, "
			"caches may show them to strangers."
		).format(*counts)
	if gate.state == "opening":
		return _("{0} of {1} lessons are published as without a gate again, and {2} files are left.").format(
			*counts
		)
	if gate.state == "purging":
		return _(
			"{0} of {1} lessons that are not open are published as private. The CDN's cache is told to forget what was public."
		).format(*counts)
	if gate.since:
		return _(
			"Paid lessons are private: {0} of {1} lessons that are not open are published so, and the CDN's cache has "
			"forgotten what was public."
		).format(*counts)
	return _(
		"{0} of {1} lessons that are not open are published as private. memora has purged no cache: if a CDN has kept "
		"what was public, purge it once by hand."
	).format(*counts)
