"""Publication status for the Desk: what editors see on forms and in lists, and what their pickers find.

Each endpoint checks its caller's role first, then the right to read each document it is asked about. What changes
something is POST only.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import frappe
from frappe import _

from memora.api import cdn_admin
from memora.api.endpoint import endpoint, told
from memora.memora import content_search, overrides
from memora.services.cdn_export.admin import (
	file_views,
	preview,
	publication_status,
	publish_requests,
	status_answer,
)
from memora.services.cdn_export.model.doctypes import CONTENT, PLAN, SUBJECT
from memora.services.cdn_export.model.plain_text import as_html, as_typed
from memora.services.cdn_export.model.roles import EDITORS

_MOST_NAMES = 500
"""As many rows as the Desk's lists show at once."""

_MOST_PAIRS = 50_000
"""So many times one answer judges a row in a plan: a second's work."""


@endpoint(EDITORS)
@as_typed
def document_status(doctype: str, name: str) -> dict[str, Any]:
	"""A document's publication status: live, waiting, failed or left out, as a whole and in each of its plans, and all that
	keeps it from being live. `drafts` are those above it and itself that the caller may publish; empty, where one of them is
	not theirs to publish."""
	name = _readable(doctype, name)
	found = status_answer.for_caller(doctype, [name], with_obstacles=True)[name]
	return status_answer.as_dict(found)


@endpoint(EDITORS)
@as_typed
def list_states(doctype: str, names: list[str]) -> dict[str, dict[str, str]]:
	"""The state of each of these documents that the caller may read, for a list's indicators: of the first of them, the
	fewer the more plans there are. The caller asks for the rest again."""
	_require_published_kind(doctype)
	plans = frappe.db.count(PLAN) if doctype in CONTENT else 1
	wanted = names[: max(1, min(_MOST_NAMES, _MOST_PAIRS // max(1, plans)))]
	readable = frappe.get_list(doctype, filters={"name": ("in", wanted)}, pluck="name", limit=_MOST_NAMES)
	return {
		name: status_answer.brief(found)
		for name, found in status_answer.for_caller(doctype, readable).items()
	}


@endpoint(EDITORS)
def view_json(doctype: str, name: str, plan: str) -> dict[str, Any]:
	"""The file that shows a document in a plan: the bytes that are live, those the next run would write, and both
	side by side. Nothing is written; signatures are left out; a file that is too large can be downloaded."""
	return _views(doctype, name, plan).as_dict()


@endpoint(EDITORS)
def download_json(doctype: str, name: str, plan: str, side: str = "planned") -> None:
	"""`view_json` for a file that is too large to be shown: the file that is live, or the one that is planned."""
	views = _views(doctype, name, plan)
	body = views.live if side == "live" else views.planned
	if body is None:
		frappe.throw(_("There is no such file."), frappe.DoesNotExistError)
	frappe.response.update(
		type="download",
		filename=f"{'live' if side == 'live' else 'planned'}-{views.path.replace('/', '-')}",
		filecontent=body,
		content_type="application/json",
	)


@endpoint(EDITORS)
@as_typed
def preview_changes(plan: str) -> dict[str, Any]:
	"""What a plan's next run would change: access first, then files and purges; the first of each, and how many there are.
	Nothing is written."""
	plan = _readable(PLAN, plan)
	return told(lambda: preview.of_plan(plan)).as_dict(most=preview.MOST_NAMED)


@endpoint(EDITORS, "POST")
@as_typed
def publish_now(doctype: str, name: str) -> dict[str, Any]:
	"""Start a batch for what waits, this document's changes among it, without waiting for the next one."""
	return publish_requests.publish_now(doctype, _readable(doctype, name))


@endpoint(EDITORS)
def search_targets(
	doctype: str,
	txt: str = "",
	searchfield: str = "",
	start: int = 0,
	page_len: int = 20,
	filters: dict[str, Any] | None = None,
) -> list[content_search.Found]:
	"""The picker of a plan's overrides: content of one kind in the subjects the plan lists, found by title and by the titles
	above."""
	if doctype not in CONTENT or not frappe.has_permission(doctype, "read"):
		raise frappe.PermissionError
	asked = (filters or {}).get("subjects")
	subjects = _those_readable(SUBJECT, [str(name) for name in asked] if isinstance(asked, list) else [])
	return content_search.find(doctype, txt, start, page_len, subjects=sorted(subjects)) if subjects else []


@endpoint(EDITORS)
def search_plans(
	doctype: str,
	txt: str = "",
	searchfield: str = "",
	start: int = 0,
	page_len: int = 20,
	filters: dict[str, Any] | None = None,
) -> list[tuple[str, str]]:
	"""The picker of *View JSON*: plans that list the subject of the document in `filters`, found by title."""
	asked = filters or {}
	kind = str(asked.get("doctype"))
	name = _readable(kind, str(asked.get("name")))
	if kind == PLAN:
		return []
	plans = overrides.search_plans(publication_status.line_of(kind, name)[0][1], txt)
	if not plans:
		return []
	start, page_len = max(0, start), max(1, min(page_len, content_search.MOST_FOUND))
	found = frappe.get_list(
		PLAN,
		filters={"name": ("in", plans)},
		fields=["name", "title"],
		order_by="title, name",
		limit=start + page_len,  # v15 knows no `offset`, and v17 warns of `start`
	)
	return [(row.name, row.title) for row in found[start:]]


def _require_published_kind(doctype: str) -> None:
	if doctype not in (*CONTENT, PLAN):
		frappe.throw(_("{0} is not published.").format(as_html(doctype)))


def _readable(doctype: str, name: str) -> str:
	"""The name of this document as it is written, where `name` may be in another case.

	Raises DoesNotExistError or PermissionError unless the caller may read it.
	"""
	_require_published_kind(doctype)
	if not frappe.db.exists(doctype, name):
		frappe.throw(
			_("There is no {0} {1}.").format(_(doctype), as_html(name)),
			frappe.DoesNotExistError,
		)
	doc = frappe.get_doc(doctype, name)
	doc.check_permission("read")
	return doc.name


def _views(doctype: str, name: str, plan: str) -> file_views.Views:
	"""`file_views.of_document` for a document and a plan that the caller may read."""
	name, plan = _readable(doctype, name), _readable(PLAN, plan)
	if doctype != PLAN:
		line = publication_status.line_of(doctype, name)
		listed = line[0][0] == SUBJECT and frappe.db.exists(
			overrides.LISTED, {"parent": plan, "parenttype": PLAN, "subject": line[0][1]}
		)
		if not listed:
			frappe.throw(_("This plan does not list the subject that this belongs to."))
	elif name != plan:
		frappe.throw(_("A plan's file is its own."))
	return told(lambda: file_views.of_document(doctype, name, plan))


def _those_readable(doctype: str, names: Collection[str]) -> set[str]:
	"""Those of these documents that the caller may read, by User Permissions too."""
	if not names or not frappe.has_permission(doctype, "read"):
		return set()
	return set(frappe.get_list(doctype, filters={"name": ("in", list(names))}, pluck="name"))


# What pages of the Desk call that were open before an upgrade; goes with 0.4.
approve_held = cdn_admin.approve_held
get_dashboard = cdn_admin.get_dashboard
get_health = cdn_admin.get_health
retry_all = cdn_admin.retry_all
take_over = cdn_admin.take_over
test_connection = cdn_admin.test_connection
