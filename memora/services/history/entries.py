"""The rows of Memora History: written, found and cleared.

The name of a row tells when it was made, so the order of names is the order of changes, whatever a clock in summer time says.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import frappe
from frappe.utils import now

from memora.services.cdn_export.model.doctypes import CONTENT, PLAN
from memora.services.cdn_export.state import database
from memora.services.history.rules import state
from memora.services.history.rules.state import State

TABLE = "Memora History"

MOST_BYTES = 20_000_000
"""Of the packed states of one document; the oldest go."""

_LARGE = 250_000
"""From so many bytes on, a save itself looks whether its document has more than it may keep; a nightly job does of the rest."""

_ROW = 200
"""Bytes of a row beside its state."""

_AT_ONCE = 5_000
"""Entries that a statement deletes."""

_SMALLEST_LIMIT = 1_000_000
_LARGEST = 10_000_000
"""Bytes that any MariaDB takes in a statement, and what a row may have where MariaDB would take more."""


class Entry(NamedTuple):
	"""A change: when, by whom, and whether it was a deletion. The state before it is read by `states`."""

	name: str
	at: datetime
	by: str
	event: str
	size: int


def write(doctype: str, name: str, was: State, event: str = "change") -> None:
	"""Note that a document is changed that `was` so. One INSERT; after a large state a look whether the document keeps too much.

	A state that MariaDB would not take is left out: then the entry tells who and when only.
	"""
	packed: str | None = state.pack(was)
	size = len(packed or "") + _ROW
	if size > _SMALLEST_LIMIT and size > _limit():
		packed, size = None, _ROW
	moment, user = now(), frappe.session.user
	frappe.db.sql(
		f"""insert into `tab{TABLE}`
			(name, creation, modified, owner, modified_by, changed_by, ref_doctype, ref_name, event, size, state)
		values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
		(_name(), moment, moment, user, user, user, doctype, name, event, size, packed),
	)
	if size > _LARGE:
		_bound(doctype, name)


def rename(doctype: str, old: str, new: str) -> None:
	"""The entries of a document that has another name now are its own still; those of one that had this name before, and is
	deleted, have no document any more, and `clear` removes them."""
	frappe.db.sql(
		f"""update `tab{TABLE}` set ref_name = if(ref_name = %(old)s, %(new)s, '')
		where ref_doctype = %(doctype)s and ref_name in (%(old)s, %(new)s)""",
		{"doctype": doctype, "old": old, "new": new},
	)


def rename_user(old: str, new: str) -> None:
	"""What a user has changed is under his new name. Frappe renames the owner of a row itself."""
	frappe.db.sql(f"update `tab{TABLE}` set changed_by = %s where changed_by = %s", (new, old))


def of_document(doctype: str, name: str) -> list[Entry]:
	"""The entries of a document, the newest first."""
	rows = frappe.db.sql(
		f"select name, creation, owner, event, size from `tab{TABLE}` where {_own(doctype)} order by name desc",
		{"doctype": doctype, "name": name},
	)
	return [Entry(*row) for row in rows]


def after(doctype: str, name: str, entry: str) -> str:
	"""The name of a document's entry behind this one, "" where it is the last."""
	rows = frappe.db.sql(
		f"select name from `tab{TABLE}` where {_own(doctype)} and name > %(entry)s order by name limit 1",
		{"doctype": doctype, "name": name, "entry": entry},
	)
	return rows[0][0] if rows else ""


def states(doctype: str, name: str, names: Sequence[str]) -> dict[str, State | None]:
	"""By the entry's name, what the document was like before it; None where that is not kept. Entries of others, and those
	that are gone, are left out."""
	if not names:
		return {}
	rows = frappe.db.sql(
		f"select name, state from `tab{TABLE}` where name in %(names)s and {_own(doctype)}",
		{"names": tuple(names), "doctype": doctype, "name": name},
	)
	return {entry: state.unpack(packed) if packed else None for entry, packed in rows}


def clear(days: int) -> None:
	"""Remove entries that are older, those of documents that are neither there nor in the trash, and of each document what is more
	than `MOST_BYTES`.

	What goes is read first and deleted by name: a deletion that looks into other tables locks what it reads there, so that
	editors would wait for it.
	"""
	oldest = max(0, time.time_ns() - days * 86_400 * 10**9)
	_remove(f"select name from `tab{TABLE}` where name < %(oldest)s", {"oldest": f"{oldest:016x}"})
	for kind in (*CONTENT, PLAN):
		_remove(
			f"""select entry.name from `tab{TABLE}` entry left join `tab{kind}` doc on doc.name = entry.ref_name
			where entry.ref_doctype = %(kind)s and doc.name is null and entry.ref_name not in (
				select deleted_name from `tabDeleted Document` where deleted_doctype = %(kind)s and restored = 0)""",
			{"kind": kind},
		)
	for doctype, name in frappe.db.sql(
		f"select ref_doctype, ref_name from `tab{TABLE}` group by ref_doctype, ref_name having sum(size) > %s",
		(MOST_BYTES,),
	):
		_bound(doctype, name)


def _own(doctype: str) -> str:
	"""SQL: the entries of the document of this `name` as it is now, or as it was deleted.

	One that was made after a deletion is another document of that name, and what was before is none of its own. A document that
	came back is as old as it was.
	"""
	return f"""ref_doctype = %(doctype)s and ref_name = %(name)s and name > coalesce((
		select max(gone.name) from `tab{TABLE}` gone join `tab{doctype}` taker on taker.name = gone.ref_name
		where gone.ref_doctype = %(doctype)s and gone.ref_name = %(name)s and gone.event = 'trash'
			and gone.creation < taker.creation), '')"""


def _name() -> str:
	return f"{time.time_ns():016x}{secrets.token_hex(4)}"


def _bound(doctype: str, name: str) -> None:
	_remove(
		f"""select name from (
			select name, sum(size) over (order by name desc) as total from `tab{TABLE}`
			where ref_doctype = %(doctype)s and ref_name = %(name)s
		) kept where total > %(most)s""",
		{"doctype": doctype, "name": name, "most": MOST_BYTES},
	)


def _remove(names: str, values: dict[str, Any]) -> None:
	"""Delete the entries whose names this statement finds."""
	found = frappe.db.sql_list(names, values)
	for start in range(0, len(found), _AT_ONCE):
		database.delete_names(TABLE, found[start : start + _AT_ONCE])


def _limit() -> int:
	return min(_LARGEST, int(frappe.db.sql("select @@max_allowed_packet")[0][0]) - _SMALLEST_LIMIT // 10)
