"""How a plan's build ends: its files are published and what only it still read goes, or all of that waits for an admin."""

from __future__ import annotations

from typing import Any

from memora.services.cdn_export.builds import held_changes, plan_file_reading
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.builds.commit import commit
from memora.services.cdn_export.builds.leftovers import Leftovers
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.rules.plan_files import PlanFiles, PlanScope
from memora.services.cdn_export.state import database, publish_state, renditions


def publish(build: Build, shown: PlanScope) -> Counts | None:
	"""Read what the plan's files are decided from, decide, and write them; None where that waits for an admin.

	Raises UnitMissingError where a shared subject has to be built first, and what a build raises.
	"""
	(files,) = plan_file_reading.files([shown])
	if shown.snapshot.guarded and (lost := held_changes.losses(files)).are_held:
		held_changes.hold(build, lost)
		return None
	return _write(build, files)


def _write(build: Build, files: PlanFiles) -> Counts:
	"""Publish a plan's files and close its build; afterwards the files that this plan was the last to read go."""
	snapshot, plan = files.snapshot, files.snapshot.published
	removals = plan_file_reading.removals(files)
	changes_list = not snapshot.is_listed
	held = held_changes.kept_paid(build, files.kept_paid)
	state_values: dict[str, Any] = {
		"is_live": 1,
		"live_version": files.manifest.version,
		"index_entry": snapshot.index_entry,
		**held,
	}
	leftovers = Leftovers(build)

	def closing() -> bool:
		renditions.store({plan.name: files.renditions()})
		renditions.raise_generations({plan.name: files.newer()})
		leftovers.forget(snapshot.gone)
		if changes_list:
			publish_state.raise_generations([scopes.INDEX])
		return files.leaves_files(removals) and leftovers.find({*snapshot.renditions, *files.rendered})

	if uncertain := [subject for subject in files.rendered if snapshot.may_come_back(subject)]:
		# If this build breaks off and the plan is then changed back, what was uploaded by then is written again.
		database.transaction(lambda: renditions.mark_uncertain(plan.name, uncertain))
	counts = commit(
		build,
		files.offered,
		files.entries,
		images=files.images,
		owners=files.owners,
		removals=removals,
		state_values=state_values,
		closing=closing,
	)
	held_changes.tell(build, held)
	counts.add(build.target.shared.take_counts(files.shared))
	counts.deleted += leftovers.remove()
	counts.title = plan.title
	return counts
