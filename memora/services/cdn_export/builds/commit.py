"""How the build of one scope ends: what it offers is uploaded, what it drops is noted, and its state is closed with that.

`subject_build`, `plan_build`, `index_build` and `film_build` decide what the files of their scope are. A group of plans is closed by
`plan_group`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from frappe.utils import now_datetime

from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.builds.upload import upload_and_close
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.rules.file_removals import GRACE, Removals
from memora.services.cdn_export.state import database, ledger, publish_state


def commit(
	build: Build,
	diff: Diff,
	entries: Mapping[str, LedgerEntry],
	*,
	images: Iterable[str] = (),
	owners: Iterable[str] = (),
	removals: Removals | None = None,
	drop_generation: int = 0,
	state_values: dict[str, Any],
	closing: Callable[[], bool] = lambda: False,
) -> Counts:
	"""Publish a diff and close the build of a scope. `closing` runs in the closing transaction and returns whether the
	lease is still needed afterwards; else it is given back.

	Raises what `upload_and_close` raises.
	"""
	removals = removals or Removals()

	def close() -> bool:
		now = now_datetime()
		ledger.drop(removals.at_once, remove_at=now, drop_generation=drop_generation)
		ledger.drop(removals.after_grace, remove_at=now + GRACE, drop_generation=drop_generation)
		release = not closing()
		state = build.state
		if not publish_state.succeeded(
			build.scope,
			build.lease.token,
			state.generation,
			state_values,
			causes=state.causes,
			release=release,
		):
			raise build.lease.lost()
		return release

	if removals.withdrawn:
		# Before anything is written: should this build break off, the next need not see what was withdrawn.
		database.transaction(lambda: ledger.end_grace(removals.withdrawn))
	cargo = upload_and_close(
		build,
		{build.scope: diff.changed()},
		entries,
		taken_back=diff.taken_back(),
		images=images,
		owners=owners,
		closing=close,
	)
	return Counts(
		uploaded=len(cargo.files),
		unchanged=sum(not planned.changed for planned in diff.planned.values()),
		bytes=sum(cargo.sizes.values()),
	)
