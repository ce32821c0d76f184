"""The trash: what was deleted of content and plans, for whoever might have deleted it."""

from __future__ import annotations

from typing import Any

from memora.api.endpoint import endpoint
from memora.services.cdn_export.model.plain_text import as_typed
from memora.services.cdn_export.model.roles import ADMINS
from memora.services.course_outline import trash_list, trash_restoring

_EVERYBODY = ("All",)
"""Who is logged in; what they may delete and create decides."""


@endpoint(_EVERYBODY)
@as_typed
def entries(doctype: str = "", text: str = "", subject: str = "", start: int = 0) -> dict[str, Any]:
	"""What was deleted, the last first, 20 at a time: of one kind, with a text in its title, or of one subject, if asked.
	What was deleted with all below it is one entry."""
	return trash_list.entries(doctype, text, subject, start)


@endpoint(_EVERYBODY, "POST")
@as_typed
def restore(name: str, also: int = 0) -> dict[str, Any]:
	"""Bring an entry back with all that was deleted below it, as drafts, by its name. Where what it was in is in the trash
	too, the answer says so, and `also` brings that back first."""
	return trash_restoring.restore(name, bool(also))


@endpoint(ADMINS, "POST")
def remove(name: str) -> None:
	"""Delete an entry permanently, with all that was deleted below it and the files of it that nothing else names."""
	trash_restoring.remove(name)
