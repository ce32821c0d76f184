"""New rows, and titles that are typed straight into a row."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from memora.services.cdn_export.model.doctypes import CONTENT, LESSON, PARENT_FIELDS, Ref
from memora.services.cdn_export.model.plain_text import as_html, read
from memora.services.cdn_export.state import database
from memora.services.course_outline import permissions, reading, siblings
from memora.services.course_outline.permissions import STAGE


def add(doctype: str, parent: str, title: str, after: str = "") -> reading.Row:
	"""A new draft below `parent`, behind the sibling `after`, or the last where that is "" or gone; a stage is a Text.

	Raises PermissionError where the caller may not create it there. Commits.
	"""
	if doctype == STAGE:
		return database.transaction(lambda: _added_stage(parent, title, after))
	if doctype not in CONTENT:
		frappe.throw(_("{0} is no part of a course.").format(as_html(doctype)))
	above = siblings.parent_type(doctype)
	subjects = siblings.subjects([(above, parent)]) if above else set()
	return database.transaction(lambda: _added(doctype, parent, title, after, subjects))


def set_title(doctype: str, name: str, title: str, seen: str) -> reading.Row:
	"""Give a row another title, where it still has the one that was `seen`. Raises ValidationError where it does not. Commits."""
	return database.transaction(lambda: _titled(doctype, name, title, seen))


def _added(doctype: str, parent: str, title: str, after: str, subjects: set[Ref]) -> reading.Row:
	field = PARENT_FIELDS[doctype]
	values: dict[str, Any] = {"doctype": doctype, "title": title}
	if field:
		above = siblings.parent_type(doctype)
		siblings.lock({(above, parent), *subjects})
		values[field] = permissions.document(above, parent).name
		values["sort_order"], _next = siblings.read(doctype, values[field]).behind(after)
	doc = frappe.get_doc(values).insert()
	return reading.rows_of([(doc.doctype, doc.name)])[0]


def _added_stage(lesson: str, title: str, after: str) -> reading.Row:
	doc = permissions.document(LESSON, lesson, "write", locked=True)
	row = doc.append("stages", {"title": title, "type": "Text"})
	if after in [stage.name for stage in doc.stages[:-1]]:
		place([row], doc, after)
	doc.flags.findings_are_told = True  # that it is still empty, its editor knows
	doc.save()
	return next(found for found in reading.stage_rows([doc.name])[doc.name] if found["name"] == row.name)


def place(rows: list[Any], lesson: Any, after: str) -> None:
	"""Put these stages of a lesson behind its stage `after`, "" for the start, and number all of them."""
	others = [stage for stage in lesson.stages if stage not in rows]
	names = [stage.name for stage in others]
	here = names.index(after) + 1 if after else 0
	lesson.stages = [*others[:here], *rows, *others[here:]]
	number(lesson)


def number(lesson: Any) -> None:
	"""Number the stages of a lesson as they are in order."""
	for place_, stage in enumerate(lesson.stages, start=1):
		stage.idx = place_


def _titled(doctype: str, name: str, title: str, seen: str) -> reading.Row:
	if doctype == STAGE:
		doc, titled = stage_of(name)
	else:
		titled = doc = permissions.document(doctype, name, "write", locked=True)
	if read(titled.title or "") != seen:
		frappe.throw(
			_("This is called “{0}” by now. Look at it again, then rename it.").format(
				as_html(titled.title or "")
			),
			title=_("Not Renamed"),
		)
	titled.title = title
	doc.save()
	if doctype == STAGE:
		return next(found for found in reading.stage_rows([doc.name])[doc.name] if found["name"] == name)
	return reading.rows_of([(doc.doctype, doc.name)])[0]


def stage_of(name: str) -> tuple[Document, Any]:
	"""The lesson of a stage, locked, that the caller may write, and the stage in it. Raises DoesNotExistError."""
	lesson = frappe.db.get_value(STAGE, name, "parent")
	if lesson:
		doc = permissions.document(LESSON, lesson, "write", locked=True)
		for stage in doc.stages:
			if stage.name == name:
				return doc, stage
	permissions.gone(_("There is no {0} {1} any more.").format(_(STAGE), as_html(name)))
