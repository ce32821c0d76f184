"""Where the learner's reader (docs/reader.md) shows a document: the editors' preview of what is live."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from memora.services.cdn_export.model.doctypes import LESSON, SUBJECT, UNIT

PAGE = "/assets/memora/reader/index.html"

_PAGES = (SUBJECT, UNIT, LESSON)
"""What has a page of its own; a track is shown on its subject's, a topic on its unit's."""


def address(base_url: str, plan: str, line: Sequence[tuple[str, str]], required_item: str = "") -> str:
	"""The reader's page of the last document of a line, from the site's root, seen as who owns `required_item`.

	`line` is a document with all above it, from its subject down; without one it is the page of the plan.
	"""
	query = {"base": f"{base_url}/", "as": "owner"}
	if required_item:
		query["items"] = required_item.replace("%", "%25").replace(",", "%2C")  # a comma parts two items
	place = [plan, *(name for doctype, name in line if doctype in _PAGES)]
	return f"{PAGE}?{urlencode(query)}#/{'/'.join(quote(name, safe='') for name in place)}"
