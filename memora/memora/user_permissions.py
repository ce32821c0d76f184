"""User Permissions down the tree: a user who is allowed one Subject reads and writes only what is below it.

Frappe itself checks a document's own links and no further: a Track links to its Subject, a Unit does not. This module
does for each ancestor what Frappe does for a link. A User Permission for another DocType alone (*Applicable For*) does
not count. A document without such an ancestor is left alone, unless System Settings apply strict User Permissions.

A user who may not read one of a plan's subjects sees neither the plan nor the log of its runs.

For a user without User Permissions none of it costs a statement; for others it costs one for each document.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import frappe
from frappe.model.db_query import DatabaseQuery
from frappe.model.document import Document
from frappe.permissions import get_allowed_docs_for_doctype, get_user_permissions

from memora.services.cdn_export.model.doctypes import CONTENT, LESSON, PARENT_FIELDS, PLAN, SUBJECT, line_of

Allowed = Mapping[str, Sequence[str]]

#: Rows that are read by themselves, past the document that they are part of.
_ROWS = {"Memora Lesson Stage": LESSON, "Memora Plan Subject": PLAN, "Memora Plan Override": PLAN}
_LOG = "CDN Sync Log"


def _conditions(user: str | None, doctype: str) -> str:
	"""SQL for lists, reports, counts and pickers: which documents of a DocType the user may see; "" for all."""
	user = user or frappe.session.user
	if not get_user_permissions(user):
		return ""
	table = f"`tab{doctype}`"
	if doctype in _ROWS:
		return _of_visible(_ROWS[doctype], f"{table}.parent", user)
	if not (allowed := _allowed(user, doctype)):
		return ""
	if doctype in CONTENT:
		return _hangs_right(doctype, f"n0.name = {table}.{PARENT_FIELDS[doctype]}", allowed)
	return f"not exists ({_lists_others(allowed)} and listed.parent = {table}.{_plan_field(doctype)})"


def _hook(doctype: str) -> Callable[..., str]:
	def conditions(user: str | None = None) -> str:
		return _conditions(user, doctype)

	return conditions  # Frappe tells a hook of the DocType in newer versions only


tracks = _hook("Memora Track")
units = _hook("Memora Unit")
topics = _hook("Memora Topic")
lessons = _hook(LESSON)
stages = _hook("Memora Lesson Stage")
plans = _hook(PLAN)
plan_subjects = _hook("Memora Plan Subject")
plan_overrides = _hook("Memora Plan Override")
sync_logs = _hook(_LOG)


def has_permission(doc: Document, ptype: str = "read", user: str | None = None) -> bool:
	"""Whether User Permissions leave a document to the user: as it is stored, and as it is about to be saved."""
	doctype = doc.doctype
	if not (allowed := _allowed(user or frappe.session.user, doctype)):
		return True
	name = _literal(doc.name or "")
	if doctype in CONTENT:
		field = PARENT_FIELDS[doctype]
		parent = _literal(doc.get(field) or "")
		was = f"select stored.{field} from `tab{doctype}` stored where stored.name = {name}"
		condition = _hangs_right(doctype, f"(n0.name = {parent} or n0.name = ({was}))", allowed)
	else:
		plan = _literal(doc.get(_plan_field(doctype)) or "")
		condition = f"not exists ({_lists_others(allowed)} and listed.parent = {plan})"
	return bool(frappe.db.sql(f"select {condition}")[0][0])


def readable(names: Mapping[str, Collection[str]], user: str | None = None) -> dict[str, set[str]]:
	"""Those of these documents that the user may read, by DocType, by all that Frappe and this module ask, as its lists do.

	No statement for a user who may read them all; else one, beside Frappe's own look for shares.
	"""
	user = user or frappe.session.user
	found: dict[str, set[str]] = {}
	parts = []
	for doctype, of_doctype in names.items():
		said = len(frappe.local.message_log)
		try:
			visible = DatabaseQuery(doctype, user=user).build_match_conditions()
		except frappe.PermissionError:
			del frappe.local.message_log[said:]
			found[doctype] = set()
			continue
		found[doctype] = set() if visible else set(of_doctype)
		if visible and of_doctype:
			named = _in(sorted(of_doctype))
			parts.append(
				f"select {_literal(doctype)}, `tab{doctype}`.name from `tab{doctype}`"
				f" where `tab{doctype}`.name in {named} and ({visible})"
			)
	if parts:
		for doctype, name in frappe.db.sql(" union all ".join(parts)):
			found[doctype].add(name)
	return found


def _allowed(user: str, doctype: str) -> dict[str, Sequence[str]]:
	"""The documents that the user is kept to, by DocType: those above a document of this one, or that a plan lists."""
	permissions = get_user_permissions(user)
	above = CONTENT[: CONTENT.index(doctype)] if doctype in CONTENT else (SUBJECT,)
	judged = doctype if doctype in CONTENT else PLAN
	found = {
		kind: get_allowed_docs_for_doctype(permissions[kind], judged) for kind in above if kind in permissions
	}
	return {kind: docs for kind, docs in found.items() if docs}


def _plan_field(doctype: str) -> str:
	return "plan_id" if doctype == _LOG else "name"


def _of_visible(doctype: str, name: str, user: str) -> str:
	"""SQL: that the user may see the document of this name, by all that Frappe and this module ask."""
	visible = DatabaseQuery(doctype, user=user).build_match_conditions()
	if not visible:
		return ""
	return f"exists (select 1 from `tab{doctype}` where `tab{doctype}`.name = {name} and ({visible}))"


def _lists_others(allowed: Allowed) -> str:
	"""SQL: a row of a plan that lists a subject which is not allowed."""
	return (
		f"select 1 from `tabMemora Plan Subject` listed where listed.parenttype = '{PLAN}'"
		f" and listed.subject not in {_in(allowed[SUBJECT])}"
	)


def _hangs_right(doctype: str, parent: str, allowed: Allowed) -> str:
	"""SQL: whether a document, whose parent is called `n0`, is only below what is allowed."""
	line, levels = line_of(CONTENT[CONTENT.index(doctype) - 1])
	source = f"from {line} where {parent}"
	kept = [(alias, allowed[kind]) for alias, kind in levels.items() if kind in allowed]
	wrong = " or ".join(f"{alias}.name not in {_in(names)}" for alias, names in kept)
	found = f"not exists (select 1 {source} and ({wrong}))"
	if frappe.get_system_settings("apply_strict_user_permissions"):
		there = " and ".join(f"{alias}.name is not null" for alias, _names in kept)
		found += f" and exists (select 1 {source} and {there})"
	return f"({found})"


def _in(names: Sequence[str]) -> str:
	return f"({', '.join(map(_literal, names))})"


def _literal(name: str) -> str:
	"""SQL: a name, in digits: in a condition v15 takes a `%` for itself, and later versions for the place of a value."""
	return f"_utf8mb4 0x{name.encode().hex()}" if name else "''"
