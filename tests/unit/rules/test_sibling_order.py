"""Where a document goes among its siblings: any place between any two, and never a number that a column does not hold."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memora.services.cdn_export.rules import sibling_order
from memora.services.cdn_export.rules.sibling_order import GAP, HIGHEST, LOWEST

PLACES = st.integers(LOWEST, HIGHEST) | st.integers(-3, 3) | st.sampled_from([LOWEST, HIGHEST])


@given(st.none() | PLACES)
def test_a_new_document_is_behind_the_last_or_shares_the_highest_place(highest: int | None) -> None:
	place = sibling_order.last(highest)
	assert highest is None or highest < place <= HIGHEST or place == highest == HIGHEST


@given(st.none() | PLACES, st.none() | PLACES)
def test_a_place_is_between_its_neighbours_or_there_is_none(before: int | None, after: int | None) -> None:
	if before is not None and after is not None and before > after:
		before, after = after, before
	place = sibling_order.between(before, after)
	lowest = LOWEST if before is None else before + 1
	highest = HIGHEST if after is None else after - 1
	if place is None:
		assert lowest > highest
	else:
		assert lowest <= place <= highest


@pytest.mark.parametrize(
	("before", "after", "place"),
	[
		(None, None, 0),
		(None, 5 * GAP, 4 * GAP),
		(5 * GAP, None, 6 * GAP),
		(0, GAP, GAP // 2),
		(0, 1, None),
		(7, 7, None),
		(-1, 1, 0),
		(HIGHEST, None, None),
		(None, LOWEST, None),
		(HIGHEST - 2, None, HIGHEST - 1),
	],
)
def test_a_place_is_a_gap_away_at_the_ends_and_halfway_within(
	before: int | None, after: int | None, place: int | None
) -> None:
	assert sibling_order.between(before, after) == place


def test_ten_moves_fit_into_the_same_gap() -> None:
	highest, moves = GAP, 0
	while (place := sibling_order.between(0, highest)) is not None:
		highest, moves = place, moves + 1
	assert moves == 10


@given(st.dictionaries(st.text(min_size=1, max_size=3), PLACES, max_size=9), st.randoms())
def test_siblings_that_are_numbered_again_are_in_the_wanted_order_with_gaps(
	places: dict[str, int], dice: object
) -> None:
	order = [*places, "new\0"]
	dice.shuffle(order)
	changed = sibling_order.renumbered(places, order)
	assert "new\0" in changed
	assert all(places.get(name) != place for name, place in changed.items())
	numbers = [(places | changed)[name] for name in order]
	assert all(later - earlier == GAP for earlier, later in itertools.pairwise(numbers))


def test_more_siblings_than_gaps_are_still_numbered() -> None:
	names = [str(number) for number in range(3_000_000)]
	changed = sibling_order.renumbered({}, names)
	assert changed[names[-1]] <= HIGHEST
	assert changed[names[1]] > changed[names[0]]


@pytest.mark.parametrize(
	("name", "before", "after", "expected"),
	[
		("b", "a", "c", True),  # where it is
		("b", "c", "", True),
		("b", "", "a", True),
		("b", "a", "b", False),
		("b", "", "c", False),
		("b", "", "", False),
		("new", "b", "c", True),
		("new", "a", "c", False),
		("new", "gone", "c", False),
	],
)
def test_neighbours_are_those_without_the_document_itself(
	name: str, before: str, after: str, expected: bool
) -> None:
	assert sibling_order.is_between(["a", "b", "c"], name, before, after) is expected


def test_without_siblings_the_start_is_the_end() -> None:
	assert sibling_order.is_between([], "a", "", "")
	assert sibling_order.is_between(["a"], "a", "", "")
