"""A document's history: for who may read the document now, and the way back for who may write it.

Each endpoint checks its caller's role first, then the right to the document itself.
"""

from __future__ import annotations

from typing import Any

from memora.api.endpoint import endpoint
from memora.services.cdn_export.model.plain_text import as_typed
from memora.services.cdn_export.model.roles import EDITORS
from memora.services.history import going_back, reading


@endpoint(EDITORS, "GET")
@as_typed
def entries(doctype: str, name: str, before: str = "") -> dict[str, Any]:
	"""Who changed a document, when, and what in words, the last first, 20 at most (`reading.history`)."""
	return reading.history(doctype, name, before)


@endpoint(EDITORS, "GET")
@as_typed
def changes(doctype: str, name: str, entry: str) -> list[dict[str, Any]]:
	"""What one change has changed: old and new side by side, as plain text."""
	return reading.changes(doctype, name, entry)


@endpoint(EDITORS, "POST")
@as_typed
def go_back(
	doctype: str, name: str, entry: str, agreed: str = "", rows: list[str] | None = None
) -> dict[str, Any]:
	"""Save a document, or only these stages of a lesson, as the history has it; what will change is asked first."""
	return going_back.go_back(doctype, name, entry, agreed, rows or [])
