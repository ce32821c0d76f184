"""What is in the trash for whoever asks: what they might have deleted themselves, by the documents that it was below.

Those may be gone, moved, or somebody else's by now: the names that Memora Trash has of them decide, not the tree as it is. An
entry that went with all below it is in the list of those alone who might have deleted all of it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.permissions import get_allowed_docs_for_doctype, get_role_permissions, get_user_permissions
from frappe.utils import add_days, get_fullname

from memora.services.cdn_export.model.doctypes import CONTENT, SUBJECT
from memora.services.cdn_export.model.plain_text import as_html, as_like
from memora.services.cdn_export.model.roles import ADMINS
from memora.services.course_outline import permissions, trash
from memora.services.course_outline.trash import ABOVE, DELETED, KINDS, TABLE

PAGE = 20

Entry = dict[str, Any]


def entries(doctype: str = "", text: str = "", subject: str = "", start: int = 0) -> dict[str, Any]:
	"""What was deleted, the last first: of one kind, with a text in its title, or of one subject, if asked.

	`rows` has 20 at most, from the place `start` on, and `next` where the next ones begin, 0 behind the last. Each says where
	it was (`titles_above`), by whom and when it was deleted, until when it is kept, how much comes back with it (`below`) and,
	where what it was in is gone, the title of that (`gone`). Raises PermissionError for who may delete none of that.
	"""
	kinds = _kinds(doctype)
	visible = _visible(kinds, frappe.session.user)
	start = max(start, 0)
	wanted = {"text": as_like(text), "subject": subject, "start": start}
	found = frappe.db.sql(
		f"""select trash.name, trash.deleted_doctype as doctype, trash.title, trash.titles_above, trash.owner, trash.creation,
			{", ".join(f"trash.{column}" for column in ABOVE.values())},
			(select count(*) from `tab{TABLE}` member where member.entry = trash.name) as below
		from `tab{TABLE}` trash join `tab{DELETED}` deleted on deleted.name = trash.name and deleted.restored = 0
		where trash.entry = '' and {visible.replace("%", "%%")}
			{"and trash.title like %(text)s" if text else ""}
			{f"and trash.{ABOVE[SUBJECT]} = %(subject)s" if subject else ""}
		order by trash.creation desc, trash.name limit {PAGE + 1} offset %(start)s""",
		wanted,
		as_dict=True,
	)
	rows = [row for row in found[:PAGE] if row.doctype in CONTENT or _may_delete_plan(row.name)]
	return {
		"rows": _told(rows),
		"next": start + PAGE if len(found) > PAGE else 0,
		"can_remove": bool({*ADMINS}.intersection(frappe.get_roles())),
	}


def require(name: str) -> None:
	"""Raises DoesNotExistError unless the trash has this Deleted Document, PermissionError for who may not see it there."""
	trash.require(name)
	row = frappe.db.get_value(TABLE, name, "deleted_doctype")
	if not row or frappe.db.get_value(DELETED, name, "restored") != 0:
		permissions.gone(_("There is no deleted document {0}.").format(as_html(name)))
	if not _is_seen(name, row):
		frappe.throw(
			_("You may not restore documents of this kind: {0}.").format(_(row)), frappe.PermissionError
		)


def may_bring_back(doctype: str, name: str) -> bool:
	"""Whether a document of this name may come back by an ordinary insert: some is deleted, and the caller passes `require` for
	each of them. What is kept under the name, its history and its files, is that of them all."""
	kept = frappe.get_all(
		DELETED, {"deleted_doctype": doctype, "deleted_name": name, "restored": 0}, pluck="name"
	)
	for each in kept:
		trash.require(each)
	return bool(kept) and all(_is_seen(each, doctype) for each in kept)


def is_others(doctype: str, name: str, but: str = "") -> bool:
	"""Whether the trash has a document of this name for which the caller does not pass `require`; `but` one is not asked about."""
	kept = frappe.db.sql_list(
		f"""select trash.name from `tab{TABLE}` trash
		join `tab{DELETED}` deleted on deleted.name = trash.name and deleted.restored = 0
		where trash.deleted_doctype = %s and trash.deleted_name = %s and trash.name != %s""",
		(doctype, name, but),
	)
	return not all(_is_seen(each, doctype) for each in kept)


def condition(user: str | None = None) -> str:
	"""SQL for Frappe's own lists of Memora Trash: the rows of what this user might have deleted; of plans, only for a user whom
	nothing restricts."""
	user = user or frappe.session.user
	kinds = [doctype for doctype in KINDS if _may_delete(doctype, user)]
	if get_user_permissions(user):
		kinds = [doctype for doctype in kinds if doctype in CONTENT]
	rows = _of_kinds(kinds, user, f"`tab{TABLE}`")
	return rows if kinds else permissions.NOTHING


def has_permission(doc: Document, ptype: str = "read", user: str | None = None) -> bool:
	"""Frappe's question for a row of Memora Trash: `condition`, for one."""
	rows = condition(user).replace("%", "%%")
	return bool(frappe.db.sql(f"select 1 from `tab{TABLE}` where name = %s and {rows}", (doc.name,)))


def _kinds(doctype: str) -> list[str]:
	kinds = [each for each in KINDS if doctype in ("", each) and _may_delete(each)]
	if not kinds:
		frappe.throw(
			_("You may not restore documents of this kind: {0}.").format(as_html(doctype) or _("Trash")),
			frappe.PermissionError,
		)
	return kinds


def _may_delete(doctype: str, user: str | None = None) -> bool:
	"""Whether the user's roles allow it for some document of this kind; User Permissions are asked later."""
	rights = get_role_permissions(frappe.get_meta(doctype), user=user)
	return bool(rights.get("delete") or "delete" in rights.get("if_owner", {}))


def _is_seen(name: str, doctype: str) -> bool:
	"""Whether the caller might have deleted this document of the trash, with all that went with it."""
	if not _may_delete(doctype):
		return False
	visible = _visible([doctype], frappe.session.user).replace("%", "%%")
	found = frappe.db.sql(f"select 1 from `tab{TABLE}` trash where trash.name = %s and {visible}", (name,))
	return bool(found) and (doctype in CONTENT or _may_delete_plan(name))


def _visible(kinds: Collection[str], user: str) -> str:
	"""SQL: whether the user might have deleted the entry called `trash`, with all that went with it."""
	its_own = _of_kinds(kinds, user, "trash")
	below = _of_kinds([doctype for doctype in CONTENT if _may_delete(doctype, user)], user, "member")
	return f"({its_own} and not exists (select 1 from `tab{TABLE}` member where member.entry = trash.name and not {below}))"


def _of_kinds(kinds: Iterable[str], user: str, table: str) -> str:
	parts = [f"({' and '.join(_of_kind(doctype, user, table))})" for doctype in kinds]
	return f"({' or '.join(parts) or permissions.NOTHING})"


def _of_kind(doctype: str, user: str, table: str) -> list[str]:
	"""SQL: what holds for a row of this kind that the user might have deleted."""
	parts = [f"{table}.deleted_doctype = '{doctype}'"]
	if not get_role_permissions(frappe.get_meta(doctype), user=user).get("delete"):
		name = permissions.in_list([user])
		parts.append(
			f"exists (select 1 from `tab{DELETED}` kept where kept.name = {table}.name"
			f" and json_value(kept.data, '$.owner') in {name})"
		)
	restricted = get_user_permissions(user) if doctype in CONTENT else {}
	for kind in CONTENT[: CONTENT.index(doctype) + 1] if restricted else ():
		allowed = get_allowed_docs_for_doctype(restricted[kind], doctype) if kind in restricted else []
		if allowed:
			column = "deleted_name" if kind == doctype else ABOVE[kind]
			parts.append(f"{table}.{column} in {permissions.in_list(allowed)}")
	return parts


def _may_delete_plan(name: str) -> bool:
	"""Whether User Permissions leave a deleted plan to the caller, or a season and the like: by all that it links to."""
	if not get_user_permissions(frappe.session.user):
		return True
	doctype, data = frappe.db.get_value(DELETED, name, ["deleted_doctype", "data"])
	return bool(frappe.get_doc({**json.loads(data), "doctype": doctype}).has_permission("delete"))


def _told(rows: list[Any]) -> list[Entry]:
	days = trash.days()
	gone = _gone(rows)
	return [
		{
			"name": row.name,
			"doctype": row.doctype,
			"title": row.title or "",
			"titles_above": [title for title in json.loads(row.titles_above or "[]") if title],
			"deleted_by": get_fullname(row.owner),
			"deleted_at": str(row.creation),
			"kept_until": str(add_days(row.creation, days)) if days else "",
			"below": row.below,
			"gone": gone.get(row.name, ""),
			"can_restore": bool(frappe.has_permission(row.doctype, "create")),
		}
		for row in rows
	]


def _gone(rows: Iterable[Any]) -> dict[str, str]:
	"""The titles of what these were directly below and what is not there any more, by row. A statement for each kind."""
	found: dict[str, str] = {}
	for doctype in CONTENT[1:]:
		above = CONTENT[CONTENT.index(doctype) - 1]
		of_kind = {row.name: row for row in rows if row.doctype == doctype}
		parents = {row[ABOVE[above]] for row in of_kind.values()}
		there = (
			set(frappe.db.sql_list(f"select name from `tab{above}` where name in %s", (tuple(parents),)))
			if parents
			else set()
		)
		for name, row in of_kind.items():
			if row[ABOVE[above]] not in there:
				titles = json.loads(row.titles_above or "[]")
				found[name] = (titles[-1] if titles else "") or _(above)
	return found
