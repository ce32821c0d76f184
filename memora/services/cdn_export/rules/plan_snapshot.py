"""What one transaction saw of a plan: its state, its content down to its subjects, and what its live manifest reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from memora.services.cdn_export import json_generator
from memora.services.cdn_export.model import document_bytes, plain_text, scopes
from memora.services.cdn_export.model.plan_subject import Mode, PlanSubject
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.model.tree import Override, Plan
from memora.services.cdn_export.rules.subject_files import NOTHING, Contents

_LAYOUT = 2
"""Part of every subject's digest. Raise it when the same content must be written differently."""


@dataclass(slots=True)
class Snapshot:
	"""What one transaction saw of a plan. `guarded` says that large changes of it wait for an admin's approval."""

	state: State
	plan: Plan | None
	sort_orders: dict[str, int] = field(default_factory=dict)
	overrides: dict[str, tuple[Override, ...]] = field(default_factory=dict)
	renditions: dict[str, PlanSubject] = field(default_factory=dict)
	subject_states: dict[str, State] = field(default_factory=dict)
	guarded: bool = False

	@property
	def published(self) -> Plan:
		"""The plan, which is there and published."""
		assert self.plan is not None
		return self.plan

	@property
	def shared(self) -> list[str]:
		"""The listed subjects whose shared files the plan reads."""
		return [subject for subject in self.sort_orders if self.mode(subject) == "shared"]

	@property
	def gone(self) -> list[str]:
		"""The subjects that the live manifest shows and the plan no longer lists."""
		return [subject for subject in self.renditions if subject not in self.sort_orders]

	@property
	def all_overrides(self) -> list[Override]:
		return [override for overrides in self.overrides.values() for override in overrides]

	@property
	def index_entry(self) -> str:
		"""The plan's entry in the list of plans, as its state notes it."""
		return plain_text.store_json(
			document_bytes.serialise(json_generator.plan_index_entry(self.published))
		)

	@property
	def is_listed(self) -> bool:
		"""Whether the list of plans says of a live plan what its next manifest says."""
		return self.state.is_live and self.state.index_entry == self.index_entry

	def mode(self, subject: str) -> Mode:
		"""Shared or own, never a mix: one override at or below a subject makes all of it the plan's own."""
		return "own" if subject in self.overrides else "shared"

	def subject_state(self, subject: str) -> State | None:
		return self.subject_states.get(scopes.subject(subject).id)

	def generation(self, subject: str) -> int:
		state = self.subject_state(subject)
		return state.generation if state else 0

	def shown_generation(self, subject: str) -> int:
		"""The last generation of a subject that is not shown as the one before; the newest, where that is not known. What
		is the plan's own may have other bodies with each."""
		state = self.subject_state(subject)
		if state is None or self.mode(subject) == "own":
			return self.generation(subject)
		return state.shown_generation or state.generation

	def is_ready(self, subject: str) -> bool:
		"""Whether a subject's shared files are published, and as new as its generation."""
		state = self.subject_state(subject)
		return state is not None and state.is_ready

	@property
	def behind(self) -> list[str]:
		"""The shared subjects that are not ready."""
		return [subject for subject in self.shared if not self.is_ready(subject)]

	def is_ahead(self, subject: str, contents: Contents | None) -> bool:
		"""Whether this content is not what the shared subject's last build has published: a snapshot may see changes that the
		relay has not read. Of a build by an earlier release that is not known."""
		state = self.subject_state(subject)
		published, _, units = (state.shown_digest if state else "").partition(".")
		is_known = bool(units) or published == NOTHING
		return is_known and published != (contents.shown_digest if contents else NOTHING)

	def is_held(self, subject: str) -> bool:
		"""Whether a change of the shared subject waits for an admin's approval."""
		state = self.subject_state(subject)
		return state is not None and state.held

	def is_stuck(self, subject: str, now: datetime) -> bool:
		"""Whether a subject that is not ready stays as it is. A dismissed one is tried again for a plan that does not
		show its shared files yet."""
		state = self.subject_state(subject)
		if state is None:
			return False
		return self.shows_shared(subject) if state.is_dismissed else state.is_backing_off(now)

	def reads(self, subject: str) -> bool:
		"""Whether the plan has said that it reads the shared files, so that they are not removed."""
		known = self.renditions.get(subject)
		return known is not None and known.mode == "shared"

	def shows_shared(self, subject: str) -> bool:
		"""Whether the live manifest shows the shared files."""
		return self.reads(subject) and self.renditions[subject].generation > 0

	def was_rendered(self, subject: str) -> bool:
		"""Whether the live manifest shows the subject."""
		return subject in self.renditions and bool(self.renditions[subject].digest)

	def has_changed(self, subject: str) -> bool:
		"""Whether the subject differs from what the live manifest shows."""
		return not self.was_rendered(subject) or self.renditions[subject].digest != self.digest(subject)

	def may_come_back(self, subject: str) -> bool:
		"""Whether only the plan has changed the subject: if the plan takes that back, the subject is as the live manifest
		shows it."""
		if not self.was_rendered(subject) or not self.has_changed(subject):
			return False
		live, state = self.renditions[subject].generation, self.subject_state(subject)
		# A reserved one has lost the generation that is live.
		return not 0 < live < (state.shown_generation or state.generation if state else 0)

	def taken_over(self, subject: str) -> bool:
		"""Whether a shared subject is newer than the live manifest says, and shown as it shows it."""
		return (
			self.shows_shared(subject)
			and self.is_ready(subject)
			and not self.has_changed(subject)
			and self.renditions[subject].generation < self.generation(subject)
		)

	@property
	def news(self) -> list[str] | None:
		"""The subjects that have changed, where the plan has only to show its shared subjects as they are published; else
		None."""
		if self.plan is None or not self.is_listed:
			return None
		if self.behind or not all(map(self.reads, self.shared)):
			return None
		changed = [subject for subject in self.sort_orders if self.has_changed(subject)]
		return changed if all(self.mode(subject) == "shared" for subject in changed) else None

	def digest(self, subject: str) -> str:
		"""Tells whether a subject in this plan is what the live manifest shows."""
		overrides = [
			[item.kind, item.name, item.action, item.value] for item in self.overrides.get(subject, ())
		]
		return document_bytes.shape(
			{"of": [_LAYOUT, self.mode(subject), self.shown_generation(subject), overrides]}
		)
