"""The build of a plan: everything under `plans/{plan}/`, its manifest last.

First its shared subjects are brought up to date, which is nothing when they are. Then, in one snapshot, each
subject that changed since the plan's last manifest is rendered. The others are taken over as CDN Rendition has them, so
that cost follows the change. Afterwards the files go that only this plan still read.

`plan_reading` and `plan_file_reading` read, `rules.plan_files` decides, and `plan_commit` writes.
"""

from __future__ import annotations

from functools import partial

from frappe.utils import now_datetime

from memora.exceptions import ScopeBusyError
from memora.services.cdn_export.builds import plan_commit, plan_reading, plan_removal, subject_build
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.rules.plan_files import UnitMissingError
from memora.services.cdn_export.state import database, renditions

_SNAPSHOTS = 5
"""How often a build starts over because a shared subject changed while it was brought up to date."""


def run(build: Build) -> Counts | None:
	"""Build and publish a plan, or take it away when it is unpublished or gone; None where all of that waits for an
	admin's word.

	Raises BuildError, StorageError, ScopeBusyError (a shared subject is being built elsewhere) and
	LeaseLostError; what was live then stays live.
	"""
	target, plan = build.target, build.scope.ref
	for _ in range(_SNAPSHOTS):
		snapshot = plan_reading.snapshot(build.state, guarded=target.options.hold_large_changes)
		if snapshot.plan is None:
			return plan_removal.unpublish(build, snapshot)
		if news := [subject for subject in snapshot.shared if not snapshot.reads(subject)]:
			renditions.reserve(plan, news)
			build = build.again()
			continue
		behind = set(snapshot.behind)
		stuck = {subject for subject in behind if snapshot.is_stuck(subject, now_datetime())}
		if behind <= stuck:
			try:
				return plan_commit.publish(build, plan_reading.shown(target.shared, snapshot, stuck))
			except UnitMissingError as error:
				database.transaction(partial(relay.touch, subjects=[error.subject]))
				raise
		for subject in sorted(behind - stuck):
			is_new = snapshot.subject_state(subject) is None
			subject_build.bring_up_to_date(target, subject, is_new=is_new)
		build = build.again()
	raise ScopeBusyError(f"the subjects of plan {plan} keep changing; it is built again shortly")
