"""One question of a text that people bring: where it is, what it becomes, and what was wrong or left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from memora.services.cdn_export.rules import stage_check
from memora.services.cdn_export.rules.stage_finding import Finding, _

_LONGEST_TITLE = 140
_WORDS_OF_TITLE = 60
_MOST_QUOTED = 80


class Row(NamedTuple):
	"""A question: the line that it begins in, a stage's title and config, and findings. `group` is the category of GIFT."""

	line: int
	title: str
	config: dict[str, Any]
	findings: tuple[Finding, ...] = ()
	group: str = ""

	@property
	def can_come_in(self) -> bool:
		"""Whether learners could use it: nothing of it is broken."""
		return all(finding.severity != "broken" for finding in self.findings)


def made(
	line: int, title: str, asked: str, config: dict[str, Any], found: Sequence[Finding], group: str = ""
) -> Row:
	"""The row of a config, with what the check of stages says of it where its reading has not failed already.

	Without a title it is called by the first words of what is `asked`.
	"""
	name, cut = titled(title, asked)
	findings = [*found, *cut]
	if all(finding.severity != "broken" for finding in findings):
		findings += stage_check.check("Question", config)
	return Row(line, name, config, tuple(findings), group)


def titled(title: str, asked: str) -> tuple[str, list[Finding]]:
	"""The title that a stage gets: the one that was given, or the question's first words."""
	given = " ".join(title.split())
	if len(given) > _LONGEST_TITLE:
		cut = warning(
			_("Its title is longer than {0} characters, so its end is cut off."), str(_LONGEST_TITLE)
		)
		return given[: _LONGEST_TITLE - 1] + "…", [cut]
	if given:
		return given, []
	words = " ".join(asked.split())
	if len(words) <= _WORDS_OF_TITLE:
		return words, []
	short = words[:_WORDS_OF_TITLE]
	return (short.rpartition(" ")[0] or short) + "…", []


def broken(text: str, *about: str) -> Finding:
	"""What keeps a question from coming in."""
	return Finding((), "broken", text, tuple(quoted(each) for each in about))


def warning(text: str, *about: str) -> Finding:
	"""What does not come in with a question, or comes in otherwise than one may think."""
	return Finding((), "warning", text, tuple(quoted(each) for each in about))


def quoted(text: str) -> str:
	"""As much of a text as a message has of it."""
	return text if len(text) <= _MOST_QUOTED else text[: _MOST_QUOTED - 1] + "…"
