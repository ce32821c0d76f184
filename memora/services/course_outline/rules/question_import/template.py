"""A table to begin with: the headings that are known, and one question of each kind."""

from __future__ import annotations

import csv
import io

_ENGLISH = (
	("Question", "Choice 1", "Choice 2", "Choice 3", "Choice 4", "Right answer"),
	("Which gas do plants take in?", "Oxygen", "Carbon dioxide", "Nitrogen", "Helium", "Carbon dioxide"),
	("Which of these are planets?", "Mars", "The Moon", "Venus", "The Sun", "A, C"),
	("The Sun is a star.", "True", "False", "", "", "True"),
	("What is the capital of Egypt called?", "", "", "", "", "Cairo | Al Qahirah"),
	("How fast does a stone fall after one second?", "", "", "", "", "9.81"),
)
_ENGLISH_BESIDE = (
	("Tolerance", "Unit", "Hint", "Explanation"),
	("", "", "It is in the air that we breathe out.", "Plants make sugar of it."),
	("", "", "", "The Moon goes around the Earth, and the Sun is a star."),
	("", "", "", ""),
	("", "", "It lies on the Nile.", ""),
	("0.05", "m/s", "", ""),
)
_ARABIC = (
	("السؤال", "الخيار 1", "الخيار 2", "الخيار 3", "الخيار 4", "الإجابة الصحيحة"),
	(
		"أي غاز تأخذه النباتات؟",
		"الأكسجين",
		"ثاني أكسيد الكربون",
		"النيتروجين",
		"الهيليوم",
		"ثاني أكسيد الكربون",
	),
	("أي هذه الأجرام كواكب؟", "المريخ", "القمر", "الزهرة", "الشمس", "أ، ج"),
	("الشمس نجم.", "صحيح", "خطأ", "", "", "صحيح"),
	("ما عاصمة مصر؟", "", "", "", "", "القاهرة | Cairo"),
	("كم تبلغ سرعة حجر يسقط بعد ثانية واحدة؟", "", "", "", "", "9.81"),
)
_ARABIC_BESIDE = (
	("هامش الخطأ", "الوحدة", "تلميح", "الشرح"),
	("", "", "يوجد في الهواء الذي نخرجه عند الزفير.", "تصنع النباتات السكر منه."),
	("", "", "", "يدور القمر حول الأرض، والشمس نجم."),
	("", "", "", ""),
	("", "", "تقع على النيل.", ""),
	("0.05", "م/ث", "", ""),
)


def rows(language: str) -> list[tuple[str, ...]]:
	"""The template's rows of cells, headings first; in Arabic for its language code, else in English."""
	left, right = (_ARABIC, _ARABIC_BESIDE) if language.split("-")[0] == "ar" else (_ENGLISH, _ENGLISH_BESIDE)
	return [(*cells, *beside) for cells, beside in zip(left, right, strict=True)]


def pasted(language: str) -> str:
	"""The template as a spreadsheet takes it from the clipboard."""
	return "\n".join("\t".join(cells) for cells in rows(language))


def exported(language: str) -> str:
	"""The template as CSV, with the mark by which Excel knows the encoding."""
	out = io.StringIO()
	csv.writer(out).writerows(rows(language))
	return "\ufeff" + out.getvalue()
