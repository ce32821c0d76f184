"""Cells of a table that was pasted from a spreadsheet, or exported as CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

SEPARATORS = ("\t", ";", ",")


class Line(NamedTuple):
	"""A row of cells, and the line of the text that it begins in."""

	number: int
	cells: list[str]


class UnclosedQuote(ValueError):
	"""A cell in quotes has no end; `line` is where it begins."""

	def __init__(self, line: int) -> None:
		super().__init__(line)
		self.line = line


def lines(text: str, separator: str) -> Iterator[Line]:
	"""The rows of a table, without empty ones. A cell in quotes may hold separators, new lines, and `""` for a quote.

	Raises UnclosedQuote at the cell that never ends.
	"""
	ends = re.compile(f"[{re.escape(separator)}\n]")
	at, number, end = 0, 1, len(text)
	while at < end:
		first, cells = number, list[str]()
		while True:
			cell, at, is_last, passed = _cell(text, at, ends, number)
			number += passed
			cells.append(cell)
			if is_last:
				break
		number += 1
		if any(cells):
			yield Line(first, cells)


def _cell(text: str, at: int, ends: re.Pattern[str], line: int) -> tuple[str, int, bool, int]:
	"""A cell, where the next begins, whether it is the last of its row, and how many new lines it holds."""
	quoted = ""
	passed = 0
	if text.startswith('"', at):
		close = _closing(text, at + 1)
		if close < 0:
			raise UnclosedQuote(line)
		quoted = text[at + 1 : close].replace('""', '"')
		passed = text.count("\n", at, close)
		at = close + 1
	found = ends.search(text, at)
	cell_ends = found.start() if found else len(text)
	is_last = not found or found[0] == "\n"
	return (quoted + text[at:cell_ends]).strip(), cell_ends + 1, is_last, passed


def _closing(text: str, at: int) -> int:
	while (at := text.find('"', at)) >= 0:
		if not text.startswith('""', at):
			return at
		at += 2
	return -1
