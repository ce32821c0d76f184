"""What the next run of a plan publishes, decided as its builds decide it, and with nothing written.

All of it is read again, so that what the relay has not seen yet is in it, too. The plan's shared subjects come first and
are handed over as if they had just been published.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from memora.services.cdn_export.builds import plan_file_reading, plan_reading, subject_reading
from memora.services.cdn_export.delivery.target import SharedSubject, SharedSubjects
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.published_file import LedgerEntry, Planned
from memora.services.cdn_export.rules.plan_files import PlanFiles
from memora.services.cdn_export.rules.plan_snapshot import Snapshot
from memora.services.cdn_export.rules.shared_files import SharedFiles
from memora.services.cdn_export.state import ledger, publish_state, renditions

_MOVING = ("unit", "lesson")


@dataclass(slots=True)
class NextRun:
	"""The files of a plan and of its shared subjects, as their next builds publish them. `plan` is None where the plan is
	unpublished, or was not asked for."""

	snapshot: Snapshot
	plan: PlanFiles | None
	shared: dict[str, SharedFiles]

	def planned(self) -> Iterator[Planned]:
		for files in self.shared.values():
			yield from files.offered.planned.values()
		if self.plan:
			yield from self.plan.offered.planned.values()

	def entries(self) -> dict[str, LedgerEntry]:
		found: dict[str, LedgerEntry] = {}
		for files in self.shared.values():
			found |= files.entries
		return found | (self.plan.entries if self.plan else {})

	def gone(self) -> Iterator[LedgerEntry]:
		"""Files that would go: the plan's own, and shared ones that no plan reads any more."""
		snapshot = self.snapshot
		if self.plan is None:
			yield from (
				entry for entry in ledger.of_scope(snapshot.state.scope).values() if entry.live_version
			)
		else:
			yield from self.plan.offered.dropped()
		for shared in self.shared.values():
			yield from shared.offered.dropped()
		kept = set(self.shared)
		for subject in snapshot.renditions:
			if subject not in kept and snapshot.renditions[subject].mode == "shared":
				yield from _left_unread(subject, snapshot.state.ref)

	def moves(self) -> Iterator[tuple[str, str]]:
		"""Where each unit and lesson that a learner of the plan reads is now, and where it would be."""
		snapshot = self.snapshot
		would = {(file.kind, file.node): file.path for file in self.planned() if file.kind in _MOVING}
		entries = list(self.entries().values())
		for subject, rendition in snapshot.renditions.items():
			if rendition.mode == "shared" and subject not in self.shared:
				entries += ledger.of_scope(scopes.subject(subject)).values()
		own = {subject for subject, rendition in snapshot.renditions.items() if rendition.mode == "own"}
		for entry in entries:
			is_own = entry.scope == snapshot.state.scope.id
			if entry.live_version and (entry.kind, entry.node) in would and is_own == (entry.subject in own):
				yield entry.path, would[entry.kind, entry.node]


def decide(plan: str, shared_subject: str = "") -> NextRun:
	"""Decide the files of all of a plan, or only this subject of it where the plan reads the subject's shared files."""
	scope = scopes.plan(plan)
	snapshot = plan_reading.snapshot(publish_state.of(scope))
	if snapshot.plan is None:
		return NextRun(snapshot, None, {})
	if shared_subject in snapshot.shared:
		return NextRun(snapshot, None, {shared_subject: subject_reading.files(shared_subject, None)})
	memory = SharedSubjects(kept=len(snapshot.shared))
	shared = {}
	for subject in snapshot.shared:
		shared[subject] = found = subject_reading.files(subject, None)
		memory.remember(
			subject,
			SharedSubject(snapshot.generation(subject), found.contents, found.unit_versions),
		)
	(files,) = plan_file_reading.files(
		[plan_reading.shown(memory, snapshot, from_scratch=True)], from_scratch=True
	)
	return NextRun(snapshot, files, shared)


def _left_unread(subject: str, plan: str) -> list[LedgerEntry]:
	"""A shared subject's files, where this plan is the last to read them."""
	if renditions.is_read_by_others(subject, plan):
		return []
	return [entry for entry in ledger.of_scope(scopes.subject(subject)).values() if entry.state == "live"]
