"""Who may share a preview, and the link that he gets: what the dialog of the Desk asks for."""

from __future__ import annotations

import frappe
from frappe import _
from frappe.permissions import get_role_permissions

from memora.services.cdn_export.admin import preview_place, reader_links
from memora.services.cdn_export.admin.learner_preview import Preview
from memora.services.preview_links import links


def may_share(doctype: str, user: str) -> bool:
	"""Whether a user's roles let him read and share documents of this DocType, and the site lets anybody share."""
	if frappe.get_system_settings("disable_document_sharing"):
		return False
	rights = get_role_permissions(frappe.get_meta(doctype), user=user)
	return bool(rights.get("read") and rights.get("share"))


def make(preview: Preview, plan: str, days: int, *, drafts: bool) -> tuple[str, str]:
	"""A link of the session's user to what a preview is of, in this plan or in the one that the preview begins in: its name,
	and its path from the site's root, which holds the secret and is kept nowhere.

	The caller has asked for the right to read the document and the plan. Raises PermissionError for who may not share the
	document, and MemoraError where the plan does not show it or the user may have no such link.
	"""
	if not may_share(preview.doctype, frappe.session.user):
		frappe.throw(_("You may not share this."), frappe.PermissionError)
	shown_in = preview_place.place(preview, plan)["address"][0]
	secret, link = links.make(preview.doctype, preview.name, shown_in, days, drafts=drafts)
	return link, f"{reader_links.PAGE}?shared#{secret}"
