"""The files of plans, decided from what is read here: their ledger, their own lessons' stages, what their removals depend on.
Nothing is written."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from memora.services.cdn_export.builds import file_reading, media_removal, subject_reading
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.rules.file_removals import Facts, Removals
from memora.services.cdn_export.rules.plan_files import PlanFiles, PlanScope, RenderedSubject
from memora.services.cdn_export.rules.subject_files import Bodies
from memora.services.cdn_export.state import ledger, renditions


def files(plans: Sequence[PlanScope], *, from_scratch: bool = False) -> Iterator[PlanFiles]:
	"""The files of each plan. One statement reads what the ledger says of all.

	Raises BuildError, and UnitMissingError where a shared subject has to be built first.
	"""
	known = ledger.of_plans({plan.snapshot.state.scope: plan.skipped for plan in plans})
	for plan in plans:
		scope = plan.snapshot.state.scope
		entries, owners = file_reading.known_entries(known[scope], scope, plan.own_paths)
		found = PlanFiles.of(plan, entries, owners, int(time.time()))
		for rendered in plan.rendered.values():
			found.offer_subject(rendered, _own_bodies(found, rendered, from_scratch=from_scratch))
		found.offer_entry_points()
		yield found


def _own_bodies(found: PlanFiles, rendered: RenderedSubject, *, from_scratch: bool) -> Bodies | None:
	"""The lessons of a subject that is the plan's own. One subject at a time, so that one's stages are in memory."""
	snapshot, subject = found.snapshot, rendered.subject
	if rendered.resolved is None or snapshot.mode(subject) == "shared":
		return None
	known = snapshot.renditions.get(subject)
	touched = None
	if known and known.mode == "own" and known.generation and not from_scratch:
		touched = relay.lessons_changed_since(subject, known.generation)
	bodies, owners = file_reading.bodies(
		rendered.resolved,
		snapshot.published.name,
		snapshot.state.scope,
		touched,
		found.offered,
		found.entries,
	)
	found.owners |= owners
	return bodies


def removals(found: PlanFiles) -> Removals:
	"""Which of a plan's files go, and when."""
	return found.removals(_removal_facts(found))


def _removal_facts(found: PlanFiles) -> Facts:
	"""What a plan's removals depend on beside its own files."""
	snapshot, own = found.snapshot, found.own
	waiting = [entry for entry in ledger.in_grace(own, but=snapshot.state.scope) if entry.subject in own]
	subjects = {entry.subject for entry in waiting}
	others = renditions.shown_by_others(subjects, snapshot.state.ref)
	content = {subject: subject_reading.levels_of(subject) for subject in subjects if subject in others}
	leaving = found.leaving
	if not leaving:
		return Facts(waiting=waiting, content=content)
	lost = ledger.dropped_since(
		{name: known.generation for name, known in snapshot.renditions.items() if known.generation}
	)
	return Facts(media_removal.withdrawn(leaving), lost, waiting, content)
