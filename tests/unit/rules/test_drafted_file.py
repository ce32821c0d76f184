"""A file drafted before it is live: as if nothing were a draft or hidden, with what says so, or as the next run writes it."""

from __future__ import annotations

import orjson
import pytest

from memora.exceptions import AccessError
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.model.stage_files import Link, PublicFile
from memora.services.cdn_export.model.tree import Node, Override, Plan, Stage, walk
from memora.services.cdn_export.rules import drafted_file
from memora.services.cdn_export.rules.drafted_file import Body, Drafted, Known

PLAN = "grade-7"


def lesson(name: str, **fields: object) -> Node:
	return Node("lesson", name, name.title(), is_published=True, stage_count=1, **fields)


def subject(*units: Node, **fields: object) -> Node:
	track = Node("track", "optics", "Optics", is_published=True, children=units)
	return Node("subject", "physics", "Physics", is_published=True, children=(track,), **fields)


def unit(name: str, *lessons: Node, **fields: object) -> Node:
	topic = Node("topic", f"{name}-1", "Topic", is_published=True, children=lessons)
	return Node("unit", name, name.title(), **{"is_published": True, **fields}, children=(topic,))


def draft(
	path: str, tree: Node, *overrides: Override, drafts: bool = True, known: Known | None = None
) -> Drafted:
	shown = drafted_file.shown(tree, PLAN, overrides, drafts=drafts)
	assert shown
	target = drafted_file.find(path, PLAN, shown)
	assert target, path
	return drafted_file.draft(target, shown, known or Known({}), Body())


def test_drafts_and_what_is_hidden_are_shown_as_if_published_and_marked() -> None:
	tree = subject(
		unit("light", lesson("one")._replace(is_published=False)), unit("sound", is_published=False)
	)
	shown = drafted_file.shown(tree, PLAN, [Override("unit", "sound", "Hide")], drafts=True)
	assert shown
	assert {node.name for node in walk(shown.resolved)} == {node.name for node in walk(tree)}
	assert shown.marks == {("lesson", "one"): ["draft"], ("unit", "sound"): ["draft", "hidden"]}
	without = drafted_file.shown(tree, PLAN, [Override("unit", "sound", "Hide")], drafts=False)
	assert without
	assert {node.name for node in walk(without.resolved)} == {"physics", "optics", "light", "light-1"}
	assert without.marks == {}


def test_a_tree_is_kept_to_one_document_and_the_titles_above_it() -> None:
	said = {"description": "Said.", "image": "a.png"}
	light = unit("light", lesson("rays", **said), lesson("mirrors"), **said, badge_image="b.png")
	tree = subject(light, unit("sound", lesson("waves")), **said, required_item="BOOK", color_code="#123456")
	every = {(node.kind, node.name): node for node in walk(tree)}
	for key, node in every.items():
		kept = drafted_file.kept_to(tree, key)
		assert kept
		found = {(one.kind, one.name): one for one in walk(kept)}
		assert found[key] == node
		below = {(one.kind, one.name) for one in walk(node)}
		above = {
			other for other, one in every.items() if key in {(each.kind, each.name) for each in walk(one)}
		}
		assert set(found) == below | above
		for other in above - {key}:
			one = every[other]
			bare = one._replace(description="", image="", badge_image="", children=found[other].children)
			assert found[other] == bare
	assert drafted_file.kept_to(tree, ("lesson", "light")) is None
	assert drafted_file.kept_to(tree, ("unit", "gone")) is None


def test_a_subject_that_is_left_out_is_shown_with_drafts_only() -> None:
	tree = subject()._replace(is_published=False)
	assert drafted_file.shown(tree, PLAN, [], drafts=False) is None
	assert drafted_file.shown(tree, PLAN, [], drafts=True)


@pytest.mark.parametrize("action", ["Hide", "Rename", "Set Free"])
def test_one_override_makes_all_of_it_the_plans_own(action: str) -> None:
	tree = subject(unit("light", lesson("one")))
	shown = drafted_file.shown(tree, PLAN, [Override("lesson", "one", action, "Two")], drafts=True)  # type: ignore[arg-type]
	assert shown
	assert drafted_file.find(paths.lesson("one", PLAN), PLAN, shown)
	assert drafted_file.find(paths.lesson("one"), PLAN, shown) is None
	elsewhere = drafted_file.shown(tree, PLAN, [Override("lesson", "other", "Hide")], drafts=True)
	assert elsewhere
	assert drafted_file.find(paths.lesson("one"), PLAN, elsewhere)


def test_no_other_path_is_found() -> None:
	shown = drafted_file.shown(subject(unit("light", lesson("one"))), PLAN, [], drafts=True)
	assert shown
	for path in (
		"",
		"units/one.json",
		"lessons/light.json",
		"plans/x/subjects/physics.json",
		"units/light.json?v=1",
	):
		assert drafted_file.find(path, PLAN, shown) is None


def test_links_have_the_versions_that_are_live_or_one() -> None:
	tree = subject(unit("light"), unit("sound"))
	entries = {"units/light.json": LedgerEntry("units/light.json", "s", "unit", live_version=1769300000)}
	found = draft(paths.plan_subject(PLAN, "physics"), tree, known=Known(entries))
	urls = [unit["url"] for track in found.document["tracks"] for unit in track["units"]]
	assert urls == ["units/light.json?v=1769300000", "units/sound.json?v=1"]
	assert found.document["version"] == 1


def test_it_says_whether_the_live_file_differs() -> None:
	tree, path = subject(unit("light", lesson("one"))), paths.lesson("one")
	assert draft(path, tree).live == "new"
	for content_hash, live_version, state, said in (
		("other", 5, "live", "changed"),
		("other", 0, "removed", "new"),
		("other", 5, "removed", "new"),
	):
		entry = LedgerEntry(
			path, "s", "lesson", content_hash=content_hash, live_version=live_version, state=state
		)  # type: ignore[arg-type]
		assert draft(path, tree, known=Known({path: entry})).live == said


def test_a_lesson_has_its_stages_files_beside_it_and_its_own_picture() -> None:
	tree = subject(unit("light", lesson("one", image="/files/a.png"), lesson("two", image="/files/b.png")))
	shown = drafted_file.shown(tree, PLAN, [], drafts=True)
	assert shown
	target = drafted_file.find(paths.lesson("one"), PLAN, shown)
	assert target
	assert drafted_file.pictures(target.nodes) == {"/files/a.png"}
	sheet = PublicFile("/x/sheet.pdf", "1-2", 2, "a" * 64, "pdf")
	body = Body(
		(Stage("S", "Text", {"sheet": "/files/sheet.pdf"}),), {Link("/files/sheet.pdf", False): sheet}
	)
	found = drafted_file.draft(target, shown, Known({}, {"/files/a.png": "media/a.png"}), body)
	path = f"lessons/one/{'a' * 64}.pdf"
	assert found.document["image"] == "media/a.png"
	assert found.document["stages"][0]["config"] == {"sheet": path}
	assert found.files == {path: sheet}
	assert b"b.png" not in orjson.dumps(found.document)


def test_what_the_caller_may_not_read_is_left_out() -> None:
	tree = subject(unit("light", lesson("one"), lesson("two")), unit("sound", lesson("three")))
	names = {(node.kind, node.name) for node in walk(tree)}
	kept = drafted_file.readable(tree, names - {("lesson", "one"), ("unit", "sound")})
	assert kept
	assert [node.name for node in walk(kept)] == ["physics", "optics", "light", "light-1", "two"]
	assert drafted_file.readable(tree, names - {("subject", "physics")}) is None


def test_what_no_item_opens_is_said_as_a_build_says_it() -> None:
	track = Node("track", "lab", "Lab", is_sold_separately=True)
	with pytest.raises(AccessError, match="Lab"):
		drafted_file.shown(subject()._replace(children=(track,)), PLAN, [], drafts=True)


def test_a_manifest_and_the_list_of_plans() -> None:
	plan = Plan(PLAN, "Grade 7", "2026", "", "")
	shown = drafted_file.shown(
		subject(), PLAN, [Override("subject", "physics", "Rename", "Light")], drafts=True
	)
	assert shown
	found = drafted_file.manifest(plan, [(shown.resolved, 3)], Known({}))
	(entry,) = found.document["subjects"]
	assert (entry["title"], entry["sort_order"], entry["url"]) == (
		"Light",
		3,
		"plans/grade-7/subjects/physics.json?v=1",
	)
	assert found.document["search_index_url"] == "plans/grade-7/search_index.json?v=1"
	index = drafted_file.index([plan], Known({}))
	assert [listed["plan_id"] for listed in index.document["plans"]] == [PLAN]
	assert index.live == "new"
