"""The stand-ins of plain text: nothing else changes, and what was typed comes back."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from memora.services.cdn_export.model import plain_text

TYPED = st.text(
	st.one_of(
		st.sampled_from("<>&;'\"\\{}ab \n"),
		st.characters(exclude_characters="\ufe64\ufe65", exclude_categories=("Cs",)),
	)
)


@given(TYPED)
def test_what_was_typed_comes_back(text: str) -> None:
	stored = plain_text.store(text)
	assert not {"<", ">"} & set(stored)
	assert plain_text.read(stored) == text


@given(st.text())
def test_storing_or_reading_twice_is_as_once(text: str) -> None:
	stored = plain_text.store(text)
	assert plain_text.store(stored) == stored
	assert plain_text.read(plain_text.read(stored)) == plain_text.read(stored)


@given(st.text())
def test_nothing_but_angle_brackets_changes(text: str) -> None:
	stored = plain_text.store(text)
	assert len(stored) == len(text)  # a title of 140 characters still fits
	changed = {before: after for before, after in zip(text, stored, strict=True) if before != after}
	assert changed.items() <= {"<": "\ufe64", ">": "\ufe65"}.items()


def test_a_stand_in_that_was_typed_reads_as_what_it_looks_like() -> None:
	assert plain_text.read("﹤b﹥") == "<b>"


def test_an_entity_stays_as_typed() -> None:
	assert plain_text.read(plain_text.store("A&lt;B &amp;lt; &#60;")) == "A&lt;B &amp;lt; &#60;"


@given(TYPED)
def test_html_shows_a_text_whole_and_holds_no_markup(text: str) -> None:
	shown = plain_text.as_html(text)
	assert not set("<>\"'") & set(shown)


def test_an_answer_is_read_at_any_depth() -> None:
	answer = {"﹤key﹥": [{"title": "﹤b﹥"}, ("﹥", 1, None, True)], "text": "a"}
	assert plain_text.read_all(answer) == {"﹤key﹥": [{"title": "<b>"}, [">", 1, None, True]], "text": "a"}


@given(st.dictionaries(st.text(), TYPED))
def test_stored_json_is_the_same_value_without_angle_brackets(value: dict[str, str]) -> None:
	stored = plain_text.store_json(orjson.dumps(value))
	assert not {"<", ">"} & set(stored)
	assert orjson.loads(stored) == value
