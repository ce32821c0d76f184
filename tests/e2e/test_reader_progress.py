"""What a learner has done, kept in the browser alone: done, and where to go on."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import Reader
from tests.example import curriculum

LESSON = "#/grade-7/mathematics/equations/equations-1"
NEXT = "#/grade-7/mathematics/equations/equations-2"
SUBJECT = "#/grade-7/mathematics"
UNIT = "#/grade-7/mathematics/equations"
KEPT = "() => Object.entries(localStorage).filter(([key]) => key.startsWith('memora-progress')).map(([, value]) => value).join()"


def pressed(reader: Reader) -> str | None:
	return reader.page.get_attribute(".mark-done", "aria-pressed")


def answer(reader: Reader, place: int) -> None:
	reader.page.check(f"main .choice >> nth={place}")
	reader.page.click("main form button[type=submit]")


def test_a_lesson_is_done_once_its_questions_are_answered_right(reader: Reader) -> None:
	page = reader.open(LESSON)
	assert pressed(reader) == "false"
	answer(reader, 0)
	assert pressed(reader) == "false"
	answer(reader, 1)
	assert pressed(reader) == "true"
	reader.go(UNIT)
	assert page.inner_text(".rows .badge.is-owned") == "Done"
	assert page.inner_text(".rows li >> nth=1 >> .badge.is-here") == "Continue here"
	reader.go(SUBJECT)
	assert "1 of 2 done" in page.inner_text("main .row >> nth=0")
	reader.follow(".go-on")
	assert reader.heading() == "Two steps"


def test_where_a_learner_was_is_offered_on_the_plan_and_the_subject(reader: Reader) -> None:
	page = reader.open(NEXT)
	for place in ("#/grade-7", SUBJECT):
		reader.go(place)
		assert reader.texts(".go-on :is(.row-note, strong)") == ["Continue here", "Two steps"], place
	reader.go("#/grade-7/physics")
	assert not page.locator(".go-on").count()
	page.reload()
	reader.go(SUBJECT)
	reader.follow(".go-on")
	assert page.evaluate("location.hash") == NEXT


def test_at_the_end_of_a_subject_nothing_is_left_to_go_on_with(reader: Reader) -> None:
	page = reader.open("#/grade-7/mathematics/angles/angles-1")
	page.click(".mark-done")
	reader.go(SUBJECT)
	assert not page.locator(".go-on").count()
	assert "1 of 1 done" in page.inner_text("main .row >> nth=1")


def test_nothing_is_sent_and_another_place_has_progress_of_its_own(reader: Reader) -> None:
	reader.server.trees = {**reader.server.trees, "twin": curriculum.published()}
	page = reader.open(LESSON)
	page.wait_for_load_state("networkidle")
	reader.server.asked()
	page.click(".mark-done")
	page.wait_for_load_state("networkidle")
	assert reader.server.asked() == []
	assert [url for url in reader.outside if not url.endswith("/scales.mp4")] == []  # the lesson's film
	assert "progress" not in page.evaluate("document.cookie")
	reader.open(UNIT, tree="twin")
	assert not page.locator(".badge.is-here, .badge.is-owned").count()
	reader.open(UNIT)
	assert page.locator(".badge.is-owned").count() == 1


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_by_keyboard_on_a_phone_it_is_marked_taken_back_and_forgotten(reader: Reader, lang: str) -> None:
	reader.page.set_viewport_size({"width": 320, "height": 640})
	page = reader.open(LESSON, lang=lang)
	page.focus(".mark-done")
	page.keyboard.press("Space")
	assert pressed(reader) == "true"
	page.keyboard.press("Enter")
	assert pressed(reader) == "false"
	page.keyboard.press("Enter")
	for place in (UNIT, SUBJECT, "#/grade-7", LESSON):
		reader.go(place)
		assert page.evaluate("document.documentElement.scrollWidth") <= 320, place
	assert pressed(reader) == "true"
	reader.go("#/grade-7")
	page.focus("main .row-note button")
	page.keyboard.press("Enter")
	reader.until("!document.querySelector('.go-on')")
	assert json.loads(page.evaluate(KEPT)) == {"done": [], "here": []}
	reader.go(UNIT)
	assert not page.locator(".badge.is-owned").count()


def test_two_tabs_lose_nothing_of_each_other(reader: Reader) -> None:
	page = reader.open(LESSON)
	other = page.context.new_page()
	other.goto(page.url.replace("equations-1", "equations-2"))
	other.click(".mark-done")
	page.click(".mark-done")
	other.close()
	reader.go(UNIT)
	assert page.locator(".badge.is-owned").count() == 2


@pytest.mark.parametrize(
	"kept",
	["{", "5", "[]", '{"done": 5, "here": {}}', '{"done": [["__proto__", 1]], "here": [["grade-7", 7]]}'],
)
def test_what_is_no_progress_is_none(reader: Reader, kept: str) -> None:
	key = f"memora-progress:{reader.server.address}/files/example/"
	reader.page.add_init_script(
		f"if (location.protocol === 'http:') localStorage.getItem({key!r}) ?? localStorage.setItem({key!r}, {kept!r})"
	)
	page = reader.open("#/grade-7")
	assert page.locator(".subject-card").count() == 3
	assert not page.locator(".go-on").count()
	reader.go(LESSON)
	page.click(".mark-done")
	assert pressed(reader) == "true"


def test_without_storage_it_lasts_as_long_as_the_page(reader: Reader) -> None:
	reader.page.add_init_script(
		"Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
	)
	page = reader.open(LESSON)
	page.click(".mark-done")
	reader.go(UNIT)
	assert page.locator(".badge.is-owned").count() == 1
