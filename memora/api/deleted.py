"""What was deleted of content and plans, for whoever may create it. What the endpoints do is `memora.memora.deleted`."""

from __future__ import annotations

from typing import Any

from memora.api.endpoint import endpoint
from memora.memora import deleted
from memora.services.cdn_export.model.plain_text import as_typed

_EVERYBODY = ("All",)
"""Who is logged in; what they may create decides."""


@endpoint(_EVERYBODY)
@as_typed
def list_deleted(doctype: str, text: str = "") -> list[dict[str, Any]]:
	"""The last documents of this kind that were deleted and have this text in their titles. What was deleted with all
	below it is one of them, with how many come back with it."""
	return deleted.latest(doctype, text)


@endpoint(_EVERYBODY, "POST")
@as_typed
def restore(name: str) -> dict[str, str]:
	"""Bring a deleted document back with what was deleted below it, by the name of what Frappe keeps of it.

	Returns its DocType and name."""
	return deleted.restore(name)
