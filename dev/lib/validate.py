"""Runs the commands of a document and compares what they print with what the document says they do.

A document is Markdown. In each block fenced as ```console a line that begins with "$ " is a command (lines that
begin with "> " go on with it), and what stands below it, up to the next command, is its output, standard error
included:

	```console
	$ bench --site $SITE memora dead-letters
	There are no dead letters.
	```

An ellipsis … within a line stands for any text, a line of nothing but … for any lines. A command must end with 0,
so one that is to fail ends in `; echo "exit code $?"`. All commands of a document run in one bash, so variables
stay. Other blocks (```sh, ```text, ```json) are not run.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 300
ANYTHING = "…"
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Step:
	"""A command of a document and what it says that the command prints. Lines count from 1."""

	line: int
	command: str
	expected: tuple[str, ...]
	end: int


class FormatError(Exception):
	"""The document cannot be read; the message names the line."""


def steps(text: str) -> Iterator[Step]:
	"""The commands of a document in order."""
	lines = text.splitlines()
	number = 0
	while number < len(lines):
		if lines[number].strip() != "```console":
			number += 1
			continue
		start = number + 1
		end = next((at for at in range(start, len(lines)) if lines[at].strip() == "```"), None)
		if end is None:
			raise FormatError(f"line {start}: the block has no end")
		if start < end and not lines[start].startswith("$ "):
			raise FormatError(f"line {start + 1}: a console block begins with a command, as in “$ bench …”")
		yield from _commands(lines, start, end)
		number = end + 1


def _commands(lines: Sequence[str], start: int, end: int) -> Iterator[Step]:
	at = start
	while at < end:
		begun = at
		command = [lines[at].removeprefix("$ ")]
		at += 1
		while at < end and lines[at].startswith("> "):
			command.append(lines[at].removeprefix("> "))
			at += 1
		output = at
		while at < end and not lines[at].startswith("$ "):
			at += 1
		yield Step(begun + 1, "\n".join(command), tuple(lines[output:at]), at)


def fits(expected: Sequence[str], printed: Sequence[str]) -> bool:
	"""Whether what was printed is what was expected; empty lines and spaces at the end do not count."""
	pattern = "".join(
		r"(?:[^\n]*\n)*" if line.strip() == ANYTHING else _line_pattern(line) for line in _clean_up(expected)
	)
	return re.fullmatch(pattern, "".join(f"{line}\n" for line in _clean_up(printed))) is not None


def _line_pattern(line: str) -> str:
	return r"[^\n]*".join(re.escape(part) for part in line.split(ANYTHING)) + r"\n"


def _clean_up(lines: Sequence[str]) -> list[str]:
	return [line.rstrip() for line in lines if line.strip()]


class Shell:
	"""One bash for all commands of a document."""

	def __init__(self, folder: Path, environment: dict[str, str]) -> None:
		# Under CI Frappe prints otherwise than people see it.
		inherited = {name: value for name, value in os.environ.items() if name != "CI"}
		self._process = subprocess.Popen(
			["bash", "--noprofile", "--norc"],
			cwd=folder,
			env={**inherited, **environment, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "120"},
			stdin=subprocess.PIPE,
			stdout=subprocess.PIPE,
			stderr=subprocess.STDOUT,
			start_new_session=True,
		)
		self._lines: queue.Queue[str | None] = queue.Queue()
		threading.Thread(target=self._read, daemon=True).start()

	def run(self, command: str) -> tuple[list[str], int | None]:
		"""Run a command. Returns the lines it printed and its exit code; None where it did not end."""
		mark = uuid.uuid4().hex
		assert self._process.stdin
		self._process.stdin.write(
			f"{{ {command}\n}} </dev/null\n__code=$?; echo; echo {mark} $__code\n".encode()
		)
		self._process.stdin.flush()
		printed: list[str] = []
		ends = time.monotonic() + PATIENCE_SECONDS
		while True:
			try:
				line = self._lines.get(timeout=max(0.0, ends - time.monotonic()))
			except queue.Empty:
				return [*printed, f"(it did not end in {PATIENCE_SECONDS} s)"], None
			if line is None:
				return [*printed, "(it ended the shell)"], None
			if line.startswith(mark):
				return printed, int(line.split()[1])
			printed.append(line)

	def close(self) -> None:
		self._process.kill()
		self._process.wait()

	def _read(self) -> None:
		assert self._process.stdout
		for line in self._process.stdout:
			# what a progress bar has overwritten was never to be read
			self._lines.put(_ESCAPES.sub("", line.decode(errors="replace").rstrip("\n")).rpartition("\r")[2])
		self._lines.put(None)


def validate(document: Path, shell: Shell, *, write: bool) -> int:
	"""Run all commands of a document and say which do not do what it says. Returns how many.

	With `write` what they printed takes the place of what the document said.
	"""
	lines = document.read_text().splitlines()
	wrong = 0
	shift = 0
	for step in list(steps(document.read_text())):
		started = time.monotonic()
		printed, code = shell.run(step.command)
		seconds = time.monotonic() - started
		fine = code == 0 and fits(step.expected, printed)
		title = step.command.splitlines()[0]
		print(
			f"{'ok  ' if fine else 'FAIL'} {document.name}:{step.line}  {title[:90]}  ({seconds:.1f} s)",
			flush=True,
		)
		if fine:
			continue
		wrong += 1
		if code != 0:
			print(f"     it ended with {code}")
		_show("the document says", step.expected)
		_show("it printed", _clean_up(printed))
		if code is None:
			break
		if write:
			first = step.end - len(step.expected) + shift
			last = step.end + shift
			kept = _clean_up(printed)
			lines[first:last] = kept
			shift += len(kept) - len(step.expected)
	if write and wrong:
		document.write_text("\n".join(lines) + "\n")
	return wrong


def _show(what: str, lines: Sequence[str]) -> None:
	print(f"     {what}:")
	for line in lines:
		print(f"       {line}")


def main(arguments: Sequence[str]) -> int:
	parser = argparse.ArgumentParser(prog="dev/validate")
	parser.add_argument("--folder", type=Path, required=True, help="where commands run: the bench")
	parser.add_argument("--site", required=True, help="becomes $SITE")
	parser.add_argument("--path", required=True, help="a folder with a bench command, put first on PATH")
	parser.add_argument("--write", action="store_true", help="put what was printed into the document")
	parser.add_argument("documents", type=Path, nargs="+")
	options = parser.parse_args(arguments)
	wrong = total = 0
	for document in options.documents:
		try:
			total += len(list(steps(document.read_text())))
		except FormatError as error:
			print(f"{document.name}: {error}", file=sys.stderr)
			return 2
		shell = Shell(options.folder, {"SITE": options.site, "PATH": f"{options.path}:{os.environ['PATH']}"})
		try:
			wrong += validate(document, shell, write=options.write)
		finally:
			shell.close()
	counted = f"{total} command{'s' if total != 1 else ''}"
	print(f"{counted}, {wrong} not as the documents say" if wrong else f"{counted}, as the documents say")
	return 1 if wrong else 0


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
