"""What a change of the schemas does to those who rely on them, and which version number that raises.

Two kinds of readers rely on a schema: a client written for the old one reads new files, and files that did not
change since the old one are read by the new. So a rule that is loosened breaks the first, one that is tightened
the second. Only what may be absent anyway can come in; only wording can change freely.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Schema = dict[str, Any]
Schemas = Mapping[str, Schema]
Raises = Literal["first", "second"]

_WORDING = {"$schema", "$id", "$comment", "title", "description", "examples"}


@dataclass(frozen=True, slots=True)
class Change:
	"""One difference, where it is, and which number of the contract's version it raises."""

	place: str
	what: str
	raises: Raises

	def __str__(self) -> str:
		return f"{self.place}: {self.what}"


def changes(old: Schemas, new: Schemas) -> list[Change]:
	"""Every difference that matters. `common` counts where it is used."""
	found: list[Change] = []
	for kind in sorted({*old, *new} - {"common"}):
		if kind not in new:
			found.append(Change(kind, "this kind of file is gone", "first"))
		elif kind not in old:
			found.append(Change(kind, "a new kind of file", "second"))
		else:
			found += _compare(kind, _whole(old[kind], kind, old), _whole(new[kind], kind, new))
	return found


def needed(version: str, found: list[Change]) -> str:
	"""The lowest version that may follow `version` after these changes."""
	first, second = map(int, version.split("."))
	raised = {change.raises for change in found}
	if "first" in raised:
		return f"{first + 1}.0"
	return f"{first}.{second + 1}" if raised else version


def may_follow(old: str, new: str, found: list[Change]) -> bool:
	"""Whether version `new` says enough about the changes since `old`."""
	return _numbers(new) >= _numbers(needed(old, found)) and (bool(found) or old == new)


def _numbers(version: str) -> tuple[int, ...]:
	return tuple(map(int, version.split(".")))


def _whole(part: Any, home: str, schemas: Schemas) -> Any:
	"""A schema with all that it refers to in place, and without its wording."""
	if isinstance(part, list):
		return [_whole(item, home, schemas) for item in part]
	if not isinstance(part, dict):
		return part
	if "$ref" in part:
		file, _, pointer = part["$ref"].partition("#/definitions/")
		home = file.removesuffix(".schema.json") or home
		return _whole(schemas[home]["definitions"][pointer], home, schemas)
	return {
		key: {name: _whole(rule, home, schemas) for name, rule in value.items()}
		if key == "properties"
		else _whole(value, home, schemas)
		for key, value in part.items()
		if key not in _WORDING and key != "definitions"
	}


def _compare(place: str, old: Any, new: Any) -> Iterator[Change]:
	if not (isinstance(old, dict) and isinstance(new, dict)):
		if old != new:
			yield Change(place, f"was {old!r}, is {new!r}", "first")
		return
	for key in sorted({*old, *new} - {"properties", "required"}):
		before, after = old.get(key), new.get(key)
		if key in old and key in new and key in ("items", "if", "then", "else", "not"):
			yield from _compare(place + ("[]" if key == "items" else f" ({key})"), before, after)
		elif _sorted(before) != _sorted(after):
			yield Change(place, f"{key} was {before!r}, is {after!r}", "first")
	yield from _compare_properties(place, old, new)


def _compare_properties(place: str, old: Schema, new: Schema) -> Iterator[Change]:
	before, after = old.get("properties", {}), new.get("properties", {})
	was_required, is_required = set(old.get("required", ())), set(new.get("required", ()))
	for name in sorted({*before, *after, *was_required, *is_required}):
		field = f"{place}.{name}"
		if name in before and name not in after:
			yield Change(field, "is gone", "first")
		elif name in after and name not in before:
			optional = name not in is_required and after[name] is not False
			yield Change(
				field, "is new" if optional else "is new and required", "second" if optional else "first"
			)
		else:
			if name in was_required - is_required:
				yield Change(field, "may now be absent", "first")
			elif name in is_required - was_required:
				yield Change(field, "must now be there", "first")
			if name in before:
				yield from _compare(field, before[name], after[name])


def _sorted(value: Any) -> Any:
	return sorted(map(repr, value)) if isinstance(value, list) else value
