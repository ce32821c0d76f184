"""Which addresses the CDN is asked for after a purge, and what its answers mean."""

from __future__ import annotations

import pytest

from memora.services.cdn_export.rules import edge_watch
from memora.services.cdn_export.rules.edge_watch import Answer, Watched, add, after, judge, merge

PURGED = 1_000_000.0
MINUTE = 60.0
LESSON = "lessons/a.json"


@pytest.mark.parametrize(
	("path", "asked"),
	[
		("plans/index.json", True),
		("plans/p/manifest.json", True),
		("plans/p/search_index.json", True),
		("lessons/a.json", True),
		("plans/p/lessons/a.json", True),
		("lessons/a.json?v=1", False),
		("units/u.json", False),
		("plans/p/subjects/s.json", False),
		("plans/p/search/s.json", False),
		("media/0.png", False),
		("lessons/a/0.pdf", False),
		("schemas/index.json", False),
	],
)
def test_asked_is_what_apps_read_without_a_version(path: str, asked: bool) -> None:
	assert edge_watch.is_asked(path) is asked


@pytest.mark.parametrize(
	("wanted", "answer", "verdict"),
	[
		(20, Answer(200, 20), "right"),
		(20, Answer(200, 21), "right"),
		(20, Answer(200, 19, 812), "old"),
		(20, Answer(404), "old"),
		(20, Answer(410), "old"),
		(20, Answer(200), "unknown"),  # a login page
		(20, Answer(401), "unknown"),
		(20, Answer(403), "unknown"),
		(20, Answer(302), "unknown"),
		(20, Answer(503), "unknown"),
		(20, Answer(0), "unknown"),
		(0, Answer(200, 19), "old"),
		(0, Answer(200), "right"),  # an app's own page for whatever is missing
		(0, Answer(404), "right"),
		(0, Answer(403), "right"),
		(0, Answer(503), "unknown"),
		(0, Answer(0), "unknown"),
	],
)
def test_what_an_answer_means(wanted: int, answer: Answer, verdict: str) -> None:
	assert judge(wanted, answer) == verdict


def watched(**changed: object) -> Watched:
	return Watched(LESSON, PURGED, PURGED, PURGED + 10)._replace(**changed)


def old(each: Watched | None, minutes: float, version: int = 19) -> Watched:
	assert each
	found = after(each, "old", Answer(200, version, 5), PURGED + minutes * MINUTE)
	assert found
	return found


def test_what_is_right_is_asked_no_more() -> None:
	assert after(watched(), "right", Answer(200, 20), PURGED + 10) is None


def test_what_stays_old_is_stale_after_ten_minutes_and_is_asked_until_it_is_right() -> None:
	each = old(watched(), 1)
	assert (each.is_stale, each.due) == (False, PURGED + 2 * MINUTE)
	each = old(each, 9.9)
	assert not each.is_stale
	each = old(each, 10)
	assert (each.is_stale, each.due) == (True, PURGED + 15 * MINUTE)
	assert old(each, 9 * 24 * 60).is_stale
	assert after(each, "right", Answer(200, 20), PURGED + 16 * MINUTE) is None


def test_a_cache_that_shows_something_newer_has_forgotten_and_one_that_is_purged_again_has_not() -> None:
	each = old(old(watched(), 1), 9)
	(again,) = add([each], [LESSON], PURGED + 9.5 * MINUTE)
	assert again.since == PURGED
	assert old(again, 11).is_stale
	assert not old(again, 11, version=20).is_stale
	assert old(old(again, 11, version=20), 21, version=20).is_stale


def test_what_cannot_be_read_is_said_after_ten_minutes_and_given_up_after_an_hour() -> None:
	each = after(watched(), "unknown", Answer(0), PURGED + MINUTE)
	assert each and not each.is_unreadable
	each = after(each, "unknown", Answer(0), PURGED + 10 * MINUTE)
	assert each and each.is_unreadable and not each.is_stale
	assert after(each, "unknown", Answer(0), PURGED + 60 * MINUTE) is None


def test_a_file_that_is_being_written_says_nothing_new() -> None:
	each = old(watched(), 11)
	between = after(each, "between", each.answer, PURGED + 12 * MINUTE)
	assert between and between.is_stale and between.due == PURGED + 13 * MINUTE
	assert after(watched(), "between", Answer(0), PURGED + 60 * MINUTE) is None


def test_a_stale_address_stays_so_while_the_cdn_cannot_be_read() -> None:
	each = after(old(old(watched(), 1), 11), "unknown", Answer(503), PURGED + 120 * MINUTE)
	assert each and each.is_stale and each.due == PURGED + 121 * MINUTE


def test_some_of_each_kind_are_asked_for() -> None:
	purged = [f"plans/{n}/manifest.json" for n in range(50)] + [f"lessons/{n}.json" for n in range(50)]
	found = [each.path for each in add([], [*purged, "plans/index.json", "units/u.json"], PURGED)]
	assert len(found) == edge_watch.MOST_A_PURGE
	assert "plans/index.json" in found
	assert sum(path.startswith("lessons/") for path in found) >= 9
	many = [each for n in range(5) for each in [f"plans/{n}-{i}/manifest.json" for i in range(20)]]
	full: list[Watched] = []
	for start in range(0, len(many), 20):
		full = add(full, many[start : start + 20], PURGED)
	assert len(full) == edge_watch.MOST
	assert full[0].path == "plans/0-0/manifest.json"


def test_what_was_purged_again_while_it_was_asked_is_asked_again() -> None:
	each = watched()
	(again,) = add([each], [LESSON], PURGED + 20)
	assert merge([each], [(each, None)], PURGED + 21) == []
	(left,) = merge([again], [(each, None)], PURGED + 21)
	assert left == again._replace(since=PURGED + 20, due=PURGED + 31)
	(left,) = merge([again], [(each, old(each, 1))], PURGED + 61)
	assert (left.since, left.verdict, left.due) == (PURGED, "old", PURGED + 71)
	assert merge([], [(each, old(each, 1))], PURGED + 21) == []
