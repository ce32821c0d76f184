"""Which letters are the same for those who search: as in the reader's search, which a test compares.

Letters become the same only if a script's readers take them for the same: case, compatibility forms, digits, marks that are
left out in writing (accents of Latin and Greek, harakat, niqqud). Marks that are letters stay.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_VARIANTS = {
	"ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "ھ": "ه", "ە": "ه", "ٱ": "ا", "ـ": "",
	"ς": "σ", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i",
}  # fmt: skip
_POINTS = (
	("\u0591", "\u05c7"), ("\u0610", "\u061a"), ("\u064b", "\u065f"), ("\u0670", "\u0670"), ("\u06d6", "\u06ed"),
	("\u0711", "\u0711"), ("\u0730", "\u074a"), ("\u08ca", "\u08ff"), ("\ufe00", "\ufe0f"),
)  # fmt: skip
_WHOLE = ("CJK ", "HIRAGANA ", "KATAKANA ", "HANGUL ", "BOPOMOFO ", "ETHIOPIC ", "YI ")
"""Scripts in which one character says as much as a word or a syllable, as the names of their characters begin."""


def alike(text: str) -> str:
	"""The text with one letter for all that are the same."""
	if text.isascii():
		return text.lower()
	return "".join(_each(unicodedata.normalize("NFC", text)))


def words(text: str) -> list[str]:
	"""The words of a text, in such letters."""
	return "".join(letter if _is_letter(letter) else " " for letter in alike(text)).split()


def is_whole(letter: str) -> bool:
	"""Whether a letter is of a script that has a character for each word or syllable."""
	return letter > "\u10ff" and unicodedata.name(letter, "").startswith(_WHOLE)


def _each(text: str) -> Iterator[str]:
	base = ""
	for letter in text:
		for part in _decomposed(letter):
			category = unicodedata.category(part)
			if category.startswith("M"):
				if not _is_left_out(part, base):
					yield part
			elif category != "Cf":
				same = _same(part)
				base = part if same else base
				yield same


@lru_cache(maxsize=4096)
def _decomposed(letter: str) -> str:
	"""Syllables of Korean stay whole: one that begins another is not part of it."""
	name = unicodedata.name(letter, "")
	is_syllable = "HANGUL " in name or "KOREAN " in name  # in a circle or brackets, too
	return unicodedata.normalize(
		"NFKC" if is_syllable else "NFKD", letter.lower()
	).lower()  # as in a double-struck R


@lru_cache(maxsize=4096)
def _same(letter: str) -> str:
	if letter in _VARIANTS:
		return _VARIANTS[letter]
	return str(unicodedata.decimal(letter)) if unicodedata.category(letter) == "Nd" else letter


def _is_left_out(mark: str, base: str) -> bool:
	if any(first <= mark <= last for first, last in _POINTS):
		return True
	script = unicodedata.name(base, "") if base else ""
	if script.startswith(("LATIN ", "GREEK ")):
		return True
	# Stress, and the dots of ё. Those of й and ї make another letter.
	return script.startswith("CYRILLIC ") and (mark in "\u0300\u0301" or (base == "е" and mark == "\u0308"))


@lru_cache(maxsize=4096)
def _is_letter(letter: str) -> bool:
	return unicodedata.category(letter)[0] in "LMN"
