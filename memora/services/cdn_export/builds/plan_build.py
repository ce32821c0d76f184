"""The build of a plan: everything under `plans/{plan}/`, its manifest last.

First its shared subjects are brought up to date, which is nothing when they are. Then, in one snapshot, each
subject that changed since the plan's last manifest is rendered. The others are taken over as CDN Rendition has them, so
that cost follows the change. Afterwards the files go that only this plan still read.

`plan_reading` reads, `rules.plan_files` decides, and this module writes.
"""

from __future__ import annotations

from typing import Any

from frappe.utils import now_datetime

from memora.exceptions import ScopeBusyError
from memora.services.cdn_export.builds import (
	commit,
	failures,
	held_changes,
	plan_reading,
	plan_removal,
	subject_build,
)
from memora.services.cdn_export.delivery.target import PublishTarget, SharedSubjects
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.rules.file_removals import Removals
from memora.services.cdn_export.rules.plan_files import PlanFiles, UnitMissingError
from memora.services.cdn_export.rules.plan_snapshot import Snapshot
from memora.services.cdn_export.state import database, publish_state, renditions
from memora.services.cdn_export.state.lease import Lease

_SNAPSHOTS = 5
"""How often a build starts over because a shared subject changed while it was brought up to date."""


def run(target: PublishTarget, lease: Lease, state: State) -> Counts | None:
	"""Build and publish a plan, or take it away when it is unpublished or gone; None where all of that waits for an
	admin's word. The caller holds the lease, and has read `state` by the first statement of the current transaction,
	which made its snapshot.

	Raises BuildError, StorageError, ScopeBusyError (a shared subject is being built elsewhere) and
	LeaseLostError; what was live then stays live.
	"""
	plan = lease.scope.ref
	for _ in range(_SNAPSHOTS):
		snapshot = plan_reading.snapshot(state, guarded=target.options.hold_large_changes)
		if snapshot.plan is None:
			return plan_removal.unpublish(target, lease, snapshot)
		if news := [subject for subject in snapshot.shared if not snapshot.reads(subject)]:
			renditions.reserve(plan, news)
			state = _read_again(lease)
			continue
		behind = {subject for subject in snapshot.shared if not snapshot.is_ready(subject)}
		stuck = {subject for subject in behind if snapshot.is_stuck(subject, now_datetime())}
		if behind <= stuck:
			return _publish(target, lease, snapshot, stuck)
		for subject in sorted(behind - stuck):
			if snapshot.subject_state(subject) is None:
				publish_state.ensure(scopes.subject(subject))
			subject_build.bring_up_to_date(target, subject)
		state = _read_again(lease)
	raise ScopeBusyError(f"the subjects of plan {plan} keep changing; it is built again shortly")


def _read_again(lease: Lease) -> State:
	"""Begin a new snapshot: the plan's generation first, so that content is never older than it."""
	return commit.read_state(lease)[0]


def _publish(target: PublishTarget, lease: Lease, snapshot: Snapshot, stuck: set[str]) -> Counts | None:
	"""Read, decide, and write what the plan's files are; `stuck` subjects stay as they are."""
	try:
		(files,) = plan_reading.files([plan_reading.shown(target.shared, snapshot, stuck)])
	except UnitMissingError as error:
		missing = error.subject
		database.transaction(lambda: relay.touch(subjects=[missing]))
		raise
	if snapshot.guarded and (lost := held_changes.losses(files)).are_held:
		_hold(lease, snapshot, failures.would_lose(lost.others, lost.live))
		return None
	return _write(target, lease, files, files.removals(plan_reading.removal_facts(files)))


def _write(target: PublishTarget, lease: Lease, files: PlanFiles, removals: Removals) -> Counts:
	"""Publish a plan's files and close its build; afterwards the files that this plan was the last to read go."""
	snapshot = files.snapshot
	plan = snapshot.published
	changes_list = not snapshot.is_listed
	state_values: dict[str, Any] = {
		"is_live": 1,
		"live_version": files.manifest.version,
		"index_entry": snapshot.index_entry,
	}
	held_reason = failures.kept_paid(files.kept_paid) if files.kept_paid else ""
	if held_reason:
		state_values |= publish_state.held_values(snapshot.state.generation, held_reason)
	leftovers: list[Scope] = []

	def closing() -> bool:
		renditions.store({plan.name: files.renditions()})
		plan_removal.forget(plan.name, snapshot.gone)
		if changes_list:
			publish_state.raise_generations([scopes.INDEX])
		if files.leaves_files(removals):
			leftovers[:] = plan_removal.to_clean_up(lease, {*snapshot.renditions, *files.rendered})
		return bool(leftovers)

	if uncertain := [subject for subject in files.rendered if snapshot.may_come_back(subject)]:
		# If this build breaks off and the plan is then changed back, what was uploaded by then is written again.
		database.transaction(lambda: renditions.mark_uncertain(plan.name, uncertain))
	counts = commit.commit(
		target,
		lease,
		files.offered,
		files.entries,
		images=files.images,
		owners=files.owners,
		generation=snapshot.state.generation,
		causes=snapshot.state.causes,
		removals=removals,
		state_values=state_values,
		closing=closing,
	)
	if held_reason and not snapshot.state.held:
		failures.say_held(lease.scope, held_reason)
	counts.add(counts_of_shared(target.shared, files))
	counts.deleted += plan_removal.clean_up(target, lease, leftovers)
	counts.title = plan.title
	return counts


def counts_of_shared(shared: SharedSubjects, files: PlanFiles) -> Counts:
	"""What the builds of the rendered shared subjects did that no plan's log has taken yet."""
	counts = Counts()
	for subject in files.rendered:
		if files.snapshot.mode(subject) == "shared":
			counts.add(shared.take_counts(subject))
	return counts


def _hold(lease: Lease, snapshot: Snapshot, reason: str) -> None:
	"""Let the run wait for an admin's word; what is live stays live."""
	generation = snapshot.state.generation
	database.transaction(lambda: publish_state.hold(lease.scope, lease.token, generation, reason))
	if not snapshot.state.held:
		failures.say_held(lease.scope, reason)
