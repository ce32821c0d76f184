"""A subject in a plan, as the plan's live manifest shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Mode = Literal["shared", "own"]


@dataclass(frozen=True, slots=True)
class PlanSubject:
	"""A subject in a plan as it was last published. `summary` holds what the manifest and the search index say
	of it, so that a plan's build need not load what did not change.

	`search` are the entries of a plan whose search is one file, by far the largest part: not read of a subject
	that is rendered again, and not written (None) if they are unchanged.
	"""

	subject: str
	mode: Mode
	generation: int
	digest: str
	summary: dict[str, Any]
	search: list[Any] | None = None
