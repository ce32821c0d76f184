"""All that keeps a document from being live: what is told, in which order, and where it is fixed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memora.services.cdn_export.model.doctypes import LESSON, PLAN, SUBJECT, TOPIC
from memora.services.cdn_export.rules import obstacles as rules
from memora.services.cdn_export.rules.obstacles import Listing, Placed
from memora.services.cdn_export.rules.publication_status import Verdict

MATHS = Placed(SUBJECT, "maths", "Mathematics")
ANGLES = Placed(TOPIC, "angles", "Angles")
LESSON_1 = Placed(LESSON, "l1", "Right angles")
LINE = [MATHS, ANGLES, LESSON_1]
SEASON = Placed("Memora Season", "2026", "2026/27")
GRADE_7 = Listing("g7", "Grade 7", season=SEASON)
FAILED = Verdict("failed", "failed", ("The disk is full",))


def draft(node: Placed) -> Placed:
	return node._replace(is_published=False)


def told(line: list[Placed], *plans: Listing) -> list[tuple[str, str]]:
	"""Each reason, with the document where it is fixed."""
	return [
		(found.verdict.reason, found.at.title if found.at else "") for found in rules.of_document(line, plans)
	]


def test_a_document_that_should_be_live_has_none() -> None:
	assert told(LINE, GRADE_7) == []


def test_all_drafts_are_told_from_the_document_up_and_publishing_fixes_them() -> None:
	line = [draft(MATHS), ANGLES, draft(LESSON_1)]
	assert told(line, GRADE_7) == [("draft", "Right angles"), ("draft_above", "Mathematics")]
	assert rules.drafts(rules.of_document(line, [GRADE_7])) == [line[-1], line[0]]


def test_what_its_plans_say_is_told_beside_its_own() -> None:
	line = [MATHS, draft(ANGLES), LESSON_1]
	plan = replace(GRADE_7, is_published=False, is_in_season=False, hidden=(MATHS, LESSON_1))
	assert told(line, plan) == [
		("draft_above", "Angles"),
		("draft_plan", "Grade 7"),
		("draft_plan_season", "2026/27"),
		("hidden_above", "Grade 7"),
		("hidden", "Grade 7"),
	]
	assert [found.plan for found in rules.of_document(line, [plan])] == ["", *["g7"] * 4]
	assert len(rules.drafts(rules.of_document(line, [plan]))) == 1


@pytest.mark.parametrize(
	"other",
	[replace(GRADE_7, hidden=(MATHS,)), replace(GRADE_7, is_published=False)],
	ids=["hidden", "draft"],
)
def test_where_one_plan_shows_it_the_others_keep_nothing_from_being_live(other: Listing) -> None:
	assert told(LINE, GRADE_7, other) == []
	assert told([MATHS, ANGLES, draft(LESSON_1)], GRADE_7, other) == [("draft", "Right angles")]


def test_what_is_in_no_plan_or_in_no_subject_says_so() -> None:
	(found,) = rules.of_document(LINE, [])
	assert (found.verdict.reason, found.verdict.about) == ("no_plan", ("Mathematics",))
	assert rules.of_document([MATHS], [])[0].verdict.about == ()
	assert found.at and found.at.ref == (PLAN, "")
	assert told([ANGLES, draft(LESSON_1)]) == [("draft", "Right angles"), ("no_subject", "Right angles")]


def test_what_fails_is_told_of_plans_that_show_it_too() -> None:
	assert told(LINE, GRADE_7, replace(GRADE_7, trouble=FAILED)) == [("failed", "")]
	assert told(LINE, replace(GRADE_7, trouble=Verdict("building", "building"))) == []


def test_what_is_paid_without_an_item_is_fixed_at_the_node_or_in_the_plan_that_sells_it() -> None:
	assert told(LINE, replace(GRADE_7, unsold=ANGLES)) == [("no_item", "Angles")]
	by_plan = replace(GRADE_7, unsold=ANGLES, is_sold_by_override=True)
	assert told(LINE, by_plan) == [("no_item", "Grade 7")]
	assert [found.plan for found in rules.of_document(LINE, [by_plan])] == ["g7"]


def test_a_plan_is_kept_back_by_itself_and_by_its_season() -> None:
	plan = Placed(PLAN, "g7", "Grade 7")
	assert rules.of_plan(plan, SEASON, None) == rules.of_plan(plan, None, None) == []
	found = rules.of_plan(draft(plan), draft(SEASON), FAILED)
	assert [each.verdict.reason for each in found] == ["draft", "draft_season", "failed"]
	assert found[1].at == draft(SEASON)
