"""Who may see a film: whoever some lesson that names it lets in, and no other."""

from __future__ import annotations

from itertools import chain, combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from memora.services.cdn_export.model import paths
from memora.services.cdn_export.rules import film_access

SITE = "5c1e" * 8
ITEMS = ("A", "B", "C", "%D8%B5")
GRANTS = st.one_of(
	st.sampled_from(
		[("public", ""), ("free_preview", ""), ("authenticated", ""), ("paid", ""), ("", ""), ("rented", "A")]
	),
	st.sets(st.sampled_from(ITEMS), min_size=1).map(lambda items: ("paid", ",".join(sorted(items)))),
)
LEARNERS: list[set[str] | None] = [None, *map(set, chain(*(combinations(ITEMS, n) for n in range(5))))]


def opens(named: dict[str, Any] | None, learner: set[str] | None) -> bool:
	"""The gate's rule, for a document or a lesson's grant."""
	level = (named or {}).get("access-level")
	if level in ("public", "free_preview"):
		return True
	if learner is None:
		return False
	ways = named["any-of"] if named and "any-of" in named else [(named or {}).get("required-items")]
	return level == "authenticated" or (level == "paid" and any(way and set(way) <= learner for way in ways))


def grants(grant: tuple[str, str], learner: set[str] | None) -> bool:
	level, items = grant
	return opens({"access-level": level, "required-items": items.split(",") if items else []}, learner)


@given(st.lists(GRANTS, max_size=5))
def test_a_film_is_open_to_whom_some_lesson_lets_in(found: list[tuple[str, str]]) -> None:
	document = film_access.document(found, SITE)
	for learner in LEARNERS:
		assert opens(document, learner) == any(grants(grant, learner) for grant in found)
	if document:
		assert ("any-of" in document) + ("required-items" in document) == (document["access-level"] == "paid")


@given(GRANTS, GRANTS)
def test_while_a_lesson_is_written_only_whom_both_let_in_is_sure(
	one: tuple[str, str], other: tuple[str, str]
) -> None:
	for learner in LEARNERS:
		sure = grants(film_access.both(one, other), learner)
		assert sure == (grants(one, learner) and grants(other, learner))


def test_a_closed_film_is_open_to_nobody() -> None:
	assert not any(opens(film_access.closed(SITE), learner) for learner in LEARNERS)
	assert film_access.document([("public", "")], "") is None


def test_an_access_object_stays_below_what_the_gate_reads() -> None:
	many = [("paid", f"{number:090},{number + 1:090}") for number in range(0, 2_000, 2)]
	document = film_access.document(many, SITE)
	assert document is not None
	assert 100 < len(document["any-of"]) < 500


def test_a_film_has_what_opens_a_folder_around_it_too() -> None:
	named = {"videos/h/": [("paid", "A")], "videos/h/720/": [("paid", "B")], "videos/h/x.mp4": [("", "")]}
	assert film_access.opening("videos/h/720/", named, ["videos/"]) == [("paid", "B"), ("paid", "A")]
	assert film_access.opening("videos/h/720/", named, ["videos/", "videos/h/720/"]) == []
	assert film_access.opening("videos/h/x.mp4", named, ["videos/"]) == []
	assert film_access.opening("videos/other.mp4", named, ["videos/"]) == []


def test_what_an_access_object_is_about() -> None:
	def subject(key: str, *folders: str) -> str:
		return paths.film_subject(key, folders or ("videos/",))

	assert subject("videos/a.mp4") == "videos/a.mp4"
	assert subject("videos/a/list.m3u8") == "videos/a/"
	assert subject("videos/a/b/MANIFEST.MPD") == "videos/a/b/"
	assert subject("videos/list.m3u8") == ""
	assert subject("videos/a/list.m3u8", "videos/", "videos/a/") == ""
	assert subject("talks/list.m3u8", "talks/list.m3u8") == ""
	assert subject("talks/a.mp4", "talks/a.mp4") == "talks/a.mp4"
	assert subject("elsewhere/a.mp4") == ""
