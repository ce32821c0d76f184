"""A subject's shared files as its next build publishes them, decided from plain data.

Pure. `builds.subject_reading` reads what is needed for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from memora.services.cdn_export import json_generator
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.document_bytes import shape
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.model.tree import ResolvedNode
from memora.services.cdn_export.rules import file_removals
from memora.services.cdn_export.rules.file_removals import Removals
from memora.services.cdn_export.rules.subject_files import NOTHING, Contents


@dataclass(slots=True)
class SharedFiles:
	"""A subject's shared files, against the ledger. Nothing is written yet.

	`owners` are the ids of other scopes that own some of them so far; `kept_paid` are the lessons that the large-change
	guard keeps from being read without paying.
	"""

	subject: str
	contents: Contents | None
	offered: Diff
	entries: dict[str, LedgerEntry]
	owners: set[str]
	kept_paid: list[ResolvedNode]

	@property
	def shown_digest(self) -> str:
		"""Tells whether plans show the subject as before: what they show of its content, and the versions of its units."""
		if self.contents is None:
			return NOTHING
		document = json_generator.subject_document(self.contents.resolved, self.offered.link, None)
		return f"{self.contents.shown_digest}.{shape(document)}"

	@property
	def unit_versions(self) -> dict[str, int]:
		return {file.path: file.version for file in self.offered.planned.values() if file.kind == "unit"}

	@property
	def leaving(self) -> list[LedgerEntry]:
		"""The files that are no longer produced, or were dropped by an earlier build and are in their grace period."""
		return [*self.offered.dropped(), *self.offered.in_grace()]

	def removals(self, private: Collection[str]) -> Removals:
		"""Which files go, and when. `private` are paths of files whose file on the site was deleted or made private."""
		levels = self.contents.levels if self.contents else {}
		return file_removals.of_subject(self.subject, self.leaving, self.entries.values(), levels, private)
