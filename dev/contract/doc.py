"""What docs/contract.md takes from elsewhere: fields from the schemas, examples from a published tree, access
from the rules themselves. In the page each stands between `<!-- kind: what -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from memora.services.cdn_export import search_indexer
from memora.services.cdn_export.access_calculator import resolve
from memora.services.cdn_export.model.document_bytes import stamped
from memora.services.cdn_export.model.tree import Access, Override
from memora.services.cdn_export.rules import contracts, embeds
from tests.example import curriculum
from tests.example.configs import CONFIGS
from tests.support import NOW, by_name, straight

Schema = dict[str, Any]

WIDTH = 110
_BLOCK = re.compile(r"(<!-- (\w+): ([^ ]+) -->\n).*?(<!-- end -->)", re.S)


def render(page: str) -> str:
	"""The page with every block made again."""
	makers: dict[str, Callable[[str], str]] = {
		"fields": fields,
		"example": example,
		"access": access,
		"configs": configs,
		"embeds": services,
	}
	return _BLOCK.sub(lambda found: f"{found[1]}\n{makers[found[2]](found[3])}\n\n{found[4]}", page)


# fields


def fields(kind: str) -> str:
	"""A table of every field: where, type, whether it is always there, meaning."""
	rows = ["| field | type | there | meaning |", "| --- | --- | --- | --- |"]
	name, _, definition = kind.partition("#")
	schema = contracts.schema(name)
	if definition:
		schema = schema["definitions"][definition]
	rows += [
		f"| `{path}` | {_type(rule)} | {there} | {rule.get('description', '')} |"
		for path, rule, there in _fields(schema, name, "")
	]
	return "\n".join(rows)


def _fields(schema: Schema, home: str, above: str) -> Iterator[tuple[str, Schema, str]]:
	schema, home = _resolved(schema, home)
	for name, rule in schema.get("properties", {}).items():
		rule, there = _resolved(rule, home)
		if name in schema.get("required", ()):
			presence = "always"
		elif comment := rule.get("$comment"):
			presence = comment[0].lower() + comment[1:].removesuffix(".")
		else:
			presence = "unless empty"
		path = f"{above}{name}"
		is_list = rule.get("type") == "array"
		yield f"{path}[]" if is_list else path, rule, presence
		if "is_published" not in rule.get("properties", {}):
			inner, inner_home = _resolved(rule["items"], there) if is_list else (rule, there)
			yield from _fields(inner, inner_home, f"{path}[]." if is_list else f"{path}.")


def _resolved(schema: Schema, home: str) -> tuple[Schema, str]:
	"""A schema with what it refers to, and the file that its own references start from."""
	while "$ref" in schema or "allOf" in schema:
		merged = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
		for part in schema.get("allOf", [{"$ref": schema.get("$ref")}]):
			if "$ref" not in part:
				merged = {**part, **merged}
				continue
			file, _, pointer = part["$ref"].partition("#/definitions/")
			home = file.removesuffix(".schema.json") or home
			merged = {**contracts.schema(home)["definitions"][pointer], **merged}
		schema = merged
	return schema, home


def _type(rule: Schema) -> str:
	if "enum" in rule:
		return ", ".join(f"`{json.dumps(value)}`" for value in rule["enum"])
	if "const" in rule:
		return f"`{json.dumps(rule['const'])}`"
	if "is_published" in rule.get("properties", {}):
		return "[access](#access)"
	if "anyOf" in rule:
		return " or ".join(_type(each) for each in rule["anyOf"])
	if rule.get("type") == "array":
		return "list"
	if "contentMediaType" in rule:
		return "markup"
	pattern = rule.get("pattern", "")
	if r"\.json" in pattern:
		return "URL"
	if pattern.startswith("^(media/"):
		return "path or URL"
	return str(rule["type"])


# examples


def example(path: str) -> str:
	"""A published file, as it is but for the line breaks."""
	return f"```json\n{pretty(_file(path))}\n```"


def _file(path: str) -> Any:
	published = curriculum.published()
	if path in published:
		return json.loads(published[path])
	return _sharded()[path]


def _sharded() -> dict[str, Any]:
	"""What the example's search would be if it were large: an index of shards, and the first of them."""
	plan, root = curriculum.DAY.name, resolve(curriculum.MATHEMATICS)
	assert root is not None
	(shard,) = search_indexer.shards(plan, search_indexer.subject_entries(root))
	entry = search_indexer.shard_entry(
		shard.subject_id, shard.subject_name, f"{shard.path}?v={NOW}", shard.lesson_count
	)
	return {
		shard.path: stamped("search_shard", shard.document, NOW),
		"sharded": stamped("search_index", search_indexer.sharded_index(plan, [entry]), NOW),
	}


def pretty(value: Any, indent: int = 0, taken: int = 0) -> str:
	"""JSON for people: an object or a list on one line where it fits."""
	line = json.dumps(value, ensure_ascii=False)
	if not isinstance(value, dict | list) or (indent and indent + taken + len(line) <= WIDTH):
		return line
	inner = " " * (indent + 2)
	if isinstance(value, dict):
		lines = [
			f"{inner}{json.dumps(key)}: {pretty(item, indent + 2, len(key) + 4)}"
			for key, item in value.items()
		]
		return "{\n" + ",\n".join(lines) + f"\n{' ' * indent}}}"
	return (
		"[\n" + ",\n".join(f"{inner}{pretty(item, indent + 2, 1)}" for item in value) + f"\n{' ' * indent}]"
	)


# stages


def configs(type_: str) -> str:
	"""Each example of a type's config."""
	return "\n\n".join(f"```json\n{pretty(config)}\n```" for config in CONFIGS[type_])


def services(_: str) -> str:
	"""Whose players are embedded: the hosts of links, and the origin of the frame."""
	rows = ["| service | links of | the player's origin |", "| --- | --- | --- |"]
	for service in embeds.SERVICES:
		rows.append(
			f"| {service.name} | {', '.join(f'`{host}`' for host in service.hosts)} | `{service.origin}` |"
		)
	return "\n".join(rows)


# access

_PARENTS: dict[str, dict[str, Any]] = {
	"public": {"is_public": True},
	"authenticated": {},
	"paid": {"required_item": "PARENT"},
	"free_preview": {"is_free_preview": True},
}
_RULES: list[tuple[str, dict[str, Any], str | None]] = [
	("not published, or overridden with Hide", {"is_published": False}, None),
	("overridden with Set Free", {}, "Set Free"),
	("overridden with Set Sold Separately", {}, "Set Sold Separately"),
	("free preview", {"is_free_preview": True}, None),
	("an item of its own", {"required_item": "OWN"}, None),
	("sold separately, with an item", {"required_item": "OWN", "is_sold_separately": True}, None),
	("public", {"is_public": True}, None),
	("none of these", {}, None),
]
_ITEMS = {"OWN": "its item", "PARENT": "the parent's item", "OVERRIDE": "the override's item"}


def access(table: str) -> str:
	return {"levels": _levels, "flags": _flags}[table]()


def _levels() -> str:
	"""The level of a subject, and of a track below a subject of each level, by what stands at it."""
	rows = [
		"| at the node | a subject | below public | below authenticated | below paid | below free_preview |",
		"| --- | --- | --- | --- | --- | --- |",
	]
	for words, flags, action in _RULES:
		cells = [_cell(_decided({}, flags, action, "subject"))]
		for parent in _PARENTS.values():
			cells.append("" if words == "public" else _cell(_decided(parent, flags, action, "track")))
		rows.append(f"| {words} | {' | '.join(cells)} |")
	return "\n".join(rows)


def _decided(parent: dict[str, Any], flags: dict[str, Any], action: str | None, kind: str) -> Access | None:
	tree = straight(**{"subject": parent, kind: {**(parent if kind == "subject" else {}), **flags}})
	name = {"subject": "S", "track": "T"}[kind]
	overrides = [Override(kind, name, action, "OVERRIDE")] if action else []  # type: ignore[arg-type]
	found = by_name(resolve(tree, overrides)).get(name)
	return found.access if found else None


def _cell(found: Access | None) -> str:
	if found is None:
		return "left out"
	return f"**paid**: {_ITEMS[found.required_item]}" if found.level == "paid" else found.level


def _flags() -> str:
	"""What stands beside paid, by how it came to be paid."""
	rows = [
		"| paid, because | required_item | is_sold_separately | parent_item_required |",
		"| --- | --- | --- | --- |",
	]
	paid = _PARENTS["paid"]
	sold = {"required_item": "OWN", "is_sold_separately": True}
	for words, found in (
		("a subject has an item", _decided({}, {"required_item": "OWN"}, None, "subject")),
		("what it stands below is a paid subject", _decided(paid, {}, None, "track")),
		("a track is sold separately", _decided(paid, sold, None, "track")),
		(
			"a track is sold separately, its parent's item required",
			_decided(paid, {**sold, "parent_item_required": True}, None, "track"),
		),
		("a plan says Set Sold Separately", _decided(paid, {}, "Set Sold Separately", "track")),
	):
		assert found is not None
		flags = [str(flag).lower() for flag in (found.is_sold_separately, found.parent_item_required)]
		rows.append(f"| {words} | {_ITEMS[found.required_item]} | {flags[0]} | {flags[1]} |")
	return "\n".join(rows)
