"""The stages that learners cannot use, or do not get as they were meant, each with what is wrong."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from memora.services.cdn_export.curriculum import failing_stages
from memora.services.cdn_export.model.plain_text import store


def execute(filters: dict[str, Any] | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
	"""Columns and rows, a row for each finding, of the lessons that the user may read: published lessons first, what
	learners cannot use before what they miss. The texts are plain, with stand-ins for `<` and `>`."""
	readable = set(frappe.get_list("Memora Lesson", pluck="name", limit=0))
	found = [stage for stage in failing_stages.failing() if stage.lesson in readable]
	found.sort(
		key=lambda stage: (
			not stage.is_published,
			not stage.is_broken,
			stage.lesson_title,
			stage.lesson,
			stage.idx,
		)
	)
	return _columns(), [
		{
			"lesson_title": store(stage.lesson_title),
			"is_published": int(stage.is_published),
			"row": stage.idx,
			"stage": store(stage.title),
			"type": _(stage.type),
			"learners": _("cannot use it") if finding.severity == "broken" else _("miss something"),
			"problem": store(_(finding.text).format(*finding.about)),
			"lesson": stage.lesson,
		}
		for stage in found
		for finding in stage.findings
	]


def _columns() -> list[dict[str, Any]]:
	return [
		{"fieldname": "lesson_title", "label": _("Lesson"), "fieldtype": "Data", "width": 200},
		{"fieldname": "is_published", "label": _("Published"), "fieldtype": "Check", "width": 90},
		{"fieldname": "row", "label": _("Row"), "fieldtype": "Int", "width": 60},
		{"fieldname": "stage", "label": _("Stage"), "fieldtype": "Data", "width": 140},
		{"fieldname": "type", "label": _("Type"), "fieldtype": "Data", "width": 90},
		{"fieldname": "learners", "label": _("Learners"), "fieldtype": "Data", "width": 120},
		{"fieldname": "problem", "label": _("Problem"), "fieldtype": "Data", "width": 420},
		{
			"fieldname": "lesson",
			"label": _("ID"),
			"fieldtype": "Link",
			"options": "Memora Lesson",
			"width": 110,
		},
	]
