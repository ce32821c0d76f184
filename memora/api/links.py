"""What link boxes offer, and what the lists of content are filtered by. `memora.memora.content_search` finds it.

For everyone who is logged in: what Frappe lets them see of a kind decides.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from memora.api.endpoint import endpoint
from memora.memora import content_search
from memora.services.cdn_export.model.doctypes import CONTENT

_EVERYBODY = ("All",)

_AT_LEAST = 20
"""Rows of an answer: v15 asks for ten."""


@endpoint(_EVERYBODY)
def search_content(
	doctype: str,
	txt: str = "",
	searchfield: str = "",
	start: int = 0,
	page_len: int = _AT_LEAST,
	filters: dict[str, Any] | list[Any] | None = None,
	as_dict: bool = False,
	reference_doctype: str | None = None,
) -> list[content_search.Found] | list[dict[str, str]]:
	"""Frappe's `standard_queries`: content of one kind, found by the words of its title and of the titles above it."""
	if doctype not in CONTENT:
		raise frappe.PermissionError
	found = content_search.find(
		doctype,
		txt.strip(),
		start,
		max(page_len, _AT_LEAST),
		filters=content_search.read_filters(doctype, filters),
		reference_doctype=reference_doctype or None,
	)
	keys = ("name", "label", "way")
	return [dict(zip(keys, row, strict=True)) for row in found] if as_dict else found


@endpoint(_EVERYBODY)
def parents_within(doctype: str, within: list[str]) -> list[str]:
	"""By which parents a list of this kind is filtered, where it shall show what is below all of these: `DocType:name`."""
	asked = [(kind, name) for kind, _colon, name in (each.partition(":") for each in within)]
	above = content_search.is_filtered_by(doctype) if doctype in CONTENT else ()
	if not asked or any(kind not in above for kind, _name in asked):
		frappe.throw(_("A list of this kind cannot be filtered so."))
	return content_search.parents_within(doctype, asked)
