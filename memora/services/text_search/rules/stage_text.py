"""What of a stage people read: no keys, no answers, no code that gives a solution away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

Read = Callable[[Any], Iterator[str]]

_DECLARATION = re.compile(r"<!\[[^>]*>?")
_UNREAD = frozenset({"script", "style", "template", "title"})
_INLINE = frozenset(
	{"a", "abbr", "b", "bdi", "bdo", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q", "s"}
	| {"samp", "small", "span", "strong", "sub", "sup", "u", "var", "wbr"}
)
"""Elements that end no word."""


class _Text(HTMLParser):
	def __init__(self) -> None:
		super().__init__(convert_charrefs=True)
		self.pieces: list[str] = []
		self._unread = 0

	def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
		self._unread += tag in _UNREAD
		described = dict(attrs).get("alt")
		if tag not in _INLINE:
			self.pieces.append("\n")
		if described:
			self.pieces.append(described)

	def handle_endtag(self, tag: str) -> None:
		self._unread -= tag in _UNREAD and self._unread > 0
		if tag not in _INLINE:
			self.pieces.append("\n")

	def handle_data(self, data: str) -> None:
		if not self._unread:
			self.pieces.append(data)


def of(kind: str, config: Any) -> str:
	"""The readable text of a stage of this type; of a type that is not known, none."""
	if not isinstance(config, Mapping):
		return ""
	parts = (text for key, read in _READ.get(kind, {}).items() for text in read(config.get(key)))
	return "\n".join(part for part in parts if part)


def of_markup(markup: str) -> str:
	"""The text of some HTML, blocks apart."""
	if "<" not in markup and "&" not in markup:
		return markup
	parser = _Text()
	# Python's parser raises for a declaration that it does not know; browsers take it for a comment.
	parser.feed(_DECLARATION.sub(" ", markup))
	parser.close()
	return "".join(parser.pieces)


def _markup(value: Any) -> Iterator[str]:
	if isinstance(value, str):
		yield of_markup(value)


def _plain(value: Any) -> Iterator[str]:
	if isinstance(value, str):
		yield value


def _each(value: Any) -> Iterator[str]:
	for item in value if isinstance(value, list) else ():
		yield from _plain(str(item) if isinstance(item, int | float) else item)


def _keys(**reads: Read) -> Read:
	def read(value: Any) -> Iterator[str]:
		for item in value if isinstance(value, list) else ():
			for key, one in reads.items():
				yield from one(item.get(key) if isinstance(item, Mapping) else item)

	return read


_TESTS = _keys(text=_markup)
_READ: Mapping[str, Mapping[str, Read]] = {
	"Video": {"title": _plain},
	"Text": {"html": _markup, "text": _plain, "body": _plain, "content": _plain, "markdown": _plain},
	"Question": {
		"question": _plain,
		"instructions": _markup,
		"choices": _each,
		"hint": _markup,
		"tests": _TESTS,
	},
	"Interactive": {"instructions": _markup, "libraries": _each, "tests": _TESTS},
}
