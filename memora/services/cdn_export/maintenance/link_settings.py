"""What a save of CDN Settings means for the links to films in live lessons.

It is noted with the save, and followed once that is committed. Should this process die in between, or MariaDB refuse, the
next run makes up for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import frappe
from frappe.model.document import Document

from memora.services.cdn_export import settings
from memora.services.cdn_export.builds import film_notes
from memora.services.cdn_export.state import database, ledger, publish_state, site_values

_NOTE = "memora_links"
_OTHER_LINKS, _SAME_LINKS = "other links", "same links"

WAITS = f"exists (select 1 from `tabDefaultValue` where name = '{_NOTE}' and defvalue > '')"
"""SQL: whether a save of CDN Settings is still to be followed."""


def settings_saved(doc: Document) -> Callable[[], None] | None:
	"""Note what must be renewed: what was signed with other keys or for another life, or everything when other links must be
	signed now. In the caller's transaction; returns what is to follow its commit."""
	before = doc.get_doc_before_save()
	is_gated = settings.is_gated(doc)
	if before is None or ((doc.storage_provider or settings.LOCAL) == settings.LOCAL and not is_gated):
		return None

	def differs(*names: str) -> bool:
		return any((before.get(name) or "") != (doc.get(name) or "") for name in names)

	sign = doc.sign or "All"
	if is_gated:  # nothing is signed
		if differs("gate_url", "cdn_base_url", "video_folders", "local_path"):
			return _noted(_OTHER_LINKS)
	elif (before.sign or "All") != sign or (
		sign != "None" and differs("gate_url", "cdn_base_url", "video_folders")
	):
		return _noted(_OTHER_LINKS)
	elif differs("access_key", "region", "signed_url_expiry_hours") or doc.flags.has_other_secret:
		return _noted(_SAME_LINKS)
	return None


def follow() -> None:
	"""Have lessons signed again if a save of CDN Settings is still to be followed. Commits.

	Who may be signing as CDN Settings said before loses the right to call that live, and begins again.
	"""
	database.fresh()
	if not (noted := site_values.read(_NOTE)):
		return
	publish_state.end_leases()
	if settings.load(settings.saved()).is_gated:
		database.transaction(film_notes.look_again)  # other folders may hold films
	ledger.sign_again(other_links=noted.startswith(_OTHER_LINKS))
	database.transaction(partial(site_values.forget, _NOTE, noted))  # what was saved meanwhile stays noted


def _noted(which: str) -> Callable[[], None]:
	if site_values.read(_NOTE).startswith(_OTHER_LINKS):
		which = _OTHER_LINKS  # of a save that is still to be followed
	site_values.write(_NOTE, f"{which} {frappe.generate_hash()}")
	return follow
