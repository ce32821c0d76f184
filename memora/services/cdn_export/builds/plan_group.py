"""Plans that need only what this run has just published, brought out as a group.

A lesson can stand in hundreds of plans, and each then has two or three files of its own to write. One by one every
plan would ask the database ten times and wait for each phase of its uploads; a group shares statements,
transactions and uploads.

Nothing is decided here otherwise than in `plan_build`. What needs more than such a plan does (a subject read anew,
files to take away, a word in the list of plans) is left to it, and so is a plan that has failed before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from memora.services.cdn_export.builds import commit, plan_build, plan_snapshot
from memora.services.cdn_export.builds.plan_build import PlanFiles
from memora.services.cdn_export.builds.plan_snapshot import Snapshot
from memora.services.cdn_export.cdn_uploader import Cargo
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.state import ledger, publish_state, renditions
from memora.services.cdn_export.state.lease import Lease
from memora.services.cdn_export.state.publish_state import Closed

MOST_PLANS = 16
"""A worker that dies keeps so many plans waiting for the minute that its lease lasts."""

_MOST_RENDERED = 64
"""Subjects rendered in one group: each is a document in memory until the group is out, half a megabyte if large."""


class Published(NamedTuple):
	"""A plan that a group has published, as its state was at the start, and what that did to the storage."""

	state: State
	counts: Counts


class _Part(NamedTuple):
	snapshot: Snapshot
	draft: PlanFiles


def may_join(state: State) -> bool:
	"""Whether what waits is a plan that can be one of a group, by its state alone."""
	return (
		state.scope_type == "plan"
		and state.is_live
		and not state.retry_count
		and state.dead_since is None
		and not state.held
	)


def run(target: PublishTarget, lease: Lease) -> list[Published]:
	"""Publish those of the leased plans that a group can publish, if there are several. The caller holds the lease.

	Returns them; nothing was done for the others. Raises what a plan's build raises; then nothing is closed, and
	every plan is to be built by itself.
	"""
	states, seen = commit.read_states(lease)
	if not target.is_as_seen(seen) or target.options.hold_large_changes:
		return []
	waiting = [state for state in states if may_join(state) and not state.is_current]
	parts = list(_drafted(target, waiting)) if len(waiting) > 1 else []
	if len(parts) < 2:
		return []
	cargo = _upload_and_close(target, lease, parts)
	purge_queue.run(target)
	return [Published(part.snapshot.state, _counts(target, part, cargo)) for part in parts]


def _drafted(target: PublishTarget, waiting: list[State]) -> Iterable[_Part]:
	"""The files of those plans that need nothing else, from the snapshot that `waiting` began."""
	outlines = {}
	rendered = 0
	for snapshot in plan_snapshot.read(waiting):
		if _needs_only_news(target, snapshot):
			shown = plan_build.outline(target.shared, snapshot)
			rendered += len(shown.rendered)
			if outlines and rendered > _MOST_RENDERED:
				break
			outlines[snapshot.state.scope] = (snapshot, shown)
	if not outlines:
		return
	known = ledger.of_plans({scope: shown.skipped for scope, (_, shown) in outlines.items()})
	for scope, (snapshot, shown) in outlines.items():
		drafted = plan_build.draft_of(snapshot, shown, known[scope], set())
		if not drafted.leaves_files(snapshot, drafted.removals(snapshot)):
			yield _Part(snapshot, drafted)


def _needs_only_news(target: PublishTarget, snapshot: Snapshot) -> bool:
	"""Whether a plan has only to show anew what this run has published of its shared subjects."""
	if snapshot.plan is None or not snapshot.is_listed:
		return False
	for subject in snapshot.sort_orders:
		is_shared = snapshot.mode(subject) == "shared"
		if is_shared and not (snapshot.reads(subject) and snapshot.is_ready(subject)):
			return False
		if snapshot.has_changed(subject) and not (
			is_shared and target.shared.recall(subject, snapshot.generation(subject))
		):
			return False
	return True


def _upload_and_close(target: PublishTarget, lease: Lease, parts: list[_Part]) -> Cargo:
	def closing() -> bool:
		renditions.store({part.snapshot.state.ref: part.draft.renditions(part.snapshot) for part in parts})
		closed = [
			Closed(
				part.snapshot.state.scope,
				part.snapshot.state.generation,
				part.draft.manifest.version,
				part.snapshot.state.causes,
			)
			for part in parts
		]
		if not publish_state.succeeded_together(lease.token, closed):
			raise lease.lost()
		return len(closed) == len(lease.scopes)

	return commit.upload_and_close(
		target,
		lease,
		{part.snapshot.state.scope: part.draft.offered.changed() for part in parts},
		{path: entry for part in parts for path, entry in part.draft.entries.items()},
		taken_back=[path for part in parts for path in part.draft.offered.taken_back()],
		images={image for part in parts for image in part.draft.images},
		closing=closing,
	)


def _counts(target: PublishTarget, part: _Part, cargo: Cargo) -> Counts:
	"""What of the cargo is this plan's, and what the shared subjects' builds did if no other log has it yet."""
	offered, plan = part.draft.offered, part.snapshot.plan
	changed = offered.changed()
	counts = Counts(
		uploaded=len(changed),
		unchanged=len(offered.planned) - len(changed),
		bytes=sum(cargo.sizes[file.path] for file in changed),
		title=plan.title if plan else "",
	)
	counts.add(part.draft.counts_of_shared(target.shared, part.snapshot))
	return counts
