"""CDN Settings and the pipeline's tables can no longer be shared, nor content by CDN Admins: such shares go.

A share of content stays if its giver may still give it.
"""

import frappe

from memora.services.cdn_export.model.roles import EDITOR
from memora.services.cdn_export.state import database


def execute() -> None:
	database.transaction(_drop)


def _drop() -> None:
	ours = frappe.get_all("DocType", {"module": "Memora"}, pluck="name")
	for share in frappe.get_all(
		"DocShare", {"share_doctype": ("in", ours)}, ["name", "owner", "share_doctype"]
	):
		is_content = not share.share_doctype.startswith("CDN ")
		if not is_content or not {EDITOR, "System Manager"}.intersection(frappe.get_roles(share.owner)):
			frappe.db.delete("DocShare", {"name": share.name})
