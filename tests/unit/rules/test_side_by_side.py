"""Two versions of a file side by side: right for a person, and bounded whatever is in them."""

from __future__ import annotations

import json
import random
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memora.services.cdn_export.rules import side_by_side
from memora.services.cdn_export.rules.side_by_side import (
	MOST_COMPARED,
	MOST_LINES,
	MOST_ROWS,
	compare,
	is_shown,
)

ANY = st.recursive(
	st.integers(0, 3) | st.text(max_size=3), lambda inner: st.lists(inner, max_size=6), max_leaves=40
)


def dumped(value: object) -> bytes:
	return json.dumps(value, ensure_ascii=False).encode()


@given(ANY, ANY)
def test_each_side_is_there_in_order(live: object, planned: object) -> None:
	found = compare(dumped(live), dumped(planned))
	for side, value, absent in (("live", live, "added"), ("planned", planned, "removed")):
		shown = "\n".join(row[side] for row in found.rows if row["kind"] != absent)
		assert json.loads(shown) == value
	for row in found.rows:
		assert (row["kind"] == "same") == (row["live"] == row["planned"])
	assert found.differing == sum(row["kind"] != "same" for row in found.rows)


def test_a_line_that_was_put_in_moves_nothing_else() -> None:
	lesson = {"title": "a", "stages": [{"n": number} for number in range(40)]}
	other = {"title": "b", "stages": [{"n": -1}, *lesson["stages"]]}
	rows = compare(dumped(lesson), dumped(other)).rows
	assert [row["kind"] for row in rows if row["kind"] != "same"] == ["changed", "added", "added", "added"]


def test_files_that_are_not_there() -> None:
	assert compare(None, None).rows == []
	assert {row["kind"] for row in compare(None, b'{"a":1}').rows} == {"added"}
	assert {row["kind"] for row in compare(b'{"a":1}', None).rows} == {"removed"}


dice = random.Random(1)
GRID = [[0] * 64 for _ in range(64)]
NUMBERS = list(range(2000))
WORST = {
	"a grid of zeros": (GRID, [row[:] for row in GRID[:-1]] + [[1] * 64]),
	"a grid turned over": (GRID, [[1, *row[1:]] for row in GRID]),
	"2,000 numbers": (NUMBERS, [*NUMBERS[1:], -1]),
	"2,000 numbers in another order": (NUMBERS, dice.sample(NUMBERS, 2000)),
	"few values": ([dice.randint(0, 1) for _ in range(5000)], [dice.randint(0, 1) for _ in range(5000)]),
	"in turn": ([0, 1] * 100, [0] * 200),
	"the first and the last": ([0, *[5] * 4000, 0], [1, *[5] * 4000, 1]),
	"as deep as can be": (json.loads("[" * 200 + "0" + "]" * 200), json.loads("[" * 201 + "1" + "]" * 201)),
}


@pytest.mark.parametrize("name", WORST)
def test_what_is_matched_and_answered_is_bounded(name: str) -> None:
	live, planned = map(dumped, WORST[name])
	matched = []
	matcher = side_by_side.difflib.SequenceMatcher

	def counted(junk: None, left: list[str], right: list[str], **options: bool):
		matched.append(max(len(left), len(right)))
		return matcher(junk, left, right, **options)

	with patch.object(side_by_side.difflib, "SequenceMatcher", counted):
		found = compare(live, planned)
	assert all(lines <= MOST_COMPARED for lines in matched)
	assert len(found.rows) <= MOST_ROWS
	assert found.differing > 0
	assert any(row["kind"] not in ("same", "folded") for row in found.rows)
	assert sum(len(row["live"]) + len(row["planned"]) for row in found.rows) < 5_000_000


def test_a_far_difference_is_shown_where_much_is_the_same() -> None:
	rows = compare(dumped([*NUMBERS, *NUMBERS, 1]), dumped([*NUMBERS, *NUMBERS, 2])).rows
	assert [row["kind"] for row in rows] == ["folded", "same", "same", "same", "changed", "same"]
	assert rows[0]["live"] == str(4002 - 4)


@pytest.mark.parametrize(
	"body",
	[
		dumped("x" * 1_000_000),
		dumped([0] * (MOST_LINES + 1)),
		dumped({str(n): {} for n in range(MOST_LINES)}),
	],
)
def test_what_is_too_large_is_not_compared(body: bytes) -> None:
	for found in (compare(body, body), compare(None, body), compare(body, b"{}")):
		assert found.is_too_large
		assert found.rows == []
	assert is_shown(body) == (len(body) <= side_by_side.MOST_BYTES)
