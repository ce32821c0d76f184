"""Whatever Question the check lets through, and whatever comes in from a table, the reader shows whole and judges right."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Frame

from memora.services.cdn_export.rules import stage_check
from memora.services.course_outline.rules.question_import import source
from tests.e2e.conftest import Reader
from tests.e2e.test_stage_frame import Form

MANY = settings(
	max_examples=80,
	deadline=None,
	derandomize=True,
	suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ANSWER = """(given) => {
	const form = document.querySelector("form");
	if (!form) return "unanswerable";
	const inputs = [...form.querySelectorAll("input")];
	if (inputs[0].type === "text") inputs[0].value = given[0];
	else for (const input of inputs) input.checked = given.includes(input.value);
	form.querySelector("button[type=submit]").click();
	return form.querySelector(".verdict").className.replace("verdict", "").trim();
}"""
SHOWN = """() => [...document.querySelectorAll("form label.choice")].map((label) => label.querySelector("input").value)"""

_WORDS = st.text(
	st.sampled_from("aAzéßçñ ٣3۴०.,-+'’\"<>&{}()[]\\/%=*#|~$ـةىأإآءئؤَُِّلام私👍🏽½²∞√ \u00a0\u200f"),
	min_size=1,
	max_size=14,
)
TEXTS = _WORDS.filter(lambda text: bool(text.strip()))
NUMBERS = st.decimals(-(10**6), 10**6, places=3, allow_nan=False).map(
	lambda number: format(number, "f")
) | st.integers(-(10**9), 10**9).map(str)


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
	"""A Question as the form makes it: each kind, with what it may have beside."""
	config: dict[str, Any] = {"question": draw(TEXTS)}
	kind = draw(st.sampled_from(["one", "several", "true_false", "short", "number"]))
	config["kind"] = kind
	if kind in ("short", "number"):
		answers = draw(st.lists(TEXTS if kind == "short" else NUMBERS, min_size=1, max_size=3, unique=True))
		config["answer"] = answers[0] if len(answers) == 1 else answers
		if kind == "number":
			config |= draw(
				st.fixed_dictionaries({}, optional={"tolerance": st.integers(0, 5), "unit": st.just("km/h")})
			)
	else:
		size = 2 if kind == "true_false" else draw(st.integers(2, 5))
		choices = draw(
			st.lists(
				TEXTS, min_size=size, max_size=size, unique_by=lambda text: " ".join(text.casefold().split())
			)
		)
		right = draw(st.sets(st.sampled_from(choices), min_size=1, max_size=size if kind == "several" else 1))
		config["choices"] = choices
		config["answer"] = [text for text in choices if text in right] if kind == "several" else min(right)
	if draw(st.booleans()):
		config |= {"shuffle": True, "hint": "<p>Think</p>", "explanation": "<p>So</p>"}
	return config


def right_of(config: dict[str, Any]) -> list[str]:
	answer = config["answer"]
	return answer if isinstance(answer, list) else [answer]


def judged(frame: Frame, config: dict[str, Any]) -> None:
	"""The frame shows this question: all of it, right answers are right, and the others are wrong."""
	right = right_of(config)
	if choices := config.get("choices"):
		assert sorted(frame.evaluate(SHOWN)) == sorted(choices)
		assert frame.evaluate(ANSWER, right) == "right"
		for wrong in (choices[:1], choices[1:], choices):
			is_one = config["kind"] != "several"
			if set(wrong[:1] if is_one else wrong) != set(right):
				assert frame.evaluate(ANSWER, wrong[:1] if is_one else wrong) == "wrong"
	else:
		for answer in right:
			assert frame.evaluate(ANSWER, [answer]) == "right"
		assert frame.evaluate(ANSWER, ["none of these 77777777777"]) == "wrong"


@pytest.fixture
def form(reader: Reader) -> Form:
	return Form(reader).open()


@MANY
@given(config=questions())
def test_what_the_check_lets_through_is_shown_whole_and_judged_right(
	form: Form, config: dict[str, Any]
) -> None:
	found = stage_check.check("Question", config)
	assume(not [finding for finding in found if finding.severity == "broken"])
	judged(form.show("Question", config), config)


@MANY
@given(config=questions())
def test_what_comes_in_from_a_table_is_shown_whole_and_judged_right(
	form: Form, config: dict[str, Any]
) -> None:
	out = io.StringIO()
	writer = csv.writer(out, delimiter="\t")
	choices = config.get("choices", [])
	writer.writerow(
		["Question", *(f"Choice {place}" for place in range(1, len(choices) + 1)), "Right answer", "Kind"]
	)
	right = right_of(config)
	places = [str(choices.index(answer) + 1) for answer in right] if choices else right
	writer.writerow([config["question"], *choices, ("; " if choices else " | ").join(places), config["kind"]])
	(row,) = source.read(out.getvalue(), source.SPREADSHEET).rows
	assume(row.can_come_in)
	judged(form.show("Question", row.config), row.config)
