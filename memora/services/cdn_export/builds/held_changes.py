"""What the large-change guard has to know of a plan: which lessons its live manifest shows, and why some would go. And the
admin's word that lets a held change through."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import frappe
from frappe import _

from memora.services.cdn_export.curriculum import content_tree
from memora.services.cdn_export.model import doctypes, plain_text, scopes, tree
from memora.services.cdn_export.model.plan_subject import PlanSubject
from memora.services.cdn_export.model.tree import KINDS, Override, ResolvedNode, Rights
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.rules import large_change_guard
from memora.services.cdn_export.state import database, ledger, publish_state, redis_mirror


@dataclass(slots=True)
class Losses:
	"""The lessons a run takes out of a plan. `taken_down` were unpublished, deleted or hidden, which is never
	held; `others` counts the rest, `live` what the plan has now."""

	live: int = 0
	taken_down: set[str] = field(default_factory=set)
	others: int = 0

	@property
	def are_held(self) -> bool:
		"""Too many at once, and nothing among them that must not stay."""
		return not self.taken_down and large_change_guard.is_large(self.others, self.live)


def approve(label: str) -> None:
	"""Let through what the large-change guard holds of a plan (or of `subject:{name}`) and of the subjects it lists.

	Only what is there now: a change committed meanwhile is looked at anew. Throws when nothing is held.
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


def losses(
	plan: str,
	known: Mapping[str, PlanSubject],
	rendered: Mapping[str, ResolvedNode | None],
	gone: Collection[str],
	overrides: Iterable[Override],
) -> Losses:
	"""What a plan loses by showing these subjects as `rendered`, and no longer those `gone`."""
	changed = [*rendered, *gone]
	shown = {lesson.name for resolved in rendered.values() for lesson in large_change_guard.lessons(resolved)}
	lost = live_rights(plan, known, changed).keys() - shown
	before = sum(known[subject].summary.get("lessons", 0) for subject in changed if subject in known)
	taken_down = set(causes(lost, overrides))
	return Losses(
		live=sum(rendition.summary.get("lessons", 0) for rendition in known.values()),
		taken_down=taken_down,
		# A lesson that moved is in the ledger under its new subject by now: the counts still know of it.
		others=max(len(lost), before - len(shown)) - len(taken_down),
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
