"""A share of all files, by the hash of their paths: what a day looks at, so that all are looked at in turns."""

from __future__ import annotations

from dataclasses import dataclass

from memora.services.cdn_export.state import database

SLICES = 256
"""One for each pair of hex digits that a row's name can begin with."""


@dataclass(frozen=True, slots=True)
class Share:
	"""The files of `count` slices from `first` on; after the last comes the first again."""

	first: int = 0
	count: int = SLICES

	def has(self, path: str) -> bool:
		"""Whether a file belongs to it."""
		return (int(database.key(path)[:2], 16) - self.first) % SLICES < self.count


ALL = Share()
