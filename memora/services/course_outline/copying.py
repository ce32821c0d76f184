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
	attachments,
	permissions,
	reading,
	siblings,
	stage_copies,
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
		return database.transaction(lambda: stage_copies.beside([name for _doctype, name in refs]))

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
		return database.transaction(lambda: stage_copies.into(parent, names, after, agreed))

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
