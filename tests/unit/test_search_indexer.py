"""Spec, "Files": the search index, whole or in shards."""

from __future__ import annotations

from itertools import pairwise

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memora.exceptions import FileTooLargeError
from memora.services.cdn_export import search_indexer
from memora.services.cdn_export.access_calculator import resolve
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.document_bytes import body, published_size, stamped
from memora.services.cdn_export.model.tree import Node, Override
from memora.services.cdn_export.search_indexer import (
	MOST_BYTES,
	SubjectEntries,
	entries_size,
	needs_shards,
	packed,
	shard_entry,
	sharded_index,
	shards,
	subject_entries,
	unpacked,
	whole_index,
)
from tests.support import LONG, TITLES, lesson, straight, subject, topic, track, unit, wide

PLAN = "plan-1"


def entries(root: Node, *overrides: Override) -> SubjectEntries:
	resolved = resolve(root, overrides)
	assert resolved
	return subject_entries(resolved)


def of_bytes(size: int) -> SubjectEntries:
	"""One subject whose whole index has exactly so many bytes."""
	found = entries(wide(300))
	missing = size - published_size(whole_index(PLAN, [found]))
	first = {**found.entries[0], "lesson_name": found.entries[0]["lesson_name"] + "x" * missing}
	return SubjectEntries("S", "The S", [first, *found.entries[1:]])


def is_sharded(*subjects: SubjectEntries) -> bool:
	lessons = sum(len(subject.entries) for subject in subjects)
	return needs_shards(PLAN, lessons, sum(entries_size(subject) for subject in subjects))


def test_an_entry_names_a_lesson_and_what_stands_above_it() -> None:
	assert [list(entry.items()) for entry in entries(straight()).entries] == [
		[
			("lesson_id", "L"),
			("lesson_name", "The L"),
			("subject_id", "S"),
			("subject_name", "The S"),
			("unit_id", "U"),
			("unit_name", "The U"),
			("topic_id", "P"),
			("topic_name", "The P"),
		]
	]


def test_entries_are_in_content_order_and_of_what_is_published() -> None:
	root = subject(
		"S",
		track("T2", unit("U2", topic("P2", lesson("L9"), lesson("L8", is_published=False), lesson("L1")))),
		track("T1", unit("U1", topic("P1", lesson("L5"))), unit("U0", topic("P0", lesson("L0")))),
	)
	found = entries(root, Override("unit", "U1", "Hide"))
	assert [entry["lesson_id"] for entry in found.entries] == ["L9", "L1", "L0"]


def test_rename_shows_in_search() -> None:
	found = entries(
		straight(), Override("topic", "P", "Rename", "New P"), Override("subject", "S", "Rename", "New S")
	)
	assert found.subject_name == found.entries[0]["subject_name"] == "New S"
	assert found.entries[0]["topic_name"] == "New P"


def test_packed_entries_come_back_as_they_were() -> None:
	root = subject(
		"S",
		track("T1", unit("U1", topic("P1", lesson("L1"), lesson("L2")), topic("P2")), unit("U2")),
		track("T2", unit("U3", topic("P3", lesson("L3")), topic("P4", lesson("L4")))),
	)
	for found in (entries(root), entries(straight()), entries(wide(200)), entries(subject("S"))):
		small = orjson.dumps(packed(found))
		again = unpacked(found.subject_id, orjson.loads(small))
		assert again == found
		assert [list(entry) for entry in again.entries] == [list(entry) for entry in found.entries]
	whole = entries(wide(200))
	assert len(orjson.dumps(packed(whole))) < entries_size(whole) / 4


def test_a_small_plan_has_everything_in_its_index() -> None:
	found = [entries(wide(2)), entries(straight())]
	assert not is_sharded(*found)
	index = whole_index(PLAN, found)
	assert list(index) == ["plan_id", "total_lessons", "is_sharded", "entries"]
	assert (index["total_lessons"], index["is_sharded"]) == (3, False)
	assert [entry["lesson_id"] for entry in index["entries"]] == ["L0", "L1", "L"]


def test_a_plan_without_any_lesson_has_an_empty_index() -> None:
	assert whole_index(PLAN, [entries(subject("S"))]) == {
		"plan_id": PLAN,
		"total_lessons": 0,
		"is_sharded": False,
		"entries": [],
	}


def test_an_index_is_sharded_above_500_lessons() -> None:
	assert not is_sharded(entries(wide(300)), entries(wide(200)))
	assert is_sharded(entries(wide(300)), entries(wide(201)))


def test_an_index_is_sharded_above_102400_bytes_as_published() -> None:
	fits = of_bytes(102_400)
	assert len(body("", stamped("search_index", whole_index(PLAN, [fits]), 1_769_300_000))) == 102_400
	assert not is_sharded(fits)
	assert is_sharded(of_bytes(102_401))


def test_a_sharded_index_lists_each_part_with_its_own_count() -> None:
	found = [
		shard_entry("S", "The S", "plans/plan-1/search/S/1.json?v=7", 400),
		shard_entry("S", "The S", "plans/plan-1/search/S/2.json?v=7", 101),
	]
	assert list(sharded_index(PLAN, found).items()) == [
		("plan_id", PLAN),
		("total_lessons", 501),
		("is_sharded", True),
		(
			"shards",
			[
				{
					"subject_id": "S",
					"subject_name": "The S",
					"url": "plans/plan-1/search/S/1.json?v=7",
					"lesson_count": 400,
				},
				{
					"subject_id": "S",
					"subject_name": "The S",
					"url": "plans/plan-1/search/S/2.json?v=7",
					"lesson_count": 101,
				},
			],
		),
	]


def test_a_shard_that_fits_is_one_file() -> None:
	[shard] = shards(PLAN, entries(straight()))
	assert shard.path == "plans/plan-1/search/S.json"
	assert list(shard.document) == ["plan_id", "subject_id", "subject_name", "entries"]
	assert (shard.subject_id, shard.subject_name, shard.lesson_count) == ("S", "The S", 1)


def test_a_subject_without_lessons_has_no_shard() -> None:
	assert shards(PLAN, entries(subject("S", track("T")))) == []


def test_a_shard_may_have_102400_bytes_and_not_one_more() -> None:
	spare = published_size(whole_index(PLAN, [entries(wide(300))])) - published_size(
		shards(PLAN, entries(wide(300)))[0].document
	)
	[fits] = shards(PLAN, of_bytes(102_400 + spare))
	assert len(body("", stamped("search_shard", fits.document, 1_769_300_000))) == 102_400
	parts = shards(PLAN, of_bytes(102_401 + spare))
	assert [(part.path, part.lesson_count) for part in parts] == [
		("plans/plan-1/search/S/1.json", 299),
		("plans/plan-1/search/S/2.json", 1),
	]


def test_ten_thousand_lessons_with_long_titles_are_all_found_and_no_shard_is_too_large() -> None:
	root = wide(10_000, title=LONG)
	parts = shards(PLAN, entries(root))
	assert [part.path for part in parts] == [paths.search_shard(PLAN, "S", n + 1) for n in range(len(parts))]
	assert all(published_size(part.document) <= MOST_BYTES for part in parts)
	found = [entry["lesson_id"] for part in parts for entry in part.document["entries"]]
	assert found == [f"L{number}" for number in range(10_000)]


@settings(max_examples=60)
@given(
	st.lists(st.tuples(st.sampled_from(TITLES), st.integers(0, 400)), max_size=60),
	st.integers(1_500, 6_000),
)
def test_parts_are_full_in_order_and_never_too_large(lessons: list[tuple[str, int]], limit: int) -> None:
	root = subject(
		"S",
		track(
			"T",
			unit(
				"U",
				topic(
					"P",
					*(lesson(f"L{n}", title=title + "x" * more) for n, (title, more) in enumerate(lessons)),
				),
			),
		),
	)
	found = entries(root)
	with pytest.MonkeyPatch.context() as patch:
		patch.setattr(search_indexer, "MOST_BYTES", limit)
		parts = shards(PLAN, found)
	assert [entry for part in parts for entry in part.document["entries"]] == found.entries
	assert all(0 < published_size(part.document) <= limit for part in parts)
	for part, following in pairwise(parts):
		one_more = [*part.document["entries"], following.document["entries"][0]]
		assert published_size({**part.document, "entries": one_more}) > limit
	assert all(part.lesson_count == len(part.document["entries"]) > 0 for part in parts)


def test_a_single_entry_that_is_too_large_is_named() -> None:
	root = straight(lesson={"title": "x" * MOST_BYTES})
	with pytest.raises(FileTooLargeError, match=r"\(L\) alone has more than 102,400 bytes"):
		shards(PLAN, entries(root))
