"""A text that people bring → its questions, whichever of the known forms it has."""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from memora.services.cdn_export.rules.stage_finding import Finding, _
from memora.services.course_outline.rules.question_import import gift, spreadsheet
from memora.services.course_outline.rules.question_import.row import Row, warning

GIFT, SPREADSHEET = "gift", "spreadsheet"

_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_SEPARATOR_LINE = re.compile(r"\A\s{0,9}sep=.\n", re.IGNORECASE)


MOST_ROWS = 10_000


class Source(NamedTuple):
	"""A text as it was read: its form, its rows in order, and what to say of it as a whole."""

	form: str
	rows: list[Row]
	notes: list[Finding]


def read(text: str, form: str = "") -> Source:
	"""The questions of a text in the form GIFT or SPREADSHEET, or in the one that it looks like. Never raises.

	It stops after MOST_ROWS, and says so.
	"""
	text = (
		_NO_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).removeprefix("\ufeff").rstrip("\n")
	)
	if form not in (GIFT, SPREADSHEET):
		is_gift = not spreadsheet.has_headings(text) and gift.looks_like(text)
		form = GIFT if is_gift else SPREADSHEET
	if form == GIFT:
		rows, notes = list(islice(gift.rows(text), MOST_ROWS + 1)), list[Finding]()
	else:
		rows, notes = spreadsheet.sheet(_SEPARATOR_LINE.sub("\n", text, count=1), MOST_ROWS + 1)
	if len(rows) > MOST_ROWS:
		rows.pop()
		notes.append(
			warning(
				_("Only the first {0} questions are read. Bring the others in another time."), str(MOST_ROWS)
			)
		)
	return Source(form, rows, notes)
