"""One stage as its editor opens and saves it: whole, without the rest of its lesson's form."""

from __future__ import annotations

import hashlib
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cstr

from memora.services.cdn_export.model.doctypes import LESSON
from memora.services.cdn_export.model.plain_text import as_html, read, read_all
from memora.services.cdn_export.rules import stage_check
from memora.services.cdn_export.state import database
from memora.services.course_outline import editing, permissions, reading
from memora.services.course_outline.permissions import STAGE

Stage = dict[str, Any]


def opened(name: str) -> dict[str, Any]:
	"""A stage with its lesson's title, whether that is published, and whether the caller may change it.

	Raises DoesNotExistError, or PermissionError where the caller may not read the lesson.
	"""
	lesson = frappe.db.get_value(STAGE, name, "parent") if name else None
	doc = permissions.document(LESSON, cstr(lesson)) if lesson else None
	row = next((row for row in doc.stages if row.name == name), None) if doc else None
	if doc is None or row is None:
		permissions.gone(_("There is no {0} {1} any more.").format(_(STAGE), as_html(name)))
	return {
		"stage": _shown(row),
		"lesson": doc.name,
		"lesson_title": read(cstr(doc.title)),
		"is_published": bool(doc.is_published),
		"can_write": bool(doc.has_permission("write")),
	}


def save(lesson: str, stage: Stage, seen: str, after: str) -> dict[str, Any]:
	"""Give a stage this title, type and config, or make it in its lesson behind the stage `after`, where it has no name.
	What of these is not given stays as it is.

	A stage that is no longer as it was `seen` is left alone, and answered as `changed`. All that a lesson's save refuses
	is refused here. Commits.
	"""
	return database.transaction(lambda: _saved(lesson, stage, seen, after))


def _saved(lesson: str, stage: Stage, seen: str, after: str) -> dict[str, Any]:
	name = cstr(stage.get("name"))
	if name:
		doc, row = editing.stage_of(name)
		if _mark(row) != seen:
			return {"changed": _shown(row)}
	else:
		doc = permissions.document(LESSON, lesson, "write", locked=True)
		row = doc.append("stages", {})
		if after in [other.name for other in doc.stages[:-1]]:
			editing.place([row], doc, after)
	_fill(row, stage)
	# Warnings were beside the fields of the editor; what a draft lacks is listed, as by its form.
	found = stage_check.check_text(cstr(row.type), cstr(row.config))
	doc.flags.findings_are_told = all(finding.severity != "broken" for finding in found)
	doc.save()
	rows = reading.stage_rows([doc.name])[doc.name]
	return {
		"stage": _shown(row),
		"row": read_all(next(found for found in rows if found["name"] == row.name)),
	}


def _fill(row: Document, stage: Stage) -> None:
	for field in ("title", "type", "config"):
		value = stage.get(field)
		if value is not None and not isinstance(value, str):
			frappe.throw(_("{0} must be a text.").format(field))
	# What is not given stays as it is.
	if "title" in stage and read(cstr(row.title)) != cstr(stage["title"]):
		row.title = stage["title"]
	for field in ("type", "config"):
		if field in stage:
			row.set(field, stage[field])


def _shown(row: Document) -> Stage:
	"""A stage with its title as it was typed, and its config to the byte."""
	title = read(cstr(row.title))
	return {"name": row.name, "title": title, "type": row.type, "config": row.config, "seen": _mark(row)}


def _mark(row: Document) -> str:
	"""What differs where a stage differs."""
	texts = "\0".join(cstr(row.get(field)) for field in ("title", "type", "config"))
	return hashlib.sha256(texts.encode()).hexdigest()[:32]
