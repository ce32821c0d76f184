"""What plans are and which subjects they show, read in the order in which `rules.plan_files` asks for it. Nothing is written.

A single plan, a group of plans and the preview of a plan's next run read by the same functions. Their files are read by
`plan_file_reading` after that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property

from memora.services.cdn_export.curriculum import content_tree
from memora.services.cdn_export.delivery.target import SharedSubject, SharedSubjects
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.model.tree import Override, ResolvedNode, Rights
from memora.services.cdn_export.rules import large_change_guard
from memora.services.cdn_export.rules.plan_files import PlanScope, RenderedSubject
from memora.services.cdn_export.rules.plan_snapshot import Snapshot
from memora.services.cdn_export.rules.subject_files import Contents
from memora.services.cdn_export.state import ledger, publish_state, renditions

_NO_RIGHTS: Rights = {}


def snapshots(states: Sequence[State]) -> list[Snapshot]:
	"""What these plans are and what their live manifests read, in the snapshot that `states` began. Of a subject that a
	plan does not read yet it has no state."""
	names = [state.ref for state in states]
	plans = content_tree.published_plans(names)
	known = renditions.of_plans(names)
	found = []
	for state in states:
		of_plan, subject_states = known[state.ref]
		plan, sort_orders, overrides = plans.get(state.ref, (None, {}, {}))
		snapshot = Snapshot(state, plan, sort_orders, overrides, renditions=of_plan)
		if snapshot.plan:
			snapshot.subject_states = {subject.name: subject for subject in subject_states}
		found.append(snapshot)
	return found


def snapshot(state: State, *, guarded: bool = False) -> Snapshot:
	"""The rest of the snapshot that `state` began. `guarded` says that CDN Settings hold large changes."""
	(found,) = snapshots([state])
	if news := [subject for subject in found.sort_orders if subject not in found.renditions]:
		found.subject_states |= publish_state.read(list(map(scopes.subject, news)))
	found.guarded = guarded and not state.is_approved
	if found.guarded and found.plan:
		_keep_own(found)
	return found


def _keep_own(found: Snapshot) -> None:
	"""Let a subject be the plan's own where the shared one would give lessons away that the plan has as paid in files
	of its own: in this subject, or in another that they came from."""
	if all(rendition.mode == "shared" for rendition in found.renditions.values()):
		return
	own = ledger.lesson_rights(found.state.scope)
	for subject in found.sort_orders:
		if subject not in found.overrides and found.has_changed(subject):
			resolved, _ = _resolve(subject, ())
			if large_change_guard.widened(own, large_change_guard.lessons(resolved)):
				found.overrides[subject] = ()


def shown(
	shared: SharedSubjects, snapshot: Snapshot, stuck: Collection[str] = (), *, from_scratch: bool = False
) -> PlanScope:
	"""The subjects that a published plan shows, those read that have to be rendered. `stuck` subjects cannot be built and
	stay as they are; with `from_scratch` every other one is rendered. `shared` holds subjects published just now."""
	scope, subjects = PlanScope.of(snapshot, stuck), _Subjects(shared, snapshot)
	changed = scope.changed(from_scratch=from_scratch)
	# What is remembered comes first, before what has to be read takes its place.
	found = {subject: subjects.read(subject) for subject in sorted(changed, key=subjects.is_to_be_read)}
	scope.rendered.update((subject, found[subject]) for subject in changed)
	for subject in scope.decide_search():
		scope.rendered[subject] = subjects.read(subject)
	return scope


class _Subjects:
	"""Reads the subjects that a plan renders."""

	def __init__(self, memory: SharedSubjects, snapshot: Snapshot) -> None:
		self._memory = memory
		self._snapshot = snapshot

	def is_to_be_read(self, subject: str) -> bool:
		"""Whether this run does not have a subject as it is published."""
		return self._memory.recall(subject, self._snapshot.generation(subject)) is None

	def read(self, subject: str) -> RenderedSubject:
		if self._snapshot.mode(subject) == "own":
			rights = self._rights(subject) if self._snapshot.guarded else _NO_RIGHTS
			resolved, kept_paid = _resolve(subject, self._snapshot.overrides[subject], rights)
			return RenderedSubject(subject, _contents(resolved), {}, kept_paid)
		shared = self._shared(subject)
		return RenderedSubject(
			subject, shared.contents, shared.unit_versions, dropped=shared.dropped, is_ahead=shared.is_ahead
		)

	def _shared(self, subject: str) -> SharedSubject:
		"""A shared subject as it was published, where this run has done that; else it is read."""
		generation = self._snapshot.generation(subject)
		shared = self._memory.recall(subject, generation)
		if shared is None:
			scope = scopes.subject(subject)
			rights = ledger.lesson_rights(scope) if self._snapshot.is_held(subject) else _NO_RIGHTS
			versions, due_generation = ledger.units_and_due(scope, subject)
			contents = _contents(_resolve(subject, (), rights)[0])
			is_ahead = self._snapshot.is_ahead(subject, contents)
			shared = SharedSubject(generation, contents, versions, due_generation, is_ahead)
			self._memory.remember(subject, shared)
		return shared

	def _rights(self, subject: str) -> Rights:
		"""Who may read lessons that may be shown in a subject: as the live manifest shows them, in whatever subject that
		is, or else as the shared subject is held to show them."""
		if not self._snapshot.is_held(subject):
			return self._live_rights
		return {**ledger.lesson_rights(scopes.subject(subject)), **self._live_rights}

	@cached_property
	def _live_rights(self) -> Rights:
		return ledger.rights_shown(self._snapshot.state.ref, self._snapshot.renditions)


def _contents(resolved: ResolvedNode | None) -> Contents | None:
	return Contents(resolved) if resolved else None


def _resolve(
	subject: str, overrides: Collection[Override], rights: Rights = _NO_RIGHTS
) -> tuple[ResolvedNode | None, list[ResolvedNode]]:
	"""Load a subject and decide who may read what. Lessons that are paid in `rights` stay so, and come second."""
	tree = content_tree.load(subject)
	return large_change_guard.keep_paid(tree, overrides, rights) if tree else (None, [])
