"""The build of a shared subject: its units and lessons, read by every plan that overrides nothing in it."""

from __future__ import annotations

from memora.exceptions import BuildError, PlaceRefusedError, ScopeBusyError, StorageError
from memora.services.cdn_export.builds import failures, held_changes, media_removal, subject_reading
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.builds.commit import commit
from memora.services.cdn_export.delivery.target import PublishTarget, SharedSubject
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import publish_state


def run(build: Build) -> Counts:
	"""Bring a subject's shared files up to date. Raises BuildError and StorageError, which the caller records; what was live
	then stays live."""
	target, state, subject = build.target, build.state, build.scope.ref
	# A dismissed dead letter counts as published, though it is not.
	is_known = state.is_live and not state.is_behind
	touched = relay.lessons_changed_since(subject, state.published_generation) if is_known else None
	guarded = target.options.hold_large_changes and not state.is_approved
	files = subject_reading.files(subject, touched, guarded=guarded)
	held = held_changes.kept_paid(build, files.kept_paid)
	removals = files.removals(media_removal.withdrawn(files.leaving))

	def closing() -> bool:
		if state.is_behind or state.held:  # the failure or the hold is over
			relay.call_plans(subject)
		return False

	counts = commit(
		build,
		files.offered,
		files.entries,
		images=files.contents.shared_images if files.contents else (),
		owners=files.owners,
		removals=removals,
		drop_generation=state.generation,
		state_values={
			"is_live": 1,
			**held,
			**publish_state.shown_values(state, files.shown_digest, dropped=bool(removals)),
		},
		closing=closing,
	)
	held_changes.tell(build, held)
	target.shared.remember(
		subject,
		SharedSubject(
			state.generation,
			files.contents,
			files.unit_versions,
			dropped=state.generation if removals else 0,
			counts=counts,
		),
	)
	return counts


def bring_up_to_date(target: PublishTarget, subject: str, *, is_new: bool) -> None:
	"""Build a shared subject, which has no state yet if it `is_new`. Its failure is recorded with it and does not fail the
	plan. Raises ScopeBusyError while another worker builds it."""
	scope = scopes.subject(subject)
	if is_new:
		publish_state.ensure(scope)
	with Build.of(target, scope) as build:
		if build is None:
			raise ScopeBusyError(f"subject {subject} is being built by another worker")
		if build.state.is_ready:
			return
		try:
			run(build)
		except PlaceRefusedError:
			raise  # no fault of this subject
		except (BuildError, StorageError) as error:
			failures.record(build.state, build.lease, error)
