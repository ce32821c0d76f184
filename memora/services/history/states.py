"""A document of the Desk as plain data: what of it an editor decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import frappe
from frappe.model import no_value_fields, table_fields
from frappe.model.base_document import BaseDocument
from frappe.model.document import Document
from frappe.utils import cint, cstr, flt

from memora.services.cdn_export.model.doctypes import CONTENT, PARENT_FIELDS
from memora.services.history.rules.state import Row, Scalar, State, content

_WHOLE = ("Int", "Check", "Long Int")
_BROKEN = ("Float", "Currency", "Percent", "Duration", "Rating")


def of(doc: Document) -> State:
	"""The document as its history keeps it. Its place among its siblings is no part of it: the course page moves it."""
	skipped = ("sort_order",) if doc.doctype in CONTENT else ()
	state: State = {df.fieldname: _value(doc, df) for df in fields(doc.meta) if df.fieldname not in skipped}
	for df in doc.meta.get_table_fields():
		rows = sorted(doc.get(df.fieldname) or (), key=lambda row: row.idx or 0)
		state[df.fieldname] = [of_row(row) for row in rows]
	return state


def of_row(row: BaseDocument) -> Row:
	"""A row of a document's table."""
	return {"name": cstr(row.name), **{df.fieldname: _value(row, df) for df in fields(row.meta)}}


def of_field(doc: Document, fieldname: str) -> Scalar:
	"""One field of a document, as its history keeps it."""
	return _value(doc, doc.meta.get_field(fieldname))


def fields(meta: Any) -> Iterator[Any]:
	"""The fields of a DocType, or of its rows, that hold a value of their own."""
	for df in meta.fields:
		without = df.fieldtype in no_value_fields or df.fieldtype in table_fields
		if not without and df.fieldtype != "Password" and not df.get("is_virtual"):
			yield df


def known(doctype: str, state: State) -> State:
	"""A state without what its rows had in fields that there are no more. Those of the document itself are nowhere asked for."""
	found: State = {}
	for table, value in state.items():
		df = frappe.get_meta(doctype).get_field(table) if isinstance(value, list) else None
		if isinstance(value, list) and df:
			names = {"name", *(each.fieldname for each in fields(frappe.get_meta(df.options)))}
			value = [{field: each for field, each in row.items() if field in names} for row in value]
		found[table] = value
	return found


def kept(doctype: str) -> tuple[str, ...]:
	"""What stays as it is now when a document goes back: where it is, and whether it is published."""
	return tuple(field for field in (PARENT_FIELDS.get(doctype, ""), "is_published") if field)


def apply(doc: Document, wanted: State) -> None:
	"""Give a document the values of a state; it is not saved. A row that is there stays the same row, and one that comes back
	has its old name, if that is free."""
	for field, value in wanted.items():
		if isinstance(value, list):
			_apply_rows(doc, field, value)
		elif of_field(doc, field) != value:
			doc.set(field, value)


def _apply_rows(doc: Document, table: str, wanted: Sequence[Row]) -> None:
	here = {row.name: row for row in doc.get(table)}
	back = [str(row["name"]) for row in wanted if row["name"] not in here]
	kind = doc.meta.get_field(table).options
	taken = set(frappe.get_all(kind, {"name": ("in", back)}, pluck="name")) if back else set()
	rows = []
	for values in wanted:
		row = here.get(values["name"])
		if row is None:
			row = doc.append(table, content(values))
			if values["name"] not in taken:
				row.name = values["name"]  # whoever knows the stage by it finds it again
		else:
			was = of_row(row)
			row.update({field: value for field, value in content(values).items() if was.get(field) != value})
		rows.append(row)
	for number, row in enumerate(rows, start=1):
		row.idx = number
	setattr(doc, table, rows)


def _value(doc: BaseDocument, df: Any) -> Scalar:
	value = doc.get(df.fieldname)
	if df.fieldtype in _WHOLE:
		return int(cint(value))
	if df.fieldtype in _BROKEN:
		return float(flt(value))
	return str(cstr(value))
