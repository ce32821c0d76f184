"""The editor of stages: what it asks while someone types, and what it opens and saves on the course page.

Nothing here is changed on its way: a config is a text, to the byte, as it is stored.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.utils import cstr

from memora.api.endpoint import endpoint
from memora.memora.refused_files import file_findings
from memora.services.cdn_export.curriculum import films
from memora.services.cdn_export.model import exact_json
from memora.services.cdn_export.model.roles import EDITORS
from memora.services.cdn_export.rules import stage_check
from memora.services.cdn_export.rules.stage_finding import Finding
from memora.services.course_outline import stage_editing

LARGEST = 10_000_000
"""Characters of a config that is checked."""


@endpoint(EDITORS, "POST")
def check(stage: dict[str, Any]) -> list[dict[str, Any]]:
	"""What is wrong with a stage of this `type` and `config` (JSON, as a text), whether it is saved or not: for each finding the
	`path` of its field, how bad it is, and a text in the caller's language with a place for each thing it is `about`.
	"""
	type_, config = cstr(stage.get("type")), stage.get("config")
	if config is not None and not isinstance(config, str):
		frappe.throw(_("{0} must be a text.").format("config"))
	if config and len(config) > LARGEST:
		frappe.throw(_("{0} is too long: {1} characters are allowed.").format("config", LARGEST))
	return [
		{
			"path": list(finding.path),
			"severity": finding.severity,
			"text": _(finding.text),
			"about": list(finding.about),
		}
		for finding in (
			*stage_check.check_text(type_, config),
			*films.findings(type_, config),
			*_files(config),
		)
	]


def _files(config: str | None) -> list[Finding]:
	"""What it names that learners will not reach; of what is no JSON, nothing."""
	try:
		return file_findings(exact_json.loads(config)) if config and config.strip() else []
	except ValueError:
		return []


@endpoint(EDITORS, "GET")
def read(name: str) -> dict[str, Any]:
	"""A stage as it is saved, with what its editor must know of its lesson (`stage_editing.opened`)."""
	return stage_editing.opened(name)


@endpoint(EDITORS, "POST")
def save(lesson: str, stage: dict[str, Any], seen: str = "", after: str = "") -> dict[str, Any]:
	"""Save a stage whole, unless it is no longer as it was `seen` (`stage_editing.save`)."""
	return stage_editing.save(lesson, stage, seen, after)
