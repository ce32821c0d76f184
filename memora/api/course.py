"""The course page: a whole subject as one outline, read and changed by its editors.

Each endpoint checks its caller's role first, then the right to each document that it reads or changes. What changes
something is POST only, and is one transaction.
"""

from __future__ import annotations

from typing import Any

from memora.api.endpoint import endpoint
from memora.services.cdn_export.model.doctypes import SUBJECT
from memora.services.cdn_export.model.plain_text import as_typed
from memora.services.cdn_export.model.roles import EDITORS
from memora.services.course_outline import editing, moving, permissions, reading
from memora.services.course_outline import stamp as stamps


@endpoint(EDITORS)
@as_typed
def outline(subject: str, open: list[str] | None = None, plan: str = "") -> dict[str, Any]:
	"""A subject with its children, and with those of each name in `open`, as this plan shows them. `left_off` counts the
	rows that did not fit into the answer, by their parent."""
	return reading.outline(subject, open or [], plan)


@endpoint(EDITORS)
def stamp(subject: str) -> str:
	"""A short text that is another one when anything has changed that the subject's outline shows."""
	return stamps.of(permissions.document(SUBJECT, subject).name)


@endpoint(EDITORS, "POST")
@as_typed
def add(doctype: str, parent: str, title: str, after: str = "") -> dict[str, Any]:
	"""A new draft below a parent, behind the sibling `after` or the last; without a parent a new subject. Answers its row."""
	return editing.add(doctype, parent, title, after)


@endpoint(EDITORS, "POST")
@as_typed
def set_title(doctype: str, name: str, title: str, seen: str) -> dict[str, Any]:
	"""Give a row or stage another title, unless it no longer has the one that was `seen`. Answers its row."""
	return editing.set_title(doctype, name, title, seen)


@endpoint(EDITORS, "POST")
@as_typed
def move(doctype: str, name: str, parent: str, after: str = "", before: str = "") -> dict[str, Any]:
	"""Put a row below a parent between two siblings that are neighbours there; "" is the start, or the end."""
	return moving.move(doctype, name, parent, after, before)
