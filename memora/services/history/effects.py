"""What a document's change to another state does to others: what learners get or lose by it, and which files are not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import frappe
from frappe.model.document import Document

from memora.services.cdn_export import dependency_resolver
from memora.services.cdn_export.model.doctypes import KIND_OF, PLAN, SUBJECT
from memora.services.cdn_export.model.plain_text import read
from memora.services.cdn_export.model.tree import Override
from memora.services.course_outline import asking, attachments
from memora.services.course_outline.rules import tree_changes
from memora.services.course_outline.rules.consequences import Consequences, between
from memora.services.history.rules.state import State, tables

_ACCESS = ("is_free_preview", "is_public", "is_sold_separately", "parent_item_required", "required_item")


def consequences(doc: Document, now: State, wanted: State) -> Consequences:
	"""Which lessons become live or free, or stop being so, when a document becomes as `wanted` has it."""
	if doc.doctype == PLAN:
		if tables(now) == tables(wanted):
			return Consequences()
		return _of_plan(doc, now, wanted)
	changed = {field: wanted[field] for field in _ACCESS if now.get(field) != wanted.get(field)}
	if not changed:
		return Consequences()
	ref = (doc.doctype, str(doc.name))
	before = asking.world(set(dependency_resolver.subjects_of([ref]).values()))
	values = {field: value if field == "required_item" else bool(value) for field, value in changed.items()}
	after = asking.with_trees(
		before,
		{name: tree_changes.with_values(tree, [ref], **values) for name, tree in before.subjects.items()},
	)
	return between(before, after)


def missing_files(wanted: State) -> list[Any]:
	"""The files that a state names and that are not there any more."""
	return attachments.lost(_as_document(wanted))


def _of_plan(doc: Document, now: State, wanted: State) -> Consequences:
	listed = {str(row["subject"]) for row in tables(wanted)["subjects"]}
	either = listed | {str(row["subject"]) for row in tables(now)["subjects"]}
	before = asking.world(
		frappe.get_all(SUBJECT, {"name": ("in", list(either))}, pluck="name"), str(doc.name)
	)
	overrides = tuple(
		Override(
			KIND_OF[str(row["target_doctype"])],
			str(row["target_name"]),
			str(row["action"]),  # type: ignore[arg-type]  # what was saved is one of them
			read(str(row["override_value"])),
		)
		for row in tables(wanted)["overrides"]
		if row["target_doctype"] in KIND_OF
	)
	after = replace(
		before, plans=[(frozenset(listed & set(before.subjects)), overrides) for _each in before.plans]
	)
	return between(before, after)


def _as_document(wanted: State) -> Any:
	return frappe._dict(
		{
			field: [frappe._dict(row) for row in value] if isinstance(value, list) else value
			for field, value in wanted.items()
		}
	)
