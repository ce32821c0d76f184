"""The build of a shared subject: its units and lessons, read by every plan that overrides nothing in it."""

from __future__ import annotations

from typing import Any

from memora.exceptions import BuildError, PlaceRefusedError, ScopeBusyError, StorageError
from memora.services.cdn_export import dependency_resolver as resolver
from memora.services.cdn_export.builds import commit, failures, media, subject_reading
from memora.services.cdn_export.delivery.target import PublishTarget, SharedSubject
from memora.services.cdn_export.model import causes, doctypes, scopes
from memora.services.cdn_export.model.causes import Cause
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state import publish_state
from memora.services.cdn_export.state.lease import Lease


def run(target: PublishTarget, lease: Lease, state: State) -> Counts:
	"""Bring a subject's shared files up to date. The caller holds the lease and records a failure.

	`state` was read by the first statement of the current transaction, which made its snapshot: a change that
	is in the generation is in the content read here. Raises BuildError and StorageError; what was live then
	stays live.
	"""
	subject = lease.scope.ref
	# A dismissed dead letter counts as published, though it is not.
	is_known = state.is_live and not state.is_behind
	touched = relay.lessons_changed_since(subject, state.published_generation) if is_known else None
	guarded = target.options.hold_large_changes and not state.is_approved
	files = subject_reading.files(subject, touched, guarded=guarded)
	state_values: dict[str, Any] = {"is_live": 1}
	if files.kept_paid:
		state_values |= publish_state.held_values(state.generation, failures.kept_paid(files.kept_paid))
	removals = files.removals(media.withdrawn(files.leaving))
	counts = commit.commit(
		target,
		lease,
		files.offered,
		files.entries,
		images=files.contents.shared_images if files.contents else (),
		owners=files.owners,
		generation=state.generation,
		removals=removals,
		drop_generation=state.generation,
		state_values=state_values,
		closing=lambda: _call_plans(state),
	)
	if files.kept_paid and not state.held:
		failures.say_held(lease.scope, failures.kept_paid(files.kept_paid))
	target.shared.remember(
		subject,
		SharedSubject(state.generation, files.contents, files.unit_versions, counts, dropped=bool(removals)),
	)
	return counts


def bring_up_to_date(target: PublishTarget, subject: str) -> None:
	"""Build a shared subject, which has a state. Its failure is recorded with it and does not fail the plan."""
	lease = leases.acquire(scopes.subject(subject))
	if lease is None:
		raise ScopeBusyError(f"subject {subject} is being built by another worker")
	with lease:
		state, seen = commit.read_state(lease)
		if state.is_ready:
			return
		if target.follow_settings(seen):
			raise ScopeBusyError(
				f"CDN Settings have been saved: the plans of subject {subject} are built again"
			)
		try:
			run(target, lease, state)
		except PlaceRefusedError:
			raise  # no fault of this subject
		except (BuildError, StorageError) as error:
			failures.record(state, lease, error)


def _call_plans(state: State) -> bool:
	"""After a failure or a hold is over, the plans that went on without this subject are built again."""
	if state.is_behind or state.held:
		plans = resolver.plans_of([state.ref]).get(state.ref, set())
		cause = causes.text([Cause("", doctypes.SUBJECT, state.ref)])
		publish_state.raise_generations(
			map(scopes.plan, plans), causes={scopes.plan(plan).id: cause for plan in plans}
		)
	return False
