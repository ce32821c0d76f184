"""What may have to go once a plan's build is closed: files of the plan itself, and of subjects that it was the last to read."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from memora.services.cdn_export.builds import due_removals, subject_removal
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import due, ledger, renditions


class Leftovers:
	"""Found in the closing transaction of a plan's build, removed after it."""

	def __init__(self, build: Build) -> None:
		self._build = build
		self._scopes: list[Scope] = []

	def forget(self, subjects: Collection[str]) -> None:
		"""Note that the plan no longer shows these subjects. What stays of those that no other shows, for its grace, goes."""
		plan = self._build.scope.ref
		renditions.forget(plan, subjects)
		ledger.end_grace(set(subjects) - renditions.shown_by_others(subjects, plan))

	def find(self, subjects: Iterable[str]) -> bool:
		"""Whether the plan, or any of these subjects of it, has files that may have to go now."""
		self._scopes = due.to_clean_up([self._build.scope, *map(scopes.subject, subjects)])
		return bool(self._scopes)

	def remove(self) -> int:
		"""After the manifest: remove what may not be read any more. Returns how many files went.

		A subject that another worker is building is left to it, and to the next batch.
		"""
		target, lease = self._build.target, self._build.lease
		purge_queue.run(target)
		deleted = 0
		for scope in self._scopes:
			if scope == lease.scope:
				deleted += due_removals.remove(target, lease)
			else:
				deleted += subject_removal.clean_up(target, scope)
		if self._scopes:
			purge_queue.run(target)
		return deleted
