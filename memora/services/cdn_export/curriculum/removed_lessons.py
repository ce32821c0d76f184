"""Why learners lose a lesson, and what it was called."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import frappe

from memora.services.cdn_export.model import doctypes
from memora.services.cdn_export.model.tree import KINDS, Override


def causes(lessons: Collection[str], overrides: Iterable[Override]) -> dict[str, str]:
	"""Those of the lessons that were taken down, each with how: "deleted" or "unpublished", at or above them, or "hidden"
	by these overrides."""
	if not lessons:
		return {}
	hidden = {(override.kind, override.name) for override in overrides if override.action == "Hide"}
	joins, levels = doctypes.line_of(doctypes.LESSON)
	found = dict.fromkeys(lessons, "deleted")
	for published, *row in frappe.db.sql(
		f"""select {" and ".join(f"coalesce({level}.is_published, 1) = 1" for level in levels)},
			{", ".join(f"{level}.name" for level in levels)} from {joins} where n0.name in %s""",
		(tuple(lessons),),
	):
		if not published:
			found[row[0]] = "unpublished"
		elif hidden.intersection(zip(reversed(KINDS), row, strict=True)):
			found[row[0]] = "hidden"
		else:
			found.pop(row[0], None)
	return found


def titles(lessons: Collection[str]) -> dict[str, str]:
	"""What these lessons are called, or were when they were deleted."""
	if not lessons:
		return {}
	return dict(
		frappe.db.sql(
			"""select deleted_name, json_value(data, '$.title') from `tabDeleted Document`
				where deleted_doctype = %(lesson)s and deleted_name in %(names)s
			union all select name, title from `tabMemora Lesson` where name in %(names)s""",
			{"lesson": doctypes.LESSON, "names": tuple(lessons)},
		)
	)
