"""What differs between two states of a document, in the reader's language and with nothing that they may not read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from memora.services.cdn_export.model.doctypes import CONTENT, PARENT_FIELDS, PLAN, PLAN_TITLES, Ref
from memora.services.cdn_export.rules import side_by_side
from memora.services.course_outline import permissions
from memora.services.history import states
from memora.services.history.rules import readable
from memora.services.history.rules.differences import Differences, FieldChange, RowChange
from memora.services.history.rules.state import Row, State, tables

Words = Callable[..., str]

_LONG = ("Small Text", "Text", "Long Text", "Text Editor", "Code", "JSON", "HTML Editor", "Markdown Editor")
_FILES = ("Attach", "Attach Image")
_SHOWN = 80
"""Characters of a value that a sentence names."""

_HIDDEN = "…"
"""In place of what the reader may not read."""

_ROWS: Mapping[tuple[str, str], tuple[Words, Words]] = {
	("stages", "added"): (lambda: _("Stage “{0}” added"), lambda: _("Stages added: {0}")),
	("stages", "removed"): (lambda: _("Stage “{0}” removed"), lambda: _("Stages removed: {0}")),
	("stages", "changed"): (lambda: _("Stage “{0}” changed"), lambda: _("Stages changed: {0}")),
	("subjects", "added"): (lambda: _("Subject “{0}” added"), lambda: _("Subjects added: {0}")),
	("subjects", "removed"): (lambda: _("Subject “{0}” removed"), lambda: _("Subjects removed: {0}")),
	("subjects", "changed"): (lambda: _("Subject “{0}” changed"), lambda: _("Subjects changed: {0}")),
	("overrides", "added"): (lambda: _("Override of “{0}” added"), lambda: _("Overrides added: {0}")),
	("overrides", "removed"): (lambda: _("Override of “{0}” removed"), lambda: _("Overrides removed: {0}")),
	("overrides", "changed"): (lambda: _("Override of “{0}” changed"), lambda: _("Overrides changed: {0}")),
}
_OTHER_ROWS: Mapping[str, Words] = {
	"added": lambda: _("{0}: rows added: {1}"),
	"removed": lambda: _("{0}: rows removed: {1}"),
	"changed": lambda: _("{0}: rows changed: {1}"),
}
_WHAT: Mapping[str, Words] = {
	"added": lambda: _("Added"),
	"removed": lambda: _("Removed"),
	"changed": lambda: _("Changed"),
}


class Titles:
	"""The titles of what some states link to, as the caller may read them: at most a statement for each DocType."""

	def __init__(self, doctype: str, found: Iterable[State]):
		self._meta = frappe.get_meta(doctype)
		refs: set[Ref] = set()
		for state in found:
			refs.update(ref for row, meta in self._rows(state) for ref in _links(row, meta).values())
		ours = {ref for ref in refs if ref[0] in (*CONTENT, PLAN, *PLAN_TITLES)}
		names: dict[str, set[str]] = {}
		for linked, name in ours - permissions.unreadable(ours):
			names.setdefault(linked, set()).add(name)
		self._titles = {
			(linked, row[0]): row[1] or row[0]
			for linked, wanted in names.items()
			for row in frappe.db.sql(
				f"select name, title from `tab{linked}` where name in %s", (tuple(sorted(wanted)),)
			)
		}

	def _rows(self, state: State) -> Iterable[tuple[Mapping[str, Any], Any]]:
		yield state, self._meta
		for table, rows in tables(state).items():
			if df := self._meta.get_field(table):
				for row in rows:
					yield row, frappe.get_meta(df.options)

	def of(self, ref: Ref) -> str:
		"""The title of a document; a sign where it is gone, or not for the caller to read."""
		return self._titles.get(ref, _HIDDEN) if ref[0] in (*CONTENT, PLAN, *PLAN_TITLES) else ref[1]

	def row(self, table: str, row: Row) -> str:
		"""A row as people call it: by its title, or by that of what it names."""
		if "title" in row:
			return str(row["title"])
		links = _links(row, frappe.get_meta(self._meta.get_field(table).options))
		return self.of(next(iter(links.values()))) if links else str(row.get("idx", ""))

	def is_hidden(self, table: str, row: Row) -> bool:
		"""Whether a row is about something that the caller may not read, or that is gone."""
		return "title" not in row and self.row(table, row) == _HIDDEN


def words(doc: Document, found: Differences, titles: Titles, *, will: bool = False) -> list[str]:
	"""A difference in a few words a piece: what a field was, or what it `will` become, and which rows differ."""
	said = [_field(doc, change, titles, will) for change in found.fields]
	for table in dict.fromkeys(row.table for row in found.rows):
		for what in ("added", "removed", "changed"):
			if rows := found.of(table, what):
				said.append(_of_rows(doc, table, what, rows, titles))
	said += [_("{0} in another order").format(_(_label(doc.meta, table))) for table in found.reordered]
	return [each for each in said if each]


def compared(doc: Document, found: Differences, titles: Titles) -> list[dict[str, Any]]:
	"""What differs, side by side as plain text: for each field and row its `title`, `what` has happened, and `rows` of lines."""
	parts = []
	for change in found.fields:
		df = doc.meta.get_field(change.field)
		old, new = (_shown(df, value, titles, {}) for value in (change.old, change.new))
		parts.append(
			{"title": _(_label(doc.meta, change.field)), "what": "", **_lines(*readable.both(old, new))}
		)
	for row in found.rows:
		parts.append(
			{
				"title": titles.row(row.table, row.new or row.old or {}),
				"what": _WHAT[row.what](),
				"row": str(row.old["name"]) if row.table == "stages" and row.old else "",
				**(_TOO_LARGE if _is_large(row) else _lines(*_row_lines(doc, row, titles))),
			}
		)
	return parts


def order(
	found: Sequence[str], was: State, now: State, titles: Titles, doc: Document
) -> list[dict[str, Any]]:
	"""Tables that are in another order: the titles of their rows, side by side."""
	return [
		{
			"title": _("{0} in another order").format(_(_label(doc.meta, table))),
			"what": "",
			**_lines(
				*([titles.row(table, row) for row in tables(state).get(table, [])] for state in (was, now))
			),
		}
		for table in found
	]


_TOO_LARGE: Mapping[str, Any] = {"rows": [], "left_off": 0, "is_too_large": True}


def _is_large(change: RowChange) -> bool:
	"""Whether a row holds more than is compared, so that it is not even read."""
	rows = (row for row in (change.old, change.new) if row)
	return any(len(str(value)) > side_by_side.MOST_BYTES for row in rows for value in row.values())


def _lines(old: list[str], new: list[str]) -> dict[str, Any]:
	comparison = side_by_side.compare_lines(old, new)
	return {
		"rows": comparison.rows,
		"left_off": comparison.left_off,
		"is_too_large": comparison.is_too_large,
	}


def _row_lines(doc: Document, change: RowChange, titles: Titles) -> tuple[list[str], list[str]]:
	meta = frappe.get_meta(doc.meta.get_field(change.table).options)
	old_lines: list[str] = []
	new_lines: list[str] = []
	fields = change.fields() if change.what == "changed" else None
	if any(titles.is_hidden(change.table, row) for row in (change.old, change.new) if row):
		return [], []
	for df in states.fields(meta):
		if fields is not None and df.fieldname not in [each.field for each in fields]:
			continue
		old, new = (
			_shown(df, row.get(df.fieldname, ""), titles, row) if row else ""
			for row in (change.old, change.new)
		)
		label = "" if df.fieldtype in _LONG else f"{_(df.label)}: "
		if label:
			old_lines += [label + old] if old else []
			new_lines += [label + new] if new else []
			continue
		before, after = readable.both(old, new)
		old_lines += before
		new_lines += after
	return old_lines, new_lines


def _field(doc: Document, change: FieldChange, titles: Titles, will: bool) -> str:
	df = doc.meta.get_field(change.field)
	if df is None:
		return ""
	label = _(df.label or df.fieldname)
	if df.fieldname == PARENT_FIELDS.get(doc.doctype):
		return _moved(titles.of((df.options, str(change.old))))
	if df.fieldname == "is_published":
		return _("Published") if change.new else _("Unpublished")
	if df.fieldtype == "Check":
		return (_("{0}: on") if change.new else _("{0}: off")).format(label)
	if df.fieldtype in (*_LONG, *_FILES):
		if not change.old:
			return _("{0} added").format(label)
		return (_("{0} changed") if change.new else _("{0} removed")).format(label)
	value = _shown(df, change.new if will else change.old, titles, {})[:_SHOWN]
	if will:
		return _("{0} becomes “{1}”").format(label, value) if value else _("{0} removed").format(label)
	return _("{0} was “{1}”").format(label, value) if value else _("{0} added").format(label)


def _moved(title: str) -> str:
	return _("Moved") if title == _HIDDEN else _("Moved, from “{0}”").format(title)


def _of_rows(doc: Document, table: str, what: str, rows: list[RowChange], titles: Titles) -> str:
	one, many = _ROWS.get((table, what), (None, None))
	if one is None or many is None:
		return _OTHER_ROWS[what]().format(_(_label(doc.meta, table)), len(rows))
	if len(rows) > 1:
		return many().format(len(rows))
	return one().format(titles.row(table, rows[0].new or rows[0].old or {})[:_SHOWN])


def _shown(df: Any, value: Any, titles: Titles, row: Mapping[str, Any]) -> str:
	"""A value as people read it."""
	if df is None or value in ("", None):
		return str(value or "")
	if df.fieldtype == "Link":
		return titles.of((df.options, str(value)))
	if df.fieldtype == "Dynamic Link":
		return titles.of((str(row.get(df.options, "")), str(value)))
	if df.fieldtype == "Check":
		return _("Yes") if value else _("No")
	if df.fieldtype == "Select":
		return _(str(value))
	return str(value)


def _links(row: Mapping[str, Any], meta: Any) -> dict[str, Ref]:
	found: dict[str, Ref] = {}
	for df in meta.get("fields", {"fieldtype": ("in", ("Link", "Dynamic Link"))}):
		value = row.get(df.fieldname)
		doctype = df.options if df.fieldtype == "Link" else row.get(df.options)
		if value and doctype:
			found[df.fieldname] = (str(doctype), str(value))
	return found


def _label(meta: Any, fieldname: str) -> str:
	return str(meta.get_label(fieldname) or fieldname)
