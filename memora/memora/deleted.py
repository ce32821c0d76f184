"""Deleted content and plans, and how a user who may create them brings them back.

Frappe shows its Deleted Documents to System Managers only, and from v17 on only they may restore one.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.permissions import get_user_permissions
from frappe.utils import get_fullname

from memora.services.cdn_export.model.doctypes import CONTENT, PARENT_FIELDS, PLAN, PLAN_TITLES
from memora.services.cdn_export.model.plain_text import as_html, as_like

KINDS = (*CONTENT, PLAN, *PLAN_TITLES)
"""The DocTypes whose deleted documents can be brought back."""

_DELETED = "Deleted Document"
_WITH, _BELOW = "memora_deleted_with", "memora_deleted_below"
"""In the data of a deleted document: the Deleted Document of what it went with, which is the entry of them all; and, in
that one, those of what went with it."""

_SHOWN = 20
_LOOKED_AT = 200
"""So many documents are looked at for some that the caller may see."""


def latest(doctype: str, text: str) -> list[dict[str, Any]]:
	"""The last documents of this kind that were deleted and have this text in their titles: those that the caller may bring
	back. What went with all below it is one entry, which says how many come back with it. Raises PermissionError for a kind
	that they may not create."""
	_require(doctype)
	rows = frappe.db.sql(
		f"""select deleted.name, deleted.owner, deleted.creation, deleted.data from `tab{_DELETED}` deleted
		left join `tab{_DELETED}` entry on entry.restored = 0
			and entry.name = json_value(deleted.data, '$.{_WITH}')
		where deleted.deleted_doctype = %s and deleted.restored = 0 and entry.name is null
			and json_value(deleted.data, '$.title') like %s
		order by deleted.creation desc limit {_LOOKED_AT}""",
		(doctype, as_like(text)),
		as_dict=True,
	)
	found: list[dict[str, Any]] = []
	for row in rows:
		doc = _document(doctype, row.data)
		if len(found) < _SHOWN and _may_bring_back(doc):
			found.append(
				{
					"name": row.name,
					"title": doc.get("title") or "",
					"deleted_by": get_fullname(row.owner),
					"deleted_at": str(row.creation),
					"below": len(json.loads(row.data).get(_BELOW, ())),
				}
			)
	return found


def keep_together(entry: str, others: Collection[str]) -> None:
	"""Make one entry of what was deleted together: Deleted Documents by name, the `entry` that of the topmost document."""
	if others:
		frappe.db.sql(
			f"update `tab{_DELETED}` set data = json_set(data, '$.{_WITH}', %s) where name in %s",
			(entry, tuple(others)),
		)
		frappe.db.sql(
			f"update `tab{_DELETED}` set data = json_set(data, '$.{_BELOW}', json_extract(%s, '$')) where name = %s",
			(json.dumps(list(others)), entry),
		)


def restore(name: str) -> dict[str, str]:
	"""Bring an entry back: a deleted document, and what went with it from below, as a whole or not at all. Returns the
	DocType and name of the first. Raises what `restore_one` raises."""
	back = restore_one(name)
	members = json.loads(frappe.db.get_value(_DELETED, name, "data")).get(_BELOW, ())
	rows = (
		frappe.get_all(_DELETED, {"name": ("in", members), "restored": 0}, ["name", "deleted_doctype"])
		if members
		else []
	)
	for row in sorted(rows, key=lambda row: CONTENT.index(row.deleted_doctype)):  # parents first
		restore_one(row.name)
	return back


def restore_one(name: str) -> dict[str, str]:
	"""Bring a deleted document of memora back, under its old name if that is free. Returns its DocType and name.

	Raises DoesNotExistError for one that is not there, not of memora or back already, PermissionError for one that the
	caller may not create, and LinkValidationError, which names it, where its parent is gone.
	"""
	found = frappe.db.exists(_DELETED, {"name": name, "deleted_doctype": ("in", KINDS), "restored": 0})
	if not found:
		frappe.throw(_("There is no deleted document {0}.").format(as_html(name)), frappe.DoesNotExistError)
	deleted = frappe.get_doc(_DELETED, found, for_update=True)
	_require(deleted.deleted_doctype)
	doc = _document(deleted.deleted_doctype, deleted.data)
	doc.insert()  # which asks whether the caller may create just this one
	doc.add_comment("Edit", _("restored {0} as {1}").format(as_html(deleted.deleted_name), doc.name))
	deleted.db_set({"restored": 1, "new_name": doc.name})
	return {"doctype": doc.doctype, "name": doc.name}


def _require(doctype: str) -> None:
	"""Raises PermissionError unless the caller may create documents of this kind, which is one of memora's."""
	if doctype not in KINDS or not frappe.has_permission(doctype, "create"):
		frappe.throw(
			_("You may not restore documents of this kind: {0}.").format(as_html(doctype)),
			frappe.PermissionError,
		)


def _document(doctype: str, data: str) -> Document:
	kept = json.loads(data)
	for mark in (_WITH, _BELOW):
		kept.pop(mark, None)
	return frappe.get_doc({**kept, "doctype": doctype})


def _may_bring_back(doc: Document) -> bool:
	# Where a parent is gone too, User Permissions have nothing to go by.
	parent = doc.get(PARENT_FIELDS.get(doc.doctype, ""))
	if parent and get_user_permissions(frappe.session.user):
		above = CONTENT[CONTENT.index(doc.doctype) - 1]
		if not frappe.db.exists(above, parent):
			return False
	return bool(doc.has_permission("create"))
