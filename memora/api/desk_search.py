"""What the Desk's own search (Ctrl+G) calls: Frappe's, in whose place `hooks.py` puts this."""

from __future__ import annotations

from typing import Any

from memora.api.endpoint import endpoint
from memora.services.course_outline import desk_search


@endpoint(("All",))
def search_desk(text: str, start: int = 0, limit: int = 20, doctype: str = "") -> list[dict[str, Any]]:
	"""What Frappe's search finds of all that is searched, without the content that the caller may not read."""
	return desk_search.search(text, start, limit, doctype)
