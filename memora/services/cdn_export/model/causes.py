"""Who caused an attempt at a plan and what changed: a few lines of text, from the outbox to the log.

A line says who, a DocType and a name; an action has no DocType. `+12` says how many more there were, `+` that there
were more. No titles: who reads a log may not be allowed to read all that it names (`sync_log.explain` looks).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MOST_NAMED = 5
"""How many changes an attempt names; the others are counted."""

MOST_CHARACTERS = 1_000
"""A plan that waits for long has changes added to its text while it is shorter than this."""

HOURLY, NIGHTLY = "hourly check", "nightly check"
"""Who found a change that no hook has seen."""

REBUILD, RETRY, APPROVAL, START, REPAIR, MOVE = "rebuild", "retry", "approval", "start", "repair", "move"
"""What people can ask for; `START` is a batch that somebody has started by hand."""


class Cause(NamedTuple):
	"""A change, or an action where `doctype` is empty."""

	user: str
	doctype: str
	name: str


def action(user: str, word: str) -> str:
	"""The text of what somebody asked for."""
	return text([Cause(user, "", word)])


def text(causes: Iterable[Cause], more: int = 0) -> str:
	"""The lines of these causes: MOST_NAMED are named, the others and `more` are counted. "" without any."""
	found = list(dict.fromkeys(causes))
	more += max(0, len(found) - MOST_NAMED)
	lines = ["\t".join(" ".join(part.split()) for part in cause) for cause in found[:MOST_NAMED]]
	return "".join(f"{line}\n" for line in [*lines, *([f"+{more}"] if more else [])])


def read(lines: str) -> tuple[list[Cause], int, bool]:
	"""What a text, or several one after another, names: each cause once; how many more; whether that is not all."""
	found: dict[Cause, None] = {}
	more, is_cut = 0, False
	for line in lines.splitlines():
		parts = line.split("\t")
		if len(parts) == len(Cause._fields):
			found[Cause(*parts)] = None
		elif line[1:].isdecimal():
			more += int(line[1:])
		elif line == "+":
			is_cut = True
	return list(found), more, is_cut


def short(lines: str) -> str:
	"""The same text with each cause once, MOST_NAMED at the most."""
	found, more, is_cut = read(lines)
	return text(found, more) + ("+\n" if is_cut else "")
