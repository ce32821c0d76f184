"""The stages that hold what learners would not get: the doctor and a report list them alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import frappe

from memora.services.cdn_export.curriculum import films
from memora.services.cdn_export.rules import stage_check

_AT_ONCE = 200
"""Rows, since configs may be large."""


class FailingStage(NamedTuple):
	"""A stage, where it is, and what is wrong with it; what is broken comes first."""

	lesson: str
	lesson_title: str
	is_published: bool
	idx: int
	title: str
	type: str
	findings: list[stage_check.Finding]

	@property
	def is_broken(self) -> bool:
		"""Whether learners cannot use it."""
		return self.findings[0].severity == "broken"


def failing() -> Iterator[FailingStage]:
	"""Every stage of every lesson about which there is something to say."""
	after = ""
	while rows := frappe.db.sql(
		f"""select stage.name, lesson.name, lesson.title, lesson.is_published, stage.idx, stage.title, stage.type, stage.config
		from `tabMemora Lesson Stage` stage join `tabMemora Lesson` lesson on lesson.name = stage.parent
		where stage.name > %s order by stage.name limit {_AT_ONCE}""",
		(after,),
	):
		for _name, lesson, lesson_title, is_published, idx, title, type_, config in rows:
			if findings := [
				*stage_check.check_text(type_ or "", config),
				*films.findings(type_ or "", config),
			]:
				yield FailingStage(
					lesson, lesson_title, bool(is_published), idx, title, type_ or "", findings
				)
		after = rows[-1][0]
