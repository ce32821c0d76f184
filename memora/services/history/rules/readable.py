"""Values as lines that people compare: a stage's config without brackets, quotes and markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from memora.services.text_search.rules import stage_text

_BETWEEN = re.compile(r"(?<=>)(?=<)")
_BLANK = re.compile(r"\n\s*\n+")

Lines = list[str]


def both(old: str, new: str, labels: tuple[str, str] = ("", "")) -> tuple[Lines, Lines]:
	"""Two texts as lines. Where they read the same, and only markup differs, the markup itself. `labels` are lines before."""
	before, after = _lines(old, False), _lines(new, False)
	if before == after and old != new:
		before, after = _lines(old, True), _lines(new, True)
	first, second = ([label] if label else [] for label in labels)
	return [*first, *before], [*second, *after]


def _lines(text: str, source: bool) -> Lines:
	"""A field's text; JSON that is an object as one line, or more, for each value that it holds. An only text needs no key."""
	if text.lstrip().startswith("{"):
		try:
			parsed = orjson.loads(text)
		except orjson.JSONDecodeError:
			parsed = None
		if isinstance(parsed, dict):
			only = next(iter(parsed.values())) if len(parsed) == 1 else None
			return list(_text(only, source) if isinstance(only, str) else _walked(parsed, "", source))
	return list(_text(text, source)) if text else []


def _walked(value: Any, path: str, source: bool) -> Iterator[str]:
	if isinstance(value, dict):
		for key, each in value.items():
			yield from _walked(each, f"{path} › {key}" if path else str(key), source)
	elif isinstance(value, list):
		for number, each in enumerate(value, start=1):
			yield from _walked(each, f"{path} {number}", source)
	elif isinstance(value, str):
		read = list(_text(value, source))
		if len(read) > 1:
			yield f"{path}:"
			yield from read
		else:
			yield f"{path}: {''.join(read)}"
	else:
		yield f"{path}: {orjson.dumps(value).decode()}"


def _text(text: str, source: bool) -> Iterator[str]:
	if "<" in text:
		text = _BETWEEN.sub("\n", text) if source else _BLANK.sub("\n", stage_text.of_markup(text)).strip()
	yield from text.split("\n")
