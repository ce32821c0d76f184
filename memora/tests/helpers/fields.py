"""Fields as a site may have them, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import frappe
from frappe.custom.doctype.property_setter.property_setter import make_property_setter


@contextmanager
def field_of_level(doctype: str, field: str, level: int) -> Iterator[None]:
	"""A field of this permission level, to which no role has a right."""
	setter = make_property_setter(doctype, field, "permlevel", level, "Int")
	frappe.clear_cache(doctype=doctype)
	try:
		yield
	finally:
		setter.delete(ignore_permissions=True)
		frappe.clear_cache(doctype=doctype)
