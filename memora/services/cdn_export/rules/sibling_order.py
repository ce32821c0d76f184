"""Where a document goes among its siblings: places with gaps, so that a move changes that one document.

Pure. Siblings are in the order of their `sort_order`; equal ones in that of their creation, then of their names.
A place is free between two siblings whose `sort_order` differs by two or more. Where none is, all siblings are numbered
again, a gap apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

GAP = 1_024
"""Between new siblings: ten moves fit into the same gap before siblings are numbered again."""

LOWEST, HIGHEST = -(2**31), 2**31 - 1
"""What an Int column holds."""


def last(highest: int | None) -> int:
	"""The place of a new document behind siblings whose last one has this one; None without siblings.

	Behind the highest number there is, siblings share it: the order of their creation decides.
	"""
	return 0 if highest is None else min(highest + GAP, HIGHEST)


def between(before: int | None, after: int | None) -> int | None:
	"""A place between the siblings with these two, None for the start or the end; None where no number is left.

	At either end it is a gap away, or half of what is left where that is less.
	"""
	if before is None and after is None:
		return 0
	if before is None and after is not None:
		place = max(after - GAP, (LOWEST + after - 1) // 2)
		return place if LOWEST <= place < after else None
	if after is None and before is not None:
		place = min(before + GAP, (HIGHEST + before + 1) // 2)
		return place if before < place <= HIGHEST else None
	assert before is not None and after is not None
	return (before + after) // 2 if after - before >= 2 else None


def renumbered(places: Mapping[str, int], order: Sequence[str]) -> dict[str, int]:
	"""The siblings of `order` that need another place than in `places` for all to be a gap apart, with that place.

	A document that is not in `places` always needs one.
	"""
	step = GAP if (len(order) - 1) * GAP <= HIGHEST else HIGHEST // max(1, len(order) - 1)
	wanted = {name: number * step for number, name in enumerate(order)}
	return {name: place for name, place in wanted.items() if places.get(name) != place}


def is_between(order: Sequence[str], name: str, before: str, after: str) -> bool:
	"""Whether these are neighbours in `order` when `name` itself is not counted; "" is the start, or the end."""
	others = ["", *(each for each in order if each != name), ""]
	return (before, after) in pairwise(others)
