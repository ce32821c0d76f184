"""What is wrong with a stage: by the schema of its type, and by what no schema can say.

"broken" is what no learner can use: a Question that no learner can answer rightly, a Video without a film, an embedded page
that no app shows. memora refuses to put such a stage into a published lesson. All else is a warning. Nothing here keeps
a build from publishing what is there (docs/contract.md, "Stages").
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from memora.services.cdn_export.model import exact_json
from memora.services.cdn_export.rules import embeds, stage_schema
from memora.services.cdn_export.rules.stage_finding import Finding, Path, Severity, _
from memora.services.cdn_export.rules.stage_schema import shown

__all__ = ["Finding", "Path", "Severity", "check", "check_text", "unreadable"]

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_CHOOSING = ("one", "several", "true_false")


def check(type_: str, config: dict[str, Any]) -> list[Finding]:
	"""All that is wrong with a stage of this type; what is broken comes first."""
	found = [*stage_schema.violations(type_, config)]
	refused = {finding.path[:1] for finding in found if finding.severity == "broken"}
	found += _CHECKS.get(type_, _nothing)(config, refused)
	for path, html in stage_schema.markup_fields(type_, config):
		found += embeds.markup(path, html)
	found += stage_schema.unknown_keys(type_, config)
	return sorted(found, key=lambda finding: finding.severity)


def check_text(type_: str, text: str | None) -> list[Finding]:
	"""The same for a config as it is stored: JSON, or nothing."""
	try:
		config = exact_json.loads(text) if text and text.strip() else {}
	except ValueError as error:
		return [unreadable(error)]
	if not isinstance(config, dict):
		return [
			Finding((), "broken", _("its config must be a JSON object, like {0}."), ('{"key": "value"}',))
		]
	return check(type_, config)


def unreadable(error: ValueError) -> Finding:
	"""Why a text is no JSON, or none that can be published as it is; where, for people who count from 1."""
	if isinstance(error, exact_json.InexactError):
		return Finding((), "broken", error.reason, error.about)
	if isinstance(error, json.JSONDecodeError):
		for beginning, words in _JSON_WORDS:
			if error.msg.startswith(beginning):
				return Finding((), "broken", words, (str(error.lineno), str(error.colno)))
		return Finding(
			(),
			"broken",
			_("it is not valid JSON, line {0}, column {1}: {2}."),
			(str(error.lineno), str(error.colno), error.msg),
		)
	return Finding((), "broken", _("it is not valid JSON: {0}."), (str(error),))


_JSON_WORDS = (
	(
		"Expecting value",
		_(
			"it is not valid JSON, line {0}, column {1}: a value is missing there. Put texts in double quotes."
		),
	),
	(
		"Expecting property name",
		_(
			"it is not valid JSON, line {0}, column {1}: a key in double quotes is missing there, or the comma before is"
			" one too many."
		),
	),
	("Illegal trailing comma", _("it is not valid JSON, line {0}, column {1}: the comma is one too many.")),
	(
		"Expecting ','",
		_("it is not valid JSON, line {0}, column {1}: a comma or a closing bracket is missing there."),
	),
	("Expecting ':'", _("it is not valid JSON, line {0}, column {1}: a colon is missing after the key.")),
	(
		"Unterminated string",
		_("it is not valid JSON, line {0}, column {1}: the text that begins there has no end."),
	),
	(
		"Invalid control character",
		_(
			"it is not valid JSON, line {0}, column {1}: within a text, write a new line as \\n and a tab as \\t."
		),
	),
	("Invalid \\", _("it is not valid JSON, line {0}, column {1}: within a text, write a backslash twice.")),
	("Extra data", _("it is not valid JSON, line {0}, column {1}: the config has ended before that.")),
)


def _nothing(config: dict[str, Any], refused: set[Path]) -> Iterator[Finding]:
	yield from ()


def _video(config: dict[str, Any], refused: set[Path]) -> Iterator[Finding]:
	link = config.get("video_url")
	if isinstance(link, str) and link.strip():
		if "<iframe" in link[:100].lower():
			link = embeds.framed(link)
			if not embeds.service_of(link):
				yield Finding(
					("video_url",),
					"broken",
					_("{0} embeds “{1}”. Apps embed only {2}. Link to it instead, or upload the file."),
					('"video_url"', embeds.host_of(link) or link[:140], embeds.NAMES),
				)
		elif not embeds.is_film(link):
			yield Finding(
				("video_url",),
				"broken",
				_("{0} leads to no film: “{1}”. Begin a link with {2}."),
				('"video_url"', link[:140], "https://"),
			)
	start, end = config.get("start"), config.get("end")
	if _is_number(start) and _is_number(end) and end <= start:  # type: ignore[operator]
		yield Finding(("end",), "warning", _("{0} must be later than {1}."), ('"end"', '"start"'))


def _question(config: dict[str, Any], refused: set[Path]) -> Iterator[Finding]:
	kind = config.get("kind")
	choices = config.get("choices")
	choices = _texts(choices) if isinstance(choices, list) else []
	answer = config.get("answer")
	answers = _texts(answer if isinstance(answer, list) else [answer])
	if not refused & {("choices",), ("answer",)}:
		if choices:
			yield from _chosen(kind, choices, answer, answers)
		elif kind in _CHOOSING:
			yield Finding(
				("choices",),
				"broken",
				_("{0} are missing: the kind {1} chooses from them."),
				('"choices"', f'"{kind}"'),
			)
	if len({*choices}) < len(choices):
		yield Finding(("choices",), "warning", _("two of its {0} are the same."), ('"choices"',))
	if not choices:
		yield from _untypable(answers)
	if kind == "number" and not choices:
		for text in answers:
			if not _NUMBER.fullmatch(text.strip()):
				yield Finding(
					("answer",),
					"broken",
					_("its answer “{0}” is no number. Write it with a point, like {1}."),
					(text[:140], '"-3.5"'),
				)
	elif kind != "number":
		for key in ("tolerance", "unit"):
			if key in config:
				yield Finding(
					(key,),
					"warning",
					_("{0} means something only with the kind {1}."),
					(f'"{key}"', '"number"'),
				)


def _untypable(answers: list[str]) -> Iterator[Finding]:
	"""Answers that hold nothing but what is left out where typed texts are compared: invisible characters, a tatweel."""
	for text in answers:
		if len(text) < 1_000 and text.strip() and not any(map(_is_compared, text)):
			yield Finding(
				("answer",),
				"broken",
				_(
					"its answer “{0}” has no letter or digit that is compared. Write another, or offer choices."
				),
				(text[:140],),
			)


def _is_compared(letter: str) -> bool:
	return not (letter.isspace() or letter in "\u0640\u034f" or unicodedata.category(letter) == "Cf")


def _chosen(kind: object, choices: list[str], answer: object, answers: list[str]) -> Iterator[Finding]:
	"""What is wrong with choices and the answer that they need."""
	offered = {_folded(choice) for choice in choices}
	wrong = [text for text in answers if _folded(text) not in offered]
	index = answer[0] if isinstance(answer, list) and answer else answer
	if wrong and isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(choices):
		yield Finding(
			("answer",),
			"broken",
			_(
				"its answer “{0}” is none of its choices, so no learner can be right. Write the choice itself, like {1},"
				" not its number."
			),
			(shown(index), f'"{choices[index][:80]}"'),
		)
	elif wrong:
		yield Finding(
			("answer",),
			"broken",
			_(
				"its answer “{0}” is none of its choices, so no learner can be right. Write the choice itself."
			),
			(wrong[0][:140],),
		)
	if kind in ("one", "true_false") and len({_folded(text) for text in answers}) > 1:
		yield Finding(
			("answer",),
			"broken",
			_("the kind {0} has one right answer, and {1} lists more."),
			(f'"{kind}"', '"answer"'),
		)
	if kind == "true_false" and len(choices) != 2:
		yield Finding(("choices",), "broken", _("the kind {0} has two choices."), ('"true_false"',))
	if kind in ("short", "number"):
		yield Finding(
			("choices",),
			"broken",
			_("the kind {0} asks for a typed answer. Leave out {1}, or choose another kind."),
			(f'"{kind}"', '"choices"'),
		)


_CHECKS: dict[str, Callable[[dict[str, Any], set[Path]], Iterator[Finding]]] = {
	"Video": _video,
	"Question": _question,
}


def _texts(values: Any) -> list[str]:
	return [shown(value) for value in values if isinstance(value, str | bool | int | float)]


def _is_number(value: object) -> bool:
	return isinstance(value, int | float) and not isinstance(value, bool)


def _folded(value: str) -> str:
	return " ".join(value.casefold().split())
