"""What follows when CDN Settings have been saved: each part of the pipeline looks whether that concerns it."""

from __future__ import annotations

from collections.abc import Callable

import frappe
from frappe.model.document import Document

from memora.exceptions import GateKeyError
from memora.services.access_gate import keys
from memora.services.cdn_export import settings
from memora.services.cdn_export.delivery import tagged_cache
from memora.services.cdn_export.maintenance import link_settings
from memora.services.cdn_export.state import database, gate_switch, relocation


def follow(doc: Document) -> None:
	"""Have the cache, the place, the gate and the signatures follow what has been saved."""
	tagged_cache.settings_saved(doc)
	each = (
		relocation.settings_saved(doc),
		gate_switch.settings_saved(doc),
		keys.ensure if settings.is_gated(doc) else None,
		link_settings.settings_saved(doc),
	)
	if steps := [step for step in each if step]:
		# After all that others do after this commit: when a step rolls back, Frappe forgets what is still to be done.
		frappe.db.after_commit.add(lambda: frappe.db.after_commit.add(lambda: _take_steps(steps)))


def _take_steps(steps: list[Callable[[], object]]) -> None:
	"""The save is done, and does not fail because of what follows. Without a key the gate refuses all tokens."""
	for step in steps:
		try:
			step()
		except (*database.ERRORS, GateKeyError):
			database.rollback()
			frappe.logger("memora").exception(f"{step.__module__} does not follow CDN Settings yet")
