"""The dialog that brings questions from elsewhere into a lesson: what would come in, then what was chosen of it."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from memora.api.endpoint import endpoint
from memora.services.cdn_export.model.plain_text import as_typed
from memora.services.cdn_export.model.roles import EDITORS
from memora.services.course_outline import importing


@endpoint(EDITORS)
@as_typed
def read(given: dict) -> dict[str, Any]:
	"""What would come in of a text, row by row, and what keeps the others from it. `given`: its `text`, perhaps its `form`."""
	return importing.read(given)


@endpoint(EDITORS, "POST")
@as_typed
def add(lesson: str, given: dict, rows: list[str], after: str = "") -> dict[str, Any]:
	"""Put the rows at these places of the text into a lesson, behind the stage `after` or as its last: one save."""
	if not all(place.isdecimal() and len(place) < 9 for place in rows):
		frappe.throw(_("Name each question by its place."))
	return importing.add(lesson, given, [int(place) for place in rows], after)


@endpoint(EDITORS)
@as_typed
def templates() -> dict[str, str]:
	"""A table to begin with, in the caller's language: as it is pasted, and as CSV."""
	return importing.templates()
