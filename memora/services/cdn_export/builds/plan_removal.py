"""What goes with a plan that is unpublished or gone: its place in the list of plans, and all its files."""

from __future__ import annotations

import time

from memora.services.cdn_export.builds import index_build
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.builds.commit import commit
from memora.services.cdn_export.builds.leftovers import Leftovers
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.rules.file_removals import Removals
from memora.services.cdn_export.rules.plan_snapshot import Snapshot
from memora.services.cdn_export.state import database, ledger, publish_state


def unpublish(build: Build, snapshot: Snapshot) -> Counts:
	"""Remove a plan: out of the list of plans first, then its folder."""
	files = [entry.path for entry in ledger.of_scope(build.scope).values() if entry.state != "removed"]
	if snapshot.state.is_live:
		database.transaction(lambda: publish_state.unlist(build.scope))
		index_build.publish_now(build)
	leftovers = Leftovers(build)

	def closing() -> bool:
		leftovers.forget(snapshot.renditions)
		return leftovers.find(snapshot.renditions)

	commit(
		build,
		Diff({}, int(time.time())),
		{},
		removals=Removals(at_once=files),
		state_values={"is_live": 0, "live_version": 0, "index_entry": ""},
		closing=closing,
	)
	return Counts(deleted=leftovers.remove())
