"""What is between the braces of a question in GIFT, and which kind of question that makes it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, NamedTuple

from memora.services.cdn_export.rules.stage_finding import Finding, _
from memora.services.course_outline.rules.question_import import numerals, texts
from memora.services.course_outline.rules.question_import.row import broken, warning
from memora.services.course_outline.rules.question_import.texts import Text

GUARDS = {letter: chr(0xFDD0 + place) for place, letter in enumerate("\\:#={}~n")}
"""The place holders of escaped letters while a question is read: code points that no text has."""

_UNGUARD = {ord(guard): "\n" if letter == "n" else letter for letter, guard in GUARDS.items()}
_WEIGHT = re.compile(r"%(-?\d{1,3}(?:\.\d*)?)%")
_BLOCK = re.compile(r"<(?:blockquote|div|h\d|li|ol|p|pre|table|ul)\b", re.IGNORECASE)
_MOST_ANSWERS = 10_000
_WHOLE = Decimal(100)
_ARABIC = re.compile("[\u0620-\u064a]")
_TRUE, _FALSE = ("T", "TRUE"), ("F", "FALSE")


class Answered(NamedTuple):
	"""The part of a config that says how a question is answered, and what was wrong or left out."""

	config: dict[str, Any]
	findings: list[Finding]


class _Answer(NamedTuple):
	text: Text
	weight: Decimal
	feedback: Text


def unguarded(text: str) -> str:
	"""The text with what was escaped as it was meant."""
	return text.translate(_UNGUARD)


def read(text: str, default: str = "") -> Text:
	"""A part of a question as it was meant, with its format."""
	found = texts.read(text, default)
	return found._replace(typed=unguarded(found.typed).strip())


def parsed(inner: str, question: Text) -> Answered:
	"""The answers between braces. The order of the questions that decide is Moodle's."""
	inner, has_general, general = inner.rpartition("####") if "####" in inner else (inner, "", "")
	inner = inner.strip()
	answered = _of_kind(inner, question)
	explained = read(general, question.format)
	if has_general and explained.typed:
		before = answered.config.get("explanation", "")
		answered.config["explanation"] = explained.markup() + before
		answered.findings.extend(texts.remarks(explained, is_plain=False))
	return answered


def _of_kind(inner: str, question: Text) -> Answered:
	if sum(map(inner.count, "=~")) > _MOST_ANSWERS:
		return _refused(_("It has more than {0} answers."), str(_MOST_ANSWERS))
	if not inner:
		return _refused(
			_("It is an essay, which a teacher has to read. Stages have only questions with an answer.")
		)
	if inner.startswith("#"):
		return _number(inner[1:], question)
	if "~" in inner:
		return _choices(inner, question)
	if "=" in inner and "->" in inner:
		return _refused(
			_("It matches pairs, which stages cannot ask. Make a question with choices out of each pair.")
		)
	said, *feedback = inner.split("#", 2)
	if (said := said.strip()) in (*_TRUE, *_FALSE):
		return _true_false(said in _TRUE, feedback, question)
	return _short(inner, question)


def _refused(text: str, *about: str) -> Answered:
	return Answered({}, [broken(text, *about)])


def _answers(inner: str, mark: str, default: Decimal, question: Text) -> list[_Answer]:
	"""Each answer, from one of the letters of `mark` to the next."""
	found = []
	for part in re.split(f"(?=[{mark}])", inner.strip()):
		if not part.strip():
			continue
		is_right = part[0] == "="
		body = part[1:].lstrip() if part[0] in mark else part.strip()
		weight = _WHOLE if is_right else default
		if given := _WEIGHT.match(body):
			weight, body = Decimal(given[1]), body[given.end() :]
		text, _sign, feedback = body.partition("#")
		found.append(_Answer(read(text, question.format), weight, read(feedback, question.format)))
	return found


def _choices(inner: str, question: Text) -> Answered:
	answers = _answers(inner, "=~", Decimal(0), question)
	is_single = "=" in inner
	if len(answers) < 2:
		return _refused(_("It has one choice alone. A question with choices has two or more."))
	choices = [" ".join(answer.text.plain().split()) for answer in answers]
	right = [choice for choice, answer in zip(choices, answers, strict=True) if answer.weight > 0]
	whole = [choice for choice, answer in zip(choices, answers, strict=True) if answer.weight >= _WHOLE]
	found = [
		finding
		for answer in answers
		for finding in (
			*texts.remarks(answer.text, is_plain=True),
			*texts.remarks(answer.feedback, is_plain=False),
		)
	]
	config: dict[str, Any] = {"kind": "one" if is_single else "several", "choices": choices}
	if is_single and len(whole) > 1:
		found.append(
			broken(
				_(
					"Each of several choices is right alone: {0}. Mark one with {1}, or all that are right together with {2}."
				),
				", ".join(whole),
				"=",
				"~%50%",
			)
		)
	elif not right:
		found.append(broken(_("None of its choices is right. Begin the right one with {0}."), "="))
	else:
		config["answer"] = whole[0] if is_single else right
	partly = {answer.weight for answer in answers if answer.weight > 0}
	if len(partly) > 1:
		found.append(warning(_("Parts of a mark do not come in: an answer is right or wrong.")))
	config |= _explained(list(zip(choices, answers, strict=True)))
	return Answered(config, found)


def _true_false(is_true: bool, feedback: list[str], question: Text) -> Answered:
	words = ("صحيح", "خطأ") if _ARABIC.search(question.typed) else ("True", "False")
	right, wrong = words if is_true else words[::-1]
	nothing = Text("")
	said = [read(each, question.format) for each in feedback]
	if_wrong, if_right = [*said, nothing, nothing][:2]
	config: dict[str, Any] = {"kind": "true_false", "choices": list(words), "answer": right}
	config |= _explained(
		[(right, _Answer(nothing, _WHOLE, if_right)), (wrong, _Answer(nothing, Decimal(0), if_wrong))]
	)
	found = [finding for each in said for finding in texts.remarks(each, is_plain=False)]
	return Answered(config, found)


def _short(inner: str, question: Text) -> Answered:
	answers = _answers(inner, "=", _WHOLE, question)
	if not inner.startswith("="):
		return _refused(_("Its answer begins with neither {0} nor {1}: {2}"), "=", "~", unguarded(inner))
	named = [(" ".join(answer.text.plain().split()), answer) for answer in answers]
	found: list[Finding] = []
	right = []
	for text, answer in named:
		if answer.weight < _WHOLE:
			if text != "*":
				found.append(warning(_("“{0}” is right in part only, so it does not come in."), text))
		elif re.search(r"(?<!\\)\*", text):
			found.append(warning(_("“{0}” does not come in: {1} means any letters there."), text, "*"))
		elif text:
			right.append(text.replace(r"\*", "*"))
	right = list(dict.fromkeys(right))
	if not right:
		found.append(broken(_("No answer of it is wholly right.")))
	config: dict[str, Any] = {"kind": "short", "answer": right[0] if len(right) == 1 else right}
	return Answered(
		config | _explained([(text if text != "*" else "", answer) for text, answer in named]), found
	)


def _number(inner: str, question: Text) -> Answered:
	inner, _sign, wrong = inner.partition("~")
	answers = _answers(inner, "=", _WHOLE, question)
	found: list[Finding] = []
	right: list[tuple[str, Decimal]] = []
	for answer in answers:
		text = answer.text.plain()
		if answer.weight < _WHOLE:
			found.append(warning(_("“{0}” is right in part only, so it does not come in."), text))
			continue
		try:
			right.append(_range(text))
		except numerals.Ambiguous:
			found.append(
				broken(_("“{0}” may be two numbers. Write it with a point, and without thousands."), text)
			)
		except ValueError:
			found.append(broken(_("“{0}” is no number."), text))
	if not right and not found:
		found.append(broken(_("It asks for a number and gives none.")))
	if len({tolerance for _text, tolerance in right}) > 1:
		found.append(broken(_("Its answers have several tolerances, and a question has one.")))
	config: dict[str, Any] = {"kind": "number"}
	if right:
		config["answer"] = right[0][0] if len(right) == 1 else [text for text, _tolerance in right]
		if right[0][1]:
			config["tolerance"] = numerals.as_json(right[0][1])
	named = [(answer.text.plain(), answer) for answer in answers]
	if wrong:
		_nothing, _sign, said = wrong.partition("#")
		named.append(("", _Answer(Text(""), Decimal(0), read(said, question.format))))
	return Answered(config | _explained(named), found)


def _range(text: str) -> tuple[str, Decimal]:
	"""A number and its tolerance, from `3`, `3:0.5` or `1..5`. Raises ValueError."""
	low, dots, high = text.partition("..")
	if dots and low.strip():
		return numerals.middle(low, high)
	number, colon, tolerance = text.partition(":")
	answer = numerals.canonical(number)
	margin = numerals.as_decimal(numerals.canonical(tolerance) or "") if colon else Decimal(0)
	if answer is None or margin is None or margin < 0:
		raise ValueError(text)
	return answer, margin


def _explained(named: list[tuple[str, _Answer]]) -> dict[str, str]:
	"""The explanation that answers' feedback makes: after an answer, all of it is shown."""
	said = [(name, answer) for name, answer in named if answer.feedback.typed]
	if len(said) == 1 and said[0][1].weight > 0:
		return {"explanation": said[0][1].feedback.markup()}
	parts = []
	for name, answer in said:
		markup = answer.feedback.markup()
		label = texts.paragraphs(name).removeprefix("<p>").removesuffix("</p>")
		if not label:
			parts.append(markup)
		elif markup.startswith("<p>"):
			parts.append(f"<p><strong>{label}</strong>: {markup[3:]}")
		elif not _BLOCK.search(markup):
			parts.append(f"<p><strong>{label}</strong>: {markup}</p>")
		else:
			parts.append(f"<p><strong>{label}</strong></p>{markup}")
	return {"explanation": "".join(parts)} if parts else {}
