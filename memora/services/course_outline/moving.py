"""A row of the outline to another place, within its parent or below another one.

A move names the neighbours that its mover saw. Where they are no longer neighbours it is refused, so that of two editors
neither undoes the other's order unseen.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from memora.services.cdn_export import dependency_resolver
from memora.services.cdn_export.model.doctypes import PARENT_FIELDS, SUBJECT
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.cdn_export.rules import sibling_order
from memora.services.cdn_export.state import database
from memora.services.course_outline import asking, permissions, reading, siblings, stages
from memora.services.course_outline.rules import consequences, tree_changes


def move(
	doctype: str, name: str, parent: str, after: str = "", before: str = "", agreed: str = ""
) -> dict[str, Any]:
	"""Put a document, or a stage, below `parent`, between the siblings `after` and `before`; "" is the start, or the end.

	Writes `sort_order` and parent alone, and leaves `modified`: an open form of it can be saved. What another parent makes
	live or free is asked first. Raises ValidationError where these are no longer neighbours. Commits.
	"""
	if doctype == permissions.STAGE:
		return stages.move(name, parent, after, before, agreed)
	field, above = _parent_field(doctype), siblings.parent_type(doctype)
	known = permissions.document(doctype, name, "write").get(field)
	locks = {(above, parent), (above, known)}
	locks |= siblings.subjects(locks)

	def work() -> dict[str, Any]:
		siblings.lock(locks)
		return _moved(doctype, name, parent, after, before, agreed)

	return database.transaction(work)


def _moved(doctype: str, name: str, parent: str, after: str, before: str, agreed: str) -> dict[str, Any]:
	field = PARENT_FIELDS[doctype]
	doc = permissions.document(doctype, name, "write", locked=True)
	parent = _home(doc, parent)
	left = siblings.read(doctype, doc.get(field))
	former = {
		"parent": doc.get(field),
		**dict(zip(("after", "before"), left.neighbours(doc.name), strict=True)),
	}
	there = left if parent == doc.get(field) else siblings.read(doctype, parent)
	if not sibling_order.is_between(there.order, doc.name, after, before):
		siblings.refuse_changed(doc.title)
	if former == {"parent": parent, "after": after, "before": before}:
		return {"row": _row(doc), "renumbered": False, "undo": None}
	undo_agreed = ""
	if parent != doc.get(field) and doc.is_published:
		ask, undo_agreed = _consequences(doc, parent, agreed)
		if ask:
			return {"ask": ask}
	place, renumbered = there.place(doc.name, after, before)
	values = {"sort_order": place} if parent == doc.get(field) else {"sort_order": place, field: parent}
	doc.db_set(values, update_modified=False)
	args = {"doctype": doctype, "name": doc.name, **former, "agreed": undo_agreed}
	return {
		"row": _row(doc),
		"renumbered": renumbered,
		"undo": {"method": "memora.api.course.move", "args": args},
	}


def _consequences(doc: Document, parent: str, agreed: str) -> tuple[asking.Ask | None, str]:
	"""What is asked before a document goes below another parent, and what its undo is agreed to."""
	above = siblings.parent_type(doc.doctype)
	ref, home = (doc.doctype, doc.name), (above, parent)
	world = asking.world(set(dependency_resolver.subjects_of([ref, home]).values()))
	trees = tree_changes.moved(world.subjects, ref, home)
	if trees is None:
		return None, ""  # it is in no subject, so no learner reads it here or there
	after = asking.with_trees(world, trees)
	ask = asking.question(consequences.between(world, after), agreed)
	return ask, asking.agreed_before(consequences.between(after, world))


def _parent_field(doctype: str) -> str:
	field = PARENT_FIELDS.get(doctype, "")
	if not field:
		what = _(SUBJECT) if doctype == SUBJECT else as_html(doctype)
		frappe.throw(_("{0} has no place in an outline.").format(what))
	return field


def _home(doc: Document, parent: str) -> str:
	"""The parent's name as it is written. Raises PermissionError where the caller may not read it, or may not write this
	document below it."""
	home, field = permissions.document(siblings.parent_type(doc.doctype), parent), PARENT_FIELDS[doc.doctype]
	if home.name != (stored := doc.get(field)):
		doc.set(field, home.name)
		doc.check_permission("write")
		doc.set(field, stored)
	return str(home.name)


def _row(doc: Document) -> reading.Row:
	return next(iter(reading.rows_of([(doc.doctype, doc.name)])), {})
