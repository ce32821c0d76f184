"""What is searched of a lesson, and which words find it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memora.services.text_search.rules import letters, stage_text, tokens


def found(text: str, question: str) -> bool:
	"""Whether the index finds the text, as MariaDB's boolean mode does."""
	have = tokens.indexed(text).split()
	want = [word.strip("+*") for word in tokens.query(tokens.sought(question)).split()]
	return bool(want) and all(any(word.startswith(each) for word in have) for each in want)


@pytest.mark.parametrize(
	("text", "question"),
	[
		("The Photosynthesis of plants", "photo"),
		("The Photosynthesis of plants", "PLANTS the"),
		("π is 3.14", "3 14"),
		("Crème brûlée", "creme BRULEE"),
		("الكتاب على الطاولة", "كتاب"),
		("والكِتَابُ", "الكتاب"),
		("وللطلاب", "طلاب"),
		("للطلاب", "طلاب"),
		("مدرسة", "مدرسه"),
		("٣٤ درجة", "34"),
		("我们学习中文", "中文"),
		("ａｂｃ", "abc"),
		("ℝ³ is a space, 5 ㎴ a voltage", "R3"),
		("5 ㎴", "pV"),
		("x" * 40, "x" * 35),
	],
)
def test_a_text_is_found_by_what_people_type(text: str, question: str) -> None:
	assert found(text, question)


@pytest.mark.parametrize(
	("text", "question"),
	[("Plants", "lants"), ("Plants", "plants animals"), ("a", "a"), ("+-*", "+-*"), ("Plants", "")],
)
def test_a_text_is_not_found_by_less_than_a_words_beginning(text: str, question: str) -> None:
	assert not found(text, question)


def test_the_words_of_each_letter_are_words_as_they_are() -> None:
	"""What the index has of a letter is found by typing that."""
	every = (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
	assert [
		letter for letter in every if letters.words(" ".join(letters.words(letter))) != letters.words(letter)
	] == []


@given(st.text(max_size=60))
def test_every_word_finds_its_text_and_the_query_holds_no_operator_of_the_asker(text: str) -> None:
	for word in letters.words(text):
		if tokens.sought(word):
			assert found(text, word)
	assert set(tokens.query(tokens.sought(text))) <= set("+u0123456789abcdef* ")


@pytest.mark.parametrize(
	("kind", "config", "words"),
	[
		(
			"Text",
			{"html": "<h2>Light</h2><p>goes <b>st</b>raight &amp; fast</p>"},
			"Light\n goes straight & fast",
		),
		("Text", {"html": "<script>var x</script><img alt='A lens' src='/files/x.png'>"}, "A lens"),
		("Text", {"html": "<p>a <![foo]> b</p><![endif]--><![if x"}, "a b"),
		("Text", {"text": "Plain", "solutions": ["42"], "dir": "ltr"}, "Plain"),
		(
			"Question",
			{"question": "How many?", "choices": ["One", 2], "answer": "One", "explanation": "One is right"},
			"How many? One 2",
		),
		(
			"Question",
			{"kind": "short", "answer": ["secret"], "tests": [{"text": "<p>ok</p>", "code": "x"}]},
			"ok",
		),
		(
			"Interactive",
			{"instructions": "<p>Do</p>", "files": [{"name": "a.py", "content": "solution"}]},
			"Do",
		),
		("Video", {"video_url": "https://example.com/secret", "title": "A film"}, "A film"),
		("Else", {"title": "x"}, ""),
		("Text", ["not an object"], ""),
		("Question", {"choices": "text", "tests": {"text": "x"}, "question": None}, ""),
	],
)
def test_what_is_read_of_a_stage_holds_no_key_and_no_answer(kind: str, config: object, words: str) -> None:
	assert stage_text.of(kind, config).split() == words.split()


@given(
	st.sampled_from(["Text", "Question", "Interactive", "Video"]),
	st.lists(st.sampled_from([*"<>![]-/&#;ax\"' =", "CDATA", "DOCTYPE", "script", "<!["]), max_size=60).map(
		"".join
	),
)
def test_any_markup_is_read(kind: str, markup: str) -> None:
	config = {"html": markup, "instructions": markup, "title": markup}
	tokens.indexed(stage_text.of(kind, config))
