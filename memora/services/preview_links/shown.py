"""What a preview link shows now: *Preview as Learner*, kept to its document in its plan, and to what its maker may read.

Nothing here asks who the session's user is. `readable` says what the maker may read; beside it the maker's roles must let
him read each DocType, and share the one of the document.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import frappe
from frappe.permissions import get_role_permissions
from frappe.utils import get_system_timezone

from memora.services.cdn_export.admin import learner_preview, preview_place, status_facts
from memora.services.cdn_export.admin.learner_preview import Answer, Listing, Preview, Readable
from memora.services.cdn_export.model.doctypes import CONTENT, LESSON, PLAN
from memora.services.cdn_export.model.tree import walk
from memora.services.preview_links import sharing
from memora.services.preview_links.links import PreviewLink


class Opened(NamedTuple):
	"""The preview that a link shows, and the plan that it is kept to."""

	preview: Preview
	listing: Listing


def opened(link: PreviewLink, readable: Readable) -> Opened | None:
	"""What a link shows. None where its document is not there any more, or not in its plan, and where its maker
	may not read the document, all above it and the plan now, or not share the document. `readable` is for the maker."""
	if link.doctype not in (*CONTENT, PLAN) or not sharing.may_share(link.doctype, link.maker):
		return None
	# Another that has the name of one that was deleted is not it; the same one, back from the trash, is.
	if frappe.db.get_value(link.doctype, link.document, "creation") != link.document_created:
		return None

	def by_maker(names: Mapping[str, Collection[str]]) -> Mapping[str, set[str]]:
		may = {doctype: _may_read(doctype, link.maker) for doctype in names}
		found = readable({doctype: of_doctype for doctype, of_doctype in names.items() if may[doctype]})
		return {doctype: found.get(doctype, set()) for doctype in names}

	preview = Preview(link.doctype, link.document, bool(link.drafts), by_maker, link.plan)
	listing = learner_preview.listing_of(preview, link.plan)
	if listing is None or (preview.key and not listing.subjects):
		return None
	line = status_facts.lines(link.doctype, [link.document]).get(link.document, ()) if preview.key else ()
	if preview.key and not line:
		return None  # deleted just now
	is_readable = by_maker({**{node.doctype: [node.name] for node in line}, **listing.refs})
	return Opened(preview, listing) if all(is_readable.values()) else None


def place(link: PreviewLink, opened: Opened) -> dict[str, Any]:
	"""Where the preview begins (`preview_place.place`), who shows it and until when."""
	ends = link.ends.replace(tzinfo=ZoneInfo(get_system_timezone()))
	return {
		**preview_place.place(opened.preview, link.plan),
		"made_by": link.made_by,
		"ends": ends.isoformat(timespec="seconds"),
	}


def file(path: str, opened: Opened, subject: str) -> Answer | None:
	"""The file at a path of what is shown (`learner_preview.file_of`); None for any other path."""
	return learner_preview.file_of(path, opened.preview, opened.listing, subject)


def film(opened: Opened, lesson: str, stage: int) -> str | None:
	"""A link to the film of a stage of a lesson that is shown; None for any other lesson, and where there is no film that
	is signed."""
	preview, listing = opened
	subject = learner_preview.subject_of(LESSON, lesson)
	if subject not in listing.subjects or not listing.is_shown(preview):
		return None
	shown = learner_preview.shown_in(preview, listing, subject)
	if shown is None or not any(
		(node.kind, node.name) == ("lesson", lesson) for node in walk(shown.resolved)
	):
		return None
	return learner_preview.film(lesson, stage)


def _may_read(doctype: str, user: str) -> bool:
	return bool(get_role_permissions(frappe.get_meta(doctype), user=user).get("read"))
