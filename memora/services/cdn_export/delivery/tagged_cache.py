"""Whether a CDN that purges by tag knows a tag of all it holds.

What it has cached before *Purge by Tags* was switched on, or before objects got their tags, it knows by address alone.
So purges go by address until everything that is live carries its tags and the CDN has forgotten all once.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import frappe

from memora.services.cdn_export.delivery import purge_budget
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.state import database, ledger, site_values

_KEY = "memora_tagged_cache"


def holds(target: PublishTarget) -> bool:
	"""Whether tags may be relied on. Has everything purged once, as soon as that is enough. Commits; never raises for what the
	CDN does."""
	purge = target.purge
	if not purge.by_tag:
		return False
	here = target.cache
	if site_values.read(_KEY) == here:
		return True
	outdated, _files = ledger.count_outdated()
	frappe.db.commit()
	if outdated:
		return False
	result = purge.everything()
	if result.error:
		frappe.logger("memora").warning(f"not everything could be purged, so URLs are: {result.error}")
		return False
	database.transaction(partial(_note, here, result.spent))
	return True


def settings_saved(doc: Any) -> None:
	"""Rely on no tag any more if *Purge by Tags* was switched, in the caller's transaction."""
	before = doc.get_doc_before_save()
	if before and bool(before.get("purge_by_tag")) != bool(doc.get("purge_by_tag")):
		site_values.write(_KEY, "")


def _note(here: str, spent: int) -> None:
	site_values.write(_KEY, here)
	purge_budget.spend(spent)
