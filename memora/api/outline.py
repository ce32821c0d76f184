"""The course page reads: a subject as one outline, its search, and an editor's own page.

Each endpoint checks its caller's role first, then the right to each document that is in its answer.
"""

from __future__ import annotations

from typing import Any

from memora.api.endpoint import endpoint
from memora.services.cdn_export.model.doctypes import SUBJECT
from memora.services.cdn_export.model.plain_text import as_typed
from memora.services.cdn_export.model.roles import EDITORS
from memora.services.course_outline import finding, permissions, places, reading
from memora.services.course_outline import home as homes
from memora.services.course_outline import stamp as stamps
from memora.services.text_search import finding as lessons_by_text


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


@endpoint(EDITORS)
@as_typed
def find(subject: str, text: str = "", only: str = "", plan: str = "", kind: str = "") -> dict[str, Any]:
	"""Rows of a subject by title, of one kind if asked, and of those
	the drafts, what is failing, waiting or paid; 200 at most, each with its path."""
	return finding.find(subject, text, only, plan, kind)


@endpoint(EDITORS)
@as_typed
def search(text: str, subject: str = "") -> dict[str, Any]:
	"""Lessons with these words in what learners read of them, the last changed first, in all courses or in one: 20 at most,
	each with where it is and what is around the first word."""
	return lessons_by_text.find(text, subject)


@endpoint(EDITORS)
@as_typed
def home() -> dict[str, Any]:
	"""The caller's drafts, what fails or waits, what they edited last, and the courses; 20 of each at most."""
	return homes.home()


@endpoint(EDITORS)
def place(name: str, doctype: str = "") -> dict[str, Any]:
	"""The subject that a document belongs to, and the names from the subject's child down to it."""
	return places.place(name, doctype)
