"""What the large-change guard must know of a plan: which lessons its live manifest shows, and why some would go. And the
approval that lets a held change through."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import frappe
from frappe import _

from memora.services.cdn_export.curriculum import content_tree
from memora.services.cdn_export.model import doctypes, plain_text, scopes, tree
from memora.services.cdn_export.model.plan_subject import PlanSubject
from memora.services.cdn_export.model.tree import KINDS, Override, Rights
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.rules import large_change_guard
from memora.services.cdn_export.rules.large_change_guard import Losses
from memora.services.cdn_export.rules.plan_files import PlanFiles
from memora.services.cdn_export.state import database, ledger, publish_state, redis_mirror


def approve(label: str) -> None:
	"""Let through what the guard holds of a plan (or of `subject:{name}`) and of the subjects it lists.

	Only what is there now: a change committed meanwhile is checked again. Throws when nothing is held.
	"""
	scope = scopes.of_label(label)
	involved = [scope]
	if scope.type == "plan":
		involved += map(scopes.subject, content_tree.plan_subjects(scope.ref))
	relay.run()
	if not database.transaction(lambda: publish_state.approve(involved)):
		frappe.throw(
			_("Nothing of {0} is held, so there is nothing to approve.").format(plain_text.as_html(label))
		)
	if scope.type == "plan":
		redis_mirror.notify([scope.ref])


def live_rights(
	plan: str, known: Mapping[str, PlanSubject], subjects: Collection[str] | None = None
) -> Rights:
	"""Who may read the lessons that the plan's live manifest shows; of these subjects, if any are named."""
	shown = [rendition for rendition in known.values() if subjects is None or rendition.subject in subjects]
	rights: dict[str, tree.Right] = {}
	if any(rendition.mode == "own" for rendition in shown):
		rights |= ledger.lesson_rights(scopes.plan(plan), subjects)
	for rendition in shown:
		if rendition.mode == "shared":
			scope = scopes.subject(rendition.subject)
			rights |= ledger.lesson_rights(scope, read_up_to=rendition.generation)
	return rights


def losses(files: PlanFiles) -> Losses:
	"""What a plan loses when these files are published."""
	snapshot = files.snapshot
	changed = [*files.rendered, *snapshot.gone]
	rendered = [one.resolved for one in files.rendered.values()]
	shown = {lesson.name for resolved in rendered for lesson in large_change_guard.lessons(resolved)}
	lost = live_rights(snapshot.state.ref, snapshot.renditions, changed).keys() - shown
	return large_change_guard.losses(
		snapshot.renditions,
		changed,
		shown=len(shown),
		lost=len(lost),
		taken_down=set(causes(lost, snapshot.all_overrides)),
	)


def causes(lessons: Collection[str], overrides: Iterable[Override]) -> dict[str, str]:
	"""Those of the lessons that were taken down, each with how: "deleted" or "unpublished", at or above them, or "hidden"
	by these overrides."""
	if not lessons:
		return {}
	hidden = {(override.kind, override.name) for override in overrides if override.action == "Hide"}
	joins, levels, below = ["`tabMemora Lesson` n0"], ["n0"], doctypes.LESSON
	for depth, doctype in enumerate(reversed(doctypes.CONTENT[:-1]), start=1):
		parent = doctypes.PARENT_FIELDS[below]
		joins.append(f"left join `tab{doctype}` n{depth} on n{depth}.name = n{depth - 1}.{parent}")
		levels.append(f"n{depth}")
		below = doctype
	found = dict.fromkeys(lessons, "deleted")
	for published, *row in frappe.db.sql(
		f"""select {" and ".join(f"coalesce({level}.is_published, 1) = 1" for level in levels)},
			{", ".join(f"{level}.name" for level in levels)} from {" ".join(joins)} where n0.name in %s""",
		(tuple(lessons),),
	):
		if not published:
			found[row[0]] = "unpublished"
		elif hidden.intersection(zip(reversed(KINDS), row, strict=True)):
			found[row[0]] = "hidden"
		else:
			found.pop(row[0], None)
	return found
