"""Spec, "Publishing": `Cache-Control` fits each kind of file."""

from __future__ import annotations

import pytest

from memora.services.cdn_export.model.cache_headers import cache_control


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
