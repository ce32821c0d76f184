"""A document as it was before: an ordinary save, asked first, and itself a change of the history.

Where a document is and whether it is published stay as they are now. What its access becomes is said, and which lessons become
live or free by it. A row that is still there stays the same row; one that comes back has its old name, if that is free.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import frappe
import orjson
from frappe.model.document import Document

from memora.services.cdn_export import dependency_resolver
from memora.services.cdn_export.model.doctypes import CONTENT, KIND_OF, PLAN, SUBJECT
from memora.services.cdn_export.model.plain_text import read
from memora.services.cdn_export.model.tree import Override
from memora.services.cdn_export.state import database
from memora.services.course_outline import asking, attachments, permissions, siblings
from memora.services.course_outline.rules import consequences, tree_changes
from memora.services.course_outline.rules.consequences import Consequences
from memora.services.history import entries, reading, saying, states
from memora.services.history.rules import differences, state
from memora.services.history.rules.state import State, content, tables

_ACCESS = ("is_free_preview", "is_public", "is_sold_separately", "parent_item_required", "required_item")

Answer = dict[str, Any]


def go_back(doctype: str, name: str, entry: str, agreed: str = "", rows: Sequence[str] = ()) -> Answer:
	"""Make a document what the history's `entry` keeps; of a lesson only these stages, if any are named.

	What will change is asked first. `changed` is 0 where all is so already. Raises what a save raises, PermissionError for who may
	not write the document, and DoesNotExistError for what is not in its history. Commits.
	"""
	locks = siblings.subjects([(doctype, name)]) if doctype in CONTENT else set()

	def work() -> Answer:
		siblings.lock(locks)
		return _gone_back(doctype, name, entry, agreed, rows)

	return database.transaction(work)


def _gone_back(doctype: str, name: str, entry: str, agreed: str, rows: Sequence[str]) -> Answer:
	doc = permissions.document(doctype, name, "write", locked=True)
	then = entries.states(doctype, str(doc.name), [entry]).get(entry)
	if then is None:
		reading.gone()
	now = states.of(doc)
	wanted = _wanted(doc, now, then, rows)
	found = differences.between(now, wanted)
	if not found:
		return {"done": True, "changed": 0}
	# What is agreed to is this change of this document as it is now.
	mark = hashlib.sha256(orjson.dumps([now, wanted])).hexdigest()
	ask = asking.question(_consequences(doc, now, wanted), agreed, notes=[f"back to {mark}"])
	if ask:
		titles = saying.Titles(doctype, [now, wanted])
		said = {
			"changes": saying.words(doc, found, titles, will=True),
			"missing": attachments.lost(_as_document(wanted)),
			"is_published": bool(doc.get("is_published")),
		}
		return {"ask": {**ask, **said}}
	_apply(doc, wanted)
	doc.save()
	return {"done": True, "changed": 1}


def _wanted(doc: Document, now: State, then: State, rows: Sequence[str]) -> State:
	if rows:
		return state.with_rows(now, then, "stages", rows)
	untouchable = reading.unreadable_fields(doc, "read") | reading.unreadable_fields(doc, "write")
	return state.like(now, then, {*states.kept(doc.doctype), *untouchable})


def _consequences(doc: Document, now: State, wanted: State) -> Consequences:
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
	return consequences.between(before, after)


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
	return consequences.between(before, after)


def _apply(doc: Document, wanted: State) -> None:
	for field, value in wanted.items():
		if isinstance(value, list):
			_apply_rows(doc, field, value)
		elif states.of_field(doc, field) != value:
			doc.set(field, value)


def _apply_rows(doc: Document, table: str, wanted: Sequence[state.Row]) -> None:
	here = {row.name: row for row in doc.get(table)}
	back = [str(row["name"]) for row in wanted if row["name"] not in here]
	kind = doc.meta.get_field(table).options
	taken = set(frappe.get_all(kind, {"name": ("in", back)}, pluck="name")) if back else set()
	rows = []
	for values in wanted:
		row = here.get(values["name"])
		if row is None:
			row = doc.append(table, content(values))
			if values["name"] not in taken:
				row.name = values["name"]  # whoever knows the stage by it finds it again
		else:
			was = states.of_row(row)
			row.update({field: value for field, value in content(values).items() if was.get(field) != value})
		rows.append(row)
	for number, row in enumerate(rows, start=1):
		row.idx = number
	setattr(doc, table, rows)


def _as_document(wanted: State) -> Any:
	return frappe._dict(
		{
			field: [frappe._dict(row) for row in value] if isinstance(value, list) else value
			for field, value in wanted.items()
		}
	)
