"""Spec, "Files": every path, and names that cannot stand in one as they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memora.services.cdn_export.model import paths
from tests.support import LONG, NAMES

SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,64}|~[a-z2-7]{26}")


@pytest.mark.parametrize("name", ["a", "a1b2c3d4e5", "A-b_C", "x" * 64, "0"])
def test_a_plain_name_stands_as_it_is(name: str) -> None:
	assert paths.segment(name) == name


@pytest.mark.parametrize(
	"name", ["", " ", "two words", "a/b", "..", "درس", "🍕", "x" * 65, LONG, "a\n", "~a"]
)
def test_any_other_name_stands_as_a_digest(name: str) -> None:
	assert re.fullmatch(r"~[a-z2-7]{26}", paths.segment(name))


def test_the_digest_is_the_one_that_readers_can_compute() -> None:
	"""The first 26 characters of the lower-case base32 of the name's SHA-256."""
	assert paths.segment("two words") == "~ua7r2yiwixvvhliwygxvi3fape"


@settings(max_examples=200)
@given(st.lists(st.text(max_size=80) | st.sampled_from(NAMES), unique=True, max_size=20))
def test_names_never_share_a_segment(names: list[str]) -> None:
	segments = [paths.segment(name) for name in names]
	assert len(set(segments)) == len(names)
	assert all(SEGMENT.fullmatch(segment) for segment in segments)


def test_every_file_of_the_spec_has_its_path() -> None:
	assert paths.PLAN_INDEX == "plans/index.json"
	assert paths.manifest("p1") == "plans/p1/manifest.json"
	assert paths.plan_subject("p1", "s1") == "plans/p1/subjects/s1.json"
	assert paths.unit("u1") == "units/u1.json"
	assert paths.unit("u1", "p1") == "plans/p1/units/u1.json"
	assert paths.lesson("l1") == "lessons/l1.json"
	assert paths.lesson("l1", "p1") == "plans/p1/lessons/l1.json"
	assert paths.search_index("p1") == "plans/p1/search_index.json"
	assert paths.search_shard("p1", "s1") == "plans/p1/search/s1.json"
	assert paths.search_shard("p1", "s1", 2) == "plans/p1/search/s1/2.json"


def test_all_that_is_a_plans_own_stands_in_its_folder() -> None:
	plan = "خطة ٧"
	for path in (
		paths.manifest(plan),
		paths.plan_subject(plan, "s"),
		paths.unit("u", plan),
		paths.lesson("l", plan),
		paths.search_index(plan),
		paths.search_shard(plan, "s"),
		paths.search_shard(plan, "s", 1),
	):
		assert path.startswith(paths.plan_folder(plan))
	assert not paths.PLAN_INDEX.startswith(paths.plan_folder("index"))


@pytest.mark.parametrize(
	("extension", "stands"), [("png", "png"), (".JPG", "jpg"), ("", "bin"), ("p/g", "bin"), ("صورة", "bin")]
)
def test_media_stands_by_its_digest(extension: str, stands: str) -> None:
	assert paths.media("0" * 64, extension) == f"media/{'0' * 64}.{stands}"


def test_a_url_carries_its_targets_version() -> None:
	assert paths.versioned("units/abc.json", 1769300000) == "units/abc.json?v=1769300000"
