"""Rows that were deleted, brought back: the undo of a deletion, all of it or nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import frappe
from frappe import _

from memora.services.cdn_export import dependency_resolver
from memora.services.cdn_export.model.doctypes import CONTENT, LESSON, Ref
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.cdn_export.state import database
from memora.services.course_outline import asking, editing, permissions, reading, targets
from memora.services.course_outline.rules import consequences
from memora.services.course_outline.trash import DELETED
from memora.services.course_outline.trash_restoring import restore_one

Answer = dict[str, Any]
_BEFORE = "course_restore"


def restore(deleted: Sequence[str], agreed: str = "") -> Answer:
	"""Undo a deletion: parents first, all or nothing, as published as they were.

	Where more becomes live by it than was before, as `agreed` says, that is asked first. Raises what `restore_one` of the trash
	raises. Commits.
	"""
	targets.require_few(deleted)

	def work() -> Answer:
		frappe.db.savepoint(_BEFORE)
		refs: list[Ref] = []
		for name in _parents_first([name for name in deleted if "/" not in name]):
			back = restore_one(name)
			refs.append((back["doctype"], back["name"]))
		subjects = set(dependency_resolver.subjects_of(refs).values()) if refs else set()
		if ask := asking.question(consequences.made_by(asking.world(subjects), refs), agreed):
			frappe.db.rollback(save_point=_BEFORE)
			return {"ask": ask}
		rows = [row for kept in deleted if "/" in kept for row in _stages_back(*kept.split("/", 1))]
		again = {"rows": [f"{doctype}:{name}" for doctype, name in refs], "below": 1}
		undo = {"method": "memora.api.course.delete", "args": again} if refs else None
		return {"done": True, "rows": [*reading.rows_of(refs), *rows], "undo": undo}

	return database.transaction(work)


def _parents_first(deleted: Sequence[str]) -> list[str]:
	kinds = dict(
		frappe.db.sql(f"select name, deleted_doctype from `tab{DELETED}` where name in %s", (tuple(deleted),))
		if deleted
		else ()
	)
	return sorted(
		deleted, key=lambda name: CONTENT.index(kinds[name]) if kinds.get(name) in CONTENT else len(CONTENT)
	)


def _stages_back(lesson: str, version: str) -> list[reading.Row]:
	"""Stages that were deleted from a lesson, as its version has them, each at the place that it had."""
	doc = permissions.document(LESSON, lesson, "write", locked=True)
	data = frappe.db.get_value(
		"Version", {"name": version, "ref_doctype": LESSON, "docname": doc.name}, "data"
	)
	if not data:
		permissions.gone(_("There is no {0} {1} any more.").format(_("Version"), as_html(version)))
	back = []
	for table, row in json.loads(data).get("removed", []):
		if table == "stages":
			again = doc.append("stages", {field: row.get(field) for field in ("title", "type", "config")})
			others = [stage for stage in doc.stages if stage is not again]
			place = max(0, (row.get("idx") or 1) - 1)
			doc.stages = [*others[:place], again, *others[place:]]
			back.append(again)
	editing.number(doc)
	doc.save()
	names = {stage.name for stage in back}
	return [row for row in reading.stage_rows([doc.name])[doc.name] if row["name"] in names]
