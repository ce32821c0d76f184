"""What is doubtful about a stage: its config is JSON that can be published, but learners would not get what was meant.

`config` is passed on as it is, and each school's apps may agree on more (docs/contract.md, "Stages"). So these are
warnings, never refusals. They cover what the contract says a Question and a Text hold; a Video and an Interactive may
hold what their editors like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

KNOWN = {
	"Text": ("html", "text", "body", "content", "solutions"),
	"Question": ("question", "instructions", "choices", "answer", "tests"),
}
"""The keys of a config that mean something, by the stage's type."""


class Doubt(NamedTuple):
	"""What learners would miss, with a place for each thing it is about."""

	text: str
	about: tuple[str, ...] = ()

	def __str__(self) -> str:
		return self.text.format(*self.about)


def _(text: str) -> str:
	"""Marks a text that whoever shows it translates."""
	return text


def doubts(type_: str, config: dict[str, Any]) -> list[Doubt]:
	"""What is doubtful about a stage of this type with this config."""
	return list(_CHECKS.get(type_, _nothing)(config))


def _nothing(config: dict[str, Any]) -> Iterator[Doubt]:
	yield from ()


def _text(config: dict[str, Any]) -> Iterator[Doubt]:
	yield from _unknown("Text", config)
	if not any(_is_filled(config.get(key)) for key in KNOWN["Text"]):
		yield Doubt(_("it has nothing to read. Put the text into {0}."), ('"html"',))


def _question(config: dict[str, Any]) -> Iterator[Doubt]:
	yield from _unknown("Question", config)
	if not any(_is_filled(config.get(key)) for key in ("question", "instructions")):
		yield Doubt(_("it asks nothing. Put what it asks into {0}."), ('"question"',))
	choices, answer = config.get("choices"), config.get("answer")
	if choices is not None and not isinstance(choices, list):
		yield Doubt(_("its {0} must be a list, like {1}."), ('"choices"', '["3", "4"]'))
	elif choices == []:
		yield Doubt(_("its {0} are empty, so learners have nothing to choose."), ('"choices"',))
	elif choices and not all(_is_plain(choice) for choice in choices):
		yield Doubt(_("each of its {0} must be a text or a number."), ('"choices"',))
	elif choices and len({_shown(choice) for choice in choices}) < len(choices):
		yield Doubt(_("two of its {0} are the same."), ('"choices"',))
	answers = answer if isinstance(answer, list) else [answer] if answer is not None else []
	if not all(_is_plain(each) for each in answers):
		yield Doubt(_("its {0} must be a text, a number or a list of them."), ('"answer"',))
	elif choices and isinstance(choices, list):
		offered = {_folded(choice) for choice in choices}
		if missing := [_shown(each) for each in answers if _folded(each) not in offered]:
			yield Doubt(
				_(
					"its answer “{0}” is none of its choices, so no learner can be right. Write the choice itself."
				),
				(missing[0],),
			)
	elif not any(_shown(each).strip() for each in answers):
		yield Doubt(_("it has neither {0} nor {1}, so no learner can answer it."), ('"choices"', '"answer"'))


def _interactive(config: dict[str, Any]) -> Iterator[Doubt]:
	if not config:
		yield Doubt(_("its config is empty, so learners see nothing."))


_CHECKS: dict[str, Callable[[dict[str, Any]], Iterator[Doubt]]] = {
	"Text": _text,
	"Question": _question,
	"Interactive": _interactive,
}


def _unknown(type_: str, config: dict[str, Any]) -> Iterator[Doubt]:
	if unknown := [f'"{key}"' for key in config if key not in KNOWN[type_]]:
		yield Doubt(
			_(
				"{0} means nothing here, so learners do not see it, but anyone can read it in the file. Known are {1}."
			),
			(", ".join(unknown[:5]), ", ".join(f'"{key}"' for key in KNOWN[type_])),
		)


def _is_filled(value: object) -> bool:
	return bool(value.strip()) if isinstance(value, str) else isinstance(value, list) and bool(value)


def _is_plain(value: object) -> bool:
	return isinstance(value, str | int | float)


def _shown(value: object) -> str:
	"""A text or number as a browser writes it."""
	if isinstance(value, bool):
		return "true" if value else "false"
	if isinstance(value, float) and value.is_integer():
		value = int(value)
	return str(value)


def _folded(value: object) -> str:
	return " ".join(_shown(value).casefold().split())
