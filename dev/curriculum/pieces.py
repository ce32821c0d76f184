"""A curriculum as plain data, the way memora's DocTypes nest: what the mapping makes and the loader inserts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["Subject", "Track", "Unit", "Topic", "Lesson"]

KINDS: tuple[Kind, ...] = ("Subject", "Track", "Unit", "Topic", "Lesson")

# Titles from a subject down: how a piece is found again, since its name is made when it is inserted.
TitlePath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stage:
	"""One step of a lesson."""

	title: str
	type: Literal["Video", "Question", "Text", "Interactive"]
	config: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
	"""A Subject, Track, Unit, Topic or Lesson with all below it.

	`flags` are the further fields of its DocType, `is_public` for one. Titles are unique among siblings.
	"""

	kind: Kind
	title: str
	description: str = ""
	sort_order: int = 0
	is_published: bool = True
	flags: dict[str, Any] = field(default_factory=dict)
	stages: tuple[Stage, ...] = ()
	children: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Override:
	"""What a plan changes at the piece that `path` leads to."""

	path: TitlePath
	action: Literal["Hide", "Rename", "Set Free", "Set Sold Separately"]
	value: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
	"""An Academic Plan. `subjects` are titles, in the plan's order."""

	title: str
	season: str
	grade: str
	stream: str
	subjects: tuple[str, ...]
	overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Curriculum:
	"""Everything the demo puts into Frappe."""

	subjects: tuple[Piece, ...]
	plans: tuple[Plan, ...] = ()

	def paths(self) -> Iterator[tuple[TitlePath, Piece]]:
		"""Yield every piece with its titles from the subject down, parents first."""
		for subject in self.subjects:
			yield from _paths(subject, ())


def _paths(piece: Piece, above: TitlePath) -> Iterator[tuple[TitlePath, Piece]]:
	path = (*above, piece.title)
	yield path, piece
	for child in piece.children:
		yield from _paths(child, path)
