"""Copies of rows and stages: beside the original, or elsewhere; always drafts, with files of their own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from memora.services.cdn_export.model.doctypes import LESSON, PARENT_FIELDS, SUBJECT, Ref
from memora.services.cdn_export.model.tree import Node
from memora.services.cdn_export.state import database
from memora.services.course_outline import (
	asking,
	attachments,
	editing,
	permissions,
	reading,
	siblings,
	stages,
	targets,
)
from memora.services.course_outline.permissions import STAGE
from memora.services.course_outline.rules import consequences
from memora.services.course_outline.rules.access import ref_of
from memora.services.course_outline.targets import Targets

Answer = dict[str, Any]
_LONGEST_TITLE = 140


def duplicate(rows: Sequence[str], below: int = 0) -> Answer:
	"""Copy documents, or stages, each behind its original, with all `below` if asked. Commits."""
	refs = targets.parsed(rows, stages=True)
	if are_stages(refs):
		return database.transaction(lambda: _duplicated_stages([name for _doctype, name in refs]))

	def work(found: Targets) -> Answer:
		copying = _Copying(found, below=bool(below))
		for ref in refs:
			doc = frappe.get_doc(*ref)
			parent = doc.get(PARENT_FIELDS[ref[0]]) if ref[0] != SUBJECT else ""
			copying.copy(ref, parent, ref[1], _("{0} (copy)").format(doc.title)[:_LONGEST_TITLE])
		return copying.answer()

	return targets.transaction(refs, "read", work)


def paste(rows: Sequence[str], parent: str, after: str = "", agreed: str = "") -> Answer:
	"""Copy documents with all below them, or stages, to below a parent: behind the sibling `after`, or as the last.

	Where stages are paid for and their copies would not be, that is asked first. Raises ValidationError where these kinds do
	not go there. Commits.
	"""
	refs = targets.parsed(rows, stages=True)
	kinds = {doctype for doctype, _name in refs}
	if len(kinds) > 1:
		frappe.throw(_("Copy rows of one kind at a time."))
	doctype = kinds.pop()
	above = LESSON if doctype == STAGE else siblings.parent_type(doctype)
	if not above or not frappe.db.exists(above, parent):
		where = _(above) if above else _("a course of its own: duplicate it instead")
		frappe.throw(_("{0} goes into {1}.").format(_(doctype), where), title=_("Not Pasted"))
	if doctype == STAGE:
		names = [name for _doctype, name in refs]
		return database.transaction(lambda: _pasted_stages(names, parent, after, agreed))

	def work(found: Targets) -> Answer:
		home = permissions.document(above, parent).name
		copying, last = _Copying(found, below=True), after
		for ref in refs:
			last = copying.copy(ref, home, last)
		return copying.answer()

	return targets.transaction(
		refs, "read", work, also=siblings.subjects([(above, parent)]) | {(above, parent)}
	)


class _Copying:
	"""The copies of one action."""

	def __init__(self, found: Targets, *, below: bool) -> None:
		self._found = found
		self._below = below
		self._made: list[Document] = []
		self._tops: list[Ref] = []
		named = found.with_below() if below else found.refs
		targets.require_few(named)
		self._unreadable = permissions.unreadable(named)

	def copy(self, ref: Ref, parent: str, after: str, title: str = "") -> str:
		"""Copy a document to behind a sibling. Returns the copy's name."""
		place, _next = siblings.read(ref[0], parent).behind(after)
		name = self._copied(self._found.nodes[ref], parent, place, title)
		self._tops.append((ref[0], name))
		return name

	def _copied(self, node: Node, parent: str, place: int, title: str = "") -> str:
		doctype, name = ref_of(node)
		copy = frappe.copy_doc(frappe.get_doc(doctype, name), ignore_no_copy=False)
		copy.update({"is_published": 0, "sort_order": place, "title": title or copy.title})
		if field := PARENT_FIELDS[doctype]:
			copy.set(field, parent)
		copy.insert()
		self._made.append(copy)
		for child in node.children if self._below else ():
			if ref_of(child) not in self._unreadable:
				self._copied(child, copy.name, child.sort_order)
		return str(copy.name)

	def answer(self) -> Answer:
		attachments.keep(self._made)
		deletes = [f"deleted {doc.doctype} {doc.name}" for doc in self._made]
		args = {
			"rows": [f"{doctype}:{name}" for doctype, name in self._tops],
			"below": 1,
			"agreed": consequences.agreement(deletes),
		}
		undo = {"method": "memora.api.course.delete", "args": args}
		return {"done": True, "rows": reading.rows_of(self._tops), "undo": undo}


def are_stages(refs: Collection[Ref]) -> bool:
	"""Whether these are stages. Raises ValidationError where only some are."""
	kinds = {doctype == STAGE for doctype, _name in refs}
	if len(kinds) > 1:
		frappe.throw(_("Copy rows of one kind at a time."))
	return kinds == {True}


def _duplicated_stages(names: Sequence[str]) -> Answer:
	rows: list[reading.Row] = []
	for name in names:
		lesson, stage = editing.stage_of(name)
		rows += _inserted(lesson, [stage], stage.name)
	return stages_answer(rows)


def _pasted_stages(names: Sequence[str], parent: str, after: str, agreed: str) -> Answer:
	siblings.lock([(LESSON, parent)])
	originals = []
	for name in names:
		source = frappe.db.get_value(STAGE, name, "parent") or ""
		lesson = permissions.document(LESSON, source)
		originals += [stage for stage in lesson.stages if stage.name == name]
	target = permissions.document(LESSON, parent, "write", locked=True)
	homes = {stage.name: stage.parent for stage in originals if stage.parent != target.name}
	found = (
		stages.freed(homes, {stage.name: stage.title for stage in originals}, target.name) if homes else None
	)
	if found and (ask := asking.question(found, agreed)):
		return {"ask": ask}
	known = [stage.name for stage in target.stages]
	return stages_answer(_inserted(target, originals, after if after in known else (known or [""])[-1]))


def _inserted(lesson: Document, originals: Sequence[Any], after: str) -> list[reading.Row]:
	values = [{"title": stage.title, "type": stage.type, "config": stage.config} for stage in originals]
	return insert_stages(lesson, values, after)


def insert_stages(lesson: Document, values: Sequence[dict[str, Any]], after: str) -> list[reading.Row]:
	"""Save a lesson with new stages behind its stage `after`, "" for the start. Returns their rows."""
	added = [lesson.append("stages", row) for row in values]
	editing.place(added, lesson, after)
	lesson.save()
	attachments.keep([lesson])
	names = {stage.name for stage in added}
	return [row for row in reading.stage_rows([lesson.name])[lesson.name] if row["name"] in names]


def stages_answer(rows: list[reading.Row]) -> Answer:
	"""What an action answers that has made stages: their rows, and how they go again."""
	names = [f"{STAGE}:{row['name']}" for row in rows]
	things = [f"deleted {STAGE} {row['name']}" for row in rows]
	args = {"rows": names, "below": 0, "agreed": consequences.agreement(things)}
	return {"done": True, "rows": rows, "undo": {"method": "memora.api.course.delete", "args": args}}
