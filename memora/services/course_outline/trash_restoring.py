"""What is in the trash, brought back or deleted permanently: an entry as a whole, as drafts, under the old names."""

from __future__ import annotations

import json
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from memora.services.cdn_export.model.doctypes import CONTENT, PARENT_FIELDS, SUBJECT, Ref
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.cdn_export.model.roles import ADMINS
from memora.services.cdn_export.state import database
from memora.services.course_outline import permissions, siblings, targets, trash, trash_list
from memora.services.course_outline.trash import ABOVE, DELETED, TABLE

Answer = dict[str, Any]

_DEEPEST = 10
"""So many entries one needs at most; there are five kinds."""


def restore(entry: str, also: bool = False) -> Answer:
	"""Bring an entry back: a deleted document and what went with it from below, all drafts; as a whole or not at all.

	Where what it was in is in the trash, that comes back first, if `also` says so; else the answer is `also`: the entries that
	it needs, with how much each brings along. Raises what `restore_one` raises. Commits.
	"""

	subject = frappe.db.get_value(TABLE, entry, ABOVE[SUBJECT])

	def work() -> Answer:
		siblings.lock([(SUBJECT, subject)] if subject else [])
		trash_list.require(entry)
		needed = _needed(entry)
		if len(needed) > 1 and not also:
			return {"also": [_named(name) for name in needed[:-1]]}
		for each in needed:
			trash_list.require(each)  # which asks for all that went with it
		coming = [member for each in needed for member, _doctype in trash.members(each)]
		targets.require_few(coming)
		back: Ref = ("", "")
		for member in coming:
			found = _bring_back(member, as_draft=True)
			if member == entry:
				back = found["doctype"], found["name"]
		return {
			"done": True,
			"doctype": back[0],
			"name": back[1],
			"subject": subject if subject and frappe.db.exists(SUBJECT, subject) else "",
		}

	return database.transaction(work)


def restore_one(name: str) -> dict[str, str]:
	"""Bring a deleted document of memora back as it was, under its old name if that is free. Returns its DocType and name.

	Raises DoesNotExistError for one that is not there, not of memora or back already, PermissionError for one that the caller
	might not have deleted or may not create, LinkValidationError, which names it, where its parent is gone, and
	UniqueValidationError where a plan or a season of that title has been made meanwhile.
	"""
	trash_list.require(name)
	return _bring_back(name)


def _bring_back(name: str, *, as_draft: bool = False) -> dict[str, str]:
	deleted = frappe.get_doc(DELETED, name, for_update=True)
	if deleted.restored:
		permissions.gone(_("There is no deleted document {0}.").format(as_html(name)))
	_require_create(deleted.deleted_doctype)
	doc = frappe.get_doc({**json.loads(deleted.data), "doctype": deleted.deleted_doctype})
	if as_draft and doc.meta.has_field("is_published"):
		doc.is_published = 0
	# The caller was asked about this one; what is kept under its name may be another's as well.
	doc.flags.comes_back = not trash_list.is_others(deleted.deleted_doctype, deleted.deleted_name, name)
	_require_free_title(doc)
	said = len(frappe.local.message_log)
	doc.insert()  # which asks whether the caller may create just this one
	if as_draft:
		del frappe.local.message_log[said:]  # what its texts lack was said when they were written
	if not doc.flags.comes_back:
		trash.forget_one(name)
	doc.add_comment("Edit", _("restored {0} as {1}").format(as_html(deleted.deleted_name), doc.name))
	deleted.db_set({"restored": 1, "new_name": doc.name})
	return {"doctype": doc.doctype, "name": doc.name}


def remove(entry: str) -> None:
	"""Delete an entry permanently, with what went with it and the files that no other text names. For admins. Commits.

	Raises PermissionError for anyone else, and DoesNotExistError where it is not in the trash.
	"""
	frappe.only_for(ADMINS)
	trash_list.require(entry)
	trash.remove(entry)


def _require_create(doctype: str) -> None:
	if not frappe.has_permission(doctype, "create"):
		frappe.throw(
			_("You may not restore documents of this kind: {0}.").format(_(doctype)), frappe.PermissionError
		)


def _require_free_title(doc: Document) -> None:
	df = doc.meta.get_field("title")
	if df and df.unique and frappe.db.exists(doc.doctype, {"title": doc.title}):
		frappe.throw(
			_(
				"{0} “{1}” cannot be restored: there is another one of that title. Give that another title first."
			).format(_(doc.doctype), as_html(doc.title)),
			frappe.UniqueValidationError,
			title=_("Restore"),
		)


def _needed(entry: str) -> list[str]:
	"""The entries that have to come back for this one to have its place, the first first; it is the last."""
	needed = [entry]
	while len(needed) < _DEEPEST:
		row = frappe.db.get_value(TABLE, needed[0], ["deleted_doctype", *ABOVE.values()], as_dict=True)
		if not PARENT_FIELDS.get(row.deleted_doctype):
			break
		above = CONTENT[CONTENT.index(row.deleted_doctype) - 1]
		parent = row[ABOVE[above]]
		if frappe.db.exists(above, parent):
			break
		found = frappe.db.sql(
			f"""select trash.name, trash.entry from `tab{TABLE}` trash
			join `tab{DELETED}` deleted on deleted.name = trash.name and deleted.restored = 0
			where trash.deleted_doctype = %s and trash.deleted_name = %s order by trash.creation desc limit 1""",
			(above, parent),
		)
		if not found:
			break  # the refusal names it
		first = found[0][1] or found[0][0]
		if first in needed:
			break
		needed.insert(0, first)
	return needed


def _named(entry: str) -> Answer:
	"""What an entry that is needed is called; nothing of one that the caller may not see."""
	row = frappe.db.get_value(TABLE, entry, ["deleted_doctype", "title"], as_dict=True)
	trash_list.require(entry)
	return {
		"doctype": row.deleted_doctype,
		"title": row.title or "",
		"below": len(trash.members(entry)) - 1,
	}
