"""The documents and comments use the field's words, and none of the words that memora once had for itself.

`docs/glossary.md` has the words to use. `code` in backticks, fenced blocks and what is generated are left alone.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository.documents import DOCUMENTS, ROOT, relative

WORDS = {
	r"anew": "again",
	r"mend(?:s|ed|ing)?": "fix, or repair",
	r"brak(?:e|es|ed)": "the large-change guard",
	r"bells?": "wake-up",
	r"ring(?:s|ing)?|rang|rung": "notify",
	r"(?:un)?fold(?:s|ed|ing)?": "the relay; it runs, or reads changes",
	r"thereof|therein|whereof|hereby": "say it in a second sentence",
	r"hang(?:s|ing)?|hung": "is below, or belongs to",
	r"bur(?:y|ies|ied)|exhume[sd]?": "add or remove a dead letter",
	r"upkeep": "daily maintenance",
	r"of which": "say it in a second sentence",
	r"(?:is|are|was|were) to be": "must be, or will be",
	r"nobody": "name who does not, or turn the sentence round",
	r"stand(?:s|ing|ings)?(?!-in)|stood": "is, or publication status",
	r"(?:the|a|an|each|every|last|next|minute's) ticks?": "batch, or check",
	r"tid(?:y|ies|ied|ying)": "clean up",
	r"g(?:ive|ives|iven|iving|ave) up": "dismiss, release or stop",
	r"(?:take|takes|taken|taking|took) away": "unpublish, or remove",
	r"(?:bring|brings|bringing|brought) out": "publish, or upload and close",
	r"reviv(?:e|es|ed)": "retry",
	r"hurr(?:y|ies|ied)": "reset the back-off",
	r"(?<!CDN )renditions?": "plan subject",
	r"for good": "permanently",
	r"the (?:hall|house)": "the pipeline, or say which folder",
}
"""Each old word, as a pattern, with what to say instead."""

ALLOWED = {
	"docs/contract.md": r"fold(?:s|ed|ing)?",
	"docs/reader.md": r"fold(?:s|ed|ing)?",
}
"""Where a word has its everyday meaning: in a search, which folds letters that are the same to a reader."""

_GENERATED = re.compile(
	r"<!-- (?:fields|example|measured|access|types)\b.*?<!-- (?:measured: )?end -->", re.DOTALL
)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`]*`")
_LINK = re.compile(r"\]\([^)]*\)")
_OLD = re.compile("|".join(rf"\b(?:{pattern})\b" for pattern in WORDS), re.IGNORECASE)
_JS_COMMENT = re.compile(r"/\*.*?\*/|(?<![:'\"`/])//[^\n]*", re.DOTALL)

PROSE = [path for path in DOCUMENTS if "tests/" not in relative(path)]
CODE = sorted(
	path
	for folder in ("memora", "edge")
	for pattern in ("*.py", "*.js")
	for path in (ROOT / folder).rglob(pattern)
	if "node_modules" not in path.parts
)


def _blank(text: str, pattern: re.Pattern[str]) -> str:
	"""The text with what fits replaced by nothing, on as many lines."""
	return pattern.sub(lambda match: "\n" * match[0].count("\n"), text)


def _document(text: str) -> Iterator[tuple[int, str]]:
	for pattern in (_GENERATED, _FENCE, _CODE, _LINK):
		text = _blank(text, pattern)
	yield 1, text


def _python(text: str) -> Iterator[tuple[int, str]]:
	"""Every docstring and comment, each with its first line."""
	for node in ast.walk(ast.parse(text)):
		if (
			isinstance(node, ast.Expr)
			and isinstance(node.value, ast.Constant)
			and isinstance(node.value.value, str)
		):
			yield node.lineno, _blank(node.value.value, _CODE)
	for token in tokenize.generate_tokens(io.StringIO(text).readline):
		if token.type == tokenize.COMMENT:
			yield token.start[0], _blank(token.string, _CODE)


def _javascript(text: str) -> Iterator[tuple[int, str]]:
	for match in _JS_COMMENT.finditer(text):
		yield text.count("\n", 0, match.start()) + 1, _blank(match[0], _CODE)


def _say_instead(word: str) -> str:
	return next(better for old, better in WORDS.items() if re.fullmatch(old, word, re.IGNORECASE))


def old_words(path: Path) -> list[str]:
	"""Where a file has an old word, each with what to say instead."""
	read = {".md": _document, ".py": _python, ".js": _javascript}[path.suffix]
	allowed = ALLOWED.get(relative(path), "(?!)")
	return [
		f"{relative(path)}:{line + text.count(chr(10), 0, match.start())}: {match[0]!r}; say: {_say_instead(match[0])}"
		for line, text in read(path.read_text())
		for match in _OLD.finditer(text)
		if not re.fullmatch(allowed, match[0], re.IGNORECASE)
	]


@pytest.mark.parametrize("path", PROSE, ids=relative)
def test_a_document_has_no_old_word(path: Path) -> None:
	assert old_words(path) == []


def test_docstrings_and_comments_have_no_old_word() -> None:
	assert [found for path in CODE for found in old_words(path)] == []


@pytest.mark.parametrize(
	("name", "text", "found"),
	[
		("a.md", "One.\n\nAll is built anew.\n", ["3: 'anew'; say: again"]),
		("a.md", "`fold` and\n```\nbrake\n```\n[x](#the-bell)", []),
		("a.md", "CDN Rendition; a rendition", ["1: 'rendition'; say: plan subject"]),
		("a.md", "Tick *Enabled*. The next tick.", ["1: 'next tick'; say: batch, or check"]),
		(
			"a.py",
			'x = "anew"\n\n\ndef f():\n\t"""One.\n\n\tIt stands.\n\t"""\n',
			["7: 'stands'; say: is, or publication status"],
		),
		("a.py", "x = 1  # mended\n", ["1: 'mended'; say: fix, or repair"]),
		(
			"a.js",
			"const a = 'https://bell';\n// nobody\n",
			["2: 'nobody'; say: name who does not, or turn the sentence round"],
		),
	],
)
def test_how_old_words_are_found(
	tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, found: list[str]
) -> None:
	path = tmp_path / name
	path.write_text(text)
	monkeypatch.setattr("tests.repository.test_words.relative", lambda path: path.name)
	assert old_words(path) == [f"{name}:{line}" for line in found]
