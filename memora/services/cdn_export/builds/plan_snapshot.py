"""What one transaction saw of a plan: its state, its content down to its subjects, and what its live manifest reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from memora.services.cdn_export import json_generator
from memora.services.cdn_export.builds import held_changes
from memora.services.cdn_export.curriculum import content_tree
from memora.services.cdn_export.model import diff, plain_text, scopes
from memora.services.cdn_export.model.plan_subject import Mode, PlanSubject
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.model.tree import Override, Plan, Rights
from memora.services.cdn_export.state import ledger, renditions

_LAYOUT = 2
"""Part of every rendition's digest: raised when the same content is to be written differently."""


@dataclass(slots=True)
class Snapshot:
	"""What one transaction saw of a plan."""

	state: State
	plan: Plan | None
	sort_orders: dict[str, int] = field(default_factory=dict)
	overrides: dict[str, tuple[Override, ...]] = field(default_factory=dict)
	renditions: dict[str, PlanSubject] = field(default_factory=dict)
	subject_states: dict[str, State] = field(default_factory=dict)
	guarded: bool = False
	_rights: Rights | None = None

	def mode(self, subject: str) -> Mode:
		"""Shared or own, never a mix: one override at or below a subject makes all of it the plan's own."""
		return "own" if subject in self.overrides else "shared"

	def has_state(self, subject: str) -> bool:
		return scopes.subject(subject).id in self.subject_states

	def generation(self, subject: str) -> int:
		state = self.subject_states.get(scopes.subject(subject).id)
		return state.generation if state else 0

	def is_ready(self, subject: str) -> bool:
		"""Whether a subject's shared files are there, and as new as its generation."""
		state = self.subject_states.get(scopes.subject(subject).id)
		return state is not None and state.is_ready

	def rights(self, subject: str) -> Rights:
		"""Who may read lessons that may be shown in a subject: as the live manifest shows them, in whatever subject that
		is, or else as the shared subject is held to show them."""
		if self._rights is None:
			self._rights = held_changes.live_rights(self.state.ref, self.renditions)
		scope = scopes.subject(subject)
		state = self.subject_states.get(scope.id)
		return {**ledger.lesson_rights(scope), **self._rights} if state and state.held else self._rights

	@property
	def gone(self) -> list[str]:
		"""The subjects that the live manifest shows and the plan no longer lists."""
		return [subject for subject in self.renditions if subject not in self.sort_orders]

	@property
	def index_entry(self) -> str:
		"""What the list of plans is to say of a published plan, as it is noted in its state."""
		assert self.plan is not None
		return plain_text.store_json(diff.serialise(json_generator.plan_index_entry(self.plan)))

	@property
	def is_listed(self) -> bool:
		"""Whether the list of plans says of a live plan what its next manifest says."""
		return self.state.is_live and self.state.index_entry == self.index_entry

	def reads(self, subject: str) -> bool:
		"""Whether the plan has said that it reads the shared files, so that nobody takes them away."""
		known = self.renditions.get(subject)
		return known is not None and known.mode == "shared"

	def shows_shared(self, subject: str) -> bool:
		"""Whether the live manifest shows the shared files."""
		return self.reads(subject) and self.renditions[subject].generation > 0

	def was_rendered(self, subject: str) -> bool:
		"""Whether the live manifest shows the subject."""
		return subject in self.renditions and bool(self.renditions[subject].digest)

	def has_changed(self, subject: str) -> bool:
		"""Whether the subject is another by now than the live manifest shows."""
		return not self.was_rendered(subject) or self.renditions[subject].digest != self.digest(subject)

	def may_come_back(self, subject: str) -> bool:
		"""Whether the subject has changed by nothing but what the plan can take back: then it is as the live manifest
		shows it again."""
		return (
			self.was_rendered(subject)
			and self.has_changed(subject)
			# An announced one has lost the generation that is live.
			and self.renditions[subject].generation in (0, self.generation(subject))
		)

	def digest(self, subject: str) -> str:
		"""What a subject's rendition in this plan depends on."""
		overrides = [
			[item.kind, item.name, item.action, item.value] for item in self.overrides.get(subject, ())
		]
		return diff.shape({"of": [_LAYOUT, self.mode(subject), self.generation(subject), overrides]})


def read(states: Sequence[State]) -> list[Snapshot]:
	"""What these plans are and what their live manifests read, in the snapshot that `states` began. Of a subject that a
	plan does not read yet it has no state."""
	names = [state.ref for state in states]
	plans = content_tree.published_plans(names)
	known = renditions.of_plans(names)
	found = []
	for state in states:
		of_plan, subject_states = known[state.ref]
		snapshot = Snapshot(state, *plans.get(state.ref, (None, {}, {})), renditions=of_plan)
		if snapshot.plan:
			snapshot.subject_states = {subject.name: subject for subject in subject_states}
		found.append(snapshot)
	return found
