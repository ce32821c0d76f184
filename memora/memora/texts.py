"""How the DocTypes of memora keep plain text: with stand-ins for `<` and `>` (`plain_text`), whoever writes it."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cstr

from memora.services.cdn_export import plain_text

_SHORT = ("Small Text", "Text")
_LONGEST = 65_535
"""Bytes, in a column of MariaDB's for these fields. Those for Data are shorter than 140 characters; Frappe looks at that."""


class PlainTexts(Document):
	"""A document whose plain texts, and those of its rows, are stored with stand-ins.

	A form, the REST API, Data Import, `frappe.client.set_value` and whatever else saves a document come through
	`validate`, which runs before Frappe's sanitizer.
	"""

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


def _text(row: Document, df: Any, value: Any) -> str:
	"""The value of a field as it is stored. A number, as a spreadsheet or a request brings one, becomes a text; what no
	column could hold is refused, with the field's name."""
	field = _(df.label)
	if row.get("parentfield"):
		field = _("{0} in row {1}").format(field, row.idx)
	if isinstance(value, list | dict):
		frappe.throw(_("{0} must be a text, not a list or an object.").format(field))
	text = plain_text.store(cstr(value))
	try:
		length = len(text.encode())
	except UnicodeEncodeError:
		frappe.throw(_("{0} holds half a character, as a cut emoji leaves it. Write it again.").format(field))
	if df.fieldtype in _SHORT and length > _LONGEST:
		frappe.throw(_("{0} is too long: {1} bytes, of {2} at most.").format(field, length, _LONGEST))
	return text
