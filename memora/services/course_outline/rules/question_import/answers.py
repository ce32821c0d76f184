"""Which choices a cell of right answers means: by their text, their letter or their number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from memora.services.course_outline.rules.question_import import headings
from memora.services.course_outline.rules.question_import.numerals import western

_TRUE = frozenset(
	map(headings.normal, ("true", "t", "yes", "right", "correct", "صح", "صحيح", "صحيحة", "صواب", "نعم"))
)
_FALSE = frozenset(
	map(
		headings.normal,
		("false", "f", "no", "wrong", "incorrect", "خطأ", "خطا", "خاطئ", "خاطئة", "غلط", "لا"),
	)
)
_SURE = frozenset(map(headings.normal, ("true", "false", "صح", "صحيح", "صحيحة", "صواب", "خطأ", "خاطئة")))
_ON = frozenset({*_TRUE, "1", "x", "✓", "✔"})
_LONGEST_LIST, _LONGEST_LABEL = 5_000, 6
_BETWEEN = (r"[\n|]", r"[;؛\n|]", r"[,،;؛\n|&+]", r"\s(?:and|و)\s*|[,،;؛\n|&+]")
_LABEL = re.compile(r"[(\[]?\s*(.{1,2}?)\s*[)\].:]?")
_WORDS = {"ar": ("صحيح", "خطأ"), "en": ("True", "False")}
_ARABIC = re.compile("[\u0620-\u064a]")


class Offered:
	"""The choices of a question, to be found by what a cell says."""

	def __init__(self, choices: Sequence[str]) -> None:
		self._count = len(choices)
		self._by_text: list[tuple[Callable[[str], str], dict[str, int]]] = []
		for fold in (str.strip, _folded, _unmarked):
			places: dict[str, int] = {}
			for place, choice in enumerate(choices):
				places.setdefault(fold(choice), place)
			self._by_text.append((fold, places))

	def chosen(self, cell: str) -> list[int] | None:
		"""The places of the choices that a cell means, in order; None where part of it means none."""
		whole = self._place(cell)
		if whole is not None:
			return [whole]
		if len(cell) > _LONGEST_LIST:
			return None
		for between in _BETWEEN:
			parts = [part for part in re.split(between, cell) if part and part.strip()]
			places = self._places(parts) if len(parts) > 1 else None
			if places:
				return sorted(set(places))
		return None

	def is_ambiguous(self, cell: str) -> bool:
		"""Whether a cell is a choice's text, and the letter or number of another choice."""
		same, labelled = self._same(cell), self._labelled(cell)
		return same is not None and labelled is not None and same != labelled

	def _places(self, parts: Sequence[str]) -> list[int] | None:
		places = []
		for part in parts:
			place = self._place(part)
			if place is None:
				return None
			places.append(place)
		return places

	def _place(self, text: str) -> int | None:
		same = self._same(text)
		return same if same is not None else self._labelled(text)

	def _same(self, text: str) -> int | None:
		for fold, places in self._by_text:
			if (place := places.get(fold(text))) is not None:
				return place
		return None

	def _labelled(self, text: str) -> int | None:
		"""The place that a number or a letter names."""
		text = text.strip()
		label = _LABEL.fullmatch(western(_unmarked(text))) if len(text) <= _LONGEST_LABEL else None
		if not label:
			return None
		name = label[1]
		if name.isdecimal():
			place = int(name) - 1
		elif len(name) > 1:
			return None
		else:
			place = max(headings.ENGLISH_LETTERS.find(name), _unmarked(headings.ARABIC_LETTERS).find(name))
		return place if 0 <= place < self._count else None


def truth(text: str, *, is_sure: bool = False) -> bool | None:
	"""Whether a text says true or false; None for neither. `is_sure`: not by words that may as well mean themselves."""
	word = headings.normal(text)
	if is_sure and word not in _SURE:
		return None
	return True if word in _TRUE else False if word in _FALSE else None


def are_truths(choices: Sequence[str]) -> bool:
	"""Whether two choices are true and false."""
	return len(choices) == 2 and {truth(choice) for choice in choices} == {True, False}


def words_of_truth(text: str) -> tuple[str, str]:
	"""True and False in the language of a text."""
	return _WORDS["ar" if _ARABIC.search(text) else "en"]


def is_on(text: str) -> bool | None:
	"""Whether a cell says yes; None where it says neither."""
	word = headings.normal(western(text))
	if word in _ON:
		return True
	return False if word in _FALSE or word == "0" else None


def typed(cell: str) -> list[str]:
	"""The answers of a cell that a learner may type."""
	return list(dict.fromkeys(_lines(cell)))


def listed(cell: str) -> list[str]:
	"""The choices of a cell that has all of them."""
	found = list(_lines(cell))
	if len(found) > 1:
		return found
	return [part.strip() for part in re.split("[;؛]", cell) if part.strip()]


def _lines(cell: str) -> Iterator[str]:
	for part in re.split(r"[\n|]", cell):
		if part.strip():
			yield " ".join(part.split())


def _folded(text: str) -> str:
	return " ".join(text.casefold().split())


def _unmarked(text: str) -> str:
	"""As people leave out what is not typed easily: case, hamzas, harakat, tatweel."""
	return re.sub("[أإآٱ]", "ا", re.sub("[\u0640\u064b-\u0655]", "", _folded(text)))
