"""What a plan changes at a row: hidden, renamed, free or sold there, set from the outline."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from memora.services.cdn_export import dependency_resolver
from memora.services.cdn_export.access_calculator import contradict
from memora.services.cdn_export.model.doctypes import KIND_OF, PLAN, Ref
from memora.services.cdn_export.model.plain_text import as_html, read
from memora.services.cdn_export.model.tree import Override
from memora.services.cdn_export.state import database
from memora.services.course_outline import asking, permissions, reading, targets
from memora.services.course_outline.rules import consequences

EXACTLY = "="
"""An action of an undo: the overrides of a node become those that `value` lists as JSON."""

Rows = list[tuple[str, str]]


def set_override(
	plan: str, doctype: str, name: str, action: str = "", value: str = "", agreed: str = ""
) -> dict[str, Any]:
	"""Let a plan override a node; what contradicts that goes. With no action all its overrides go, or the one that `value`
	names. What becomes live or free by it in the plan is asked first. Commits."""
	(ref,) = targets.parsed([f"{doctype}:{name}"])
	return database.transaction(lambda: _changed(plan, ref, action, value, agreed))


def _changed(plan: str, ref: Ref, action: str, value: str, agreed: str) -> dict[str, Any]:
	doc = permissions.document(PLAN, plan, "write", locked=True)
	permissions.document(*ref)
	subject = dependency_resolver.subjects_of([ref]).get(ref, "")
	if subject not in [row.subject for row in doc.subjects]:
		frappe.throw(_("This plan does not list the subject that this belongs to."))
	was = _overrides_of(doc, ref)
	will = _wanted(was, action, value)
	before = asking.world({subject}, doc.name)
	after = _after(before, ref, will)
	ask = asking.question(consequences.between(before, after, [ref]), agreed)
	if ask:
		return {"ask": ask}
	_write(doc, ref, was, will)
	args = {
		"plan": doc.name,
		"doctype": ref[0],
		"name": ref[1],
		"action": EXACTLY,
		"value": json.dumps(was),
		"agreed": asking.agreed_before(consequences.between(after, before, [ref])),
	}
	outline = reading.load(subject, doc.name)
	return {
		"done": True,
		"rows": outline.rows([outline.nodes[ref]]),
		"undo": {"method": "memora.api.course.set_override", "args": args} if will != was else None,
	}


def _overrides_of(doc: Document, ref: Ref) -> Rows:
	return [
		(row.action, read(row.override_value or ""))
		for row in doc.overrides
		if (row.target_doctype, row.target_name) == ref
	]


def _wanted(was: Rows, action: str, value: str) -> Rows:
	if action == EXACTLY:
		try:
			return [(str(each), str(text)) for each, text in json.loads(value)]
		except (ValueError, TypeError):
			frappe.throw(_("{0} must be JSON.").format("value"))
	if not action:
		return [row for row in was if value and row[0] != value]
	if action not in ("Hide", "Rename", "Set Free", "Set Sold Separately"):
		frappe.throw(_("{0} is nothing that a plan can do.").format(as_html(action)))
	return [*(row for row in was if not contradict(row[0], action)), (action, value)]


def _after(before: consequences.World, ref: Ref, will: Rows) -> consequences.World:
	kind, name = KIND_OF[ref[0]], ref[1]
	groups = []
	for listed, overrides in before.plans:
		others = [each for each in overrides if (each.kind, each.name) != (kind, name)]
		own = [Override(kind, name, action, value) for action, value in will]  # type: ignore[arg-type]
		groups.append((listed, (*others, *own)))
	return replace(before, plans=groups)


def _write(doc: Document, ref: Ref, was: Rows, will: Rows) -> None:
	if was == will:
		return
	kept = [row for row in doc.overrides if (row.target_doctype, row.target_name) != ref]
	doc.set("overrides", kept)
	for action, value in will:
		doc.append(
			"overrides",
			{"target_doctype": ref[0], "target_name": ref[1], "action": action, "override_value": value},
		)
	for number, row in enumerate(doc.overrides, start=1):
		row.idx = number
	doc.save()
