"""What is counted: what a build did to the storage, and how far a long work is. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Tell = Callable[[int, int], None]
"""Told how much of a long work is done: so many of so many."""


@dataclass(slots=True)
class Counts:
	"""What a build did to the storage. `bytes` counts uploaded bodies, `title` is the plan's as it was published."""

	uploaded: int = 0
	deleted: int = 0
	unchanged: int = 0
	bytes: int = 0
	title: str = ""

	def add(self, other: Counts) -> None:
		self.uploaded += other.uploaded
		self.deleted += other.deleted
		self.unchanged += other.unchanged
		self.bytes += other.bytes
