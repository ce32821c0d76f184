"""How the DocTypes of memora keep plain text: with stand-ins for `<` and `>` (`plain_text`), whoever writes it."""

from __future__ import annotations

from typing import Any

from frappe.model.document import Document

from memora.services.cdn_export import plain_text


class PlainTexts(Document):
	"""A document whose plain texts, and those of its rows, are stored with stand-ins.

	A form, the REST API, Data Import, `frappe.client.set_value` and whatever else saves a document come through
	`validate`, which runs before Frappe's sanitizer.
	"""

	def validate(self) -> None:
		for row in (self, *self.get_all_children()):
			for df in plain_text.fields(row.meta):
				if isinstance(text := row.get(df.fieldname), str):
					row.set(df.fieldname, plain_text.store(text))

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
