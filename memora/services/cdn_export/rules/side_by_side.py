"""Two versions of a JSON file side by side, line by line, at a cost that no content can raise.

Rules: what both begin and end with is cut off first, which takes one step a line. At most `MOST_COMPARED` lines of each
side are matched; if more differ, they are put side by side in order. At most `MOST_ROWS` rows are answered: long
runs of equal lines are collapsed first, then the end is left off. A file above `MOST_BYTES`, or of more than `MOST_LINES`
lines, is not compared at all.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TypeGuard

import orjson

MOST_BYTES = 1_000_000
MOST_LINES = 20_000
MOST_COMPARED = 200
MOST_ROWS = 2_000
_AROUND = 3
"""How many equal lines are left beside a difference when long runs are collapsed."""

Row = dict[str, str]
"""`kind` is same, changed, added, removed or `folded`; `live` and `planned` are lines."""


@dataclass(slots=True)
class Comparison:
	"""`rows` side by side, without the last `left_off`; `differing` counts all rows that differ.
	`is_too_large` says that nothing was compared."""

	rows: list[Row] = field(default_factory=list)
	differing: int = 0
	left_off: int = 0
	is_too_large: bool = False


def compare(live: bytes | None, planned: bytes | None) -> Comparison:
	"""Both files as a person reads JSON; None is a file that is not there."""
	if _is_too_large(live) or _is_too_large(planned):
		return Comparison(is_too_large=True)
	return _compared(_lines(live), _lines(planned), whole=MOST_ROWS)


def compare_lines(old: list[str], new: list[str]) -> Comparison:
	"""Two texts, by their lines; runs of equal lines are collapsed."""
	if max(len(old), len(new)) > MOST_LINES or max(sum(map(len, old)), sum(map(len, new))) > MOST_BYTES:
		return Comparison(is_too_large=True)
	return _compared(old, new, whole=0)


def is_shown(body: bytes | None) -> TypeGuard[bytes]:
	"""Whether a file is small enough to be shown whole."""
	return body is not None and len(body) <= MOST_BYTES


def _compared(left: list[str], right: list[str], *, whole: int) -> Comparison:
	"""Lines side by side; runs of equal ones are collapsed where there are more than `whole` rows."""
	rows = list(_rows(left, right))
	differing = sum(row["kind"] != "same" for row in rows)
	if len(rows) > whole:
		rows = list(_folded(rows))
	return Comparison(rows[:MOST_ROWS], differing, max(0, len(rows) - MOST_ROWS))


def _is_too_large(body: bytes | None) -> bool:
	if body is None:
		return False
	# Each comma and each bracket ends a line; those within texts count too, so it may be called too large early.
	return len(body) > MOST_BYTES or sum(map(body.count, (b",", b"{", b"[", b"}", b"]"))) > MOST_LINES


def _lines(body: bytes | None) -> list[str]:
	if body is None:
		return []
	return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode().split("\n")


def _rows(left: list[str], right: list[str]) -> Iterator[Row]:
	head = _shared(left, right)
	left_rest, right_rest = left[head:], right[head:]
	tail = _shared(left_rest[::-1], right_rest[::-1])
	middle = left_rest[: len(left_rest) - tail], right_rest[: len(right_rest) - tail]
	yield from (_row("same", line, line) for line in left[:head])
	yield from _differing(*middle)
	yield from (_row("same", line, line) for line in left_rest[len(left_rest) - tail :])


def _shared(left: list[str], right: list[str]) -> int:
	"""How many lines both begin with."""
	return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _differing(left: list[str], right: list[str]) -> Iterator[Row]:
	if max(len(left), len(right)) > MOST_COMPARED:
		yield from _opposite(left, right)
		return
	for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
		if tag == "equal":
			yield from (_row("same", line, line) for line in left[i1:i2])
		else:
			yield from _opposite(left[i1:i2], right[j1:j2])


def _opposite(left: list[str], right: list[str]) -> Iterator[Row]:
	both = min(len(left), len(right))
	for old, new in zip(left, right, strict=False):
		yield _row("same" if old == new else "changed", old, new)
	yield from (_row("removed", line, "") for line in left[both:])
	yield from (_row("added", "", line) for line in right[both:])


def _folded(rows: list[Row]) -> Iterator[Row]:
	"""The rows with each long run of equal ones collapsed to one row, which says how many they are."""
	near = [False] * len(rows)
	for place, row in enumerate(rows):
		if row["kind"] != "same":
			first = max(0, place - _AROUND)
			near[first : place + _AROUND + 1] = [True] * len(near[first : place + _AROUND + 1])
	run = 0
	for row, is_near in zip(rows, near, strict=True):
		if not is_near:
			run += 1
			continue
		if run:
			yield _row("folded", str(run), str(run))
		run = 0
		yield row
	if run:
		yield _row("folded", str(run), str(run))


def _row(kind: str, live: str, planned: str) -> Row:
	return {"kind": kind, "live": live, "planned": planned}
