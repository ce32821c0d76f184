"""How the demo prints: short lines, aligned; colours and a moving line only on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LONGEST_TEXT = 88
MOST_FILES = 3

_TTY = sys.stdout.isatty()
_COLOURS = _TTY and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def bold(text: str) -> str:
	return f"\033[1m{text}\033[0m" if _COLOURS else text


def faint(text: str) -> str:
	return f"\033[2m{text}\033[0m" if _COLOURS else text


def good(text: str) -> str:
	return f"\033[32m{text}\033[0m" if _COLOURS else text


def bad(text: str) -> str:
	return f"\033[31m{text}\033[0m" if _COLOURS else text


def heading(text: str) -> None:
	print(f"\n{bold(text)}", flush=True)


def line(text: str = "") -> None:
	print(f"  {text}" if text else "", flush=True)


def passing(text: str) -> None:
	"""Show a line that the next one replaces; nothing where there is no terminal."""
	if _TTY:
		print(f"\r\033[K  {text}"[: _width() + 4], end="", flush=True)


def done_passing() -> None:
	if _TTY:
		print("\r\033[K", end="", flush=True)


def table(rows: Iterable[Sequence[object]], right: Iterable[int] = ()) -> None:
	"""Print rows in columns; those numbered in `right` stand at the right."""
	cells = [[str(cell) for cell in row] for row in rows]
	if not cells:
		return
	widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
	to_the_right = set(right)
	for row in cells:
		aligned = (
			cell.rjust(widths[column]) if column in to_the_right else cell.ljust(widths[column])
			for column, cell in enumerate(row)
		)
		line("  ".join(aligned).rstrip())


def size(count: int) -> str:
	"""Return a number of bytes as people say it."""
	if count < 10_000:
		return f"{count:,} B"
	return f"{count / 1_000:,.0f} kB" if count < 10_000_000 else f"{count / 1_000_000:,.1f} MB"


def tree(sizes: Mapping[str, int], notes: Mapping[str, str]) -> None:
	"""Print paths as a tree. Folders with more than a few files say how many; `notes` go by path or folder."""
	root: dict[str, Any] = {}
	for path, count in sizes.items():
		*folders, name = path.split("/")
		holder = root
		for folder in folders:
			holder = holder.setdefault(f"{folder}/", {})
		holder[name] = count
	table(_branches(root, "", 0, notes), right=(1, 2))


def _branches(
	holder: dict[str, Any], above: str, depth: int, notes: Mapping[str, str]
) -> Iterable[tuple[str, str, str, str]]:
	indent = "  " * depth
	files = {name: count for name, count in holder.items() if not name.endswith("/")}
	listed = files if len(files) <= MOST_FILES else {}
	for name in sorted(listed):
		yield f"{indent}{name}", "", size(files[name]), notes.get(above + name, "")
	for name in sorted(name for name in holder if name.endswith("/")):
		count, total = _totals(holder[name])
		yield (
			f"{indent}{name}",
			f"{count:,} {'file' if count == 1 else 'files'}",
			size(total),
			notes.get(above + name, ""),
		)
		if any(below.endswith("/") for below in holder[name]) or count <= MOST_FILES:
			yield from _branches(holder[name], above + name, depth + 1, notes)


def _totals(holder: dict[str, Any]) -> tuple[int, int]:
	count = total = 0
	for value in holder.values():
		below = _totals(value) if isinstance(value, dict) else (1, value)
		count += below[0]
		total += below[1]
	return count, total


def shortened(value: Any) -> Any:
	"""Return a JSON value with its long texts and lists cut, so that it fits on a screen."""
	if isinstance(value, dict):
		return {key: shortened(below) for key, below in value.items()}
	if isinstance(value, list):
		kept = [shortened(below) for below in value[:4]]
		return [*kept, f"… {len(value) - 4} more"] if len(value) > 4 else kept
	if isinstance(value, str) and len(value) > LONGEST_TEXT:
		return f"{value[:LONGEST_TEXT]}…"
	return value


def _width() -> int:
	try:
		return os.get_terminal_size().columns
	except OSError:
		return 80
