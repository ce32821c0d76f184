"""The course page changes rows of its outline (`memora.api.outline` reads it).

Each endpoint checks its caller's role first, then the right to each document that it changes. Each is POST only, and one
transaction.
"""

from __future__ import annotations

from typing import Any

from memora.api.endpoint import endpoint
from memora.services.cdn_export.model.plain_text import as_typed
from memora.services.cdn_export.model.roles import EDITORS
from memora.services.course_outline import (
	copying,
	deleting,
	editing,
	moving,
	plan_view,
	publishing,
	restoring,
)


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
def move(
	doctype: str, name: str, parent: str, after: str = "", before: str = "", agreed: str = ""
) -> dict[str, Any]:
	"""Put a row or stage below a parent between two siblings that are neighbours there; "" is the start, or the end."""
	return moving.move(doctype, name, parent, after, before, agreed)


@endpoint(EDITORS, "POST")
@as_typed
def set_published(rows: list[str], value: int, below: int = 0, agreed: str = "") -> dict[str, Any]:
	"""Publish or unpublish rows, with all below them if asked; what else becomes live by it is asked first."""
	return publishing.set_published(rows, value, below, agreed)


@endpoint(EDITORS, "POST")
@as_typed
def set_free_preview(rows: list[str], value: int, agreed: str = "") -> dict[str, Any]:
	"""Open rows and all below them to everyone, or no longer; which paid lessons become free by it is asked first."""
	return publishing.set_free_preview(rows, value, agreed)


@endpoint(EDITORS, "POST")
@as_typed
def make_live(doctype: str, name: str, agreed: str = "") -> dict[str, Any]:
	"""Publish a document and what above it is a draft; what else becomes live by it is asked first."""
	return publishing.make_live(doctype, name, agreed)


@endpoint(EDITORS, "POST")
@as_typed
def set_override(
	plan: str, doctype: str, name: str, action: str = "", value: str = "", agreed: str = ""
) -> dict[str, Any]:
	"""Let a plan hide, rename, free or sell a row, or no longer; what becomes live or free by it is asked first."""
	return plan_view.set_override(plan, doctype, name, action, value, agreed)


@endpoint(EDITORS, "POST")
@as_typed
def duplicate(rows: list[str], below: int = 0) -> dict[str, Any]:
	"""Copy rows, or stages, to behind themselves, with all below them if asked; the copies are drafts."""
	return copying.duplicate(rows, below)


@endpoint(EDITORS, "POST")
@as_typed
def paste(rows: list[str], parent: str, after: str = "", agreed: str = "") -> dict[str, Any]:
	"""Copy rows with all below them, or stages, to below a parent; copied rows are drafts. Paid stages that would be free to
	read there are asked about first."""
	return copying.paste(rows, parent, after, agreed)


@endpoint(EDITORS, "POST")
@as_typed
def delete(rows: list[str], below: int = 0, agreed: str = "") -> dict[str, Any]:
	"""Delete rows, with all below them if asked, or stages; unless it is a single draft, this is asked first."""
	return deleting.delete(rows, bool(below), agreed)


@endpoint(EDITORS, "POST")
@as_typed
def restore(deleted: list[str], agreed: str = "") -> dict[str, Any]:
	"""Bring back what `delete` has deleted, all of it or nothing; what becomes live by it and was not is asked first."""
	return restoring.restore(deleted, agreed)
