"""Plans that only have to show their shared subjects as they are published, built as a group.

A lesson can be in hundreds of plans, and each then has two or three files of its own to write. One by one every
plan would ask the database ten times and wait for each phase of its uploads; a group shares statements,
transactions and uploads.

Reading and rules are those of `plan_build`. What needs more than such a plan does (a subject of its own,
files to remove, another entry in the list of plans) is left to it, and so is a plan that has failed before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from memora.services.cdn_export.builds import plan_file_reading, plan_reading
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.builds.upload import upload_and_close
from memora.services.cdn_export.cdn_uploader import Cargo
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import SharedSubjects
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.rules.plan_files import PlanFiles, PlanScope
from memora.services.cdn_export.state import publish_state, renditions
from memora.services.cdn_export.state.publish_state import Closed

MOST_PLANS = 50
"""A worker that dies keeps so many plans waiting for the minute that its lease lasts. Each group costs a round trip to the
storage, in which its plans' files go up side by side."""

_MOST_RENDERED = 64
"""Subjects rendered in one group, once for each plan: each is a document in memory until the group is out, half a megabyte if
large. Of different subjects there are no more than a run remembers."""


class Published(NamedTuple):
	"""A plan that a group has published, as its state was at the start, and what that did to the storage."""

	state: State
	counts: Counts


class Group(NamedTuple):
	"""What came of a group. Those to build `alone` need more than a group does; those `without_room` can be in the next. The
	others have been published by somebody else, or wait for a subject that another worker builds."""

	published: Sequence[Published] = ()
	alone: Sequence[State] = ()
	without_room: Sequence[State] = ()


def may_join(state: State) -> bool:
	"""Whether what waits is a plan that can be one of a group, by its state alone."""
	return (
		state.scope_type == "plan"
		and state.is_live
		and not state.retry_count
		and state.dead_since is None
		and not state.held
	)


def run(build: Build) -> Group:
	"""Publish those of the leased plans that a group can publish, if there are several.

	Nothing was done for the others. Raises what a plan's build raises; then nothing is closed, and every plan must be
	built by itself.
	"""
	waiting = [state for state in build.states if not state.is_current]
	if not build.is_as_seen() or build.target.options.hold_large_changes:
		return Group(alone=waiting)
	found = _sorted(build.target.shared, waiting)
	plans = list(_files(found.joining))
	joined = {files.snapshot.state.name for files in plans} if len(plans) > 1 else set()
	alone = [*found.alone, *(state for state in map(_state, found.joining) if state.name not in joined)]
	if not joined:
		return Group((), alone, found.without_room)
	build.lease.keep_only([files.snapshot.state.scope for files in plans])
	cargo = _upload_and_close(build, plans)
	purge_queue.run(build.target)
	published = [Published(files.snapshot.state, _counts(build, files, cargo)) for files in plans]
	return Group(published, alone, found.without_room)


@dataclass(slots=True)
class _Sorted:
	"""Plans by what is to become of them."""

	joining: list[PlanScope] = field(default_factory=list)
	alone: list[State] = field(default_factory=list)
	without_room: list[State] = field(default_factory=list)

	def is_full(self, subjects: Collection[str], kept: int) -> bool:
		"""Whether there is no room for a plan that renders these, beside those that join."""
		different = {subject for plan in self.joining for subject in plan.rendered}
		rendered = sum(len(plan.rendered) for plan in self.joining)
		return bool(self.joining) and (
			rendered + len(subjects) > _MOST_RENDERED or len(different.union(subjects)) > kept
		)


def _sorted(shared: SharedSubjects, waiting: list[State]) -> _Sorted:
	"""The plans that need nothing else, from the snapshot that `waiting` began, as many as find room; and the others, but for
	those that wait for what another worker builds."""
	found = _Sorted()
	snapshots = plan_reading.snapshots(waiting) if waiting else []
	building = publish_state.being_built({subject for plan in snapshots for subject in plan.behind})
	for snapshot in snapshots:
		news = snapshot.news if may_join(snapshot.state) else None
		if news is None or len(news) > shared.kept:
			if building.isdisjoint(snapshot.behind):
				found.alone.append(snapshot.state)
			continue
		if found.is_full(news, shared.kept):
			found.without_room.append(snapshot.state)
			continue
		shown = plan_reading.shown(shared, snapshot)
		if found.is_full(shown.rendered, shared.kept):  # for its search index it needs more
			found.without_room.append(snapshot.state)
			continue
		found.joining.append(shown)
	return found


def _state(plan: PlanScope) -> State:
	return plan.snapshot.state


def _files(plans: list[PlanScope]) -> Iterator[PlanFiles]:
	"""Their files, but of those that leave some to be removed."""
	for files in plan_file_reading.files(plans) if plans else ():
		if not files.leaves_files(plan_file_reading.removals(files)):
			yield files


def _upload_and_close(build: Build, plans: list[PlanFiles]) -> Cargo:
	states = [files.snapshot.state for files in plans]

	def closing() -> bool:
		renditions.store({files.snapshot.state.ref: files.renditions() for files in plans})
		renditions.raise_generations({files.snapshot.state.ref: files.newer() for files in plans})
		closed = [
			Closed(state.scope, state.generation, files.manifest.version, state.causes)
			for state, files in zip(states, plans, strict=True)
		]
		if not publish_state.succeeded_together(build.lease.token, closed):
			raise build.lease.lost()
		return len(closed) == len(build.lease.scopes)

	return upload_and_close(
		build,
		{files.snapshot.state.scope: files.offered.changed() for files in plans},
		{path: entry for files in plans for path, entry in files.entries.items()},
		taken_back=[path for files in plans for path in files.offered.taken_back()],
		images={image for files in plans for image in files.images},
		closing=closing,
	)


def _counts(build: Build, files: PlanFiles, cargo: Cargo) -> Counts:
	"""What of the cargo is this plan's, and what the shared subjects' builds did if no other log has it yet."""
	changed = files.offered.changed()
	counts = Counts(
		uploaded=len(changed),
		unchanged=len(files.offered.planned) - len(changed),
		bytes=sum(cargo.sizes[file.path] for file in changed),
		title=files.snapshot.published.title,
	)
	counts.add(build.target.shared.take_counts(files.shared))
	return counts
