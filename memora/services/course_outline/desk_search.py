"""Frappe's own search of the Desk (Ctrl+G): titles and descriptions of content, for whoever may read them.

Frappe 15 asks for no permission to a document there. So memora answers in its place, and takes out what the caller may not
read. An upgrade lets content be searched there, but on a site that restricts some editor by User Permissions by then; Global Search
Settings say so from then on. What stages hold is never in it: `text_search` finds that.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe.utils import global_search

from memora.services.cdn_export.admin import status_facts
from memora.services.cdn_export.model.doctypes import CONTENT
from memora.services.cdn_export.model.plain_text import store
from memora.services.course_outline import permissions

_SETTINGS, _ROW = "Global Search Settings", "Global Search DocType"


def search(text: str, start: int, limit: int, doctype: str) -> list[dict[str, Any]]:
	"""What Frappe's search finds, without the content that the caller may not read. Content has its `title` and its `way`, the
	titles above it, both without `<` and `>`, since Frappe shows some of it as HTML."""
	found = global_search.search(text, start=start, limit=limit, doctype=doctype)
	refs = [(row["doctype"], row["name"]) for row in found if row["doctype"] in CONTENT]
	if not refs:
		return found
	hidden = permissions.unreadable(refs)
	lines = {
		(kind, name): line
		for kind in CONTENT
		if (names := [name for doctype, name in refs if doctype == kind])
		for name, line in status_facts.lines(kind, names).items()
	}
	rows = []
	for row in found:
		ref = row["doctype"], row["name"]
		if row["doctype"] in CONTENT:
			if ref in hidden or ref not in lines:  # or just deleted
				continue
			row["title"] = store(lines[ref][-1].title)
			row["way"] = " › ".join(store(node.title) for node in lines[ref][:-1])
		rows.append(row)
	return rows


def offer() -> None:
	"""Let Frappe's search of the Desk find content on a site that restricts no editor, also what is there already."""
	if frappe.db.exists("User Permission", {"allow": ("in", CONTENT)}):
		return
	settings = frappe.get_doc(_SETTINGS)
	searched = {row.document_type for row in settings.allowed_in_global_search}
	if missing := [doctype for doctype in CONTENT if doctype not in searched]:
		for doctype in missing:
			settings.append("allowed_in_global_search", {"document_type": doctype})
		settings.save(ignore_permissions=True)
	for doctype in CONTENT:
		global_search.rebuild_for_doctype(doctype)


def index_last_changed() -> None:
	"""Give each content DocType's table the index by which a link box offers what was changed last. Frappe 15 makes it for
	each table, later ones do not, and an upgrade to them drops it."""
	for doctype in CONTENT:
		frappe.db.add_index(doctype, ["modified"], index_name="modified")
