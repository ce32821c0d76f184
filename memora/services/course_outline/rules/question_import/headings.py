"""What the columns of a table are called, in English and in Arabic."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

CHOICE = "choice"
"""The column of one choice; a table has as many as it likes."""

_NAMES: dict[str, tuple[str, ...]] = {
	"title": ("title", "name", "stage", "العنوان", "عنوان", "الاسم", "اسم"),
	"question": (
		*("question", "question text", "text", "prompt", "stem"),
		*("السؤال", "سؤال", "نص السؤال", "النص", "صيغة السؤال"),
	),
	"kind": ("kind", "type", "question type", "النوع", "نوع", "نوع السؤال"),
	"choices": (
		"choices",
		"options",
		"alternatives",
		"الخيارات",
		"خيارات",
		"الاختيارات",
		"اختيارات",
		"البدائل",
	),
	"answer": (
		*("right answer", "right answers", "correct answer", "correct answers", "answer", "answers", "right"),
		*("correct", "key", "answer key", "solution", "correct option", "correct choice"),
		*(
			"الإجابة الصحيحة",
			"الجواب الصحيح",
			"الإجابات الصحيحة",
			"الإجابة",
			"إجابة",
			"الجواب",
			"جواب",
			"الصحيح",
		),
		*("الخيار الصحيح", "الاختيار الصحيح", "مفتاح الإجابة", "الحل"),
	),
	"tolerance": ("tolerance", "margin", "margin of error", "±", "هامش الخطأ", "الهامش", "التفاوت", "السماح"),
	"unit": ("unit", "units", "الوحدة", "وحدة", "وحدة القياس"),
	"hint": ("hint", "hints", "help", "تلميح", "التلميح", "مساعدة"),
	"explanation": (
		*("explanation", "feedback", "general feedback", "why", "rationale", "reason"),
		*("الشرح", "شرح", "التفسير", "تفسير", "التعليل", "التوضيح", "توضيح"),
	),
	"shuffle": ("shuffle", "shuffled", "random order", "خلط", "خلط الخيارات", "ترتيب عشوائي"),
}
_OF_A_CHOICE = (
	*("choice", "option", "alternative", "answer", "distractor", "wrong answer"),
	*("الخيار", "خيار", "الاختيار", "اختيار", "البديل", "بديل", "الإجابة", "إجابة"),
)
ENGLISH_LETTERS = "abcdefghijklmnopqrstuvwxyz"
ARABIC_LETTERS = "أبجدهوزحطي"
"""In the order of abjad, as choices are lettered; `هـ` is written with a tatweel."""

_ORDINALS = ("الأول", "الثاني", "الثالث", "الرابع", "الخامس", "السادس", "السابع", "الثامن")


def normal(text: str) -> str:
	"""A heading or a short word as it is compared: letters without marks, hamzas, tatweel and case."""
	text = unicodedata.normalize("NFKD", text.strip().strip(":*.()[]؟?").strip())
	text = "".join(letter for letter in text if not unicodedata.combining(letter) and letter != "ـ")
	text = re.sub("[أإآٱ]", "ا", text).replace("ى", "ي").replace("ة", "ه")
	return " ".join(re.sub("[_-]", " ", text.casefold()).split())


_COLUMNS = {normal(name): column for column, names in _NAMES.items() for name in names}
_CHOICE_COLUMN = re.compile(
	f"(?:{'|'.join(sorted({normal(name) for name in _OF_A_CHOICE}, key=len, reverse=True))})"
	f" ?#?(?:\\d{{1,2}}|[a-z]|[{normal(ARABIC_LETTERS)}]|{'|'.join(map(normal, _ORDINALS))})"
)
_BARE_CHOICE = frozenset(
	normal(name) for name in ("choice", "option", "خيار", "الخيار", "اختيار", "الاختيار")
)
_LETTERS = frozenset((*ENGLISH_LETTERS[:10], *normal(ARABIC_LETTERS)))


def column(heading: str) -> str:
	"""Which column a heading is: a key of a question's config, `title`, "choices", CHOICE; "" for one that is not known."""
	name = normal(heading)
	if found := _COLUMNS.get(name):
		return found
	if name in _BARE_CHOICE or name in _LETTERS or _CHOICE_COLUMN.fullmatch(name):
		return CHOICE
	return ""


def known(cells: Sequence[str]) -> int:
	"""How many of these cells are headings."""
	return sum(1 for cell in cells if column(cell))
