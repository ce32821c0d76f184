"""What a check of a stage's config has found: where, how bad it is, and in plain words what to do."""

from __future__ import annotations

from typing import Literal, NamedTuple

Path = tuple[str | int, ...]
Severity = Literal["broken", "warning"]


class Finding(NamedTuple):
	"""One thing that is wrong with a stage's config.

	`path` leads to the field, () to the config as a whole. "broken": learners cannot use the stage, with an app that
	follows the contract. "warning": they can, but would not get all that was meant. `text` has a place for each thing
	it is `about`; whoever shows it translates it.
	"""

	path: Path
	severity: Severity
	text: str
	about: tuple[str, ...] = ()

	def __str__(self) -> str:
		return self.text.format(*self.about)


def named(path: Path) -> str:
	"""A field as messages call it: "choices" #2."""
	return " ".join(f"#{step + 1}" if isinstance(step, int) else f'"{step}"' for step in path)


def _(text: str) -> str:
	"""Marks a text that whoever shows it translates."""
	return text
