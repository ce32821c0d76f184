"""Spec, "Publishing": `Cache-Control` fits each kind of file."""

from __future__ import annotations

import pytest

from memora.services.cdn_export.model.cache_headers import cache_control, is_closed, turned


@pytest.mark.parametrize("kind", ["subject", "unit", "search_shard", "media"])
def test_what_is_only_reached_by_versioned_urls_is_kept_for_good(kind: str) -> None:
	assert cache_control(kind) == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("kind", ["plans_index", "manifest", "search_index", "lesson"])
def test_everything_else_is_read_again_within_five_minutes(kind: str) -> None:
	assert cache_control(kind) == "public, max-age=300"


@pytest.mark.parametrize(
	("life", "age"), [(4 * 3600, 300), (1200, 300), (1199, 299), (600.9, 150), (3, 0), (0, 0), (-60, 0)]
)
def test_a_lesson_is_never_kept_beyond_a_quarter_of_its_signatures_life(life: float, age: int) -> None:
	assert cache_control("lesson", signature_life=life) == f"public, max-age={age}"


@pytest.mark.parametrize(("kind", "age"), [("lesson", 300), ("lesson_file", 3600)])
def test_behind_a_gate_only_the_readers_own_cache_keeps_what_is_closed(kind: str, age: int) -> None:
	assert cache_control(kind, private=True) == f"private, max-age={age}"
	assert cache_control("lesson", 600.9, private=True) == "private, max-age=150"


@pytest.mark.parametrize("level", ["public", "free_preview", "authenticated", "paid", "", "unknown"])
def test_what_is_not_said_to_be_open_is_closed(level: str) -> None:
	for kind in ("lesson", "lesson_file"):
		assert is_closed(kind, level) is (level not in ("public", "free_preview"))
	for kind in ("subject", "unit", "manifest", "search_index", "search_shard", "plans_index", "media"):
		assert not is_closed(kind, level)


def test_switched_on_and_off_a_lesson_keeps_its_seconds() -> None:
	for kind, public, private in (
		("lesson", "public, max-age=17", "private, max-age=17"),
		("lesson", "public, max-age=300", "private, max-age=300"),
		("lesson", "public, max-age=0", "private, max-age=0"),
		("lesson_file", "public, max-age=31536000, immutable", "private, max-age=3600"),
	):
		assert turned(kind, public, private=True) == private
		assert turned(kind, private, private=False) == public
	assert turned("lesson", "", private=True) == "private, max-age=300"
	assert turned("lesson", "public, max-age=86400", private=True) == "private, max-age=300"
