"""What the caller may read and change of a course: for one document by Frappe's own check, for many by SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NoReturn

import frappe
from frappe import _
from frappe.model.db_query import DatabaseQuery
from frappe.model.document import Document

from memora.services.cdn_export.model.doctypes import CONTENT, LESSON, PLAN, Ref
from memora.services.cdn_export.model.plain_text import as_html

STAGE = "Memora Lesson Stage"
"""The one row of an outline that is no document of its own: the rights are those of its lesson."""

NOTHING = "1 = 0"


def document(doctype: str, name: str, right: str = "read", *, locked: bool = False) -> Document:
	"""A document of the curriculum, or a plan, that the caller has this right to; `locked` until the transaction ends.

	Raises DoesNotExistError where there is none, PermissionError where the caller lacks the right, and ValidationError for a
	DocType of another kind.
	"""
	if doctype not in (*CONTENT, PLAN):
		frappe.throw(_("{0} is no part of a course.").format(as_html(doctype)))
	try:
		if not name:
			raise frappe.DoesNotExistError
		doc = frappe.get_doc(doctype, name, for_update=True) if locked else frappe.get_doc(doctype, name)
	except frappe.DoesNotExistError:
		frappe.clear_last_message()
		gone(_("There is no {0} {1} any more.").format(_(doctype), as_html(name)))
	doc.check_permission(right)
	return doc


def gone(message: str) -> NoReturn:
	"""Raise DoesNotExistError, with what the caller is told."""
	frappe.throw(message, frappe.DoesNotExistError)
	raise AssertionError("unreachable: frappe.throw raises")


def condition(doctype: str) -> str:
	"""SQL: which documents the caller may read, for a statement that has the table by its own name; "" for all of them.

	It may hold a `%` as it is, so the statement must be run without values.
	"""
	try:
		return DatabaseQuery(doctype).build_match_conditions()
	except frappe.PermissionError:
		frappe.clear_last_message()
		return NOTHING


def unreadable(refs: Iterable[Ref]) -> set[Ref]:
	"""Those of these documents that the caller may not read. One statement, and none for a caller who may read all."""
	names: dict[str, set[str]] = defaultdict(set)
	for doctype, name in refs:
		names[doctype].add(name)
	conditions = {doctype: found for doctype in names if (found := condition(doctype))}
	if not conditions:
		return set()
	parts = [
		f"select '{doctype}', name from `tab{doctype}` where name in {in_list(names[doctype])} and ({found})"
		for doctype, found in conditions.items()
	]
	readable = set(frappe.db.sql(" union all ".join(parts)))
	return {(doctype, name) for doctype in conditions for name in names[doctype]} - readable


def unreadable_fields(doctype: str, right: str = "read", *, table: str = "") -> set[str]:
	"""The fields of a DocType, or of the rows of its `table`, to which the caller's roles do not have this right, where a site
	has such. The document's rights decide for its rows, as in Frappe, and Administrator has all."""
	if frappe.session.user == "Administrator":
		return set()
	meta = frappe.get_meta(doctype)
	levels = meta.get_permlevel_access(right)
	fields = frappe.get_meta(meta.get_field(table).options).fields if table else meta.fields
	return {df.fieldname for df in fields if df.permlevel and df.permlevel not in levels}


def may_write(doctype: str) -> bool:
	"""Whether the caller's roles may change documents of this DocType; each change asks again for its document."""
	return bool(frappe.has_permission(LESSON if doctype == STAGE else doctype, "write"))


def in_list(names: Collection[str]) -> str:
	"""SQL: a list of names, in digits, so that none of them can hold what a driver takes for the place of a value."""
	return f"({', '.join(f'_utf8mb4 0x{name.encode().hex()}' if name else repr('') for name in names)})"
