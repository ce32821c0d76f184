"""What a save of CDN Settings means for the links to films in live lessons."""

from __future__ import annotations

import frappe
from frappe.model.document import Document

from memora.services.cdn_export import settings
from memora.services.cdn_export.builds import film_notes
from memora.services.cdn_export.state import database, ledger, publish_state


def settings_saved(doc: Document) -> None:
	"""Renew at once what was signed with other keys or for another life, and everything when other links must be
	signed now. Once CDN Settings are committed, as in `relocation`."""
	before = doc.get_doc_before_save()
	is_gated = settings.is_gated(doc)
	if before is None or ((doc.storage_provider or settings.LOCAL) == settings.LOCAL and not is_gated):
		return

	def differs(*names: str) -> bool:
		return any((before.get(name) or "") != (doc.get(name) or "") for name in names)

	sign = doc.sign or "All"
	if is_gated:  # nothing is signed
		if differs("gate_url", "cdn_base_url", "video_folders", "local_path"):
			frappe.db.after_commit.add(lambda: _sign_again(other_links=True))
	elif (before.sign or "All") != sign or (
		sign != "None" and differs("gate_url", "cdn_base_url", "video_folders")
	):
		frappe.db.after_commit.add(lambda: _sign_again(other_links=True))
	elif differs("access_key", "region", "signed_url_expiry_hours") or doc.flags.has_other_secret:
		frappe.db.after_commit.add(lambda: _sign_again(other_links=False))


def _sign_again(*, other_links: bool) -> None:
	"""Who may be signing as CDN Settings said before loses the right to call that live, and begins again."""
	try:
		publish_state.end_leases()
		if settings.load(settings.saved()).is_gated:
			database.transaction(film_notes.look_again)  # other folders may hold films
		ledger.sign_again(other_links=other_links)
	except database.ERRORS:
		database.rollback()
		frappe.logger("memora").exception("signed links keep their old signatures until those end")
