"""Questions out of GIFT: as Moodle reads them, and what of them a stage cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memora.services.course_outline.rules.question_import import source
from memora.services.course_outline.rules.question_import.row import Row


def only(text: str) -> Row:
	"""The one question of a text."""
	(row,) = source.read(text, source.GIFT).rows
	return row


def config(text: str) -> dict[str, Any]:
	row = only(text)
	assert row.can_come_in, said(row)
	return row.config


def said(row: Row, severity: str = "") -> str:
	"""What is said of a row."""
	return " ".join(str(finding) for finding in row.findings if severity in ("", finding.severity))


EXAMPLES = r"""
// The examples of Moodle's own documents, and a comment.
$CATEGORY: $course$/top/History

::Tomb:: Who's buried in Grant's tomb?{~Grant ~Jefferson =no one}

Grant is {~buried =entombed ~living} in Grant's tomb.

// a comment between
Grant is buried in Grant's tomb.{FALSE}
Who's buried there?{=no one =nobody}

::Born::When was Ulysses S. Grant born?{#1822:5}
::Pi::What is pi?{#3.141..3.142}

$CATEGORY: Other
The Sun rises in the east.{T}
"""


def test_the_kinds_of_question_come_in_as_what_they_are() -> None:
	rows = source.read(EXAMPLES).rows
	assert [(row.line, row.title, row.group) for row in rows] == [
		(5, "Tomb", "History"),
		(7, "Grant is _____ in Grant's tomb.", "History"),
		(10, "Grant is buried in Grant's tomb.", "History"),
		(11, "Who's buried there?", "History"),
		(13, "Born", "History"),
		(14, "Pi", "History"),
		(17, "The Sun rises in the east.", "Other"),
	]
	assert [row.findings for row in rows] == [()] * 7
	assert [row.config for row in rows] == [
		{
			"question": "Who's buried in Grant's tomb?",
			"kind": "one",
			"choices": ["Grant", "Jefferson", "no one"],
			"answer": "no one",
		},
		{
			"question": "Grant is _____ in Grant's tomb.",
			"kind": "one",
			"choices": ["buried", "entombed", "living"],
			"answer": "entombed",
		},
		{
			"question": "Grant is buried in Grant's tomb.",
			"kind": "true_false",
			"choices": ["True", "False"],
			"answer": "False",
		},
		{"question": "Who's buried there?", "kind": "short", "answer": ["no one", "nobody"]},
		{
			"question": "When was Ulysses S. Grant born?",
			"kind": "number",
			"answer": "1822",
			"tolerance": 5,
		},
		{"question": "What is pi?", "kind": "number", "answer": "3.1415", "tolerance": 0.0005},
		{
			"question": "The Sun rises in the east.",
			"kind": "true_false",
			"choices": ["True", "False"],
			"answer": "True",
		},
	]


def test_answers_with_weights_are_several_right_together() -> None:
	row = only("Which two?{~%50%no one ~%50%nobody ~%-100%Grant}")
	assert row.config["kind"] == "several"
	assert row.config["answer"] == ["no one", "nobody"]
	assert row.findings == ()
	uneven = only("Which?{~%70%a ~%30%b ~c}")
	assert uneven.can_come_in
	assert "Parts of a mark" in said(uneven, "warning")
	part = only("Which?{=a ~%50%b ~c}")
	assert (part.config["kind"], part.config["answer"]) == ("one", "a")
	assert "Parts of a mark" in said(part, "warning")


@pytest.mark.parametrize(
	("text", "why"),
	[
		("Match.{=Canada->Ottawa =Italy->Rome}", "matches pairs"),
		("Write about it.{}", "essay"),
		("Write about it.{####Five hundred words}", "essay"),
		("Just a text.", "no answers in { }"),
		("What?{=a", "do not begin and end"),
		("What? a}", "do not begin and end"),
		("What?} {=a", "do not begin and end"),
		(r"\(\frac{1}{2}\)?{=0.5}", "more than one pair"),
		("What?{=a =b ~c}", "right alone: a, b."),
		("What?{~a ~b}", "None of its choices is right"),
		("What?{~%-50%a ~%0%b}", "None of its choices is right"),
		("What?{~a}", "one choice alone"),
		("What?{yes}", "begins with neither"),
		("What?{=%50%a}", "wholly right"),
		("What?{=*}", "wholly right"),
		("What?{#}", "gives none"),
		("What?{#many}", "“many” is no number"),
		("What?{#5..1}", "“5..1” is no number"),
		("What?{#1,234}", "two numbers"),
		("What?{#=1:0.5 =2:0.1}", "several tolerances"),
		("{=a ~b}", "asks nothing"),
	],
)
def test_what_a_stage_cannot_ask_is_said(text: str, why: str) -> None:
	row = only(text)
	assert not row.can_come_in
	assert why in said(row, "broken")


def test_only_what_is_wholly_right_is_an_answer() -> None:
	row = only("Who?{=no one =%50%somebody =n* =%0%*#Never}")
	assert row.config["answer"] == "no one"
	assert "“somebody” is right in part" in said(row, "warning")
	assert "“n*” does not come in" in said(row, "warning")
	assert row.config["explanation"] == "<p>Never</p>"
	assert config(r"What is 2 \* 3 called?{=2 \* 3}")["answer"] == "2 * 3"
	number = only("g?{#=%100%9.81:0.05#Yes =%50%10:1#Nearly ~#No}")
	assert (number.config["answer"], number.config["tolerance"]) == ("9.81", 0.05)
	assert number.config["explanation"] == (
		"<p><strong>9.81:0.05</strong>: Yes</p><p><strong>10:1</strong>: Nearly</p><p>No</p>"
	)


def test_feedback_explains_after_the_answer() -> None:
	assert config("q{=a#Because. ~b}")["explanation"] == "<p>Because.</p>"
	assert config("q{=a ~b#Not <b>! ####In all}")["explanation"] == (
		"<p>In all</p><p><strong>b</strong>: Not &lt;b&gt;!</p>"
	)
	assert config("الشمس نجم.{T#كلا#أجل}") == {
		"question": "الشمس نجم.",
		"kind": "true_false",
		"choices": ["صحيح", "خطأ"],
		"answer": "صحيح",
		"explanation": "<p><strong>صحيح</strong>: أجل</p><p><strong>خطأ</strong>: كلا</p>",
	}


def test_html_comes_in_as_html_and_choices_as_their_words() -> None:
	row = only(
		r'::Pic::[html]<p>See <img src\="@@PLUGINFILE@@/a.png" alt\="a map"></p>{'
		r"=<p>x &lt; <b>1</b></p>#<p>Yes</p>"
		"\n\n"
		r"~[moodle]<i>~[markdown]*y*}"
	)
	assert row.config == {
		"instructions": '<p>See <img src="@@PLUGINFILE@@/a.png" alt="a map"></p>',
		"kind": "one",
		"choices": ["x < 1", "<i>", "y"],
		"answer": "x < 1",
		"explanation": "<p>Yes</p>",
	}
	assert "Its picture is not in the text" in said(row, "warning")
	assert config("[html]<p>Which?</p>{=a ~b}")["question"] == "Which?"
	assert only("[html]<p>Where is <code>it</code>?</p>{=a ~b}").title == "Where is it?"


def test_scripts_come_in_warned_of_and_as_no_word_of_a_choice() -> None:
	row = only(r"[html]<p>Hi</p><script>alert(1)</script>{=a<script>alert(1)</script> ~b<!-- c -->}")
	assert row.config["choices"] == ["a", "b"]
	assert "<script>, which apps don't show" in said(row, "warning")


def test_formulas_come_in_as_learners_see_them() -> None:
	row = only(r"Is \(\frac\{1\}\{2\} \neq x\) or $$y\=2$$ or \\(z\\)?{=\(\nu\) ~\(\nabla\)}")
	assert row.config["question"] == r"Is \(\frac{1}{2} \neq x\) or \(y=2\) or \(z\)?"
	assert row.config["choices"] == [r"\(\nu\)", r"\(\nabla\)"]
	assert config(r"One\nTwo?{=a ~b}")["instructions"] == "<p>One<br>Two?</p>"


def test_an_empty_line_between_braces_ends_nothing_and_a_brace_left_open_takes_one_question() -> None:
	rows = source.read("One?{\n=a\n\n~b\n\n}\n\nTwo?{=a\n\nThree?{=a ~b}").rows
	assert [(row.line, row.can_come_in) for row in rows] == [(1, True), (8, False), (10, True)]
	assert rows[0].config["choices"] == ["a", "b"]


_TEXT = st.text(
	st.characters(exclude_categories=["C", "Z"], exclude_characters="*%[$<`"), min_size=1, max_size=12
)
_ESCAPED = str.maketrans({letter: f"\\{letter}" for letter in "\\:#={}~"})


@given(_TEXT, _TEXT, st.lists(_TEXT, min_size=2, max_size=5, unique=True), st.integers(0, 4), _TEXT)
def test_whatever_moodle_would_export_comes_in_as_it_was(
	title: str, question: str, choices: list[str], right: int, why: str
) -> None:
	right %= len(choices)
	answers = (
		f"{'=' if place == right else '~'}{choice.translate(_ESCAPED)}"
		for place, choice in enumerate(choices)
	)
	text = "::{}::{}{{{}####{}}}".format(
		title.translate(_ESCAPED), question.translate(_ESCAPED), " ".join(answers), why.translate(_ESCAPED)
	)
	row = only(text)
	assert row.title == title
	assert row.config["question"] == question
	assert row.config["choices"] == choices
	assert row.config["answer"] == choices[right]
	assert row.config["explanation"].startswith("<p>")
