"""Rows that are published, unpublished or opened to all, several at once, with what that makes live or free asked first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import frappe

from memora.services.cdn_export.model.doctypes import Ref
from memora.services.course_outline import asking, permissions, reading, targets
from memora.services.course_outline.rules import consequences, tree_changes
from memora.services.course_outline.rules.access import ref_of
from memora.services.course_outline.targets import Targets

Answer = dict[str, Any]


def set_published(rows: Sequence[str], value: int, below: int = 0, agreed: str = "") -> Answer:
	"""Publish or unpublish documents, with all `below` them if asked.

	What becomes live beyond the rows themselves is asked first. The undo of unpublishing is agreed to for what was live before,
	and for no more. Commits.
	"""
	return _run(rows, "is_published", value, below, agreed)


def set_free_preview(rows: Sequence[str], value: int, agreed: str = "") -> Answer:
	"""Open documents to all, or no longer; paid lessons that become free are asked first. Commits."""
	return _run(rows, "is_free_preview", value, 0, agreed)


def make_live(doctype: str, name: str, agreed: str = "") -> Answer:
	"""Publish a document and whatever above it is a draft; what else becomes live by that is asked first. Commits."""
	refs = targets.parsed([f"{doctype}:{name}"])

	def work(found: Targets) -> Answer:
		drafts = [ref for ref in _line(found, refs[0]) if not found.nodes[ref].is_published]
		for ref in drafts:
			permissions.document(*ref, "write")
		return _changed(found, drafts, "is_published", 1, agreed)

	return targets.transaction(refs, "read", work)


def _run(rows: Sequence[str], field: str, value: int, below: int, agreed: str) -> Answer:
	refs, wanted = targets.parsed(rows), int(bool(value))

	def work(found: Targets) -> Answer:
		asked = found.with_below() if below else found.refs
		return _changed(
			found,
			[ref for ref in asked if getattr(found.nodes[ref], field) != bool(wanted)],
			field,
			wanted,
			agreed,
		)

	return targets.transaction(refs, "write", work)


def _changed(found: Targets, refs: list[Ref], field: str, value: int, agreed: str) -> Answer:
	"""Give these documents the value, unless that has to be asked first."""
	targets.require_few(refs)
	before = found.world
	after = asking.with_trees(
		before,
		{
			name: tree_changes.with_values(tree, refs, **{field: bool(value)})
			for name, tree in before.subjects.items()
		},
	)
	ask = asking.question(consequences.between(before, after, found.refs), agreed)
	if ask:
		return {"ask": ask}
	for doctype, name in refs:
		doc = frappe.get_doc(doctype, name)
		doc.set(field, value)
		doc.save()
	method = "set_published" if field == "is_published" else "set_free_preview"
	args = {
		"rows": [f"{doctype}:{name}" for doctype, name in refs],
		"value": 1 - value,
		"agreed": asking.agreed_before(consequences.between(after, before, refs)),
	}
	undo = {"method": f"memora.api.course.{method}", "args": args} if refs else None
	return {"done": True, "rows": reading.rows_of(refs[:500]), "undo": undo}


def _line(found: Targets, ref: Ref) -> list[Ref]:
	"""The document after all above it, from the top down."""
	above = {ref_of(child): parent for parent, node in found.nodes.items() for child in node.children}
	line = [ref]
	while line[0] in above:
		line.insert(0, above[line[0]])
	return line
