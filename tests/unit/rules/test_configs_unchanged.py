"""What is published of a stage is what was saved, byte by byte, save for links to the site's own files: of any shape, also of
what no form makes and no schema knows."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memora.services.cdn_export.model import paths, stage_files
from memora.services.cdn_export.model.stage_files import Link, PublicFile
from memora.services.cdn_export.model.tree import Stage
from memora.services.cdn_export.rules import stage_check, subject_files
from memora.services.cdn_export.rules.subject_files import LessonDraft
from tests.example.configs import CONFIGS

FILE = PublicFile("/site/public/files/a b.png", "stamp", 3, "0" * 64, "png")
PUBLISHED = paths.lesson_file("l", FILE.name, None)
LESSON: Any = type("Lesson", (), {"name": "l"})()
DRAFT = LessonDraft(paths.lesson("l"), LESSON, {"id": "l", "navigation": {}}, "", "")
EVERY_TYPE = [(type_, config) for type_, configs in CONFIGS.items() for config in configs]

_ADDRESSES = st.sampled_from(
	[
		*(
			"/files/a b.png",
			"/files/a%20b.png",
			"/files/a b.png#page=2",
			"/files/other.png",
			"/private/files/a b.png",
		),
		*(
			"https://school.example/files/a%20b.png",
			"https://e.example/files/a%20b.png",
			"a b.png",
			"#a",
			"mailto:a@b",
		),
		*(
			"/files/",
			"/files/a b.png?x=1&amp;y=2",
			"data:image/png;base64,iVBORw==",
			"https://youtu.be/x",
			"",
		),
	]
)
_MARKUP = st.lists(
	st.one_of(
		st.builds('<img alt="x > y" src="{}">'.format, _ADDRESSES),
		st.builds("<a href='{}' title=\"/files/a b.png\">".format, _ADDRESSES),
		st.builds('<img srcset="{} 2x, /x.png">'.format, _ADDRESSES),
		st.builds("<video poster={}>".format, _ADDRESSES),
		st.builds("<!-- <img src='{}'> -->".format, _ADDRESSES),
		st.builds("<script>a = '<img src=\"{}\">'</script>".format, _ADDRESSES),
		st.builds("![x]({})".format, _ADDRESSES),
		st.sampled_from(
			[
				"<p>",
				"</p>",
				"a < b",
				"&lt;img src=/files/a&gt;",
				"\\(x^2\\)",
				"سؤال",
				"😀",
				"\u0000",
				"\u2028",
			]
		),
		st.text(max_size=8),
	),
	max_size=8,
).map("".join)
_TEXTS = st.one_of(_MARKUP, _ADDRESSES, st.text(max_size=20))
_KEYS = st.one_of(
	st.sampled_from([*{key for _, config in EVERY_TYPE for key in config}, "src", "markdown", "options"]),
	st.text(max_size=6),
)
_VALUES = st.recursive(
	st.one_of(
		*(_TEXTS, st.booleans(), st.none(), st.integers(-(2**63), 2**64 - 1)),
		st.floats(allow_nan=False, allow_infinity=False),
	),
	lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_KEYS, inner, max_size=4)),
	max_leaves=12,
)
_CONFIGS = st.one_of(
	st.dictionaries(_KEYS, _VALUES, max_size=6),
	st.builds(
		lambda one, more: {**one[1], **more},
		st.sampled_from(EVERY_TYPE),
		st.dictionaries(_KEYS, _VALUES, max_size=2),
	),
)


def published(type_: str, text: bytes, files: dict[Link, PublicFile]) -> bytes:
	"""A config as its lesson's file has it, from what is saved."""
	stages = [Stage("s", type_, orjson.loads(text))]
	document, _ = subject_files.body(DRAFT, stages, files, None)
	return orjson.dumps(document["stages"][0]["config"])


def of_the_site(config: Any) -> dict[Link, PublicFile]:
	"""The links that lead to the one file that this site has."""
	return {
		link: FILE
		for link in stage_files.file_links(config)
		if "a b.png" in stage_files.names(link, {"school.example"})
	}


def without_links(config: Any, files: dict[Link, PublicFile]) -> Any:
	"""With the same word for each link to the site's file, before it is published or after it was."""

	def cut(link: Link) -> str | None:
		return "CUT" if link in files or link.url.partition("#")[0] == PUBLISHED else None

	return _replaced(config, cut)


def _replaced(config: Any, cut: Any) -> Any:
	if isinstance(config, dict):
		return {key: _replaced(value, cut) for key, value in config.items()}
	if isinstance(config, list):
		return [_replaced(value, cut) for value in config]
	if isinstance(config, str) and (found := cut(Link(config, is_html=False))):
		return found
	return stage_files.replaced(config, cut, lambda _text: True)


@settings(max_examples=1_000, deadline=None)
@given(st.sampled_from([*CONFIGS, ""]), _CONFIGS)
def test_whatever_is_saved_is_published_as_it_is(type_: str, config: dict[str, Any]) -> None:
	text = orjson.dumps(config)
	assert published(type_, text, {}) == text
	files = of_the_site(config)
	if not files:
		assert published(type_, text, {Link("/files/elsewhere.png", False): FILE}) == text
		return
	found = orjson.loads(published(type_, text, files))
	assert orjson.dumps(without_links(found, {})) == orjson.dumps(without_links(config, files))
	assert PUBLISHED in orjson.dumps(found).decode()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([*CONFIGS, ""]), _CONFIGS)
def test_the_check_changes_nothing_of_what_it_looks_at(type_: str, config: dict[str, Any]) -> None:
	before = copy.deepcopy(config)
	stage_check.check(type_, config)
	assert orjson.dumps(config) == orjson.dumps(before)


@pytest.mark.parametrize(
	("type_", "config"), EVERY_TYPE, ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_example_of_the_contract_is_published_as_it_is(type_: str, config: dict[str, Any]) -> None:
	text = orjson.dumps(config)
	assert published(type_, text, {Link("/files/elsewhere.png", False): FILE}) == text
