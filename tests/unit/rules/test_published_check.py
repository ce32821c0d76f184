"""The check of what is published: a small tree that is right, and every way it can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from memora.services.cdn_export.rules import contracts
from memora.services.cdn_export.rules.crawl import Report
from memora.services.cdn_export.rules.published_check import check
from tests.support import NOW, Shelf

Tree = dict[str, Any]
VERSION = 1769300000
STAMP = {"version": VERSION, "generated_at": "2026-01-25T00:13:20+00:00"}
OPEN = {"is_published": True, "access_level": "authenticated"}
FREE = {"is_published": True, "access_level": "free_preview"}


def _url(path: str) -> str:
	return f"{path}?v={VERSION}"


def _lesson(name: str, folder: str, **navigation: Any) -> Tree:
	return {
		"id": name,
		"title": f"Lesson {name}",
		"sort_order": 1,
		**STAMP,
		"access": OPEN,
		"parent": {
			"topic_id": "t1",
			"topic_title": "Topic",
			"unit_id": "u1",
			"unit_title": "Unit",
			"track_id": "r1",
			"track_title": "Track",
			"subject_id": "s1",
			"subject_title": "Subject",
		},
		"stages": [{"idx": 1, "title": "Read", "type": "Text", "config": {}}],
		"navigation": {
			key: {"id": there, "title": f"Lesson {there}", "url": f"{folder}lessons/{there}.json"}
			for key, there in navigation.items()
		},
	}


def _entry(name: str) -> dict[str, str]:
	return {
		"lesson_id": name,
		"lesson_name": f"Lesson {name}",
		"subject_id": "s1",
		"subject_name": "Subject",
		"unit_id": "u1",
		"unit_name": "Unit",
		"topic_id": "t1",
		"topic_name": "Topic",
	}


def _published(folder: str = "") -> Tree:
	"""One plan, one subject with two lessons, shared or (with `folder`) the plan's own."""
	about = {"plan_id": "p1", "title": "Plan", "season": "2026", "grade": "One", "stream": "Science"}
	common = {"title": "Unit", "sort_order": 1, "access": OPEN}
	return {
		"plans/index.json": {**STAMP, "plans": [{**about, "url": "plans/p1/manifest.json"}]},
		"plans/p1/manifest.json": {
			**about,
			**STAMP,
			"subjects": [
				{
					"id": "s1",
					"title": "Subject",
					"sort_order": 1,
					"url": _url("plans/p1/subjects/s1.json"),
					"access": OPEN,
				}
			],
			"search_index_url": _url("plans/p1/search_index.json"),
		},
		"plans/p1/subjects/s1.json": {
			"id": "s1",
			"title": "Subject",
			**STAMP,
			"access": OPEN,
			"tracks": [
				{
					"id": "r1",
					"title": "Track",
					"sort_order": 1,
					"access": OPEN,
					"units": [
						{
							"id": "u1",
							**common,
							"url": _url(f"{folder}units/u1.json"),
							"topic_count": 1,
							"lesson_count": 2,
						}
					],
				}
			],
			"stats": {"total_units": 1, "total_topics": 1, "total_lessons": 2},
		},
		f"{folder}units/u1.json": {
			"id": "u1",
			**common,
			**STAMP,
			"parent": {
				"track_id": "r1",
				"track_title": "Track",
				"subject_id": "s1",
				"subject_title": "Subject",
			},
			"topics": [
				{
					"id": "t1",
					"title": "Topic",
					"sort_order": 1,
					"access": OPEN,
					"lessons": [
						{
							"id": name,
							"title": f"Lesson {name}",
							"sort_order": 1,
							"url": _url(f"{folder}lessons/{name}.json"),
							"access": OPEN,
							"stage_count": 1,
						}
						for name in ("l1", "l2")
					],
				}
			],
			"stats": {"total_topics": 1, "total_lessons": 2},
		},
		f"{folder}lessons/l1.json": _lesson("l1", folder, next_lesson="l2"),
		f"{folder}lessons/l2.json": _lesson("l2", folder, previous_lesson="l1"),
		"plans/p1/search_index.json": {
			"plan_id": "p1",
			**STAMP,
			"total_lessons": 2,
			"is_sharded": False,
			"entries": [_entry("l1"), _entry("l2")],
		},
	}


def _sharded() -> Tree:
	tree = _published()
	index = tree["plans/p1/search_index.json"]
	del index["entries"]
	index["is_sharded"] = True
	index["shards"] = []
	for part, name in enumerate(("l1", "l2"), start=1):
		path = f"plans/p1/search/s1/{part}.json"
		about = {"subject_id": "s1", "subject_name": "Subject"}
		index["shards"].append({**about, "url": _url(path), "lesson_count": 1})
		tree[path] = {"plan_id": "p1", **about, **STAMP, "entries": [_entry(name)]}
	return tree


def _check(tree: Tree) -> Report:
	files = {
		path: body if isinstance(body, bytes) else json.dumps(body).encode() for path, body in tree.items()
	}
	return check(files.get, lambda: files)


@pytest.mark.parametrize("tree", [_published(), _published("plans/p1/"), _sharded()])
def test_a_sound_tree_is_called_so(tree: Tree) -> None:
	report = _check(tree)
	assert report.problems == []
	assert report.unlinked == []
	assert report.ok
	assert report.files == len(tree)
	(plan,) = report.plans
	assert plan.lessons == ("l1", "l2")
	assert plan.units == 1
	assert plan.levels == {"authenticated": 2}
	assert plan.own_subjects == ("plans/p1/units/u1.json" in tree)


def test_no_plan_at_all_is_sound() -> None:
	assert _check({"plans/index.json": {**STAMP, "plans": []}}).ok


def test_nothing_published_is_a_problem() -> None:
	assert [str(problem) for problem in _check({}).problems] == [
		"plans/index.json: is linked, but is not there"
	]


def test_an_unlinked_file_is_named_but_only_where_files_can_be_listed() -> None:
	tree = {**_published(), "lessons/old.json": _lesson("old", "")}
	report = _check(tree)
	assert (report.problems, report.unlinked, report.ok) == ([], ["lessons/old.json"], False)
	files = {path: json.dumps(body).encode() for path, body in tree.items()}
	assert check(files.get).ok


def test_media_is_followed() -> None:
	tree = _published()
	path = "media/" + "0" * 64 + ".png"
	for file in ("plans/p1/manifest.json", "plans/p1/subjects/s1.json"):
		holder = tree[file]["subjects"][0] if "subjects" in tree[file] else tree[file]
		holder["image"] = path
	assert f"{path}: is linked, but is not there" in map(str, _check(tree).problems)
	tree[path] = b"\x89PNG"
	assert _check(tree).ok


def _without(path: str) -> Callable[[Tree], None]:
	return lambda tree: tree.pop(path)


def _set(path: str, value: Any, *keys: Any) -> Callable[[Tree], None]:
	def change(tree: Tree) -> None:
		holder = tree[path]
		for key in keys[:-1]:
			holder = holder[key]
		holder[keys[-1]] = value

	return change


MANIFEST = "plans/p1/manifest.json"
SUBJECT = "plans/p1/subjects/s1.json"
UNIT = "units/u1.json"
LESSON = "lessons/l1.json"
SEARCH = "plans/p1/search_index.json"
UNIT_ENTRY = ("tracks", 0, "units", 0)
LESSON_ENTRY = ("topics", 0, "lessons", 0)


@pytest.mark.parametrize(
	("damage", "path", "words"),
	[
		(_without(LESSON), LESSON, "is not there"),
		(_without(MANIFEST), MANIFEST, "is not there"),
		(_set(LESSON, VERSION - 1, "version"), UNIT, "newer than its target"),
		(_set(LESSON, "2026-01-25T00:13:21+00:00", "generated_at"), LESSON, "is not the moment"),
		(_set(UNIT, "lessons/l1.json", *LESSON_ENTRY, "url"), UNIT, "/topics/0/lessons/0/url"),
		(
			_set(UNIT, _url("plans/p1/lessons/l1.json"), *LESSON_ENTRY, "url"),
			UNIT,
			"should lead to lessons/l1",
		),
		(_set(UNIT, FREE, *LESSON_ENTRY, "access"), LESSON, "access is"),
		(_set(UNIT, "Other", *LESSON_ENTRY, "title"), LESSON, "title is 'Lesson l1'"),
		(_set(UNIT, 7, *LESSON_ENTRY, "stage_count"), LESSON, "stage_count says 7"),
		(_set(UNIT, 7, *LESSON_ENTRY, "sort_order"), UNIT, "order of their sort_order"),
		(_set(SUBJECT, 3, *UNIT_ENTRY, "lesson_count"), UNIT, "lesson_count above it says 3"),
		(_set(SUBJECT, 3, "stats", "total_topics"), SUBJECT, "total_topics says 3"),
		(_set(SUBJECT, {}, "access"), SUBJECT, "access"),
		(_set(LESSON, 1, "unknown"), LESSON, "unknown"),
		(_set(LESSON, 2, "stages", 0, "idx"), LESSON, "numbered"),
		(_set(LESSON, {}, "navigation"), LESSON, "next_lesson is None"),
		(_set(LESSON, "Other", "parent", "unit_title"), LESSON, "unit_title is 'Other'"),
		(_set(SEARCH, [_entry("l1")], "entries"), SEARCH, "does not list the lessons l2"),
		(_set(SEARCH, [_entry("l2"), _entry("l1")], "entries"), SEARCH, "out of their order"),
		(
			_set(SEARCH, [_entry("l1"), _entry("l2"), _entry("l3")], "entries"),
			SEARCH,
			"no lesson of the plan: l3",
		),
		(_set(SEARCH, 5, "total_lessons"), SEARCH, "total_lessons says 5"),
		(_set(MANIFEST, "Other", "grade"), MANIFEST, "grade is 'Other'"),
	],
)
def test_what_is_wrong_is_named(damage: Callable[[Tree], None], path: str, words: str) -> None:
	tree = deepcopy(_published())
	damage(tree)
	report = _check(tree)
	assert any(problem.path == path and words in problem.message for problem in report.problems), (
		report.problems
	)


def test_a_file_that_is_no_json_is_named() -> None:
	assert any("is no JSON" in str(problem) for problem in _check({**_published(), LESSON: b"{"}).problems)


def test_a_level_that_cannot_stand_below_its_parent_is_named() -> None:
	tree = _published()
	public = {"is_published": True, "access_level": "public"}
	for holder in (tree[UNIT]["topics"][0]["lessons"][0], tree[LESSON]):
		holder["access"] = public
	assert [str(problem) for problem in _check(tree).problems] == [
		f"{UNIT}: l1 is public below a parent that is authenticated"
	]


def test_a_shard_that_lists_another_subject_or_too_much_is_named() -> None:
	tree = _sharded()
	shard = "plans/p1/search/s1/2.json"
	tree[shard]["entries"][0] = {**_entry("l2"), "subject_id": "s2", "lesson_name": "x" * 102_400}
	messages = [problem.message for problem in _check(tree).problems if problem.path == shard]
	assert any("another subject" in message for message in messages)
	assert any("larger than a shard" in message for message in messages)


def test_a_link_out_of_the_cdn_is_refused() -> None:
	tree = _published()
	for url in ("../secret.json?v=1", "/etc/passwd?v=1", "https://elsewhere.example/l1.json?v=1"):
		tree[UNIT]["topics"][0]["lessons"][0]["url"] = url
		assert not _check(tree).ok


def test_the_schemas_beside_the_content_are_followed() -> None:
	shelf = Shelf(with_schemas=True)
	shelf.publish([], NOW)
	files = shelf.files
	report = check(files.get, lambda: files)
	assert report.ok
	assert report.files == 2 + len(contracts.NAMES)
	del files["schemas/unit.schema.json"]
	files["schemas/common.schema.json"] = b'{"type": "nonsense"}'
	found = {str(problem).partition(": ")[0] for problem in check(files.get).problems}
	assert found == {"schemas/unit.schema.json", "schemas/common.schema.json"}
