"""Rows of a subject by title, or by what holds of them, wherever in it they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import frappe
from frappe import _

from memora.services.cdn_export.admin import status_answer
from memora.services.cdn_export.model.doctypes import PLAN, SUBJECT, Ref
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.cdn_export.model.tree import Node
from memora.services.cdn_export.rules.publication_status import FAILING, WAITING
from memora.services.course_outline import permissions, reading

MOST_ROWS = 200
_MOST_PAIRS = 50_000
"""So many times a search judges a row in a plan: a second's work."""


def find(subject: str, text: str = "", only: str = "", plan: str = "", kind: str = "") -> dict[str, Any]:
	"""The rows, of one `kind` if asked, that have this text in their title and that `only` is true for, in content order, each
	with the names and the titles on its way from the subject. `left_off` counts those that are not in the answer, or were not looked at."""
	name = permissions.document(SUBJECT, subject).name
	found = reading.load(name, plan)
	needle = text.strip().casefold()
	nodes = [
		(ref, node)
		for ref, node in found.nodes.items()
		if ref[0] != SUBJECT
		and (not kind or ref[0] == kind)
		and found.may_read(ref)
		and needle in f"{node.title}\n{found.seen[ref].title}".casefold()
	]
	unjudged = 0
	if only in ("failing", "waiting"):
		nodes, unjudged = _in_state(nodes, FAILING if only == "failing" else WAITING)
	elif only:
		nodes = [(ref, node) for ref, node in nodes if _filter(only)(found, ref, node)]
	rows = found.rows([node for _ref, node in nodes[:MOST_ROWS]])
	for (ref, _node), row in zip(nodes, rows, strict=False):
		row["path"], row["path_titles"] = found.path(ref), found.titles_above(ref)
	return {"rows": rows, "left_off": max(0, len(nodes) - MOST_ROWS) + unjudged}


def _filter(only: str) -> Callable[[reading.Outline, Ref, Node], bool]:
	filters: dict[str, Callable[[reading.Outline, Ref, Node], bool]] = {
		"drafts": lambda found, ref, node: not node.is_published,
		"paid": lambda found, ref, node: found.seen[ref].level == "paid",
	}
	if only not in filters:
		frappe.throw(_("There is no filter {0}.").format(as_html(only)))
	return filters[only]


def _in_state(nodes: Sequence[tuple[Ref, Node]], states: Sequence[str]) -> tuple[list[tuple[Ref, Node]], int]:
	"""Those in one of these states, and how many were too many to be judged."""
	most = max(1, _MOST_PAIRS // max(1, frappe.db.count(PLAN)))
	names: dict[str, list[str]] = {}
	for (doctype, name), _node in nodes[:most]:
		names.setdefault(doctype, []).append(name)
	found = {
		(doctype, name)
		for doctype, of_kind in names.items()
		for name, status in status_answer.for_caller(doctype, of_kind).items()
		if status.state in states
	}
	return [(ref, node) for ref, node in nodes if ref in found], max(0, len(nodes) - most)
