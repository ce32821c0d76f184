"""What a form's status line says, decided from plain facts: each rule, and which comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.doctypes import LESSON, SUBJECT
from memora.services.cdn_export.rules import publication_status as rules
from memora.services.cdn_export.rules.publication_status import (
	LEFT_OUT,
	WORST_FIRST,
	DocumentFacts,
	Hider,
	PlanFacts,
	ScopeFacts,
	Verdict,
)

THEN = datetime(2026, 2, 1, 12)
DRAFT = Verdict("draft", "draft")
ABOVE = Verdict("above", "draft_above", (SUBJECT, "Physics"))
FAILED = Verdict("failed", "failed", ("The disk is full",), THEN)
LIVE = DocumentFacts("Grade 7", is_live=True)
SEVERAL_SCOPES = [
	ScopeFacts(has_failed=True, last_error="The disk is full", next_retry_at=THEN),
	ScopeFacts(is_held=True, waits=True, held_reason="3 of 4 lessons"),
]


# a scope


@pytest.mark.parametrize(
	("scope", "state"),
	[
		(ScopeFacts(), None),
		(ScopeFacts(waits=True), None),
		(ScopeFacts(is_held=True), None),  # what it holds is published by now
		(ScopeFacts(is_held=True, waits=True), "held"),
		(ScopeFacts(is_held=True, waits=True, has_failed=True), "failed"),
		(ScopeFacts(is_held=True, waits=True, has_failed=True, is_building=True), "building"),
		(ScopeFacts(is_held=True, waits=True, has_failed=True, is_building=True, is_dead=True), "dead"),
	],
)
def test_what_keeps_a_scopes_changes_from_going_out(scope: ScopeFacts, state: str | None) -> None:
	found = rules.trouble([scope])
	assert (found and found.state) == state


def test_the_worst_of_several_scopes_is_told_with_its_cause_and_next_try() -> None:
	assert rules.trouble(SEVERAL_SCOPES) == rules.trouble(SEVERAL_SCOPES[::-1]) == FAILED


@pytest.mark.parametrize(
	("minutes", "late"), [(-2, False), (-1, False), (-0.5, True), (0, True), (5, True), (None, True)]
)
def test_an_edit_just_before_a_build_ended_may_have_come_too_late(minutes: float | None, late: bool) -> None:
	last = None if minutes is None else THEN
	assert rules.is_too_late(THEN + timedelta(minutes=minutes or 0), last) is late


# a document in one plan


@pytest.mark.parametrize(
	("facts", "reason"),
	[
		({}, "live"),
		({"trouble": FAILED}, "live"),  # nothing of this document waits
		({"waits": True}, "changed"),
		({"is_live": False}, "not_live_yet"),
		({"waits": True, "trouble": FAILED}, "failed"),
		({"is_live": False, "trouble": FAILED}, "failed"),
	],
)
def test_what_should_be_live(facts: dict[str, Any], reason: str) -> None:
	assert rules.in_plan(replace(LIVE, **facts)).reason == reason


REASONS: list[tuple[dict[str, Any], Verdict]] = [
	({"left_out": DRAFT}, DRAFT),
	({"is_plan_published": False}, Verdict("draft", "draft_plan", ("Grade 7",))),
	({"is_in_season": False}, Verdict("draft", "draft_plan_season", ("Grade 7",))),
	({"hider": Hider(LESSON, "Forces", True)}, Verdict("hidden", "hidden", ("Grade 7",))),
	(
		{"hider": Hider("Memora Unit", "Motion", False)},
		Verdict("hidden", "hidden_above", ("Grade 7", "Memora Unit", "Motion")),
	),
]


@pytest.mark.parametrize(("facts", "verdict"), REASONS)
def test_what_should_not_be_live_says_why(facts: dict[str, Any], verdict: Verdict) -> None:
	for there in (LIVE, replace(LIVE, is_live=False), replace(LIVE, is_live=False, trouble=FAILED)):
		assert rules.in_plan(replace(there, **facts)) == verdict


def test_the_first_reason_to_leave_a_document_out_is_told() -> None:
	facts = replace(LIVE, is_live=False)
	for change, verdict in reversed(REASONS[:-1]):
		facts = replace(facts, **change)
		assert rules.in_plan(facts) == verdict


@pytest.mark.parametrize(("why", "left_out"), REASONS)
@pytest.mark.parametrize(
	("there", "reason"),
	[
		({"waits": True}, "leaving"),
		({"waits": True, "trouble": FAILED}, "failed"),
		({"trouble": FAILED}, "failed"),  # its own file is still there, though nothing waits
		({"waits": True, "is_shown": False}, None),
		({"has_file": False, "trouble": FAILED}, None),  # a topic: its unit's file is there without it
		({"has_file": False, "waits": True}, "leaving"),
	],
)
def test_what_should_not_be_live_and_still_is(
	why: dict[str, Any], left_out: Verdict, there: dict[str, Any], reason: str | None
) -> None:
	found = rules.in_plan(replace(LIVE, **why, **there))
	assert found.reason == (reason or left_out.reason)


@given(
	st.builds(
		DocumentFacts,
		plan=st.just("Grade 7"),
		left_out=st.sampled_from((None, DRAFT, ABOVE)),
		hider=st.sampled_from((None, Hider(LESSON, "Forces", True))),
		trouble=st.sampled_from((None, FAILED)),
	)
)
def test_whatever_the_facts_only_what_is_live_and_should_be_is_called_live(facts: DocumentFacts) -> None:
	found = rules.in_plan(facts)
	should = not facts.left_out and facts.is_plan_published and facts.is_in_season and not facts.hider
	assert (found.state == "live") is (should and facts.is_live and not facts.waits)
	if found.state in LEFT_OUT:
		assert not should
	if found.state == "leaving":
		assert facts.is_live and not should
	if not facts.trouble:
		assert found.state != "failed"


# a plan


@pytest.mark.parametrize(
	("facts", "reason"),
	[
		(PlanFacts(is_live=True), "live"),
		(PlanFacts(is_live=True, trouble=FAILED), "live"),
		(PlanFacts(is_live=True, waits=True), "changed"),
		(PlanFacts(is_live=True, waits=True, trouble=FAILED), "failed"),
		(PlanFacts(), "not_live_yet"),
		(PlanFacts(trouble=FAILED), "failed"),
		(PlanFacts(is_ticked=False), "draft"),
		(PlanFacts(is_ticked=False, is_in_season=False), "draft"),
		(PlanFacts(is_in_season=False), "draft_season"),
		(PlanFacts(is_ticked=False, is_live=True), "leaving"),
		(PlanFacts(is_in_season=False, is_live=True), "leaving"),
		(PlanFacts(is_ticked=False, is_live=True, waits=True, trouble=FAILED), "failed"),
		(PlanFacts(is_ticked=False, trouble=FAILED), "draft"),
	],
)
def test_a_plan(facts: PlanFacts, reason: str) -> None:
	assert rules.of_plan(facts).reason == reason


# a document as a whole


def verdicts(*states: Any) -> list[Verdict]:
	return [Verdict(state, "live", (str(number),)) for number, state in enumerate(states)]


def test_the_worst_of_its_plans_is_told_and_the_first_of_those() -> None:
	for better, worse in zip(WORST_FIRST[1:], WORST_FIRST, strict=False):
		found = verdicts("hidden", better, worse, worse)
		assert rules.as_a_whole(None, found) == (worse, (found[2],))


@pytest.mark.parametrize(
	("states", "state", "reason"),
	[
		((), "no_plan", "no_plan"),
		(("hidden",), "hidden", "live"),  # what its one plan says
		(("hidden", "hidden"), "hidden", "hidden_by_all"),
		(("hidden", "draft"), "draft", "shown_by_none"),
	],
)
def test_what_no_plan_shows(states: tuple[str, ...], state: str, reason: str) -> None:
	whole = rules.as_a_whole(None, verdicts(*states))
	assert (whole.state, [one.reason for one in whole.said]) == (state, [reason])


@pytest.mark.parametrize("state", ["dead", "failed", "held", "building", "leaving"])
def test_a_draft_says_too_what_keeps_it_on_the_cdn(state: str) -> None:
	found = verdicts("draft", state)
	assert rules.as_a_whole(ABOVE, found) == (state, (ABOVE, found[1]))


def test_a_draft_that_is_gone_is_a_draft_whatever_its_plans_are() -> None:
	assert rules.as_a_whole(DRAFT, []) == rules.as_a_whole(DRAFT, verdicts("draft")) == ("draft", (DRAFT,))


# the file


def test_the_file_that_shows_a_document() -> None:
	line = [
		(SUBJECT, "S"),
		("Memora Track", "T"),
		("Memora Unit", "U"),
		("Memora Topic", "P"),
		(LESSON, "L"),
	]
	assert [rules.file_of(line[:depth], "plan", None) for depth in range(1, 6)] == [
		paths.plan_subject("plan", "S"),
		paths.plan_subject("plan", "S"),
		paths.unit("U", None),
		paths.unit("U", None),
		paths.lesson("L", None),
	]
	assert rules.file_of(line, "plan", "plan") == paths.lesson("L", "plan")
