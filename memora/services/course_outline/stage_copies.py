"""Copies of stages: beside the original, or in another lesson; with files of their own. The caller makes it one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import frappe
from frappe.model.document import Document

from memora.services.cdn_export.model.doctypes import LESSON
from memora.services.course_outline import (
	asking,
	attachments,
	editing,
	permissions,
	reading,
	siblings,
	stages,
)
from memora.services.course_outline.permissions import STAGE
from memora.services.course_outline.rules import consequences

Answer = dict[str, Any]


def beside(names: Sequence[str]) -> Answer:
	"""Copy each of these stages behind its original."""
	rows: list[reading.Row] = []
	for name in names:
		lesson, stage = editing.stage_of(name)
		rows += _inserted(lesson, [stage], stage.name)
	return stages_answer(rows)


def into(parent: str, names: Sequence[str], after: str, agreed: str) -> Answer:
	"""Copy these stages into a lesson, behind its stage `after` or as the last. Where they are paid for and their copies would
	not be, that is asked first."""
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
