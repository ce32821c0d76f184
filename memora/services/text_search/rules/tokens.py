"""The words by which MariaDB's full-text index finds a lesson.

Each is written in signs of ASCII: InnoDB leaves out words of one or two letters and the commonest English ones, and takes some
scripts' vowel signs for the end of a word. A word that begins another begins it in these signs, too.
"""

from __future__ import annotations

import re

from memora.services.text_search.rules import letters

MOST_WORDS = 8
"""So many words of a question are looked for."""

_MOST_LETTERS = 20
"""Of a word; InnoDB indexes no word of more than 84 signs."""

_ARTICLE = "[وف]?(?:[بك]?ال|لل)"
_BEFORE_ASKED = re.compile(f"{_ARTICLE}(?=..)")
_BEFORE_WRITTEN = re.compile(f"(?:{_ARTICLE}|[وفبلك])(?=..)")
"""What Arabic writes before a word without a space: the article, "and", "by", "for", "like". Of what is asked for only the
article goes, since one letter may as well be the word's own."""


def indexed(text: str) -> str:
	"""The words of a text for the index, each once."""
	found = dict.fromkeys(form for word in letters.words(text) for form in _forms(word))
	return " ".join(map(_signs, found))


def sought(text: str) -> list[str]:
	"""The words that a question asks for; none where it is too little to search for: one letter of an alphabet."""
	found = [part for word in letters.words(text) for part in _parts(_asked(word))]
	found = found[:MOST_WORDS]
	is_enough = sum(map(len, found)) > 1 or any(letters.is_whole(word) for word in found)
	return found if is_enough else []


def query(words: list[str]) -> str:
	"""The question to the index, in its boolean mode: each of these words, or one that it begins."""
	return " ".join(f"+{_signs(word)}*" for word in words)


def is_hit(text: str, words: list[str]) -> bool:
	"""Whether a piece of a text has one of these words, as the index would find it."""
	forms = [form for word in letters.words(text) for form in _forms(word)]
	return any(form.startswith(word) for form in forms for word in words)


def _asked(word: str) -> str:
	article = _BEFORE_ASKED.match(word)
	return word[article.end() :] if article else word


def _forms(word: str) -> list[str]:
	"""A word as it is looked for: whole, and without what Arabic writes before it."""
	parts = _parts(word)
	if parts != [word]:
		return parts
	bare = _BEFORE_WRITTEN.match(word)
	return [word, word[bare.end() :]] if bare else [word]


def _parts(word: str) -> list[str]:
	"""Characters that are words of their own apart."""
	if not any(map(letters.is_whole, word)):
		return [word]
	return [part for part in re.split("(.)", word) if part]


def _signs(word: str) -> str:
	return "u" + "".join(f"{ord(letter):04x}" for letter in word[:_MOST_LETTERS])
