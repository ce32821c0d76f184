"""*Preview as Learner*: the reader's second source (docs/reader.md). Each answer is drafted when it is asked for.

Each endpoint asks for its caller's role, then for the right to read each document whose content is in the answer. Nothing
is written, nothing may be kept in a cache, and nothing in a file is signed.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import NoReturn

import frappe
from frappe import _
from werkzeug.wrappers import Response

from memora.api.endpoint import WOULD_FAIL, endpoint, json_answer
from memora.exceptions import MemoraError
from memora.frappe_versions import DESK
from memora.memora import user_permissions
from memora.services.cdn_export.admin import learner_preview, preview_place
from memora.services.cdn_export.admin.learner_preview import Preview
from memora.services.cdn_export.model.doctypes import CONTENT, LESSON, PLAN
from memora.services.cdn_export.model.plain_text import as_html, read, read_all
from memora.services.cdn_export.model.roles import EDITORS


@endpoint(EDITORS, "GET")
def place(doctype: str, name: str, plan: str = "") -> Response:
	"""Where the preview of a document begins (`preview_place.place`), and where the Desk is."""
	preview = Preview(doctype, name_of(doctype, name), True, user_permissions.readable)
	if plan:
		plan = name_of(PLAN, plan)
	try:
		found = preview_place.place(preview, plan)
	except MemoraError as error:
		return json_answer({"problem": read(str(error))}, WOULD_FAIL)
	return json_answer({**read_all(found), "desk": DESK})


@endpoint(EDITORS, "GET")
def file(path: str, doctype: str, name: str, plan: str = "", subject: str = "", drafts: int = 1) -> Response:
	"""The file at a published path, as the next run would write it or, with `drafts`, as if nothing were a draft or hidden;
	what it is of is in this plan and subject. `doctype` and `name` say of what the preview is.

	Of what the caller may not read nothing is in it. What its build would say is answered as `problem`.
	"""
	_require_published_kind(doctype)
	preview = Preview(doctype, name, bool(drafts), user_permissions.readable)
	try:
		found = learner_preview.file(path, preview, plan, subject)
	except MemoraError as error:
		return json_answer({"problem": read(str(error))}, WOULD_FAIL)
	return json_answer(asdict(found)) if found else _missing(_("There is no such file."))


@endpoint(EDITORS, "GET")
def film(lesson: str, stage: int) -> Response:
	"""A link to the film of a lesson's stage, by its number from 1. It plays for ten minutes."""
	lesson = name_of(LESSON, lesson)
	try:
		url = learner_preview.film(lesson, stage)
	except MemoraError as error:
		return json_answer({"problem": read(str(error))}, WOULD_FAIL)
	return json_answer({"url": url}) if url else _missing(_("This stage has no film that is signed."))


def _require_published_kind(doctype: str) -> None:
	if doctype not in (*CONTENT, PLAN):
		frappe.throw(_("{0} is not published.").format(as_html(doctype)))


def name_of(doctype: str, name: str) -> str:
	"""The name of this document as it is written, where `name` may be in another case.

	Raises DoesNotExistError or PermissionError unless the caller may read it.
	"""
	_require_published_kind(doctype)
	found = frappe.db.sql(f"select name from `tab{doctype}` where name = %s", (name,), pluck=True)
	if not found:
		_missing(_("There is no {0} {1}.").format(_(doctype), as_html(name)))
	if found[0] not in user_permissions.readable({doctype: found})[doctype]:
		raise frappe.PermissionError
	return found[0]


def _missing(message: str) -> NoReturn:
	frappe.throw(message, frappe.DoesNotExistError)
	raise AssertionError
