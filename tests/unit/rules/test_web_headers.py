"""What a web server sends with published files has to be what a storage keeps beside them."""

from __future__ import annotations

import pytest

from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.cache_headers import cache_control
from memora.services.cdn_export.rules import web_headers

FILES = {
	paths.PLAN_INDEX: "plans_index",
	paths.SCHEMA_INDEX: "schemas_index",
	paths.schema("lesson"): "schema",
	paths.manifest("units"): "manifest",
	paths.plan_subject("a plan", "physics"): "subject",
	paths.unit("angles"): "unit",
	paths.unit("media", "units"): "unit",
	paths.lesson("units"): "lesson",
	paths.lesson("search", "search"): "lesson",
	paths.search_index("grade-7"): "search_index",
	paths.search_shard("grade-7", "physics"): "search_shard",
	paths.search_shard("grade-7", "physics", 2): "search_shard",
	paths.GATE_KEYS: "gate_keys",
	paths.media("0" * 64, "png"): "media",
}


@pytest.mark.parametrize(("path", "kind"), FILES.items())
def test_cache_control_is_that_of_the_storage(path: str, kind: str) -> None:
	assert web_headers.of(path)["Cache-Control"] == cache_control(kind)


def test_every_kind_of_file_is_looked_at() -> None:
	from typing import get_args

	from memora.services.cdn_export.model.published_file import FileKind

	assert set(get_args(FileKind)) <= set(FILES.values())


def test_nothing_that_is_opened_by_itself_runs() -> None:
	headers = web_headers.of(paths.media("0" * 64, "svg"))
	assert headers["X-Content-Type-Options"] == "nosniff"
	assert headers["Content-Security-Policy"].startswith("default-src 'none'")
	assert "sandbox" in headers["Content-Security-Policy"]
