"""What a save says about a lesson's stages, and which it refuses.

A draft is saved whatever its stages hold, with one message that lists what is missing. A published lesson takes no stage
that learners could not use: a save is refused for a stage that it changes or, where it publishes the lesson, for one that
was never live as it is. What a save does not touch, and what was live, stops nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

import frappe
from frappe import _
from frappe.utils import cint, cstr

from memora.services.cdn_export.curriculum import films
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.cdn_export.rules import stage_check

if TYPE_CHECKING:
	from memora.memora.doctype.memora_lesson.memora_lesson import MemoraLesson
	from memora.memora.doctype.memora_lesson_stage.memora_lesson_stage import MemoraLessonStage

_MOST_SAID = 12
"""How many lines a message has before it says "and more"."""


def check_lesson(lesson: MemoraLesson, before: MemoraLesson | None) -> None:
	"""Look at the stages that this save changes or publishes. Raises ValidationError for those that it refuses."""
	kept = {(row.type, row.config) for row in before.stages} if before else set()
	looked_at = [row for row in lesson.stages if (row.type, row.config) not in kept]
	is_published = bool(cint(lesson.is_published))  # a script may send "0"
	if is_published and before and not before.is_published:
		others = [row for row in lesson.stages if row not in looked_at and _findings(row)]
		was_live = _live_before(before) if others else set()  # a history is long: it is read where it decides
		looked_at += [row for row in others if row.name not in was_live]
	# What comes back from the trash was there before it.
	looked_at.sort(key=lambda row: row.idx)
	_say(
		cstr(lesson.title),
		looked_at,
		refuse=is_published and not lesson.flags.restored,
		is_told=bool(lesson.flags.findings_are_told),
	)


def check_row(lesson: str, row: MemoraLessonStage) -> None:
	"""Look at a row that is saved by itself. Raises ValidationError if its published lesson cannot take it."""
	_say(lesson, [row], bool(frappe.db.get_value(row.parenttype, row.parent, "is_published")))


def about(lesson: str, row: MemoraLessonStage, problem: str) -> str:
	"""A problem of a stage as messages have it: lesson, row, title and what is wrong."""
	return _("Lesson “{0}”, row {1} (“{2}”): {3}").format(
		as_html(lesson or row.parent), row.idx, as_html(row.title or ""), problem
	)


def told(finding: stage_check.Finding) -> str:
	"""A finding in the user's language, as HTML."""
	return _(finding.text).format(*map(as_html, finding.about))


def _findings(row: MemoraLessonStage) -> list[stage_check.Finding]:
	type_, config = cstr(row.type), cstr(row.config)
	return [*stage_check.check_text(type_, config), *films.findings(type_, config)]


def _say(lesson: str, rows: Collection[MemoraLessonStage], refuse: bool, is_told: bool = False) -> None:
	"""Refuse what is broken, if asked; say what is found, unless the user has read it already."""
	findings = [(row, finding) for row in rows for finding in _findings(row)]
	broken = [(row, finding) for row, finding in findings if finding.severity == "broken"]
	if refuse and broken:
		frappe.throw(
			"<br>".join(
				[
					_("Learners could not use this, so a published lesson cannot have it:"),
					*_lines(lesson, broken),
					_("Correct it, or unpublish the lesson until it is done."),
				]
			),
			title=_("Stages to Correct"),
		)
	if findings and not is_told:
		frappe.msgprint(
			"<br>".join(_lines(lesson, findings)), title=_("Learners Would Not Get This"), indicator="orange"
		)


def _lines(lesson: str, findings: list[tuple[MemoraLessonStage, stage_check.Finding]]) -> list[str]:
	lines = [about(lesson, row, told(finding)) for row, finding in findings[:_MOST_SAID]]
	if len(findings) > _MOST_SAID:
		lines.append(_("… and {0} more.").format(len(findings) - _MOST_SAID))
	return lines


def _live_before(lesson: MemoraLesson) -> set[str]:
	"""The rows of a draft that are as they were when it was last published, by the document's history."""
	live = {row.name for row in lesson.stages}
	of_lesson = {"ref_doctype": lesson.doctype, "docname": lesson.name}
	if not frappe.get_all(
		"Version", {**of_lesson, "data": ("like", '%"is_published"%')}, pluck="name", limit=1
	):
		return set()  # it never was
	versions = frappe.get_all("Version", of_lesson, pluck="name", order_by="creation desc, name desc")
	for version in versions:  # one by one, since each may hold whole configs
		changes = json.loads(frappe.db.get_value("Version", version, "data") or "{}")
		live -= {row.get("name") for table, row in changes.get("added") or () if table == "stages"}
		live -= {
			name
			for table, _place, name, changed in changes.get("row_changed") or ()
			if table == "stages" and any(field in ("type", "config") for field, _old, _new in changed)
		}
		# The history has a set field as a screen shows it, and 0 as it is.
		if any(
			field == "is_published" and old and not new for field, old, new in changes.get("changed") or ()
		):
			return live
	return set()
