"""Links that show a preview to somebody without an account: for those who make them, and for the reader that is opened by one.

The reader's three endpoints are open to guests, and read only. They know only the link whose secret comes in a header:
the caller's own session, if any, neither adds nor removes anything of what is answered. All that is not, or not any more, is answered
alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import frappe
from werkzeug.wrappers import Response

from memora.api.endpoint import WOULD_FAIL, endpoint, guest_endpoint, json_answer, told
from memora.api.learner_preview import name_of
from memora.exceptions import MemoraError
from memora.memora import user_permissions
from memora.services.cdn_export.admin.learner_preview import Preview
from memora.services.cdn_export.model.doctypes import PLAN
from memora.services.cdn_export.model.plain_text import read_all
from memora.services.cdn_export.model.roles import ADMINS, EDITORS
from memora.services.cdn_export.rules.drafted_file import NO_PLAN
from memora.services.preview_links import links, sharing, shown
from memora.services.preview_links.links import PreviewLink
from memora.services.preview_links.shown import Opened

HEADER = "X-Memora-Preview-Link"

_HEADERS = {
	"Referrer-Policy": "no-referrer",
	"X-Robots-Tag": "noindex, nofollow",
}
_OVER = 410


@endpoint(EDITORS, "POST")
def make(doctype: str, name: str, plan: str = "", days: int = 7, drafts: bool = True) -> dict[str, Any]:
	"""A link to the preview of a document for so many days, in this plan or in the one that its preview begins in.

	`path`, from the site's root, is answered this once and kept nowhere. The caller may read the document and the plan, and share the document.
	"""
	name = name_of(doctype, name)
	if plan and plan != NO_PLAN:
		plan = name_of(PLAN, plan)
	preview = Preview(doctype, name, True, user_permissions.readable)
	link, path = told(lambda: sharing.make(preview, plan, days, drafts=drafts))
	return {"name": link, "path": path}


@endpoint(EDITORS, "GET")
def of_document(doctype: str, name: str) -> dict[str, Any]:
	"""The live links to a document: the caller's own, or everybody's for admins; and whether he may make another."""
	name = name_of(doctype, name)
	may_make = links.are_allowed() and sharing.may_share(doctype, frappe.session.user)
	return {"links": links.live_of(doctype, name, _maker()), "may_make": may_make}


@endpoint(EDITORS, "POST")
def revoke(name: str) -> None:
	"""Take a link back, at once and permanently: one's own, or as an admin anybody's."""
	links.revoke(name, _maker())


@guest_endpoint(limit=120)
def place() -> Response:
	"""Where the preview of the link begins, who shows it and until when."""
	return _of_link(lambda link, opened: read_all(shown.place(link, opened)))


@guest_endpoint(limit=600)
def file(path: str, subject: str = "") -> Response:
	"""The file at a published path of what the link shows; below a manifest `subject` names its subject."""

	def drafted(_link: PreviewLink, opened: Opened) -> dict[str, Any] | None:
		found = shown.file(path, opened, subject)
		if found is None:
			return None
		answer = asdict(found)
		del answer["live"]  # what learners see now is not this reader's to know
		return answer

	return _of_link(drafted)


@guest_endpoint(limit=60)
def film(lesson: str, stage: int) -> Response:
	"""A link to the film of a stage of a lesson that is shown. It plays for ten minutes."""

	def signed(_link: PreviewLink, opened: Opened) -> dict[str, Any] | None:
		url = shown.film(opened, lesson, stage)
		return {"url": url} if url else None

	return _of_link(signed)


def _of_link(work: Callable[[PreviewLink, Opened], dict[str, Any] | None]) -> Response:
	"""What `work` finds in the preview of the link that the request names."""
	link = links.find(frappe.get_request_header(HEADER) or "")
	if link is None:
		return _answer({}, _OVER)
	readable = partial(user_permissions.readable, user=link.maker)
	try:
		opened = shown.opened(link, readable)
		found = work(link, opened) if opened else None
	except (frappe.PermissionError, frappe.DoesNotExistError):
		return _answer({}, _OVER)
	except MemoraError:  # its words are for editors
		return _answer({}, WOULD_FAIL)
	if opened is None:
		return _answer({}, _OVER)
	links.note_use(link)
	return _answer(found, 200) if found is not None else _answer({}, 404)


def _maker() -> str | None:
	"""Whose links the caller may see and take back; None for everybody's."""
	user = frappe.session.user
	return None if {*ADMINS} & {*frappe.get_roles(user)} else user


def _answer(content: dict[str, Any], status: int) -> Response:
	return json_answer(content, status, _HEADERS)
