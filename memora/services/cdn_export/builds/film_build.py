"""The build of who may see which film: one small object for each film that a published lesson names, which the gate reads.

It is done after each lesson that names other films than before, or lets in others. What closes a film has gone ahead of
that (`film_narrowing`); here films are opened, and what is left of closed ones goes. Where there is no gate, all go.
"""

from __future__ import annotations

import time

from memora.services.cdn_export.builds import due_removals, film_objects
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.builds.commit import commit
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.rules import film_access
from memora.services.cdn_export.rules.file_removals import Removals
from memora.services.cdn_export.state import ledger, named_films


def run(build: Build) -> Counts:
	"""Bring all access objects up to date. Raises what `commit` raises."""
	target = build.target
	if target.options.is_gated and not build.state.is_live:
		film_objects.close_all(build)
	entries = ledger.of_scope(scopes.FILMS)
	offered = Diff(entries, int(time.time()))
	named = named_films.of_films() if target.options.is_gated else {}
	for film in named:
		grants = film_access.opening(film, named, target.options.video_folders)
		if document := film_access.document(grants, target.ownership.site):
			offered.offer(paths.access(film), "access", "", document)
	gone = [entry.path for entry in offered.dropped()]

	def closing() -> bool:
		named_films.forget_removed()
		return bool(gone)

	counts = commit(
		build,
		offered,
		entries,
		removals=Removals(at_once=gone),
		state_values={"is_live": 1},
		closing=closing,
	)
	if gone:
		counts.deleted += due_removals.remove(target, build.lease)
	return counts
