"""A row of the outline to another place, within its parent or below another one.

A move names the neighbours that its mover saw. Where they are no longer neighbours it is refused, so that of two editors
neither undoes the other's order unseen.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from memora.services.cdn_export.model.doctypes import PARENT_FIELDS, SUBJECT
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.cdn_export.rules import sibling_order
from memora.services.cdn_export.state import database
from memora.services.course_outline import permissions, reading, siblings


def move(doctype: str, name: str, parent: str, after: str = "", before: str = "") -> dict[str, Any]:
	"""Put a document below `parent`, between the siblings `after` and `before`; "" is the start, or the end.

	Writes `sort_order` and parent alone, and leaves `modified`: an open form of it can be saved. Raises ValidationError where
	these are no longer neighbours. Commits.
	"""
	field = _parent_field(doctype)
	known = permissions.document(doctype, name, "write").get(field)
	return database.transaction(lambda: _moved(doctype, name, known, parent, after, before))


def _moved(doctype: str, name: str, known: str, parent: str, after: str, before: str) -> dict[str, Any]:
	above = siblings.parent_type(doctype)
	siblings.lock({(above, parent), (above, known)})
	doc = permissions.document(doctype, name, "write", locked=True)
	_require_home(doc, parent)
	field = PARENT_FIELDS[doctype]
	left = siblings.read(doctype, doc.get(field))
	former = {
		"parent": doc.get(field),
		**dict(zip(("after", "before"), left.neighbours(doc.name), strict=True)),
	}
	there = left if parent == doc.get(field) else siblings.read(doctype, parent)
	if not sibling_order.is_between(there.order, doc.name, after, before):
		refuse_changed(doc.title)
	if former == {"parent": parent, "after": after, "before": before}:
		return {"row": _row(doc), "renumbered": False, "undo": None}
	place, renumbered = there.place(doc.name, after, before)
	values: dict[str, Any] = {"sort_order": place}
	if parent != doc.get(field):
		values[field] = parent
	doc.db_set(values, update_modified=False)
	undo = {"method": "memora.api.course.move", "args": {"doctype": doctype, "name": doc.name, **former}}
	return {"row": _row(doc), "renumbered": renumbered, "undo": undo}


def refuse_changed(title: str) -> None:
	"""Refuse a move whose neighbours are no longer neighbours."""
	frappe.throw(
		_(
			"The order here has changed meanwhile, so “{0}” was not moved. Look at it again, then move it."
		).format(as_html(title)),
		title=_("Not Moved"),
	)


def _parent_field(doctype: str) -> str:
	field = PARENT_FIELDS.get(doctype, "")
	if not field:
		what = _(SUBJECT) if doctype == SUBJECT else as_html(doctype)
		frappe.throw(_("{0} has no place in an outline.").format(what))
	return field


def _require_home(doc: Document, parent: str) -> None:
	"""Refuse a parent that the caller may not read, or below which they may not write this document."""
	home, field = permissions.document(siblings.parent_type(doc.doctype), parent), PARENT_FIELDS[doc.doctype]
	if home.name == (stored := doc.get(field)):
		return
	doc.set(field, home.name)
	doc.check_permission("write")
	doc.set(field, stored)


def _row(doc: Document) -> reading.Row:
	return reading.rows_of([(doc.doctype, doc.name)])[0]
