"""The JSON Schemas: valid themselves, kept by every published file, and strict.

`jsonschema` is the independent judge; what the app runs is jsonschema-rs.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from referencing import Registry, Resource

from memora.exceptions import ContractError
from memora.services.cdn_export import search_indexer
from memora.services.cdn_export.json_generator import with_signed_videos
from memora.services.cdn_export.model.tree import Stage
from memora.services.cdn_export.rules import contracts
from tests.support import NOW, PLAN, Document, PlanContent, Shelf, busy, libraries, published, straight

SCHEMAS = contracts.NAMES
STAMP = {"version": NOW, "generated_at": "2026-01-25T00:13:20+00:00"}


@cache
def judge(kind: str) -> jsonschema.Draft7Validator:
	resources = [(schema["$id"], Resource.from_contents(schema)) for schema in map(contracts.schema, SCHEMAS)]
	return jsonschema.Draft7Validator(contracts.schema(kind), registry=Registry().with_resources(resources))


def is_valid(kind: str, document: Document) -> bool:
	"""Both validators' verdict; they agree or the test fails."""
	try:
		contracts.validate(kind, document, "a path")  # type: ignore[arg-type]
		verdict = True
	except ContractError:
		verdict = False
	assert verdict == judge(kind).is_valid(document), f"the two validators disagree on {document}"
	return verdict


@cache
def samples() -> dict[str, list[Document]]:
	"""Files of every kind, by kind: own and shared, whole and sharded, with every optional key somewhere."""
	everything: dict[str, Any] = {
		"description": "D",
		"image": f"media/{'a1' * 32}.png",
		"sort_order": -3,
	}
	full = straight(
		subject={**everything, "color_code": "#aabbcc"},
		track={**everything, "required_item": "ITEM"},
		unit={**everything, "badge_image": "https://elsewhere.example/b.png"},
		topic=everything,
		lesson=everything,
	)
	shelf = Shelf(stages={"L": tuple(Stage(type_, type_, {}) for type_ in STAGE_TYPES)}, with_schemas=True)
	shelf.publish([PlanContent(PLAN, [(full, 1)])], NOW)
	found: dict[str, list[Document]] = {kind: [] for kind in contracts.KINDS}
	for one in (shelf, published(busy()), sharded()):
		for kind in contracts.KINDS:
			of_kind = [document for path, document in one.documents().items() if one.kinds[path] == kind]
			found[kind].extend(of_kind[:5])
	return found


def sharded() -> Shelf:
	with pytest.MonkeyPatch.context() as patch:
		patch.setattr(search_indexer, "MOST_LESSONS_UNSHARDED", 4)
		patch.setattr(search_indexer, "MOST_BYTES", 3_000)
		return published(busy())


STAGE_TYPES = contracts.STAGE_TYPES


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_itself_valid_and_has_its_address(name: str) -> None:
	schema = contracts.schema(name)
	jsonschema.Draft7Validator.check_schema(schema)
	assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
	assert schema["$id"] == f"https://memora.app/schemas/cdn/{name}.schema.json"


def test_every_schema_that_is_shipped_is_used() -> None:
	shipped = {path.name for path in files(contracts).iterdir() if path.name.endswith(".json")}
	assert shipped == {f"{name}.schema.json" for name in (*SCHEMAS, "gate_keys")}


def test_every_object_in_a_schema_is_closed() -> None:
	"""Strict: no key that the spec does not name. A stage's config is the editors', and open."""
	for name in ("common", *contracts.KINDS):
		for path, part in parts(contracts.schema(name)):
			if isinstance(part, dict) and part.get("type") == "object" and path[-1:] != ("config",):
				assert part["additionalProperties"] is False, (name, path)


@pytest.mark.parametrize("kind", contracts.KINDS)
def test_every_kind_of_file_keeps_its_contract(kind: str) -> None:
	"""Earlier defect: 2 of 32 files were validated."""
	assert samples()[kind]
	for document in samples()[kind]:
		assert is_valid(kind, document)


@pytest.mark.parametrize("kind", contracts.KINDS)
def test_every_property_of_a_schema_is_met_by_some_file(kind: str) -> None:
	"""A name misspelt in a schema or in a document would show here."""
	named = set(properties(contracts.schema(kind))) - {"signed_url_expiry"}
	assert named == {
		key for document in samples()[kind] for path, part in parts(document) for key in keys(path, part)
	}


@settings(max_examples=25)
@given(libraries())
def test_every_file_of_any_library_is_valid(plans: list[PlanContent]) -> None:
	shelf = published(plans)
	for path, document in shelf.documents().items():
		assert is_valid(shelf.kinds[path], document)


WRONG: list[Any] = [
	None,
	True,
	False,
	0,
	1,
	-1,
	1.0,
	1.5,
	10**18,
	"",
	"x",
	"paid",
	"public",
	"units/a.json?v=1",
	[],
	{},
]
wrong = st.sampled_from(WRONG).map(copy.deepcopy)


@settings(max_examples=200)
@given(st.data())
def test_both_validators_agree_on_files_gone_wrong(data: st.DataObject) -> None:
	kind = data.draw(st.sampled_from(contracts.KINDS))
	document = copy.deepcopy(data.draw(st.sampled_from(samples()[kind])))
	for _ in range(data.draw(st.integers(1, 3))):
		path, part = data.draw(st.sampled_from(list(parts(document))))
		if isinstance(part, dict) and data.draw(st.booleans()):
			key = data.draw(st.sampled_from([*part, "extra"]))
			if key in part:
				del part[key]
			else:
				part[key] = data.draw(wrong)
		elif path:
			put(document, path, data.draw(wrong))
	is_valid(kind, document)


@pytest.mark.parametrize("kind", contracts.KINDS)
def test_a_boolean_is_never_0_or_1(kind: str) -> None:
	"""Earlier defect: Check fields are 0/1; written as they are, every manifest failed its schema."""
	for document in samples()[kind]:
		for path, value in parts(document):
			if isinstance(value, bool):
				wrong = copy.deepcopy(document)
				put(wrong, path, int(value))
				assert not is_valid(kind, wrong)


@pytest.mark.parametrize("kind", contracts.KINDS)
def test_what_is_always_there_cannot_be_missing(kind: str) -> None:
	optional = {"description", "image", "badge_image", "color_code", "season", "grade", "stream"}
	optional |= {"previous_lesson", "next_lesson"}
	document = samples()[kind][0]
	for path, part in parts(document):
		for key in part if isinstance(part, dict) and path[-1:] != ("config",) else ():
			without = copy.deepcopy(document)
			del at(without, path)[key]
			assert is_valid(kind, without) == (key in optional), (path, key)


@pytest.mark.parametrize("kind", contracts.KINDS)
def test_what_is_left_out_when_empty_is_never_an_empty_text(kind: str) -> None:
	for document in samples()[kind]:
		for path, part in parts(document):
			if isinstance(part, str) and "config" not in path:
				wrong = copy.deepcopy(document)
				put(wrong, path, "")
				assert not is_valid(kind, wrong), path


PAID = {"required_item": "ITEM", "is_sold_separately": False, "parent_item_required": True}


@pytest.mark.parametrize(
	("access", "valid"),
	[
		({"access_level": "public"}, True),
		({"access_level": "authenticated"}, True),
		({"access_level": "free_preview"}, True),
		({"access_level": "paid", **PAID}, True),
		({"access_level": "paid"}, False),
		*(({"access_level": "paid", **{k: v for k, v in PAID.items() if k != key}}, False) for key in PAID),
		*(({"access_level": "public", key: value}, False) for key, value in PAID.items()),
		({"access_level": "paid", **PAID, "required_item": ""}, False),
		({"access_level": "free"}, False),
		({"access_level": "public", "is_published": False}, False),
		({}, False),
	],
)
def test_an_item_and_flags_stand_with_paid_and_only_there(access: Document, valid: bool) -> None:
	lesson = {**samples()["lesson"][0], "access": {"is_published": True, **access}}
	assert is_valid("lesson", lesson) == valid


@pytest.mark.parametrize(
	("kind", "path", "url", "valid"),
	[
		("manifest", ("subjects", 0, "url"), "plans/p/subjects/s.json?v=1", True),
		("manifest", ("subjects", 0, "url"), "plans/p/subjects/s.json", False),
		("manifest", ("subjects", 0, "url"), "https://cdn.example/plans/p/subjects/s.json?v=1", False),
		("manifest", ("subjects", 0, "url"), "/plans/p/subjects/s.json?v=1", False),
		("manifest", ("subjects", 0, "url"), "plans/../subjects/s.json?v=1", False),
		("manifest", ("subjects", 0, "url"), "plans/two words/subjects/s.json?v=1", False),
		("manifest", ("search_index_url",), "plans/p/search_index.json?v=0", False),
		("plans_index", ("plans", 0, "url"), "plans/p/manifest.json", True),
		("plans_index", ("plans", 0, "url"), "plans/p/manifest.json?v=1", False),
		("subject", ("tracks", 0, "units", 0, "url"), "units/u.json?v=1", True),
		("subject", ("tracks", 0, "units", 0, "url"), f"plans/p/units/~{'a' * 26}.json?v=1", True),
		("subject", ("tracks", 0, "units", 0, "url"), "lessons/u.json?v=1", False),
		("unit", ("topics", 0, "lessons", 0, "url"), "lessons/l.json?v=12", True),
		("unit", ("topics", 0, "lessons", 0, "url"), "lessons/l.json?v=", False),
		("unit", ("image",), f"media/{'0' * 64}.png", True),
		("unit", ("image",), "http://elsewhere.example/a.png", True),
		("unit", ("image",), "/files/a.png", False),
		("unit", ("image",), "/private/files/a.png", False),
	],
)
def test_urls_are_of_the_form_the_spec_gives_them(
	kind: str, path: tuple[str | int, ...], url: str, valid: bool
) -> None:
	document = copy.deepcopy(samples()[kind][0])
	put(document, path, url)
	assert is_valid(kind, document) == valid


def test_navigation_carries_no_version() -> None:
	neighbour = {"id": "a", "title": "A", "url": "lessons/a.json"}
	lesson = samples()["lesson"][0]
	assert is_valid("lesson", {**lesson, "navigation": {"next_lesson": neighbour}})
	versioned = {**neighbour, "url": "lessons/a.json?v=1"}
	assert not is_valid("lesson", {**lesson, "navigation": {"next_lesson": versioned}})


def test_a_search_index_has_entries_or_shards_never_both() -> None:
	whole = {"plan_id": "p", **STAMP, "total_lessons": 0, "is_sharded": False, "entries": []}
	shard = {"subject_id": "s", "subject_name": "S", "url": "plans/p/search/s/1.json?v=1", "lesson_count": 1}
	assert is_valid("search_index", whole)
	assert not is_valid("search_index", {**whole, "shards": [shard]})
	del whole["entries"]
	assert not is_valid("search_index", whole)
	assert not is_valid("search_index", {**whole, "shards": [shard]})
	assert is_valid("search_index", {**whole, "is_sharded": True, "shards": [shard]})
	assert not is_valid("search_index", {**whole, "is_sharded": True, "shards": [shard], "entries": []})


def test_a_signed_lesson_is_valid_and_says_until_when() -> None:
	lesson = samples()["lesson"][0]
	video = {"idx": 1, "title": "V", "type": "Video", "config": {"video_url": "https://bucket/v.mp4"}}
	until = "2026-01-25T04:00:00+00:00"
	signed = with_signed_videos({**lesson, "stages": [video]}, lambda url: f"{url}?signature", until)
	assert signed["signed_url_expiry"] == until
	assert is_valid("lesson", signed)
	assert not is_valid("lesson", {**signed, "signed_url_expiry": "2026-01-25T04:00:00"})


def test_a_config_is_any_object_and_nothing_else() -> None:
	lesson = samples()["lesson"][0]
	for config, valid in [
		({}, True),
		({"choices": 5, "options": []}, True),
		({"a": [None, {"b": 1.5}]}, True),
		([], False),
		("{}", False),
		(None, False),
	]:
		stage = {"idx": 1, "title": "V", "type": "Text", "config": config}
		assert is_valid("lesson", {**lesson, "stages": [stage]}) == valid


def test_a_broken_contract_names_the_file_the_place_and_the_reason() -> None:
	document = copy.deepcopy(samples()["subject"][0])
	document["tracks"][0]["sort_order"] = "1"
	with pytest.raises(ContractError) as raised:
		contracts.validate("subject", document, "plans/p/subjects/s.json")
	assert str(raised.value) == (
		"plans/p/subjects/s.json breaks its contract at /tracks/0/sort_order: '1' is not of type 'integer'"
	)
	with pytest.raises(ContractError, match=r"a\.json breaks its contract at the top: '\w+' is a required"):
		contracts.validate("subject", {}, "a.json")


def test_a_long_value_does_not_make_a_long_error() -> None:
	document = {**samples()["lesson"][0], "stages": "secret " * 10_000}
	with pytest.raises(ContractError) as raised:
		contracts.validate("lesson", document, "lessons/a.json")
	assert len(str(raised.value)) < 400
	assert "is not of type 'array'" in str(raised.value)


def test_the_schemas_of_configs_are_those_of_the_types_that_a_lesson_may_have() -> None:
	items = contracts.schema("lesson")["properties"]["stages"]["items"]
	assert items["properties"]["type"]["enum"] == list(contracts.STAGES)
	assert items["properties"]["config"]["type"] == "object"
	assert "$ref" not in items["properties"]["config"]


# walking through a document


def parts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
	yield path, value
	if isinstance(value, dict | list):
		for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
			yield from parts(inner, (*path, step))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
	for step in path:
		value = value[step]
	return value


def put(document: Document, path: tuple[str | int, ...], value: Any) -> None:
	at(document, path[:-1])[path[-1]] = value


def keys(path: tuple[str | int, ...], part: Any) -> list[str]:
	return list(part) if isinstance(part, dict) and "config" not in path else []


def properties(schema: Any) -> Iterator[str]:
	"""Every property that a schema names, those it refers to included."""
	for _, part in parts(schema):
		if not isinstance(part, dict):
			continue
		yield from (name for name, rule in part.get("properties", {}).items() if rule is not False)
		reference = part.get("$ref")
		if isinstance(reference, str) and reference.startswith("common"):
			name = reference.rpartition("/")[2]
			yield from properties(contracts.schema("common")["definitions"][name])


def test_schemas_are_readable_as_they_are_shipped() -> None:
	for name in SCHEMAS:
		text = files(contracts).joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
		assert json.loads(text) == contracts.schema(name)
		assert text.endswith("}\n")
