"""What the JSON Schema of a stage's type refuses of a config, each field in plain words.

The schemas are in `contracts/stage_*.schema.json`. They leave a config's objects open, so a key that they don't name is
no violation; it is warned of, since apps ignore it and anyone can read it in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, cast

import jsonschema
import jsonschema_rs
from jsonschema.exceptions import ValidationError

from memora.services.cdn_export.rules import contracts
from memora.services.cdn_export.rules.stage_finding import Finding, Path, Severity, _, named

NEEDED: dict[str, tuple[str, ...]] = {
	"Video": ("video_url",),
	"Text": ("html", "text", "solutions"),
	"Question": ("question", "instructions", "choices", "answer"),
	"Interactive": ("instructions", "files", "starter"),
}
"""What a stage is shown and answered by. Apps leave out any other field that does not fit, and show the rest."""

INSTEAD: dict[str, dict[str, str]] = {
	"Video": {"url": "video_url", "video": "video_url", "src": "video_url", "link": "video_url"},
	"Text": {"markdown": "html", "body": "text", "content": "text"},
	"Question": {
		"options": "choices",
		"correct": "answer",
		"correct_answer": "answer",
		"answers": "answer",
		"solution": "answer",
		"prompt": "question",
	},
	"Interactive": {"code": "starter", "html": "instructions", "text": "instructions"},
}
"""Keys that people write for others, and the ones that are meant."""

_MOST_NAMED = 5


def violations(type_: str, config: dict[str, Any]) -> list[Finding]:
	"""What the schema of this type refuses, in the order of its fields; [] for a type without a schema."""
	if type_ not in contracts.STAGES or _quick(type_).is_valid(config):
		return []
	found: dict[Path, Finding] = {}
	for error in _explainer(type_).iter_errors(config):
		for finding in _said(type_, error):
			found.setdefault(finding.path, finding)
	if _is_usable(type_, config, found):
		return list(found.values())
	return [
		finding._replace(severity="broken") if finding.path[:1] in _needed(type_) else finding
		for finding in found.values()
	]


def unknown_keys(type_: str, config: dict[str, Any]) -> Iterator[Finding]:
	"""The keys, at any depth, that the schema does not name."""
	if type_ in contracts.STAGES:
		yield from _unknown(type_, contracts.schema(contracts.STAGES[type_]), config, ())


def markup_fields(type_: str, config: dict[str, Any]) -> Iterator[tuple[Path, str]]:
	"""Every field of a config that holds markup, with its path."""
	if type_ in contracts.STAGES:
		yield from _markup(contracts.schema(contracts.STAGES[type_]), config, ())


@cache
def _quick(type_: str) -> jsonschema_rs.Draft7Validator:
	return jsonschema_rs.Draft7Validator(contracts.schema(contracts.STAGES[type_]))


@cache
def _explainer(type_: str) -> jsonschema.Draft7Validator:
	return jsonschema.Draft7Validator(contracts.schema(contracts.STAGES[type_]))


def _needed(type_: str) -> set[Path]:
	return {(), *((key,) for key in NEEDED[type_])}


def _is_usable(type_: str, config: dict[str, Any], found: Iterable[Path]) -> bool:
	"""Whether learners get something from a Text or an Interactive, though not all of it fits.

	An Interactive, and keys that no type knows, were the site's own before there was a schema: its own app may show them.
	"""
	if type_ == "Text":
		wrong = {path[0] for path in found if path}
		shown_as_text = any(_is_filled(config.get(key)) for key in ("body", "content"))
		own = [key for key in config if key not in _known(type_) and key not in INSTEAD[type_]]
		return shown_as_text or bool(own) or any(key in config and key not in wrong for key in NEEDED[type_])
	if type_ == "Interactive":
		return any(
			_is_filled(value) or _is_scalar(value) or (value and not isinstance(value, str))
			for value in config.values()
		)
	return True


def _said(type_: str, error: ValidationError) -> Iterator[Finding]:
	path: Path = tuple(error.absolute_path)
	if error.validator == "required":
		there, needed = cast("dict[str, Any]", error.instance), cast("list[str]", error.validator_value)
		for key in needed:
			if key not in there:
				yield _missing(type_, (*path, key))
	elif error.validator == "anyOf" and not path:
		yield _nothing(type_)
	elif error.validator == "anyOf":
		branch = 1 if isinstance(error.instance, list) else 0
		for inner in error.context or ():
			if inner.schema_path[0] == branch:
				yield from _said(type_, inner)
	else:
		text, about = _WORDS[str(error.validator)](error)
		yield Finding(path, _severity(type_, path, error), text, (named(path), *about))


def _severity(type_: str, path: Path, error: ValidationError) -> Severity:
	if path[0] not in NEEDED[type_] or type_ in ("Text", "Interactive"):
		return "warning"
	if type_ == "Question" and _is_quotable(error):
		return "warning"  # apps that know 1.0 show a number as its digits
	return "broken"


def _missing(type_: str, path: Path) -> Finding:
	severity: Severity = "broken" if path[0] in NEEDED[type_] and len(path) == 1 else "warning"
	if path == ("answer",):
		return Finding(
			path,
			severity,
			_("{0} is missing, so no learner can be right. Say which answer is right."),
			('"answer"',),
		)
	if path == ("video_url",):
		return Finding(path, severity, _("it has no film. Put the film's link into {0}."), ('"video_url"',))
	return Finding(path, severity, _("{0} is missing."), (named(path),))


def _nothing(type_: str) -> Finding:
	"""That none is there of the fields that need at least one."""
	text, key = {
		"Text": (_("it has nothing to read. Put the text into {0}."), '"html"'),
		"Question": (_("it asks nothing. Put what it asks into {0}."), '"question"'),
		"Interactive": (_("it has nothing to do. Put what to do into {0}."), '"instructions"'),
	}[type_]
	return Finding((), "broken" if type_ == "Question" else "warning", text, (key,))


def _type(error: ValidationError) -> tuple[str, tuple[str, ...]]:
	if _is_quotable(error):
		return _("{0} must be a text. Put it in quotes, like {1}."), (f'"{shown(error.instance)}"',)
	return {
		"string": (_("{0} must be a text in quotes."), ()),
		"array": (_("{0} must be a list, like {1}."), ('["3", "4"]',)),
		"object": (_("{0} must be an object, like {1}."), ('{"name": "a.py"}',)),
		"number": (_("{0} must be a number, without quotes."), ()),
		"boolean": (_("{0} must be {1} or {2}, without quotes."), ("true", "false")),
	}[str(error.validator_value)]


def _is_quotable(error: ValidationError) -> bool:
	"""Whether a number or a boolean is where a text must be."""
	return bool(
		error.validator == "type" and error.validator_value == "string" and _is_scalar(error.instance)
	)


def _pattern(error: ValidationError) -> tuple[str, tuple[str, ...]]:
	if error.validator_value == r"\S":
		return _("{0} is empty. Fill it in, or leave it out."), ()
	return _("{0} must be the code of a language, like {1}."), ('"en"',)


def _enum(error: ValidationError) -> tuple[str, tuple[str, ...]]:
	return _("{0} must be one of {1}."), (
		", ".join(f'"{value}"' for value in cast("list[str]", error.validator_value)),
	)


_WORDS: dict[str, Callable[[ValidationError], tuple[str, tuple[str, ...]]]] = {
	"type": _type,
	"pattern": _pattern,
	"enum": _enum,
	"minItems": lambda error: (_("{0} is an empty list. Fill it in, or leave it out."), ()),
	"minimum": lambda error: (_("{0} must be {1} or more."), (str(error.validator_value),)),
}


def _unknown(type_: str, schema: dict[str, Any], value: Any, path: Path) -> Iterator[Finding]:
	if isinstance(value, list):
		for place, item in enumerate(value):
			yield from _unknown(type_, schema.get("items", {}), item, (*path, place))
		return
	known = schema.get("properties")
	if not isinstance(value, dict) or known is None:
		return
	instead = INSTEAD[type_] if not path else {}
	unknown = []
	for key, inner in value.items():
		if key in known:
			yield from _unknown(type_, known[key], inner, (*path, key))
		elif key in instead:
			yield Finding(
				(*path, key),
				"warning",
				_("{0} means nothing here. Write it as {1}."),
				(named((*path, key)), f'"{instead[key]}"'),
			)
		else:
			unknown.append(key)
	if unknown:
		listed = ", ".join(named((*path, key)) for key in unknown[:_MOST_NAMED])
		yield Finding(
			(*path, unknown[0]),
			"warning",
			_(
				"{0} means nothing here, so learners do not see it, but anyone can read it in the file. Known are {1}."
			),
			(listed, ", ".join(f'"{key}"' for key in known)),
		)


def _markup(schema: dict[str, Any], value: Any, path: Path) -> Iterator[tuple[Path, str]]:
	if isinstance(value, list):
		for place, item in enumerate(value):
			yield from _markup(schema.get("items", {}), item, (*path, place))
	elif isinstance(value, dict):
		for key, inner in schema.get("properties", {}).items():
			if key in value:
				yield from _markup(inner, value[key], (*path, key))
	elif isinstance(value, str) and schema.get("contentMediaType") == "text/html":
		yield path, value


def _known(type_: str) -> dict[str, Any]:
	known: dict[str, Any] = contracts.schema(contracts.STAGES[type_])["properties"]
	return known


def _is_filled(value: object) -> bool:
	return isinstance(value, str) and bool(value.strip())


def _is_scalar(value: object) -> bool:
	return isinstance(value, bool | int | float)


def shown(value: object) -> str:
	"""A text, number or boolean as a browser writes it."""
	if isinstance(value, bool):
		return "true" if value else "false"
	if isinstance(value, float) and value.is_integer():
		value = int(value)
	return str(value)
