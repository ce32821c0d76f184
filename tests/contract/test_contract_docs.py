"""docs/contract.md tells the truth: what it takes from elsewhere is as it would be made now."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from contract import doc, kit

from memora.services.cdn_export.model.cache_headers import SHORT, YEAR, cache_control
from memora.services.cdn_export.model.published_file import FileKind
from memora.services.cdn_export.model.tree import AccessLevel
from memora.services.cdn_export.rules import contracts, embeds, stage_check
from memora.services.cdn_export.rules.published_check import check
from tests.example import curriculum
from tests.example.configs import CONFIGS

PAGE = kit.PAGE.read_text(encoding="utf-8")
STALE = "run dev/contract/make, and look at what it changes"


def test_the_pages_tables_and_examples_are_those_of_now() -> None:
	assert doc.render(PAGE) == PAGE, STALE


def test_the_examples_tree_is_what_would_be_published_now() -> None:
	there = {
		str(file.relative_to(kit.TREE)): file.read_bytes() for file in kit.TREE.rglob("*") if file.is_file()
	}
	assert there == kit.tree(), STALE


def test_the_examples_tree_is_sound_and_has_some_of_everything() -> None:
	published = curriculum.published()
	report = check(published.get, lambda: published)
	assert report.ok, report.problems
	levels = {level for plan in report.plans for level, lessons in plan.levels.items() if lessons}
	assert levels == set(get_args(AccessLevel))
	assert {plan.own_subjects for plan in report.plans} == {0, 1}
	types = {stage.type for stages in curriculum.STAGES.values() for stage in stages}
	assert types == {"Video", "Question", "Text", "Interactive"}


@pytest.mark.parametrize("kind", contracts.KINDS)
def test_every_kind_of_file_is_described_with_an_example(kind: str) -> None:
	section = re.search(rf"^### [^\n]+\n(?:(?!^### ).)*<!-- fields: {kind} -->.*?(?=^##)", PAGE, re.S | re.M)
	assert section, kind
	assert "<!-- example: " in section[0]


@pytest.mark.parametrize("type_", contracts.STAGE_TYPES)
def test_every_type_of_stage_is_described_with_examples_that_are_as_they_should_be(type_: str) -> None:
	section = re.search(rf"^### {type_}\n.*?(?=^##)", PAGE, re.S | re.M)
	assert section
	assert f"<!-- fields: {contracts.STAGES[type_]} -->" in section[0]
	assert f"<!-- configs: {type_} -->" in section[0]
	for config in CONFIGS[type_]:
		assert stage_check.check(type_, config) == []


def test_the_examples_have_every_kind_of_question() -> None:
	kinds = contracts.schema("stage_question")["properties"]["kind"]["enum"]
	assert [config["kind"] for config in CONFIGS["Question"]] == kinds


def test_the_contract_the_check_and_the_reader_embed_the_same() -> None:
	listed = contracts.schema("common")["definitions"]["embed"]["enum"]
	assert listed == [service.origin for service in embeds.SERVICES]
	for page in ("index.html", "stage.html"):
		text = (kit.REPO / "memora" / "public" / "reader" / page).read_text(encoding="utf-8")
		policy = re.search(r"frame-src ([^;]+);", text)
		assert policy
		assert policy[1].split() == listed


def test_every_field_has_a_meaning() -> None:
	for kind in (*contracts.KINDS, *contracts.STAGES.values()):
		for line in doc.fields(kind).splitlines()[2:]:
			assert not line.endswith("|  |"), (kind, line)


def test_the_page_says_how_long_caches_may_keep_what() -> None:
	for_good = {kind for kind in get_args(FileKind) if f"max-age={YEAR}, immutable" in cache_control(kind)}
	assert for_good == {"subject", "unit", "search_shard"}
	assert "| subject, unit, search shard, media | a year, `immutable`:" in PAGE
	assert SHORT == 300
	assert cache_control("lesson", 400) == "public, max-age=100"


def test_the_page_names_the_contracts_version() -> None:
	assert f"It is contract version {contracts.VERSION}." in PAGE


def test_the_pages_links_lead_somewhere() -> None:
	anchors = {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in _headings()}
	for target in re.findall(r"\]\(([^)]+)\)", PAGE):
		if target.startswith("#"):
			assert target[1:] in anchors, target
		else:
			assert (kit.PAGE.parent / target).exists(), target


def _headings() -> list[str]:
	return re.findall(r"^#+ (.+)$", PAGE, re.M)
