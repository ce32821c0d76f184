"""What a plan's files are, decided from plain data: which subjects are rendered, what is offered, what goes and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memora.services.cdn_export.access_calculator import resolve
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.plan_subject import PlanSubject
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.model.tree import Override, Right
from memora.services.cdn_export.rules import file_removals, large_change_guard, subject_files
from memora.services.cdn_export.rules.file_removals import Facts
from memora.services.cdn_export.rules.plan_files import (
	PlanFiles,
	PlanScope,
	RenderedSubject,
	UnitMissingError,
)
from memora.services.cdn_export.rules.plan_snapshot import Snapshot
from memora.services.cdn_export.rules.subject_files import Bodies, Contents
from memora.services.cdn_export.search_indexer import MOST_LESSONS_UNSHARDED
from tests.support import NOW, PLAN, lesson, plan_state, straight, subject, topic, track, unit

SCOPE = scopes.plan(PLAN.name).id
CLOCK = datetime(2026, 2, 1, 12)
HIDE = Override("lesson", "L", "Hide")
PLAN_STATE = plan_state(PLAN.name, is_live=True, published_generation=1, generation=2)


def subject_state(name: str, **fields: Any) -> State:
	"""A shared subject's state: published, unless `fields` say otherwise."""
	values = {"generation": 3, "published_generation": 3, "is_live": True, **fields}
	return replace(plan_state(name), name=scopes.subject(name).id, scope_type="subject", **values)


def snapshot_of(*names: str, overrides: Sequence[Override] = (), **states: Any) -> Snapshot:
	"""A live plan that lists these subjects and shows all of them as they are."""
	snapshot = Snapshot(
		PLAN_STATE,
		PLAN,
		{name: order for order, name in enumerate(names)},
		{names[0]: tuple(overrides)} if overrides else {},
		subject_states={scopes.subject(name).id: subject_state(name, **states) for name in names},
	)
	snapshot.state = replace(PLAN_STATE, index_entry=snapshot.index_entry)
	for name in names:
		snapshot.renditions[name] = rendition(snapshot, name)
	return snapshot


def rendition(snapshot: Snapshot, name: str, **fields: Any) -> PlanSubject:
	"""A subject as the live manifest shows it."""
	summary = {"entry": {"id": name}, "lessons": 1, "search_size": 10, "search_digest": "same"}
	search = [name, [["U", "Unit", "T", "Topic", [["L", "Lesson"]]]]]
	known = PlanSubject(
		name, snapshot.mode(name), snapshot.generation(name), snapshot.digest(name), summary, search
	)
	return replace(known, **fields)


def rendered(name: str = "S", *, versions: dict[str, int] | None = None, **fields: Any) -> RenderedSubject:
	resolved = resolve(straight()._replace(name=name))
	assert resolved
	found = {paths.unit("U", None): 7} if versions is None else versions
	return RenderedSubject(name, Contents(resolved), found, **fields)


def files_of(
	snapshot: Snapshot, *found: RenderedSubject, entries: dict[str, LedgerEntry] | None = None
) -> PlanFiles:
	"""The plan's files, with these subjects rendered."""
	shown = PlanScope.of(snapshot)
	shown.rendered = {one.subject: one for one in found}
	shown.decide_search()
	files = PlanFiles.of(shown, entries or {}, set(), NOW)
	for one in found:
		own = None
		if one.resolved and snapshot.mode(one.subject) == "own":
			lessons = subject_files.drafts(one.resolved, PLAN.name)
			own = Bodies(lessons, {draft.lesson.name for draft in lessons}, {}, {})
		files.offer_subject(one, own)
	files.offer_entry_points()
	return files


def test_a_newer_subject_that_looks_the_same_is_taken_over_unread() -> None:
	snapshot = snapshot_of("S", shown_generation=2)
	snapshot.subject_states[scopes.subject("S").id] = subject_state(
		"S", generation=5, published_generation=5, shown_generation=2
	)
	assert not snapshot.has_changed("S")
	assert PlanScope.of(snapshot).changed() == []
	assert files_of(snapshot).newer() == {"S": 5}
	assert snapshot.news == []


def test_one_that_looks_otherwise_or_is_the_plans_own_is_rendered() -> None:
	for overrides, shown in (((), 4), ((HIDE,), 2)):
		snapshot = snapshot_of("S", overrides=overrides, shown_generation=2)
		snapshot.subject_states[scopes.subject("S").id] = subject_state(
			"S", generation=5, published_generation=5, shown_generation=shown
		)
		assert PlanScope.of(snapshot).changed() == ["S"]
		assert files_of(snapshot, rendered()).newer() == {}


def test_what_only_the_plan_changes_may_come_back_though_the_subject_is_newer() -> None:
	snapshot = snapshot_of("S", shown_generation=2)
	snapshot.overrides["S"] = (HIDE,)
	assert snapshot.may_come_back("S")
	newer = {"generation": 5, "published_generation": 5}
	snapshot.subject_states[scopes.subject("S").id] = subject_state("S", **newer, shown_generation=2)
	assert snapshot.may_come_back("S")
	snapshot.subject_states[scopes.subject("S").id] = subject_state("S", **newer, shown_generation=4)
	assert not snapshot.may_come_back("S")


def entry(path: str, kind: Any = "unit", node: str = "U", **fields: Any) -> LedgerEntry:
	values = {"subject": "S", "version": 5, "live_version": 5, "access_level": "authenticated", **fields}
	return LedgerEntry(path, values.pop("scope", SCOPE), kind, node, **values)


# the snapshot


def test_one_override_makes_all_of_a_subject_the_plans_own() -> None:
	snapshot = snapshot_of("S", "R", overrides=[HIDE])
	assert [snapshot.mode(name) for name in ("S", "R")] == ["own", "shared"]
	assert snapshot.shared == ["R"]


@pytest.mark.parametrize(
	("change", "changed"),
	[
		({}, False),
		({"generation": 4}, True),  # the subject has news
		({"overrides": [HIDE]}, True),
	],
)
def test_a_subject_has_changed_when_its_generation_or_the_plans_overrides_have(
	change: dict[str, Any], changed: bool
) -> None:
	snapshot = snapshot_of("S")
	now = snapshot_of("S", **change)
	now.renditions = snapshot.renditions
	assert now.has_changed("S") is changed


def test_only_what_the_plan_changed_may_come_back() -> None:
	snapshot = snapshot_of("S")
	live = snapshot.renditions
	by_plan, by_subject = snapshot_of("S", overrides=[HIDE]), snapshot_of("S", generation=4)
	by_plan.renditions = by_subject.renditions = live
	assert (snapshot.may_come_back("S"), by_plan.may_come_back("S"), by_subject.may_come_back("S")) == (
		False,
		True,
		False,
	)


@pytest.mark.parametrize(
	("state", "shown", "stuck"),
	[
		({"published_generation": 2}, True, False),  # it waits, and nothing has failed
		({"published_generation": 2, "next_retry_at": CLOCK + timedelta(minutes=2)}, True, True),
		({"published_generation": 2, "next_retry_at": CLOCK - timedelta(minutes=2)}, True, False),
		({"published_generation": 2, "failed_generation": 3, "dead_since": CLOCK}, True, True),
		({"published_generation": 2, "failed_generation": 2, "dead_since": CLOCK}, True, False),
		({"failed_generation": 4}, True, True),  # dismissed
		({"failed_generation": 4}, False, False),  # dismissed, but this plan does not show it yet
	],
)
def test_a_subject_that_cannot_be_built_stays_as_it_is(
	state: dict[str, Any], shown: bool, stuck: bool
) -> None:
	snapshot = snapshot_of("S", **state)
	if not shown:
		snapshot.renditions["S"] = rendition(snapshot, "S", generation=0, digest="")
	assert snapshot.is_stuck("S", CLOCK) is stuck


def test_a_subject_without_a_state_is_not_stuck() -> None:
	snapshot = snapshot_of("S")
	snapshot.subject_states = {}
	assert not snapshot.is_stuck("S", CLOCK)
	assert not snapshot.is_ready("S")


def with_news(**fields: Any) -> Snapshot:
	"""A plan whose one subject has just been published."""
	snapshot = snapshot_of("S", **fields)
	snapshot.renditions["S"] = rendition(snapshot, "S", digest="before")
	return snapshot


def test_a_plan_needs_only_news() -> None:
	assert with_news().news == ["S"]
	assert snapshot_of("S").news == []


@pytest.mark.parametrize(
	("why", "snapshot"),
	[
		("unpublished", replace(with_news(), plan=None)),
		("its entry in the list of plans changes", replace(with_news(), state=PLAN_STATE)),
		("a subject is the plan's own", with_news(overrides=[HIDE])),
		("a subject is not ready", with_news(published_generation=2)),
		("a subject is new in the plan", replace(with_news(), renditions={})),
	],
)
def test_a_plan_that_needs_more_is_built_by_itself(why: str, snapshot: Snapshot) -> None:
	assert snapshot.news is None, why


# which subjects are rendered


def test_only_changed_subjects_are_rendered_unless_all_are_wanted() -> None:
	snapshot = snapshot_of("A", "B", "C")
	snapshot.renditions["B"] = rendition(snapshot, "B", digest="before")
	shown = PlanScope.of(snapshot)
	assert shown.changed() == ["B"]
	assert shown.changed(from_scratch=True) == ["A", "B", "C"]
	assert shown.skipped == ["A", "B", "C"]


def test_a_stuck_subject_is_kept_and_one_that_was_never_published_is_left_out() -> None:
	snapshot = snapshot_of("A", "B", "C")
	snapshot.renditions["A"] = rendition(snapshot, "A", digest="before")
	del snapshot.renditions["B"]
	shown = PlanScope.of(snapshot, {"A", "B"})
	assert (list(shown.wanted), shown.kept) == (["A", "C"], {"A"})
	assert shown.changed(from_scratch=True) == ["C"]


@pytest.mark.parametrize("lessons", [MOST_LESSONS_UNSHARDED, MOST_LESSONS_UNSHARDED + 1])
def test_search_is_sharded_above_a_number_of_lessons(lessons: int) -> None:
	snapshot = snapshot_of("A", "B")
	for name, many in (("A", 1), ("B", lessons - 1)):
		summary = {**snapshot.renditions[name].summary, "lessons": many}
		snapshot.renditions[name] = replace(snapshot.renditions[name], summary=summary)
	shown = PlanScope.of(snapshot)
	again = shown.decide_search()
	assert shown.sharded is (lessons > MOST_LESSONS_UNSHARDED)
	# What has no shards yet is rendered, though it has not changed.
	assert again == (["A", "B"] if shown.sharded else [])


def test_search_keeps_its_form_for_a_subject_that_cannot_be_rendered() -> None:
	snapshot = snapshot_of("A", "B")
	summary = {**snapshot.renditions["A"].summary, "lessons": MOST_LESSONS_UNSHARDED}
	snapshot.renditions["A"] = replace(snapshot.renditions["A"], summary=summary)
	shown = PlanScope.of(snapshot, {"A"})
	assert (shown.decide_search(), shown.sharded) == ([], False)


def test_entries_that_were_not_read_are_made_by_rendering() -> None:
	snapshot = snapshot_of("A", "B")
	snapshot.renditions["B"] = rendition(snapshot, "B", search=None)
	assert PlanScope.of(snapshot).decide_search() == ["B"]


# what is offered


def test_a_shared_subject_costs_the_plan_its_own_file_and_the_entry_points() -> None:
	files = files_of(snapshot_of("S"), rendered())
	assert list(files.offered.planned) == [
		paths.plan_subject(PLAN.name, "S"),
		paths.search_index(PLAN.name),
		paths.manifest(PLAN.name),
	]
	assert f"{paths.unit('U', None)}?v=7" in str(files.offered.changed()[0].document)


def test_an_own_subject_has_its_units_and_lessons_in_the_plans_folder() -> None:
	files = files_of(snapshot_of("S", overrides=[Override("unit", "U", "Set Free")]), rendered())
	kinds = [file.kind for file in files.offered.planned.values()]
	assert kinds == ["lesson", "unit", "subject", "search_index", "manifest"]
	assert all(path.startswith(f"plans/{paths.segment(PLAN.name)}/") for path in files.offered.planned)


def test_what_is_not_rendered_is_taken_over() -> None:
	snapshot = snapshot_of("A", "S")
	files = files_of(snapshot, rendered())
	document = files.manifest.document
	assert document
	assert [one["id"] for one in document["subjects"]] == ["A", "S"]
	index = files.offered.planned[paths.search_index(PLAN.name)].document
	assert index
	assert [one["subject_id"] for one in index["entries"]] == ["A", "S"]
	assert [known.subject for known in files.renditions()] == ["S"]


def test_a_subject_that_is_no_longer_published_is_left_out() -> None:
	files = files_of(snapshot_of("A", "S"), RenderedSubject("S", None, {}))
	document = files.manifest.document
	assert document
	assert [one["id"] for one in document["subjects"]] == ["A"]


def test_a_unit_that_is_not_published_yet_stops_the_plan_and_names_the_subject() -> None:
	with pytest.raises(UnitMissingError) as error:
		files_of(snapshot_of("S"), rendered(versions={}))
	assert error.value.subject == "S"


def test_what_the_guard_keeps_paid_is_rendered_again_next_time() -> None:
	found = rendered()
	assert found.resolved
	found.kept_paid = large_change_guard.lessons(found.resolved)
	snapshot = snapshot_of("S")
	files = files_of(snapshot, found)
	snapshot.renditions = {known.subject: known for known in files.renditions()}
	assert snapshot.has_changed("S")
	assert [node.name for node in files.kept_paid] == ["L"]


def test_search_entries_that_are_noted_already_are_not_stored_again() -> None:
	snapshot = snapshot_of("S")
	(first,) = files_of(snapshot, rendered()).renditions()
	assert first.search is not None
	snapshot.renditions["S"] = first
	(second,) = files_of(snapshot, rendered()).renditions()
	assert second.search is None


# what goes, and when


@pytest.mark.parametrize(
	("leaves", "snapshot", "found"),
	[
		(False, snapshot_of("S"), rendered()),
		(True, snapshot_of("S"), rendered(dropped=99)),
		(False, snapshot_of("S"), rendered(dropped=1)),  # the plan does not link to it any more
		(True, replace(snapshot_of("S", "R"), sort_orders={"S": 0}), rendered()),  # R is gone
	],
)
def test_files_may_have_to_go(leaves: bool, snapshot: Snapshot, found: RenderedSubject) -> None:
	files = files_of(snapshot, found)
	assert files.leaves_files(files.removals(Facts())) is leaves


def test_shared_files_may_have_to_go_when_the_plan_takes_a_subject_for_its_own() -> None:
	snapshot = snapshot_of("S", overrides=[HIDE])
	snapshot.renditions["S"] = replace(snapshot.renditions["S"], mode="shared")
	files = files_of(snapshot, rendered())
	assert files.leaves_files(files.removals(Facts()))


def left_behind(**fields: Any) -> PlanFiles:
	"""A plan that shows a subject's shared files now, and has a unit of its own of it left."""
	path = paths.unit("U", PLAN.name)
	return files_of(snapshot_of("S"), rendered(), entries={path: entry(path, **fields)})


def test_what_has_merely_moved_stays_for_its_grace() -> None:
	removals = left_behind().removals(Facts())
	assert (removals.at_once, removals.after_grace) == ([], [paths.unit("U", PLAN.name)])


@pytest.mark.parametrize(
	("why", "fields", "facts"),
	[
		("its unit is gone", {"node": "elsewhere"}, Facts()),
		("its subject is gone", {"subject": "another"}, Facts()),
		("fewer may read it", {"access_level": "public"}, Facts()),
		("the shared subject has given up files", {}, Facts(lost_by_shared={"S"})),
		("its file was made private", {}, Facts(private={paths.unit("U", PLAN.name)})),
	],
)
def test_what_is_withdrawn_goes_at_once(why: str, fields: dict[str, Any], facts: Facts) -> None:
	assert left_behind(**fields).removals(facts).at_once == [paths.unit("U", PLAN.name)], why


def test_a_grace_that_has_begun_is_not_begun_again() -> None:
	removals = left_behind(state="removing", in_grace=True).removals(Facts())
	assert not removals


@pytest.mark.parametrize(
	("why", "hides", "content", "withdrawn"),
	[
		("this plan alone shows the subject, and hides something", True, {}, True),
		("it is there for this plan", False, {}, False),
		("others show it, and the content has it", True, {"S": {("unit", "U"): "authenticated"}}, False),
		("others show it, and the content has it no more", False, {"S": {}}, True),
		("others show it, and the content cannot be read", False, {"S": None}, False),
	],
)
def test_others_files_lose_their_grace_where_something_is_withdrawn(
	why: str, hides: bool, content: Any, withdrawn: bool
) -> None:
	override = HIDE if hides else Override("unit", "U", "Rename", "New")
	files = files_of(snapshot_of("S", overrides=[override]), rendered())
	waiting = [entry(paths.unit("U", None), scope="subject:S", state="removing", in_grace=True)]
	removals = files.removals(Facts(waiting=waiting, content=content))
	assert (removals.withdrawn == {"S"}) is withdrawn, why


@given(
	st.lists(
		st.tuples(
			st.sampled_from("UVW"), st.booleans(), st.sampled_from(("public", "authenticated", "paid"))
		),
		max_size=6,
	),
	st.booleans(),
)
def test_each_file_that_leaves_a_subject_goes_once_and_none_stays_that_fewer_may_read(
	left: list[tuple[str, bool, str]], shows: bool
) -> None:
	leaving = [
		entry(f"units/{n}.json", node=node, in_grace=in_grace, access_level=level)
		for n, (node, in_grace, level) in enumerate(left)
	]
	levels: Any = {("unit", "U"): "paid", ("unit", "V"): "public"} if shows else {}
	removals = file_removals.of_subject("S", leaving, leaving, levels, ())
	named = [*removals.at_once, *removals.after_grace]
	assert len(named) == len(set(named))
	for one in leaving:
		withdrawn = file_removals.is_withdrawn(one, levels)
		assert (one.path in removals.at_once) is withdrawn
		assert (one.path in removals.after_grace) is (not withdrawn and not one.in_grace)
	assert bool(removals.withdrawn) is bool(removals.at_once)


def test_what_has_come_from_another_subject_is_withdrawn_there() -> None:
	here = entry("units/U.json", subject="before")
	removals = file_removals.of_subject("S", [], [here], {("unit", "U"): "authenticated"}, ())
	assert removals.withdrawn == {"before"}


# the large-change guard


@pytest.mark.parametrize(
	("lost", "taken_down", "held"),
	[(3, 0, False), (4, 0, True), (4, 1, False), (10, 1, False)],
)
def test_more_than_three_in_ten_lessons_wait_unless_one_was_taken_down(
	lost: int, taken_down: int, held: bool
) -> None:
	snapshot = snapshot_of("S")
	known = {"S": replace(snapshot.renditions["S"], summary={"lessons": 10})}
	found = large_change_guard.losses(
		known, ["S"], shown=10 - lost, lost=lost, taken_down={f"L{n}" for n in range(taken_down)}
	)
	assert (found.live, found.others, found.are_held) == (10, lost - taken_down, held)


def test_a_lesson_that_moved_to_another_subject_counts_as_lost() -> None:
	"""The ledger has it under its new subject by then, but the manifest's counts still include it."""
	known = {"S": replace(snapshot_of("S").renditions["S"], summary={"lessons": 10})}
	assert large_change_guard.losses(known, ["S"], shown=5, lost=0, taken_down=set()).are_held


def test_paid_lessons_stay_paid() -> None:
	free = subject("S", track("T", unit("U", topic("P", lesson("L"), lesson("M"))), is_free_preview=True))
	resolved, kept = large_change_guard.keep_paid(free, (), {"L": Right("paid", "ITEM")})
	levels = {node.name: node.access.level for node in large_change_guard.lessons(resolved)}
	assert (levels, [node.name for node in kept]) == ({"L": "paid", "M": "free_preview"}, ["L"])
