"""What holds of everything that is published together, over random curricula, plans and edits.

The files are built by `tests.support.Shelf` from the pure half alone, in the order of spec, "Publishing".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memora.services.cdn_export import search_indexer
from memora.services.cdn_export.access_calculator import resolve
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.tree import Node, Override, Plan, ResolvedNode, Stage, walk
from memora.services.cdn_export.rules import published_check
from tests.support import (
	NOW,
	PLAN,
	Document,
	PlanContent,
	Shelf,
	busy,
	in_order,
	lesson,
	libraries,
	links,
	overridden,
	published,
	stages_of,
	straight,
	subject,
	topic,
	track,
	unit,
	wide,
)

few = settings(max_examples=40)


@pytest.fixture(autouse=True)
def small_shards() -> Iterator[None]:
	"""Small limits, so that small curricula are sharded and split too."""
	with pytest.MonkeyPatch.context() as patch:
		patch.setattr(search_indexer, "MOST_LESSONS_UNSHARDED", 4)
		patch.setattr(search_indexer, "MOST_BYTES", 3_000)
		yield


def resolved_subjects(plan: PlanContent) -> list[ResolvedNode]:
	rows = sorted(plan.subjects, key=lambda row: row[1])
	return [found for root, _ in rows if (found := resolve(root, plan.overrides))]


def lessons_of(root: ResolvedNode) -> list[ResolvedNode]:
	return [node for node in walk(root) if node.kind == "lesson"]


def pages(documents: dict[str, Document], plan: PlanContent) -> Iterator[tuple[str, Document]]:
	"""What an app reads of a plan: everything that can be reached from its manifest."""
	seen, waiting = set(), [paths.manifest(plan.plan.name)]
	while waiting:
		path = waiting.pop()
		if path not in seen:
			seen.add(path)
			yield path, documents[path]
			waiting.extend(url.partition("?")[0] for url in links(documents[path]))


def test_the_busy_example_has_what_it_is_for() -> None:
	documents = published(busy()).documents()
	assert paths.unit("<u 1>") in documents and paths.unit("<u 1>", "plan-1") in documents
	assert paths.unit("<u 4>", "plan-1") not in documents
	assert paths.search_shard("whole", "<maths>", 2) in documents
	levels = {access["access_level"] for page in documents.values() for _, access in accesses(page)}
	assert levels == {"public", "paid", "free_preview"}


@few
@example(busy())
@given(libraries())
def test_every_link_resolves_to_that_version_and_no_file_is_unlinked(plans: list[PlanContent]) -> None:
	documents = published(plans).documents()
	reached = {paths.PLAN_INDEX}
	for path, document in documents.items():
		for url in links(document):
			target, _, version = url.partition("?v=")
			reached.add(target)
			assert target in documents
			if version:
				assert documents[target]["version"] == int(version)
			else:
				assert path.rpartition("/")[0].endswith("lessons") or path == paths.PLAN_INDEX
	assert set(documents) == reached


@few
@example(busy())
@given(libraries())
def test_what_is_published_passes_the_check_that_operators_run(plans: list[PlanContent]) -> None:
	shelf = published(plans)
	with pytest.MonkeyPatch.context() as patch:
		patch.setattr(published_check, "MAX_UNSHARDED_LESSONS", search_indexer.MOST_LESSONS_UNSHARDED)
		patch.setattr(published_check, "MAX_SEARCH_BYTES", search_indexer.MOST_BYTES)
		report = published_check.check(shelf.files.get, lambda: shelf.files)
	assert report.ok, report


@few
@example(busy())
@given(libraries())
def test_nothing_hidden_or_unpublished_is_in_any_file(plans: list[PlanContent]) -> None:
	"""Earlier defect: unpublished content exported in full; lessons below a hidden track still uploaded."""
	documents = published(plans).documents()
	for plan in plans:
		content = str(list(pages(documents, plan)))
		shown = [node for root in resolved_subjects(plan) for node in walk(root)]
		names, titles = {node.name for node in shown}, {node.title for node in shown}
		for root, _ in plan.subjects:
			for node in walk(root):
				assert (repr(node.name)[1:-1] in content) == (node.name in names)
				assert (repr(node.title)[1:-1] in content) == (node.title in titles)


@few
@example(busy())
@given(libraries())
def test_access_is_the_same_wherever_a_node_stands(plans: list[PlanContent]) -> None:
	"""Earlier defect: a paid subject's units and lessons said `authenticated`."""
	documents = published(plans).documents()
	for plan in plans:
		expected = {
			node.name: node.access.as_json() for root in resolved_subjects(plan) for node in walk(root)
		}
		found = {}
		for _, document in pages(documents, plan):
			for name, access in accesses(document):
				assert found.setdefault(name, access) == access
		assert found == expected


def accesses(document: Any) -> Iterator[tuple[str, Document]]:
	if isinstance(document, dict):
		if "access" in document:
			yield document["id"], document["access"]
		for value in document.values():
			yield from accesses(value)
	elif isinstance(document, list):
		for value in document:
			yield from accesses(value)


@few
@example(busy())
@given(libraries())
def test_own_and_shared_never_mix(plans: list[PlanContent]) -> None:
	"""Earlier defect: shared paths with plan-specific content."""
	documents = published(plans).documents()
	for plan in plans:
		folder = paths.plan_folder(plan.plan.name)
		own = {root.name for root, _ in plan.subjects if overridden(root, plan.overrides)}
		for path, document in pages(documents, plan):
			kind = path.removeprefix(folder).partition("/")[0]
			if kind not in ("units", "lessons"):
				assert path.startswith(folder)
				continue
			assert path.startswith(folder) == (document["parent"]["subject_id"] in own)
			worlds = {url.startswith(folder) for url in links(document)}
			assert worlds <= {path.startswith(folder)}


@few
@example(busy())
@given(libraries())
def test_one_order_in_navigation_units_and_search(plans: list[PlanContent]) -> None:
	"""Earlier defect: no order on siblings, the output came reversed."""
	documents = published(plans).documents()
	for plan in plans:
		folder = paths.plan_folder(plan.plan.name)
		subjects = resolved_subjects(plan)
		manifest = documents[paths.manifest(plan.plan.name)]
		assert [entry["id"] for entry in manifest["subjects"]] == [root.name for root in subjects]
		for root, entry in zip(subjects, manifest["subjects"], strict=True):
			expected = [node.name for node in lessons_of(root)]
			page = documents[entry["url"].partition("?")[0]]
			units = [u["url"].partition("?")[0] for t in page["tracks"] for u in t["units"]]
			listed = [entry for u in units for t in documents[u]["topics"] for entry in t["lessons"]]
			assert [one["id"] for one in listed] == expected
			lessons = [documents[one["url"].partition("?")[0]] for one in listed]
			for one, following in pairwise(lessons):
				assert one["navigation"]["next_lesson"]["id"] == following["id"]
				assert following["navigation"]["previous_lesson"]["title"] == one["title"]
			if lessons:
				assert "previous_lesson" not in lessons[0]["navigation"]
				assert "next_lesson" not in lessons[-1]["navigation"]
			assert page["stats"]["total_lessons"] == len(expected)
		index = documents[f"{folder}search_index.json"]
		parts = [documents[shard["url"].partition("?")[0]] for shard in index.get("shards", [])] or [index]
		found = [entry["lesson_id"] for part in parts for entry in part["entries"]]
		assert found == [node.name for root in subjects for node in lessons_of(root)]
		assert index["total_lessons"] == len(found)
		assert index["is_sharded"] == ("shards" in index) == ("entries" not in index)


@few
@example(busy(), busy()[1:])
@given(libraries(), libraries())
def test_a_rebuild_that_changes_nothing_changes_no_byte(
	plans: list[PlanContent], others: list[PlanContent]
) -> None:
	shelf = published(plans)
	before = dict(shelf.files)
	shelf.publish(plans, NOW + 300)
	assert shelf.written == [] and shelf.files == before
	shelf.stages = stages_of(others)
	shelf.publish(others, NOW + 600)
	assert set(shelf.files) == set(published(others).files)


@st.composite
def edits(draw: st.DrawFn, plans: list[PlanContent]) -> list[PlanContent]:
	"""The same plans after an edit: a node's field, a unit moved to another track, or all overrides dropped."""
	roots = list({root.name: root for plan in plans for root, _ in plan.subjects}.values())
	kind = draw(st.sampled_from(["field", "field", "move", "overrides"]))
	if kind == "overrides" or not roots:
		return [replace(plan, overrides=()) for plan in plans]
	if kind == "move":
		tracks = [node for root in roots for node in walk(root) if node.kind == "track"]
		units = [there for one in tracks for there in one.children]
		if not units:
			return plans
		moved, target = draw(st.sampled_from(units)), draw(st.sampled_from(tracks))
		changes = {
			one.name: {
				"children": (
					*(there for there in one.children if there is not moved),
					*([moved] if one is target else []),
				)
			}
			for one in tracks
		}
	else:
		target = draw(st.sampled_from([node for root in roots for node in walk(root)]))
		change = draw(
			st.sampled_from(
				[
					{"title": "[edited]"},
					{"is_published": not target.is_published},
					{"is_free_preview": not target.is_free_preview},
					{"description": "edited"},
					{
						"children": [
							node._replace(sort_order=-node.sort_order) for node in target.children[::-1]
						]
					},
					{"children": target.children[1:]},
				]
			)
		)
		changes = {target.name: change}
	return [
		replace(plan, subjects=[(rewritten(root, changes), sort_order) for root, sort_order in plan.subjects])
		for plan in plans
	]


def rewritten(node: Node, changes: dict[str, dict[str, Any]]) -> Node:
	children = changes.get(node.name, {}).get("children", node.children)
	children = in_order(rewritten(child, changes) for child in children)
	return node._replace(**{**changes.get(node.name, {}), "children": children})


@few
@given(st.data())
def test_incremental_builds_end_in_the_same_bytes_as_full_ones(data: st.DataObject) -> None:
	"""The same edits, one shelf reading only edited lessons and the other all: the same files, byte for byte."""
	plans = data.draw(libraries())
	step, full = published(plans), published(plans)
	for round_ in range(1, 4):
		plans = data.draw(edits(plans))
		stages = stages_of(plans)
		edited = data.draw(st.sets(st.sampled_from(sorted(stages)))) if stages else set()
		for name in edited:
			stages[name] = (*stages[name], Stage(f"round {round_}", "Text", {}))
		# an edit since undone leaves other stages behind: those lessons are dirty too
		dirty = edited | {name for name, there in step.stages.items() if stages.get(name) != there}
		step.stages = full.stages = stages
		before = {path: document["version"] for path, document in step.documents().items()}
		old = dict(step.files)
		step.publish(plans, NOW + round_, edited=dirty)
		full.publish(plans, NOW + round_)
		assert step.files == full.files
		for path, document in step.documents().items():
			if path in before:
				assert (document["version"] > before[path]) == (step.files[path] != old[path])
				assert document["version"] >= before[path]
	fresh = Shelf(stages=stages)
	fresh.publish(plans, NOW)
	assert unversioned(fresh) == unversioned(step)


def unversioned(shelf: Shelf) -> dict[str, Any]:
	"""The documents without anything that depends on when they were made."""

	def bare(value: Any) -> Any:
		if isinstance(value, dict):
			return {
				key: inner.partition("?v=")[0] if key in ("url", "search_index_url") else bare(inner)
				for key, inner in value.items()
				if key not in ("version", "generated_at")
			}
		return [bare(inner) for inner in value] if isinstance(value, list) else value

	return {path: bare(document) for path, document in shelf.documents().items()}


def test_an_edit_of_a_lessons_body_writes_only_the_path_up_from_it() -> None:
	"""Its neighbours, its topic's other lessons and the search stay as they are."""
	plans = [PlanContent(PLAN, [(wide(4), 0)])]
	shelf = published(plans)
	shelf.stages = {"L2": (Stage("A", "Text", {}),)}
	shelf.publish(plans, NOW + 1, edited={"L2"})
	assert shelf.written == [
		"lessons/L2.json",
		"units/U.json",
		"plans/plan-1/subjects/S.json",
		"plans/plan-1/manifest.json",
	]


def test_an_edit_of_a_lessons_title_writes_its_neighbours_too() -> None:
	shelf = published([PlanContent(PLAN, [(wide(4), 0)])])
	edited = rewritten(wide(4), {"L1": {"title": "New"}})
	shelf.publish([PlanContent(PLAN, [(edited, 0)])], NOW + 1, edited={"L1"})
	assert [path for path in shelf.written if path.startswith("lessons")] == [
		f"lessons/L{number}.json" for number in (0, 1, 2)
	]


def test_hiding_a_lesson_in_one_plan_leaves_the_other_plans_files_alone() -> None:
	"""Earlier defect: the last plan built won, undoing the other's Hide and Set Free."""
	other = Plan("plan-2", "Grade 8", "2026", "Eight", "Arts")
	root = wide(3)
	shelf = published([PlanContent(PLAN, [(root, 0)]), PlanContent(other, [(root, 0)])])
	theirs = {path: body for path, body in shelf.files.items() if not path.startswith("plans/plan-1/")}
	hidden = PlanContent(PLAN, [(root, 0)], [Override("lesson", "L1", "Hide")])
	shelf.publish([hidden, PlanContent(other, [(root, 0)])], NOW + 1)
	assert theirs == {
		path: body for path, body in shelf.files.items() if not path.startswith("plans/plan-1/")
	}
	assert "plans/plan-1/lessons/L1.json" not in shelf.files
	assert {f"plans/plan-1/lessons/L{number}.json" for number in (0, 2)} <= set(shelf.files)


def test_shared_files_go_when_no_plan_reads_them_any_more() -> None:
	"""Earlier defect: no removal of files after a delete or a hide."""
	root = straight()
	shelf = published([PlanContent(PLAN, [(root, 0)])])
	assert {"lessons/L.json", "units/U.json"} <= set(shelf.files)
	shelf.publish([PlanContent(PLAN, [(root, 0)], [Override("lesson", "L", "Hide")])], NOW + 1)
	assert not {"lessons/L.json", "units/U.json"} & set(shelf.files)
	shelf.publish([], NOW + 2)
	assert set(shelf.files) == {paths.PLAN_INDEX}


def test_a_file_that_comes_back_has_a_higher_version_than_it_ever_had() -> None:
	root = straight()
	plans = [PlanContent(PLAN, [(root, 0)])]
	shelf = published(plans)
	shelf.publish([], NOW - 10)
	shelf.publish(plans, NOW - 10)
	assert shelf.documents()["lessons/L.json"]["version"] == NOW + 1


def test_a_unit_that_moves_to_another_shared_subject_keeps_its_file() -> None:
	"""Its path stays and changes hands: it is written again, above its old version, and not removed."""
	moved = unit("U", topic("P", lesson("L")))
	before = [subject("S1", track("T1", moved)), subject("S2", track("T2"))]
	after = [subject("S1", track("T1")), subject("S2", track("T2", moved))]
	shelf = published([PlanContent(PLAN, [(root, 0) for root in before])])
	shelf.publish([PlanContent(PLAN, [(root, 0) for root in after])], NOW - 50)
	lesson_page = shelf.documents()["lessons/L.json"]
	assert lesson_page["parent"]["subject_id"] == "S2"
	assert lesson_page["version"] == shelf.documents()["units/U.json"]["version"] == NOW + 1


def test_a_plan_with_no_subject_and_a_subject_with_no_lesson() -> None:
	documents = published([PlanContent(PLAN, [(subject("S"), 0)])]).documents()
	assert documents["plans/plan-1/search_index.json"]["entries"] == []
	assert documents["plans/plan-1/subjects/S.json"]["tracks"] == []
	documents = published([PlanContent(PLAN)]).documents()
	assert documents["plans/plan-1/manifest.json"]["subjects"] == []


def test_an_unpublished_subject_is_not_in_the_manifest() -> None:
	documents = published([PlanContent(PLAN, [(straight(subject={"is_published": False}), 0)])]).documents()
	assert set(documents) == {
		"plans/index.json",
		"plans/plan-1/manifest.json",
		"plans/plan-1/search_index.json",
	}
