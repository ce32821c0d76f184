"""How commands say things: tables, numbers, moments, and questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import click
import frappe

from memora.commands.answer import CannotRun
from memora.services.cdn_export.builds.event_log import in_zone

_LONGEST_CAUSE = 160


def ask(question: str, otherwise: str) -> None:
	"""Ask who runs the command. Raises CannotRun, which says what happened `otherwise`, unless they are sure."""
	try:
		sure = click.confirm(question.strip(), err=True)
	except click.Abort as error:
		raise CannotRun("Nobody is there to ask; say --yes.") from error
	if not sure:
		raise CannotRun(otherwise)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[int] = ()) -> Iterator[str]:
	"""Rows in columns, those in `right` at the right, under a head; nothing without rows."""
	cells = [[str(cell) for cell in row] for row in rows]
	if not cells:
		return
	cells.insert(0, list(head))
	widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
	for row in cells:
		aligned = (
			cell.rjust(widths[column]) if column in right else cell.ljust(widths[column])
			for column, cell in enumerate(row)
		)
		yield "  ".join(aligned).rstrip()


def count(number: int, noun: str) -> str:
	"""A number and what is counted, in the plural where it is not one."""
	return f"{number:,} {noun}{'' if number == 1 else 'es' if noun.endswith('s') else 's'}"


def size(count: int) -> str:
	"""So many bytes, in the unit that suits them."""
	if count < 10_000:
		return f"{count:,} B"
	return f"{count / 1_000:,.0f} kB" if count < 10_000_000 else f"{count / 1_000_000:,.1f} MB"


def moment(moment: datetime | None) -> str:
	"""A moment in the site's time zone, to the second; "" for none."""
	return in_zone(frappe.utils.get_datetime(moment)).isoformat(" ", "seconds") if moment else ""


def shortened(text: str) -> str:
	"""A text in one line, cut off where it is long."""
	line = " ".join(text.split())
	return line if len(line) <= _LONGEST_CAUSE else f"{line[:_LONGEST_CAUSE]}…"
