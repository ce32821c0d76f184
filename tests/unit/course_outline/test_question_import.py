"""Questions out of a spreadsheet: what each row becomes, what is said of what does not come in, and what takes no time."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memora.services.cdn_export.model import exact_json
from memora.services.cdn_export.rules import stage_check
from memora.services.course_outline.rules.question_import import answers, headings, numerals, source, template
from memora.services.course_outline.rules.question_import.row import Row

HEADS = "Question\tA\tB\tC\tRight answer"


def only(text: str, form: str = "") -> Row:
	"""The one question of a text."""
	(row,) = source.read(text, form).rows
	return row


def sheet(*cells: str, heads: str = HEADS) -> Row:
	"""A row of cells below these headings."""
	return only(f"{heads}\n" + "\t".join(cells))


def said(row: Row, severity: str = "") -> str:
	"""What is said of a row."""
	return " ".join(str(finding) for finding in row.findings if severity in ("", finding.severity))


def answer_of(row: Row) -> Any:
	assert row.can_come_in, said(row)
	return row.config["answer"]


@pytest.mark.parametrize("language", ["en", "ar", "ar-EG", "fr"])
def test_the_template_comes_in_as_it_is_pasted_and_as_it_is_exported(language: str) -> None:
	rows = [source.read(text) for text in (template.pasted(language), template.exported(language))]
	for found in rows:
		assert (found.form, found.notes) == (source.SPREADSHEET, [])
		assert [(row.can_come_in, row.findings) for row in found.rows] == [(True, ())] * 5
		kinds = [row.config["kind"] for row in found.rows]
		assert kinds == ["one", "several", "true_false", "short", "number"]
	assert rows[0].rows == rows[1].rows


def test_a_row_becomes_a_question_named_by_its_first_words() -> None:
	row = sheet("Which is even?", "1", "2", "3", "B")
	assert row == Row(
		2,
		"Which is even?",
		{"question": "Which is even?", "kind": "one", "choices": ["1", "2", "3"], "answer": "2"},
	)
	long = sheet("word " * 40, "1", "2", "", "1")
	assert len(long.title) <= 61
	assert long.title.endswith("word…")


@pytest.mark.parametrize(
	("cell", "answer"),
	[
		("Oslo", "Oslo"),
		(" oslo ", "Oslo"),
		("2", "Oslo"),
		("٢", "Oslo"),
		("b", "Oslo"),
		("B)", "Oslo"),
		("(b)", "Oslo"),
		("ب", "Oslo"),
		("أ", "Rome"),
		("ا", "Rome"),
		("A, C", ["Rome", "Kyiv"]),
		("1;3", ["Rome", "Kyiv"]),
		("أ، ج", ["Rome", "Kyiv"]),
		("Kyiv | Rome", ["Rome", "Kyiv"]),
		("A and C", ["Rome", "Kyiv"]),
		("أ وج", ["Rome", "Kyiv"]),
		("A, B, C", ["Rome", "Oslo", "Kyiv"]),
	],
)
def test_the_right_answer_is_named_by_text_letter_or_number(cell: str, answer: object) -> None:
	assert answer_of(sheet("Where?", "Rome", "Oslo", "Kyiv", cell)) == answer


@pytest.mark.parametrize("cell", ["D", "4", "0", "-2", "Paris", "A, Paris", "2.5", "AB", "b b"])
def test_an_answer_that_is_none_of_the_choices_is_said_and_never_guessed(cell: str) -> None:
	row = sheet("Where?", "Rome", "Oslo", "Kyiv", cell)
	assert not row.can_come_in
	assert "none of its choices" in said(row)
	assert cell in said(row)


def test_signs_and_powers_are_part_of_a_choice() -> None:
	for right in ("5", "-5", "x²", "x2"):
		assert answer_of(sheet("?", "-5", "5", "x²", "x2", right, heads="Question\tA\tB\tC\tD\tKey")) == right


def test_a_text_goes_before_a_place_and_says_so() -> None:
	row = sheet("How many?", "3", "1", "2", "1")
	assert answer_of(row) == "1"
	assert "not as the choice at that place" in said(row, "warning")
	assert not sheet("How many?", "1", "2", "3", "1").findings


@pytest.mark.parametrize(
	("choices", "answer", "kind", "right"),
	[
		(("True", "False"), "false", "true_false", "False"),
		(("صح", "خطأ"), "صحيح", "true_false", "صح"),
		(("Yes", "No"), "B", "true_false", "No"),
		(("صواب", "خطأ"), "٢", "true_false", "خطأ"),
		(("", ""), "TRUE", "true_false", "True"),
		(("", ""), "Oslo", "short", "Oslo"),
		(("", ""), "no", "short", "no"),
		(("", ""), "Oslo | Christiania", "short", ["Oslo", "Christiania"]),
		(("", ""), "42", "number", "42"),
		(("", ""), "٣٫٥", "number", "3.5"),
		(("", ""), "1,5 | 2", "number", ["1.5", "2"]),
		(("", ""), "1.5 metres", "short", "1.5 metres"),
	],
)
def test_its_cells_say_which_kind_a_question_is(
	choices: tuple[str, str], answer: str, kind: str, right: object
) -> None:
	row = sheet("?", *choices, "", answer)
	assert (answer_of(row), row.config["kind"]) == (right, kind)


def test_true_and_false_are_in_the_language_of_the_question() -> None:
	assert sheet("الشمس نجم.", "", "", "", "T", heads=HEADS).config["kind"] == "short"
	row = only("السؤال\tالنوع\tالإجابة\nالشمس نجم.\tصح أو خطأ\tT")
	assert row.config == {
		"question": "الشمس نجم.",
		"kind": "true_false",
		"choices": ["صحيح", "خطأ"],
		"answer": "صحيح",
	}


def test_a_number_has_its_tolerance_and_unit() -> None:
	heads = "Question\tAnswer\tTolerance\tUnit"
	row = sheet("g?", "9,81", "±0,05", "m/s²", heads=heads)
	assert row.config == {
		"question": "g?",
		"kind": "number",
		"answer": "9.81",
		"tolerance": 0.05,
		"unit": "m/s²",
	}
	assert sheet("g?", "9.81", "much", "", heads=heads).can_come_in is False
	assert "do not come in" in said(sheet("g?", "ten", "1", "", heads=heads), "warning")
	assert "two numbers" in said(sheet("g?", "1,234", "", "", heads=heads), "broken")


def test_hints_and_explanations_show_what_was_typed() -> None:
	heads = "Question\tA\tB\tAnswer\tHint\tExplanation\tShuffle"
	row = sheet("Tag?", "<p>", "<b>", "A", "<i>no</i> & so", '"Two\n\nparts"', "yes", heads=heads)
	assert row.can_come_in
	assert row.config["choices"] == ["<p>", "<b>"]
	assert row.config["hint"] == "<p>&lt;i&gt;no&lt;/i&gt; &amp; so</p>"
	assert row.config["explanation"] == "<p>Two</p><p>parts</p>"
	assert row.config["shuffle"] is True
	assert "<i> is shown as typed. Begin the text with [html]" in said(row, "warning")


def test_html_and_markdown_come_in_as_such_where_a_cell_names_them() -> None:
	heads = "Question\tA\tB\tAnswer\tHint"
	row = sheet(
		"[html]Is <b>this</b>?", "[html]<p>x &lt; 1</p>", "no", "A", "[markdown]**so** `a<b`", heads=heads
	)
	assert row.config == {
		"instructions": "Is <b>this</b>?",
		"kind": "one",
		"choices": ["x < 1", "no"],
		"answer": "x < 1",
		"hint": "<p><strong>so</strong> <code>a&lt;b</code></p>",
	}
	assert row.title == "Is this?"
	assert sheet("[html]<p>Is this?</p>", "a", "b", "A", heads=heads).config["question"] == "Is this?"


def test_what_looks_like_a_formula_of_a_spreadsheet_is_a_text() -> None:
	row = only("Question,A,B,Answer\n\"=cmd|' /C calc'!A0\",=1+1,@SUM(A1),=1+1\n")
	assert row.config["question"] == "=cmd|' /C calc'!A0"
	assert answer_of(row) == "=1+1"


def test_cells_in_quotes_hold_new_lines_and_quotes_and_lines_are_counted() -> None:
	text = 'sep=;\n\nQuestion;A;B;Answer\n"Say\n""x""?";a;b;a\n\n;a;b;a\nNext?;a;b;c\n'
	rows = source.read(text).rows
	assert [row.line for row in rows] == [4, 7, 8]
	assert rows[0].config["instructions"] == '<p>Say<br>"x"?</p>'
	assert [row.can_come_in for row in rows] == [True, False, False]
	assert "asks nothing" in said(rows[1])


def test_quotes_without_an_end_are_said_with_their_line() -> None:
	rows = source.read('Question,A,B,Answer\nOne?,a,b,a\nTwo?,"a,b,a\nThree?,a,b,a\n').rows
	assert [(row.line, row.can_come_in) for row in rows] == [(2, True), (3, False)]
	assert "has no end" in said(rows[1])


def test_a_table_without_headings_and_columns_that_are_not_known_are_said() -> None:
	found = source.read("What?\ta\tb\ta")
	assert found.rows == []
	assert "name the columns" in str(found.notes[0])
	found = source.read("Question\tPoints\tAnswer\nWhat?\t5\tthis")
	assert [str(note) for note in found.notes] == ["These columns do not come in: Points"]
	assert found.rows[0].can_come_in


@pytest.mark.parametrize(
	("heading", "column"),
	[
		("QUESTION:", "question"),
		("نصّ السؤال", "question"),
		("Option #2", "choice"),
		("Choice B", "choice"),
		("Answer 3", "choice"),
		("الخيار الأول", "choice"),
		("الاختيار ٢", "choice"),
		("ج", "choice"),
		("الإجابة", "answer"),
		("الاجابه الصحيحه", "answer"),
		("Correct_Answer", "answer"),
		("التفسير", "explanation"),
		("Points", ""),
		("", ""),
	],
)
def test_headings_are_known_in_english_and_arabic_however_they_are_typed(heading: str, column: str) -> None:
	assert headings.column(heading) == column


@pytest.mark.parametrize(
	("typed", "number"),
	[
		*(("3", "3"), ("-3.50", "-3.50"), ("+.5", ".5"), ("5.", "5"), ("1e3", "1000"), ("−٣٫٥", "-3.5")),
		*(
			("1 000", "1000"),
			("1,234,567", "1234567"),
			("1.234,5", "1234.5"),
			("0,125", "0.125"),
			("۱۲", "12"),
		),
		*(
			("1.234.567", "1234567"),
			("१२", "12"),
			("1e999", None),
			("1e-3", "0.001"),
			("", None),
			("x", None),
		),
		*(("1/2", None), ("1,2,3", None), ("1" * 70, None), ("NaN", None), ("inf", None), ("0x1", None)),
	],
)
def test_numbers_are_read_as_people_type_them(typed: str, number: str | None) -> None:
	assert numerals.canonical(typed) == number


def test_a_number_that_may_be_two_is_none() -> None:
	with pytest.raises(numerals.Ambiguous):
		numerals.canonical("1,234")


@given(st.text(max_size=12) | st.from_regex(r"\A[-+−]?[0-9٠-٩., ]{1,12}\Z"))
def test_what_is_read_as_a_number_is_one_for_the_check(typed: str) -> None:
	try:
		number = numerals.canonical(typed)
	except numerals.Ambiguous:
		return
	if number is not None:
		assert not stage_check.check("Question", {"question": "?", "kind": "number", "answer": number})


_LETTERS = st.text(
	st.characters(exclude_categories=["C", "Zs", "Zl", "Zp"], exclude_characters='[]|;؛"'),
	min_size=1,
	max_size=8,
)


@given(
	st.lists(
		st.tuples(
			_LETTERS, st.lists(_LETTERS, min_size=2, max_size=5, unique_by=str.casefold), st.integers(0, 4)
		),
		min_size=1,
		max_size=5,
	),
	st.sampled_from("\t,;"),
)
def test_whatever_a_spreadsheet_exports_comes_in_as_it_was(
	questions: list[tuple[str, list[str], int]], separator: str
) -> None:
	out = io.StringIO()
	writer = csv.writer(out, delimiter=separator)
	writer.writerow(["Question", *(f"Choice {place}" for place in range(1, 6)), "Right answer"])
	for question, choices, right in questions:
		writer.writerow([question, *choices, *[""] * (5 - len(choices)), choices[right % len(choices)]])
	rows = source.read(out.getvalue()).rows
	assert [row.config.get("question") for row in rows] == [question for question, *_rest in questions]
	for row, (_question, choices, right) in zip(rows, questions, strict=True):
		assert row.config["choices"] == choices
		assert row.config["answer"] == choices[right % len(choices)]


@settings(max_examples=300)
@given(
	st.text(st.sampled_from('\t\n,;"=~#{}:%\\/[]html*A1٢ '), max_size=80)
	| st.text(max_size=40)
	| st.text(st.sampled_from('\t\n";|A1٢ة, '), max_size=60).map(
		"Question\tA\tB\tAnswer\tTolerance\n".__add__
	),
	st.sampled_from(["", source.GIFT, source.SPREADSHEET]),
)
def test_whatever_is_pasted_is_read_and_what_can_come_in_works(text: str, form: str) -> None:
	for row in source.read(text, form).rows:
		assert str(row.findings)
		assert len(row.title) <= 140
		if row.can_come_in:
			assert not [
				each for each in stage_check.check("Question", row.config) if each.severity == "broken"
			]
			assert json.loads(json.dumps(row.config)) == row.config
			exact_json.check(row.config)


@given(st.text(max_size=20), st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=6))
def test_a_cell_means_choices_that_are_there(cell: str, choices: list[str]) -> None:
	places = answers.Offered(choices).chosen(cell)
	assert places is None or (places and set(places) <= set(range(len(choices))))


@pytest.mark.parametrize(
	"text",
	[
		HEADS + "\nWhat?\tyes\tno\t\tA" * 12_000,
		"What is it? {=yes ~no}\n\n" * 12_000,
		"\n" * 9_000_000,
		"Question\tAnswer\n" + "\t" * 2_000_000,
		"Question\tAnswer\n" + '"a\t' * 1_000_000,
		"Question\tAnswer\n" + "a\n" * 1_000_000,
		"Question\tAnswer\n[html]" + "<p <!--" * 300_000 + "\ta",
		"Question\tAnswer\n[markdown]" + "**a `_[x](" * 300_000 + "\ta",
		"Question\tA\tB\tAnswer\n?\tx\ty\ta" + " " * 2_000_000 + " and b",
		"::a:: b{" + "~" * 2_000_000 + "}",
		"::a:: b{\n\n" * 300_000,
		"{" * 2_000_000,
	],
	ids=lambda text: text[:30],
)
def test_no_text_keeps_the_server_busy(text: str) -> None:
	begun = time.process_time()  # whatever else the machine does
	found = source.read(text)
	assert len(found.rows) <= source.MOST_ROWS
	assert time.process_time() - begun < 10
	if len(found.rows) == source.MOST_ROWS:
		assert "Only the first 10000" in str(found.notes[-1])
