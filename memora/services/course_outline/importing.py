"""Questions of a spreadsheet or of GIFT into a lesson: what would come in first, then what was chosen of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import frappe
from frappe import _

from memora.services.cdn_export.model.doctypes import LESSON
from memora.services.cdn_export.rules.stage_finding import Finding
from memora.services.cdn_export.state import database
from memora.services.course_outline import permissions, siblings, stage_copies
from memora.services.course_outline.rules.question_import import row, source, template
from memora.services.course_outline.rules.question_import.row import Row

LARGEST = 10_000_000
"""Characters of a text that is read."""

MOST_AT_ONCE = 1_000
"""Questions that one save takes in."""

_MOST_IN_FULL, _LARGEST_SEEN = 500, 20_000
_MOST_CHOICES, _MOST_FINDINGS, _LONGEST = 10, 10, 300


def read(given: dict[str, Any]) -> dict[str, Any]:
	"""What would come in of a text, row by row, with what is wrong with it or left out; changes nothing.

	`given` has the `text` and perhaps its `form`, "gift" or "spreadsheet". Raises ValidationError for one that is too large.
	"""
	found = _read(given)
	rows = [_shown(place, each) for place, each in enumerate(found.rows)]
	return {"form": found.form, "rows": rows, "notes": _told(found.notes), "most": MOST_AT_ONCE}


def add(lesson: str, given: dict[str, Any], chosen: Collection[int], after: str = "") -> dict[str, Any]:
	"""Put the rows at these places of a text into a lesson, behind the stage `after` or as its last, in one save.

	Answers the stages' rows and how to undo it. Raises ValidationError where one of the rows cannot come in, and where the
	lesson cannot be saved with them. Commits.
	"""
	rows = _read(given).rows
	places = sorted(set(chosen))
	if not places:
		frappe.throw(_("Choose at least one question."), title=_("Nothing to Bring In"))
	if len(places) > MOST_AT_ONCE:
		frappe.throw(_("Choose at most {0} questions at once.").format(MOST_AT_ONCE))
	for place in places:
		if not 0 <= place < len(rows) or not rows[place].can_come_in:
			line = rows[place].line if 0 <= place < len(rows) else place + 1
			frappe.throw(_("The question in line {0} cannot come in. Look at it again.").format(line))
	values = [_stage(rows[place]) for place in places]

	def work() -> dict[str, Any]:
		siblings.lock([(LESSON, lesson)])
		doc = permissions.document(LESSON, lesson, "write", locked=True)
		known = [stage.name for stage in doc.stages]
		return stage_copies.stages_answer(
			stage_copies.insert_stages(doc, values, after if after in known else (known or [""])[-1])
		)

	return database.transaction(work)


def templates() -> dict[str, str]:
	"""A table to begin with, in the caller's language: as it is pasted into a spreadsheet, and as CSV."""
	language = frappe.local.lang or "en"
	return {"pasted": template.pasted(language), "exported": template.exported(language)}


def _read(given: dict[str, Any]) -> source.Source:
	text, form = given.get("text"), given.get("form")
	if not isinstance(text, str) or not isinstance(form, str | None):
		frappe.throw(_("Give the questions as a text."))
		raise AssertionError("unreachable: frappe.throw raises")
	if len(text) > LARGEST:
		frappe.throw(
			_("The text is too large: {0} million characters are read at once.").format(LARGEST // 1_000_000)
		)
	return source.read(text, form or "")


def _stage(found: Row) -> dict[str, Any]:
	config = json.dumps(found.config, ensure_ascii=False, separators=(",", ":"))
	return {"title": _title(found), "type": "Question", "config": config}


def _title(found: Row) -> str:
	return found.title or _("Question in line {0}").format(found.line)


def _shown(place: int, found: Row) -> dict[str, Any]:
	"""A row as the dialog shows it: of a long one its beginning, of many the later ones by their titles."""
	config = found.config
	answer = {
		"place": place,
		"line": found.line,
		"title": _title(found),
		"group": found.group,
		"kind": config.get("kind", ""),
		"can_come_in": found.can_come_in,
		"findings": _told(found.findings),
	}
	if place < _MOST_IN_FULL:
		answer |= _in_full(config)
		if found.can_come_in and len(_stage(found)["config"]) <= _LARGEST_SEEN:
			answer["config"] = config
	return answer


def _in_full(config: dict[str, Any]) -> dict[str, Any]:
	answer = config.get("answer", [])
	right = answer if isinstance(answer, list) else [answer]
	choices = config.get("choices", [])
	return {
		"question": config.get("question", "")[:_LONGEST],
		"choices": [
			{"text": row.quoted(choice), "is_right": choice in right} for choice in choices[:_MOST_CHOICES]
		],
		"more_choices": max(0, len(choices) - _MOST_CHOICES),
		"answers": [] if choices else [row.quoted(each) for each in right[:_MOST_CHOICES]],
		"tolerance": config.get("tolerance", 0),
		"unit": config.get("unit", "")[:_LONGEST],
		"has": [key for key in ("instructions", "hint", "explanation", "shuffle") if config.get(key)],
	}


def _told(findings: Sequence[Finding]) -> list[dict[str, str]]:
	return [
		{"severity": finding.severity, "text": _(finding.text).format(*finding.about)}
		for finding in _worst(findings)[:_MOST_FINDINGS]
	]


def _worst(findings: Iterable[Finding]) -> list[Finding]:
	return sorted(dict.fromkeys(findings), key=lambda finding: finding.severity)
