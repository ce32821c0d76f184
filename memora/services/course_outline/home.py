"""An editor's own page: drafts, what fails or waits, where they were, and the courses that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import frappe

from memora.services.cdn_export.admin import status_answer, status_facts
from memora.services.cdn_export.model.doctypes import CONTENT, LESSON, PLAN, SUBJECT, Ref, down_to
from memora.services.cdn_export.rules.publication_status import FAILING, WAITING
from memora.services.cdn_export.state import publish_state
from memora.services.course_outline import permissions

MOST = 20
"""Rows of each kind."""

_MOST_CHANGES = 200
"""Of what has just changed, and of each kind in courses that wait, so many are looked at for what waits."""

Row = dict[str, Any]


def home() -> dict[str, Any]:
	"""What the course page shows without a course: my drafts and what I edited last, newest first; what fails or waits, the
	worst first; the courses. At most 20 of each, and only what the caller may read. The statements do not grow with the
	content."""
	mine = {"owner": frappe.session.user, "modified_by": frappe.session.user}
	return {
		"drafts": _rows(_newest({"is_published": 0}, mine)),
		"attention": _attention(),
		"recent": _rows(_newest({"modified_by": frappe.session.user})),
		"subjects": _subjects(),
		"can_create": bool(frappe.has_permission(SUBJECT, "create")),
	}


def _newest(filters: dict[str, Any], any_of: dict[str, Any] | None = None) -> list[Ref]:
	found = []
	for doctype in CONTENT:
		if frappe.has_permission(doctype, "read"):
			found += [
				(row.modified, doctype, row.name)
				for row in frappe.get_list(
					doctype,
					filters=filters,
					or_filters=any_of,
					fields=["name", "modified"],
					order_by="modified desc",
					limit=MOST,
				)
			]
	return [(doctype, name) for _modified, doctype, name in sorted(found, reverse=True)[:MOST]]


def _rows(refs: Collection[Ref]) -> list[Row]:
	"""These documents with the titles on their way from the subject, in this order."""
	found: dict[Ref, Row] = {}
	for doctype, names in _by_doctype(refs).items():
		for name, nodes in status_facts.lines(doctype, names).items():
			last = nodes[-1]
			found[doctype, name] = {
				"doctype": doctype,
				"name": name,
				"title": last.title,
				"is_published": last.is_published,
				"modified": str(last.modified),
				"subject": nodes[0].name if nodes[0].doctype == SUBJECT else "",
				"path_titles": [node.title for node in nodes[:-1]],
			}
	return [found[ref] for ref in refs if ref in found]


def _attention() -> list[Row]:
	"""What fails or waits among what has just changed, and in the courses and plans that wait or fail."""
	judged = []
	for doctype, names in _by_doctype(_candidates()).items():
		judged += [
			(order.index(status.state), doctype, name, status)
			for name, status in status_answer.for_caller(doctype, names).items()
			if status.state in (order := (*FAILING, *WAITING))
		]
	worst = sorted(judged, key=lambda each: each[:3])[:MOST]
	states = {(doctype, name): status for _order, doctype, name, status in worst}
	rows = {(row["doctype"], row["name"]): row for row in _rows([ref for ref in states if ref[0] != PLAN])}
	rows |= {
		(PLAN, name): {"doctype": PLAN, "name": name, "title": title, "subject": "", "path_titles": []}
		for name, title in _titles_of_plans([name for doctype, name in states if doctype == PLAN])
	}
	found = []
	for ref, status in states.items():
		if ref in rows:
			brief = status_answer.brief(status)
			found.append({**rows[ref], "state": brief, "text": brief["text"]})
	return found


def _candidates() -> list[Ref]:
	refs = dict.fromkeys(
		frappe.db.sql(f"select distinct ref_doctype, ref_name from `tabCDN Change` limit {_MOST_CHANGES}")
	)
	subjects = set()
	for kind, name in frappe.db.sql(
		f"""select scope_type, ref from `tab{publish_state.TABLE}`
		where scope_type in ('plan', 'subject') and (published_generation < generation or dead_since is not null
			or retry_count > 0 or held = 1) order by dead_since is null, retry_count = 0, name limit {_MOST_CHANGES}"""
	):
		refs[PLAN if kind == "plan" else SUBJECT, name] = None
		subjects |= {name} if kind == "subject" else set()
	for doctype in CONTENT[1:] if subjects else ():
		refs |= dict.fromkeys((doctype, name) for name in _last_changed(doctype, subjects))
	readable: list[Ref] = []
	for doctype, names in _by_doctype(refs).items():
		if doctype in (*CONTENT, PLAN) and frappe.has_permission(doctype, "read"):
			found = frappe.get_list(
				doctype,
				filters={"name": ("in", names)},
				pluck="name",
				limit=len(names),
				order_by="modified desc",
			)
			readable += [(doctype, name) for name in found[:_MOST_CHANGES]]
	return readable


def _last_changed(doctype: str, subjects: Collection[str]) -> list[str]:
	depth = CONTENT.index(doctype)
	return frappe.db.sql_list(
		f"select l{depth}.name from {down_to(doctype)} where l0.name in %s order by l{depth}.modified desc limit {MOST}",
		(tuple(subjects),),
	)


def _titles_of_plans(names: Collection[str]) -> Iterable[tuple[str, str]]:
	return (
		frappe.db.sql(f"select name, title from `tab{PLAN}` where name in %s", (tuple(names),))
		if names
		else ()
	)


def _subjects() -> list[Row]:
	"""The courses that the caller may read, those that were changed last, with how many lessons and drafts they have."""
	if not frappe.has_permission(SUBJECT, "read"):
		return []
	subjects = frappe.get_list(SUBJECT, fields=["name", "title"], order_by="modified desc, name", limit=MOST)
	counts = _counts([subject.name for subject in subjects])
	return [
		{
			"name": subject.name,
			"title": subject.title,
			"lessons": counts.get(subject.name, (0, 0))[0],
			"drafts": counts.get(subject.name, (0, 0))[1],
		}
		for subject in subjects
	]


def _counts(subjects: Collection[str]) -> dict[str, tuple[int, int]]:
	"""Lessons of each subject, and how many of them are drafts; only those that the caller may read."""
	if not subjects:
		return {}
	allowed, last = permissions.condition(LESSON), f"l{CONTENT.index(LESSON)}"
	rows = frappe.db.sql(
		f"""select l0.name, count(*), sum({last}.is_published = 0) from {down_to(LESSON)}
		where l0.name in {permissions.in_list(subjects)}
			{f"and {last}.name in (select name from `tab{LESSON}` where {allowed})" if allowed else ""}
		group by l0.name"""
	)
	return {name: (int(lessons), int(drafts or 0)) for name, lessons, drafts in rows}


def _by_doctype(refs: Iterable[Ref]) -> dict[str, list[str]]:
	grouped: dict[str, list[str]] = {}
	for doctype, name in refs:
		grouped.setdefault(doctype, []).append(name)
	return grouped
