"""How the DocTypes of memora keep plain text: with stand-ins for `<` and `>` (`plain_text`), whoever writes it; and what
messages call a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import frappe
from frappe import _
from frappe.model import child_table_fields, default_fields, no_value_fields, table_fields
from frappe.model.base_document import BaseDocument
from frappe.model.document import Document
from frappe.utils import cstr, getdate

from memora.services.cdn_export.model import plain_text

_NUMBERS = ("Int", "Check", "Float", "Currency", "Percent")
_DATES = ("Date", "Datetime")
_SHORT = ("Small Text", "Text")
_LONGEST = 65_535
"""Bytes, in a column of MariaDB's for these fields. Those for Data are shorter than 140 characters; Frappe looks at that."""


class PlainTexts(Document):
	"""A document whose plain texts, and those of its rows, are stored with stand-ins.

	A form, the REST API, Data Import, `frappe.client.set_value` and whatever else saves a document come through
	`validate`, which runs before Frappe's sanitizer.
	"""

	def update(self, d: Mapping[str, Any]) -> PlainTexts:
		"""Frappe's, through which all comes that a request gives a document. Refuses, naming the field, values of a shape
		that it cannot have, before Frappe looks at them: a list for a link, a text for a table."""
		if not isinstance(d, Mapping):
			frappe.throw(_("Give the fields of {0} as an object.").format(_(self.doctype)))
		given = dict(d)
		for fieldname, value in d.items():
			df = self.meta.get_field(fieldname)
			if value is None or not (df or fieldname in (*default_fields, *child_table_fields)):
				continue
			kind = df.fieldtype if df else "Int" if fieldname in ("docstatus", "idx") else "Data"
			given[fieldname] = _shaped(df.label if df else fieldname, kind, value)
		return super().update(given)

	def validate(self) -> None:
		for row in (self, *self.get_all_children()):
			for df in plain_text.fields(row.meta):
				if (value := row.get(df.fieldname)) is not None:
					row.set(df.fieldname, _text(row, df, value))

	def db_set(self, fieldname: str | dict[str, Any], value: Any = None, *args: Any, **kwargs: Any) -> None:
		"""Frappe's, which neither validates nor sanitizes."""
		plain = {df.fieldname for df in plain_text.fields(self.meta)}

		def stored(field: str, text: Any) -> Any:
			return plain_text.store(text) if field in plain and isinstance(text, str) else text

		if isinstance(fieldname, dict):
			fieldname = {field: stored(field, text) for field, text in fieldname.items()}
		else:
			value = stored(fieldname, value)
		super().db_set(fieldname, value, *args, **kwargs)


def called(doc: Document) -> str:
	"""A document as messages call it: its kind and title."""
	return f"{_(doc.doctype)} “{plain_text.as_html(doc.get('title') or doc.name or '')}”"


def titles(doctype: str, filters: dict[str, Any], order: str = "title") -> dict[str, str]:
	"""Documents that these filters find, with their titles; whoever asks."""
	return dict(frappe.get_all(doctype, filters, ["name", "title"], order_by=order, as_list=True))


def _shaped(field: str, kind: str, value: Any) -> Any:
	"""The value for a field with this label and type; a number for a text becomes that text. Refuses what such a field
	cannot hold. Every document that is loaded passes here, so the label is translated only for a refusal."""
	if kind in table_fields:
		if not isinstance(value, list | tuple) or not all(
			isinstance(row, dict | BaseDocument) for row in value
		):
			frappe.throw(_("{0} must be a list of rows, each an object.").format(_(field)))
	elif kind in ("JSON", "Code", *no_value_fields):
		return value  # whoever reads it looks at it
	elif isinstance(value, list | dict | tuple):
		frappe.throw(_("{0} must be a text, not a list or an object.").format(_(field)))
	elif isinstance(value, str):
		_require_whole(field, value)
	if kind in _DATES and value and isinstance(value, str | int | float):
		_require_date(field, value)
	return cstr(value) if isinstance(value, int | float) and kind not in _NUMBERS else value


def _require_whole(field: str, text: str) -> None:
	try:
		text.encode()
	except UnicodeEncodeError:
		frappe.throw(
			_("{0} holds half a character, as a cut emoji leaves it. Write it again.").format(_(field))
		)


def _require_date(field: str, value: Any) -> None:
	if cstr(value).startswith("0000"):
		return  # as MariaDB may have kept none
	try:
		getdate(cstr(value))
		return
	except frappe.ValidationError:
		frappe.clear_last_message()
	except (ValueError, OverflowError):
		pass
	frappe.throw(_("{0} is no date. Write it like {1}.").format(_(field), "2026-09-01"))


def _text(row: Document, df: Any, value: Any) -> str:
	"""The value of a field as it is stored. A number, as a spreadsheet or a request brings one, becomes a text; what no
	column could hold is refused, with the field's name."""
	field = _(df.label)
	if row.get("parentfield"):
		field = _("{0} in row {1}").format(field, row.idx)
	text = plain_text.store(cstr(value))
	length = len(text.encode())
	if df.fieldtype in _SHORT and length > _LONGEST:
		frappe.throw(_("{0} is too long: {1} bytes, of {2} at most.").format(field, length, _LONGEST))
	return text
