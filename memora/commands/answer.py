"""What a command answers, to people and to scripts: the answer itself, why it could not run, and how far it is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

FINE, FOUND, COULD_NOT_RUN = 0, 1, 2
"""Exit codes."""


class CannotRun(click.ClickException):
	"""Something is missing for the command to run; the message says what to do."""

	exit_code = COULD_NOT_RUN


@dataclass(frozen=True, slots=True)
class Answer:
	"""What a command has to say: `data` for scripts, `lines` for people. `found`: something needs a look."""

	data: Any
	lines: Sequence[str] = field(default=())
	found: bool = False


class Progress:
	"""A bar on a terminal for long work, out of the way of what is printed; nothing elsewhere."""

	def __init__(self, *, shown: bool) -> None:
		self._shown = shown and sys.stderr.isatty()

	@contextmanager
	def of(self, label: str) -> Iterator[Callable[[int, int], None]]:
		"""What to call with how many are done of how many."""
		if not self._shown:
			yield lambda done, total: None
			return
		shown: AbstractContextManager[Any] = click.progressbar(
			length=1, label=label, file=sys.stderr, show_pos=True
		)
		with shown as bar:

			def tell(done: int, total: int) -> None:
				bar.length = max(total, 1)
				bar.update(done - bar.pos)

			yield tell
