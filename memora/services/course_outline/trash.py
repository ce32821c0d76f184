"""The trash: what Frappe keeps of deleted content and plans, with where it was and what it went with (Memora Trash).

A row is written in the transaction of the deletion, so that a list of the trash reads no documents. It goes when the document
comes back, by whatever way, or when the trash is emptied.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import frappe
from frappe.model.document import Document
from frappe.utils import add_days, cint, now_datetime

from memora.services.cdn_export import settings
from memora.services.cdn_export.model.doctypes import (
	CONTENT,
	KIND_OF,
	PARENT_FIELDS,
	PLAN,
	PLAN_TITLES,
	Ref,
	line_of,
)
from memora.services.cdn_export.state import database
from memora.services.course_outline import attachments

TABLE = "Memora Trash"
DELETED = "Deleted Document"
KINDS = (*CONTENT, PLAN, *PLAN_TITLES)
"""The DocTypes whose deleted documents can be brought back."""

ABOVE = {doctype: KIND_OF[doctype] for doctype in CONTENT[:-1]}
"""The column that names what a deleted document was below, itself included, by DocType."""

_ROW = (
	*("name", "title", "creation", "modified", "owner", "modified_by"),
	*("deleted_doctype", "deleted_name", "entry", *ABOVE.values(), "titles_above"),
)
_AT_ONCE = 200
_WITH = "memora_deleted_with"
"""In the data of what was deleted before there was this table: the Deleted Document of what it went with."""


def note(doc: Document, since: str) -> None:
	"""Add to the trash what Frappe has just kept of a document that was deleted; `since` is a moment before.

	A statement that reads, and one that writes what was read: an INSERT … SELECT locks what it looks through, so that all other
	deletions of the site would wait. A deletion never fails because of it, as on a site that is not migrated yet: `catch_up` adds
	what is missed here.
	"""
	try:
		kept = frappe.db.sql(*_just_kept(doc, since))
		if kept:
			database.upsert(TABLE, _ROW, kept, database.replaced(["title"]), stamped=False)
	except database.ERRORS as error:
		if database.errno(error) in database.TRANSACTION_ENDING:
			raise
		frappe.logger("memora").error(f"{doc.name} could not be added to the trash: {error}")


def _just_kept(doc: Document, since: str) -> tuple[str, dict[str, str]]:
	"""The statement that reads the row of a document that was just deleted, and its values."""
	above = PARENT_FIELDS.get(doc.doctype) and CONTENT[CONTENT.index(doc.doctype) - 1]
	names = dict.fromkeys(ABOVE.values(), "''")
	titles, line = "'[]'", ""
	if above:
		joined, levels = line_of(above)
		# The line of a document begins with what it is below, which may be gone already.
		line = f"left join ({joined}) on n0.name = %(parent)s"
		names |= {ABOVE[kind]: f"coalesce({alias}.name, '')" for alias, kind in levels.items()}
		names[ABOVE[above]] = "%(parent)s"
		titles = f"json_array({', '.join(f'{alias}.title' for alias in reversed(levels))})"
	if doc.doctype in ABOVE:
		names[ABOVE[doc.doctype]] = "deleted.deleted_name"
	statement = f"""select deleted.name, %(title)s, deleted.creation, deleted.creation, deleted.owner, deleted.owner,
			deleted.deleted_doctype, deleted.deleted_name, '', {", ".join(names.values())}, {titles}
		from `tab{DELETED}` deleted {line}
		where deleted.modified >= %(since)s and deleted.creation >= %(since)s and deleted.restored = 0
			and deleted.deleted_doctype = %(doctype)s and deleted.deleted_name = %(name)s
		order by deleted.creation desc limit 1"""
	return statement, {
		"since": since,
		"doctype": doc.doctype,
		"name": doc.name,
		"title": doc.get("title") or "",
		"parent": doc.get(PARENT_FIELDS.get(doc.doctype) or "") or "",
	}


def keep_together(entry: str, others: Collection[str]) -> None:
	"""Make one entry of what was deleted together: Deleted Documents by name, the `entry` that of the topmost document."""
	first = frappe.db.get_value(TABLE, entry, "creation") if others else None
	if first:
		database.update_names(TABLE, others, "entry = %s, creation = %s", (entry, first))


def forget(doctype: str, deleted_name: str) -> None:
	"""Take a document out of the trash that is back; what went with it and is not back becomes entries of its own."""
	names = frappe.db.sql_list(
		f"select name from `tab{TABLE}` where deleted_doctype = %s and deleted_name = %s",
		(doctype, deleted_name),
	)
	if names:
		_forget(names)


def forget_one(name: str) -> None:
	"""Take one Deleted Document out of the trash: `forget`, for one that did not get its name back."""
	_forget([name])


def members(entry: str) -> list[tuple[str, str]]:
	"""Name and DocType of the Deleted Documents of an entry, parents first: its own before what went with it."""
	rows = frappe.db.sql(
		f"""select trash.name, trash.deleted_doctype from `tab{TABLE}` trash
		join `tab{DELETED}` deleted on deleted.name = trash.name and deleted.restored = 0
		where trash.name = %s or trash.entry = %s""",
		(entry, entry),
	)
	return sorted(rows, key=lambda row: (row[0] != entry, KINDS.index(row[1]), row[0]))


def require(name: str) -> None:
	"""See that a Deleted Document of memora's has its row: Frappe writes some past our hooks, as in a patch."""
	if not frappe.db.exists(TABLE, name):
		_catch_up([name])


def days() -> int:
	"""For how many days deleted content can be brought back; 0 for ever. Frappe's Log Settings may say less."""
	ours = settings.trash_days()
	frappes = cint(frappe.db.get_value("Logs To Clear", {"ref_doctype": DELETED}, "days"))
	return min(filter(None, (ours, frappes)), default=0)


def add_to_boot(bootinfo: Any) -> None:
	"""Tell the Desk for how many days deleted content can be brought back."""
	bootinfo.memora_trash_days = days()


def daily() -> None:
	"""The scheduler's entry: empty the trash of what has been there for its days, then delete the files that were kept for it."""
	catch_up()
	if limit := settings.trash_days():
		before = add_days(now_datetime(), -limit)
		while database.transaction(lambda: _emptied(before), reads=False):
			pass
	attachments.daily()


def remove(entry: str) -> None:
	"""Delete an entry permanently, with all that went with it; its files go too, unless another text names them. Commits.

	The entry first: a file that cannot be deleted rolls back what is open, and is tried again by `daily`.
	"""
	names = [name for name, _doctype in members(entry)]
	held = frappe.db.sql_list(f"select deleted_name from `tab{TABLE}` where name in %s", (tuple(names),))
	database.delete_names(DELETED, names)
	_forget(names)
	frappe.db.commit()
	attachments.release(held)


def catch_up() -> int:
	"""Add to the trash what Frappe has kept past our hooks, and forget what it no longer has; returns how many were added.
	Commits every 200."""
	database.transaction(_forget_lost, reads=False)
	names = frappe.db.sql_list(
		f"""select deleted.name from `tab{DELETED}` deleted left join `tab{TABLE}` trash on trash.name = deleted.name
		where deleted.restored = 0 and deleted.deleted_doctype in %s and trash.name is null order by deleted.name""",
		(KINDS,),
	)
	for start in range(0, len(names), _AT_ONCE):
		some = names[start : start + _AT_ONCE]
		database.transaction(lambda some=some: _catch_up(some))  # type: ignore[misc]
	return len(names)


def _emptied(before: Any) -> int:
	"""Delete some of what was deleted before a moment, back or not; returns how many."""
	names = frappe.db.sql_list(
		f"""select deleted.name from `tab{DELETED}` deleted left join `tab{TABLE}` trash on trash.name = deleted.name
		where deleted.deleted_doctype in %s and coalesce(trash.creation, deleted.creation) < %s limit {_AT_ONCE}""",
		(KINDS, before),
	)
	database.delete_names(DELETED, names)
	if names:
		_forget(names)
	return len(names)


def _forget(names: Sequence[str]) -> None:
	"""Take these out of the trash; what went with them and is still there becomes entries of its own.

	All is read first, and then changed by name: what a statement looks through it locks, so that deletions would wait.
	"""
	members = frappe.db.sql_list(f"select name from `tab{TABLE}` where entry in %s", (tuple(names),))
	database.update_names(TABLE, members, "entry = ''")
	database.delete_names(TABLE, names)


def _forget_lost() -> None:
	lost = frappe.db.sql_list(
		f"""select trash.name from `tab{TABLE}` trash left join `tab{DELETED}` deleted on deleted.name = trash.name
		where deleted.name is null or deleted.restored = 1"""
	)
	alone = frappe.db.sql_list(
		f"""select member.entry from `tab{TABLE}` member left join `tab{TABLE}` first on first.name = member.entry
		where member.entry != '' and first.name is null"""
	)
	if gone := {*lost, *alone}:
		_forget(sorted(gone))


def _catch_up(names: Sequence[str]) -> None:
	parents = " ".join(
		f"when '{doctype}' then json_value(data, '$.{field}')"
		for doctype, field in PARENT_FIELDS.items()
		if field
	)
	kept = frappe.db.sql(
		f"""select name, deleted_doctype, deleted_name, owner, creation, json_value(data, '$.title'),
			json_value(data, '$.{_WITH}'), case deleted_doctype {parents} end
		from `tab{DELETED}` where name in %s and deleted_doctype in %s and restored = 0""",
		(tuple(names), KINDS),
	)
	if not kept:
		return
	entries = {row[6] for row in kept if row[6]}
	there = dict(
		frappe.db.sql(
			f"select name, creation from `tab{DELETED}` where restored = 0 and name in %s",
			(tuple(entries) or ("",),),
		)
	)
	lines = _Lines((row[1], row[7] or "") for row in kept)
	rows = []
	for name, doctype, deleted_name, owner, creation, title, went_with, parent in kept:
		above = lines.above(doctype, parent or "")
		columns = {ABOVE[kind]: named for kind, named, _title in above}
		if doctype in ABOVE:
			columns[ABOVE[doctype]] = deleted_name
		at = there.get(went_with, creation)
		values = [columns.get(column, "") for column in ABOVE.values()]
		titles = json.dumps([title for _kind, _name, title in above], ensure_ascii=False)
		entry = went_with if went_with in there else ""
		rows.append(
			(name, (title or "")[:140], at, at, owner, owner, doctype, deleted_name, entry, *values, titles)
		)
	database.upsert(TABLE, _ROW, rows, database.replaced(["title"]), stamped=False)


class _Lines:
	"""What is above deleted documents, from the subject down: as it is now, or else as it was deleted."""

	def __init__(self, parents: Iterable[Ref]) -> None:
		self._found: dict[Ref, tuple[str, str]] = {}
		wanted = {
			(CONTENT[CONTENT.index(doctype) - 1], name)
			for doctype, name in parents
			if name and doctype in CONTENT
		}
		while wanted:
			nexts: set[Ref] = set()
			for doctype in {doctype for doctype, _name in wanted}:
				nexts |= self._read(doctype, [name for kind, name in wanted if kind == doctype])
			wanted = nexts - self._found.keys()

	def above(self, doctype: str, parent: str) -> list[tuple[str, str, str]]:
		"""DocType, name and title of each, as far as it is known."""
		line: list[tuple[str, str, str]] = []
		while parent and PARENT_FIELDS.get(doctype):
			doctype = CONTENT[CONTENT.index(doctype) - 1]
			title, next_parent = self._found.get((doctype, parent), ("", ""))
			line.append((doctype, parent, title))
			parent = next_parent
		return line[::-1]

	def _read(self, doctype: str, names: list[str]) -> set[Ref]:
		field = PARENT_FIELDS[doctype]
		live = field or "''"
		deleted = f"json_value(data, '$.{field}')" if field else "''"
		rows = frappe.db.sql(
			f"""select deleted_name, json_value(data, '$.title'), {deleted} from `tab{DELETED}`
			where deleted_doctype = %s and deleted_name in %s and restored = 0""",
			(doctype, tuple(names)),
		)
		rows += frappe.db.sql(
			f"select name, title, {live} from `tab{doctype}` where name in %s", (tuple(names),)
		)
		self._found |= {(doctype, name): (title or "", parent or "") for name, title, parent in rows}
		self._found |= {(doctype, name): ("", "") for name in names if (doctype, name) not in self._found}
		if not field:
			return set()
		above = CONTENT[CONTENT.index(doctype) - 1]
		return {(above, parent) for _name, _title, parent in rows if parent}
