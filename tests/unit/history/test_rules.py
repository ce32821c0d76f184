"""A document as plain data: kept and read back whole, each difference found, and the way back exact."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memora.services.history.rules import differences, live, readable, state
from memora.services.history.rules.state import Row, State, content

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=6)
SCALAR = TEXT | st.integers(-3, 3) | st.sampled_from(["<p>x</p>", "", "a", 0, 1])


@st.composite
def rows(draw: Any) -> list[Row]:
	names = draw(st.lists(st.sampled_from("abcdef"), unique=True, max_size=5))
	return [{"name": name, "title": draw(SCALAR), "config": draw(SCALAR)} for name in names]


STATES = st.builds(
	lambda title, flag, stages: {"title": title, "is_free_preview": flag, "stages": stages},
	TEXT,
	st.integers(0, 1),
	rows(),
)


def said(value: Any) -> Any:
	return value or ""


def bare(document: State) -> Any:
	"""A document as its differences know it: without names of rows, and with one kind of nothing."""
	return {
		field: [{key: said(each) for key, each in content(row).items()} for row in value]
		if isinstance(value, list)
		else said(value)
		for field, value in document.items()
	}


def applied(was: State, found: differences.Differences) -> Any:
	"""What was, with all that is said to differ; tables sorted where only their order does."""
	now: dict[str, Any] = {**was, "stages": list(was["stages"])}  # type: ignore[arg-type]
	for change in found.fields:
		assert said(now[change.field]) == said(change.old)
		now[change.field] = change.new
	for row in found.rows:
		if row.old is not None:
			now["stages"].remove(row.old)
		if row.new is not None:
			now["stages"].append(row.new)
	return now


def unordered(document: Any) -> Any:
	plain = bare(document)
	return {**plain, "stages": sorted(map(repr, plain["stages"]))}


@given(STATES)
def test_what_is_kept_is_read_back_whole_and_equals_itself(document: State) -> None:
	packed = state.pack(document)
	assert packed.isascii()
	assert state.unpack(packed) == document
	assert not differences.between(document, document)


def test_stages_that_only_swap_their_names_do_not_differ() -> None:
	was = {"stages": [stage("a", "One"), stage("b", "Two")]}
	assert not differences.between(was, {"stages": [stage("b", "One"), stage("a", "Two")]})


@given(STATES, STATES)
def test_each_difference_is_found_and_nothing_else(was: State, now: State) -> None:
	found = differences.between(was, now)
	assert unordered(applied(was, found)) == unordered(now)
	assert bool(found) == (bare(was) != bare(now))


@given(STATES, STATES)
def test_whoever_goes_back_has_what_was_but_for_what_stays(was: State, now: State) -> None:
	back = state.like(now, was, ("is_free_preview",))
	assert back == {**was, "is_free_preview": now["is_free_preview"]}


@given(STATES, STATES, st.sets(st.sampled_from("abcdef")))
def test_rows_that_come_back_alone_change_no_other(was: State, now: State, names: set[str]) -> None:
	back = state.with_rows(now, was, "stages", names)
	then = {row["name"]: row for row in was["stages"]}  # type: ignore[index, union-attr]
	others = [row for row in now["stages"] if row["name"] not in names & then.keys()]  # type: ignore[index, union-attr]
	assert [row for row in back["stages"] if row["name"] not in names & then.keys()] == others  # type: ignore[index, union-attr]
	assert [row for row in back["stages"] if row["name"] in names & then.keys()] == unordered_like(  # type: ignore[index, union-attr]
		back, then, names
	)
	assert {**back, "stages": []} == {**now, "stages": []}


def unordered_like(back: State, then: dict[Any, Row], names: set[str]) -> list[Row]:
	return [then[row["name"]] for row in back["stages"] if row["name"] in names & then.keys()]  # type: ignore[index, union-attr]


def stage(name: str, title: str, config: str = "{}") -> Row:
	return {"name": name, "title": title, "config": config}


def test_rows_that_were_made_again_are_the_same_rows() -> None:
	was: State = {"stages": [stage("a", "A"), stage("b", "B")]}
	now: State = {"stages": [stage("x", "B"), stage("y", "A")]}
	found = differences.between(was, now)
	assert (found.fields, found.rows, found.reordered) == ([], [], ["stages"])


def test_a_row_in_the_middle_is_added_removed_or_changed_and_moves_no_other() -> None:
	was: State = {"stages": [stage("a", "A"), stage("b", "B"), stage("c", "C")]}
	for what, now in {
		"removed": [stage("a", "A"), stage("c", "C")],
		"changed": [stage("a", "A"), stage("b", "B", "{1}"), stage("c", "C")],
		"added": [stage("a", "A"), stage("n", "N"), stage("b", "B"), stage("c", "C")],
	}.items():
		found = differences.between(was, {"stages": now})
		assert ([row.what for row in found.rows], found.reordered) == ([what], []), what


def test_a_stage_that_is_gone_comes_back_to_where_it_was() -> None:
	was: State = {"stages": [stage("a", "A"), stage("b", "B"), stage("c", "C")]}
	now: State = {"stages": [stage("n", "N"), stage("a", "A+"), stage("c", "C+")]}
	back = state.with_rows(now, was, "stages", {"b"})["stages"]
	assert [row["title"] for row in back] == ["N", "A+", "B", "C+"]  # type: ignore[index, union-attr]


def test_fields_of_another_release_are_left_alone() -> None:
	now: State = {"title": "Now", "new": "kept", "stages": [{**stage("a", "A"), "hint": "kept"}]}
	then: State = {"title": "Then", "old": "gone", "stages": [stage("a", "T")]}
	assert state.like(now, then, ()) == {
		"title": "Then",
		"new": "kept",
		"stages": [{**stage("a", "T"), "hint": "kept"}],
	}


def test_what_is_no_state_is_refused() -> None:
	for nonsense in ('"abc"', '"AAAA"', '"%"'):
		with pytest.raises(ValueError):
			state.unpack(nonsense)


def test_a_lesson_takes_a_fraction_of_its_size() -> None:
	text = "".join(
		f"<p>Paragraph {number}: what light does when it meets glass.</p>" for number in range(100)
	)
	document: State = {"title": "Light", "stages": [stage("a", "A", text)]}
	assert len(state.pack(document)) < len(text) / 4


def test_a_config_is_read_without_markup_and_with_the_keys_of_its_values() -> None:
	old = (
		'{"question": "Why?", "choices": ["A", "B"], "answer": 1, "hint": "<p>One</p><p>Two &amp; three</p>"}'
	)
	new = '{"question": "Why?", "choices": ["A", "C"], "answer": 0}'
	before, after = readable.both(old, new)
	assert before == [
		"question: Why?",
		"choices 1: A",
		"choices 2: B",
		"answer: 1",
		"hint:",
		"One",
		"Two & three",
	]
	assert after == ["question: Why?", "choices 1: A", "choices 2: C", "answer: 0"]


def test_what_reads_the_same_is_shown_with_its_markup_and_no_json_as_it_is() -> None:
	before, after = readable.both('{"html": "<p>A</p><p>B</p>"}', '{"html": "<p>A</p><p><b>B</b></p>"}')
	assert (before, after) == (["<p>A</p>", "<p>B</p>"], ["<p>A</p>", "<p>", "<b>B</b>", "</p>"])
	assert readable.both("{no", "") == (["{no"], [])


@given(st.text(max_size=40), st.text(max_size=40))
def test_texts_that_differ_have_lines_that_differ(old: str, new: str) -> None:
	before, after = readable.both(old, new)
	assert (before == after) == (old == new or not (old or new))


NOON = datetime(2026, 11, 30, 12)


def minutes(*past: int) -> list[datetime]:
	return [NOON - timedelta(minutes=each) for each in past]


def test_the_newest_state_is_live_where_all_is_out_and_else_the_one_before_the_files_version() -> None:
	changes = minutes(1, 20, 60)
	assert live.place(changes, True, NOON - timedelta(hours=2)) == 0
	assert live.place(changes, False, NOON - timedelta(minutes=10)) == 1
	assert (
		live.place(changes, False, NOON - timedelta(seconds=30)) == 1
	)  # the file may have begun before the change
	assert live.place(changes, False, NOON - timedelta(hours=2)) is None
	assert live.place(changes, False, None) is None
	assert live.place([], True, NOON) is None


def test_a_state_went_out_in_the_first_run_before_the_next_change() -> None:
	changes = [NOON, NOON - timedelta(hours=1), NOON - timedelta(hours=2), NOON - timedelta(hours=3)]
	starts = [NOON - timedelta(minutes=170), NOON - timedelta(minutes=165), NOON - timedelta(minutes=60)]
	assert live.runs(changes, starts) == [None, 2, None, 0]
	assert live.runs(changes, []) == [None] * 4
	assert live.runs([], starts) == []
