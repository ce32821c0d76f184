"""What follows when CDN Settings have been saved: each part of the pipeline looks whether that concerns it."""

from __future__ import annotations

import frappe
from frappe.model.document import Document

from memora.services.access_gate import keys
from memora.services.cdn_export import settings
from memora.services.cdn_export.delivery import tagged_cache
from memora.services.cdn_export.maintenance import link_settings
from memora.services.cdn_export.state import gate_switch, relocation


def follow(doc: Document) -> None:
	"""Have the cache, the place, the gate and the signatures follow what has been saved."""
	tagged_cache.settings_saved(doc)
	relocation.settings_saved(doc)
	gate_switch.settings_saved(doc)
	if settings.is_gated(doc):
		frappe.db.after_commit.add(keys.ensure_or_log)
	link_settings.settings_saved(doc)
