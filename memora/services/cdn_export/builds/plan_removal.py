"""What goes with a plan: all its files when it is unpublished or gone, and what it was the last to read."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence

from memora.services.cdn_export.builds import commit, index_build, subject_removal
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.rules.file_removals import Removals
from memora.services.cdn_export.rules.plan_snapshot import Snapshot
from memora.services.cdn_export.state import database, due, ledger, publish_state, renditions
from memora.services.cdn_export.state.lease import Lease


def unpublish(target: PublishTarget, lease: Lease, snapshot: Snapshot) -> Counts:
	"""Remove a plan that is unpublished or gone: out of the list of plans first, then its folder."""
	files = [entry.path for entry in ledger.of_scope(lease.scope).values() if entry.state != "removed"]
	if snapshot.state.is_live:
		database.transaction(lambda: publish_state.unlist(lease.scope))
		index_build.publish_now(target)

	leftovers: list[Scope] = []

	def closing() -> bool:
		forget(lease.scope.ref, snapshot.renditions)
		leftovers[:] = to_clean_up(lease, snapshot.renditions)
		return bool(leftovers)

	commit.commit(
		target,
		lease,
		Diff({}, int(time.time())),
		{},
		generation=snapshot.state.generation,
		causes=snapshot.state.causes,
		removals=Removals(at_once=files),
		state_values={"is_live": 0, "live_version": 0, "index_entry": ""},
		closing=closing,
	)
	return Counts(deleted=clean_up(target, lease, leftovers))


def forget(plan: str, subjects: Collection[str]) -> None:
	"""Note that a plan no longer shows these subjects. What stays of those that no other shows, for its grace, goes."""
	renditions.forget(plan, subjects)
	ledger.end_grace(set(subjects) - renditions.shown_by_others(subjects, plan))


def to_clean_up(lease: Lease, subjects: Iterable[str]) -> list[Scope]:
	"""The plan itself and those of its subjects that have files which may have to go now."""
	return due.to_clean_up([lease.scope, *map(scopes.subject, subjects)])


def clean_up(target: PublishTarget, lease: Lease, leftovers: Sequence[Scope]) -> int:
	"""After the manifest: remove what may not be read any more, here and in the subjects it was read from.

	A subject that another worker is building is left to it, and to the next batch.
	"""
	purge_queue.run(target)
	deleted = 0
	for scope in leftovers:
		if scope == lease.scope:
			deleted += commit.remove_due(target, lease)
		else:
			deleted += subject_removal.clean_up(target, scope)
	if leftovers:
		purge_queue.run(target)
	return deleted
