"""Editors make stages of every type in fields, without a line of JSON; what nobody edits keeps its bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from memora.services.cdn_export.model import paths
from memora.services.cdn_export.rules import stage_check
from tests.e2e.desk.driver import Desk, save, shoot
from tests.e2e.desk.school import School
from tests.e2e.desk.stage_forms import StageEditor, add_stage, lesson_of, open_stage, rows_of, stored

# Each makes a stage in a new one's editor, and says what its config is then.


def _film(editor: StageEditor) -> dict[str, Any]:
	editor.fill("video_url", "https://youtu.be/aqz-KE-bpKQ")
	editor.add("title")
	editor.fill("title", "Waves on a rope")
	editor.add("start")
	editor.fill("start", "١:٣٠")
	editor.add("captions")
	row = editor.rows("captions").first
	editor.part(row, "src").fill("https://videos.example/waves.vtt")
	editor.part(row, "lang").fill("ar")
	editor.part(row, "label").fill("العربية")
	return {
		"video_url": "https://youtu.be/aqz-KE-bpKQ",
		"title": "Waves on a rope",
		"start": 90,
		"captions": [{"src": "https://videos.example/waves.vtt", "lang": "ar", "label": "العربية"}],
	}


def _text(editor: StageEditor) -> dict[str, Any]:
	editor.write("html", "Speed is a way by a time.")
	return {"html": "<p>Speed is a way by a time.</p>"}


def _one_of_several(editor: StageEditor) -> dict[str, Any]:
	editor.fill("question", r"Which is the derivative of \(x^2\)?")
	rows = editor.rows("answer")
	rows.nth(0).locator("textarea").fill("x")
	editor.page.keyboard.press("Enter")
	editor.page.keyboard.type("2x")
	editor.page.keyboard.press("Enter")
	editor.page.keyboard.type("3x")
	rows.nth(1).locator("[type=radio]").check()
	editor.add("hint")
	editor.write("hint", "The exponent comes to the front.")
	return {
		"question": r"Which is the derivative of \(x^2\)?",
		"choices": ["x", "2x", "3x"],
		"answer": "2x",
		"hint": "<p>The exponent comes to the front.</p>",
	}


def _several(editor: StageEditor) -> dict[str, Any]:
	editor.fill("question", "Which of these are prime?")
	editor.choose("Several right answers")
	rows = editor.rows("answer")
	for place, text in enumerate(["2", "9", "11"]):
		if place == 2:
			editor.dialog.get_by_role("button", name=editor.say("Add Choice")).click()
		rows.nth(place).locator("textarea").fill(text)
	rows.nth(0).locator("[type=checkbox]").check()
	rows.nth(2).locator("[type=checkbox]").check()
	return {
		"question": "Which of these are prime?",
		"kind": "several",
		"choices": ["2", "9", "11"],
		"answer": ["2", "11"],
	}


def _true_or_false(editor: StageEditor) -> dict[str, Any]:
	editor.fill("question", "الشمس نجم.")
	editor.choose("True or false")
	editor.rows("answer").nth(0).locator("[type=radio]").check()
	yes, no = editor.say("True"), editor.say("False")
	return {"question": "الشمس نجم.", "choices": [yes, no], "answer": yes, "kind": "true_false"}


def _short(editor: StageEditor) -> dict[str, Any]:
	editor.fill("question", "What is the capital of Egypt called?")
	editor.choose("Short answer")
	editor.rows("answer").nth(0).locator("input").fill("Cairo")
	editor.page.keyboard.press("Enter")
	editor.page.keyboard.type("القاهرة")
	return {
		"question": "What is the capital of Egypt called?",
		"answer": ["Cairo", "القاهرة"],
		"kind": "short",
	}


def _number(editor: StageEditor) -> dict[str, Any]:
	editor.fill("question", "How fast is it after a second?")
	editor.choose("Number")
	editor.rows("answer").nth(0).locator("input").fill("٩٫٨١")
	line = editor.field("answer").locator(".memora-stage-part input")
	line.nth(0).fill("0,05")
	line.nth(1).fill("m/s")
	return {
		"question": "How fast is it after a second?",
		"answer": "9.81",
		"kind": "number",
		"tolerance": 0.05,
		"unit": "m/s",
	}


def _exercise(editor: StageEditor) -> dict[str, Any]:
	editor.write("instructions", "Return x.")
	editor.add("files")
	row = editor.rows("files").first
	editor.part(row, "name").fill("solve.py")
	editor.part(row, "language").fill("python")
	editor.part(row, "content").fill("def solve():\n\treturn 0\n")
	editor.add("tests")
	row = editor.rows("tests").first
	editor.part(row, "text").fill("1 < 2 & so")
	editor.part(row, "code").fill("assert solve() == 3")
	return {
		"instructions": "<p>Return x.</p>",
		"files": [{"name": "solve.py", "content": "def solve():\n\treturn 0\n", "language": "python"}],
		"tests": [{"text": "1 &lt; 2 &amp; so", "code": "assert solve() == 3"}],
	}


MADE = [
	("Video", _film),
	("Text", _text),
	("Question", _one_of_several),
	("Question", _several),
	("Question", _true_or_false),
	("Question", _short),
	("Question", _number),
	("Interactive", _exercise),
]


def test_a_lesson_with_every_type_is_made_in_fields(desk: Desk, here: School) -> None:
	expected = []
	with lesson_of(here) as lesson, desk.login(here.editor, width=1440, height=900) as page:
		desk.form(page, lesson)
		for place, (type_, make) in enumerate(MADE):
			editor = add_stage(page, here)
			if not place:
				shoot(page, "stage-new", here)
			editor.pick(type_, f"{type_} {place}")
			expected.append((f"{type_} {place}", type_, make(editor)))
			shoot(page, f"stage{make.__name__.replace('_', '-')}", here)
			editor.done()
		save(page)
		made = [(stage.title, stage.type, json.loads(stage.config)) for stage in stored(lesson)]
		assert made == expected
		for _title, type_, config in made:
			assert stage_check.check(type_, config) == []
		desk.edit(lesson, is_published=1)
		desk.publish()
		published = json.loads(desk.read(paths.lesson(lesson.name)))["stages"]
		assert [(stage["title"], stage["type"], stage["config"]) for stage in published] == expected
		_learn(page, desk.address, lesson.name, [title for title, _type, _config in expected])


def _learn(page: Page, address: str, lesson: str, titles: list[str]) -> None:
	"""A learner sees each stage, and is right."""
	page.goto(address + page.evaluate("name => memora.publishing.preview_url('Memora Lesson', name)", lesson))
	stages = page.locator("section.stage")
	expect(stages).to_have_count(len(titles))
	assert stages.locator("h2").all_inner_texts() == titles
	for place, choices in ((2, [1]), (3, [0, 2]), (4, [0])):
		for choice in choices:
			stages.nth(place).locator("label.choice").nth(choice).click()
	stages.nth(5).locator("input[type=text]").fill("cairo")
	stages.nth(6).locator(".field input").first.fill("9,8")
	for place in range(2, 7):
		stages.nth(place).locator("button[type=submit]").click()
		expect(stages.nth(place).locator(".verdict")).to_have_class("verdict right")


# Opening and saving


ODD = [
	{"type": "Text", "config": '{"html":"<p>a</p>","own":1.50,   "é": [1,\n2]}'},
	{"type": "Text", "config": '{ "text" : "one\\u0020two", "dir": "rtl" }'},
	{"type": "Question", "config": '{"choices": [1, "b"], "answer": 1, "question": "?", "id": 12345678901234567890}'},
	{"type": "Question", "config": '{"question": "?", "answer": {"a": 1}, "choices": "no list"}'},
	{"type": "Video", "config": '{"video_url": "https://youtu.be/aqz-KE-bpKQ", "start": 1e2, "end": "x"}'},
	{"type": "Interactive", "config": '{"files": [{"name": "a", "content": "", "mode": 2}], "tests": ["plain", {"text": "<b>x</b>"}]}'},
	{"type": "Text", "config": None},
]  # fmt: skip


def test_what_nobody_edits_keeps_its_bytes(desk: Desk, here: School) -> None:
	with lesson_of(here, *ODD) as lesson, desk.login(here.editor) as page:
		before = [stage.config for stage in stored(lesson)]
		desk.form(page, lesson)
		for place in range(1, len(ODD) + 1):
			editor = open_stage(page, here, place)
			editor.locator(".memora-stage-raw summary").click()
			editor.done()
		assert not page.evaluate("cur_frm.is_dirty()")
		assert [row["config"] for row in rows_of(page)] == before


def test_an_edit_changes_the_bytes_of_its_part_alone(desk: Desk, here: School) -> None:
	stages = (ODD[0], ODD[2], ODD[5])
	with lesson_of(here, *stages) as lesson, desk.login(here.editor) as page:
		desk.form(page, lesson)
		editor = open_stage(page, here, 1)
		expect(editor.locator(".memora-stage-own")).to_contain_text("own")
		editor.write("html", "b")
		editor.done()
		editor = open_stage(page, here, 2)
		editor.fill("question", "1 or b?")
		editor.done()
		editor = open_stage(page, here, 3)
		editor.part(editor.rows("files").first, "name").fill("b")
		editor.done()
		save(page)
		assert [stage.config for stage in stored(lesson)] == [
			'{"html":"<p>ab</p>","own":1.50,   "é": [1,\n2]}',
			'{"choices": [1, "b"], "answer": 1, "question": "1 or b?", "id": 12345678901234567890}',
			'{"files": [{"name":"b","content":"","mode":2}], "tests": ["plain", {"text": "<b>x</b>"}]}',
		]


def test_what_is_typed_back_is_as_it_was(desk: Desk, here: School) -> None:
	with lesson_of(here, ODD[2]) as lesson, desk.login(here.editor) as page:
		desk.form(page, lesson)
		editor = open_stage(page, here)
		editor.fill("question", "other")
		editor.fill("question", "?")
		editor.done()
		assert rows_of(page)[0]["config"] == ODD[2]["config"]
		assert not page.evaluate("cur_frm.is_dirty()")


def test_the_check_is_read_beside_its_field(desk: Desk, here: School) -> None:
	config = {"question": "?", "choices": ["a", "b"], "answer": "c", "options": ["x"]}
	with lesson_of(here, {"type": "Question", "config": json.dumps(config)}) as lesson:
		with desk.login(here.editor) as page:
			desk.form(page, lesson)
			editor = open_stage(page, here)
			wrong = editor.findings("answer").filter(has_text="c")
			expect(wrong).to_be_visible()
			assert '"answer"' not in wrong.inner_text()
			expect(editor.locator(".memora-stage-form > .memora-stage-findings")).to_contain_text("options")
			shoot(page, "stage-findings", here)
			editor.rows("answer").nth(1).locator("[type=radio]").check()
			expect(wrong).to_have_count(0)
			editor.done()
			row = json.loads(rows_of(page)[0]["config"])
			assert row == {**config, "answer": "b"}


def test_a_published_lesson_is_told_of_what_learners_could_not_use(desk: Desk, here: School) -> None:
	config = {"question": "?", "choices": ["a", "b"], "answer": "a"}
	with lesson_of(here, {"type": "Question", "config": json.dumps(config)}, is_published=1) as lesson:
		with desk.login(here.editor) as page:
			desk.form(page, lesson)
			editor = open_stage(page, here)
			editor.fill("question", "Which?")
			for place in (0, 1):
				editor.rows("answer").nth(place).locator("textarea").fill("")
			editor.locator(".standard-actions .btn-primary").click()
			expect(editor.locator(".memora-stage-status")).to_have_text(
				here.say("Learners could not use this, so a published lesson cannot have it.")
			)
			expect(editor.findings("answer").first).to_be_visible()


def test_the_json_is_one_fold_away_with_the_line_of_a_mistake(desk: Desk, here: School) -> None:
	with lesson_of(here, ODD[0]) as lesson, desk.login(here.editor) as page:
		desk.form(page, lesson)
		editor = open_stage(page, here)
		editor.raw.press("Control+End")
		page.keyboard.type("x")
		expect(editor.field("html")).to_have_count(0)
		page.keyboard.press("Backspace")  # as it was: its fields are here again
		expect(editor.field("html").locator(".ProseMirror")).to_be_visible()
		editor.raw.fill('{\n "html": "<p>c</p>",\n own: 1.50\n}')
		expect(editor.locator(".memora-stage-numbers mark")).to_have_text("3")
		expect(editor.locator(".memora-stage-raw .memora-stage-finding")).to_contain_text("3")
		expect(editor.field("html")).to_have_count(0)
		shoot(page, "stage-raw", here)
		editor.locator(".standard-actions .btn-primary").click()
		expect(editor.locator(".memora-stage-status")).to_have_text(here.say("Correct the JSON first."))
		editor.raw.fill('{\n "html": "<p>c</p>",\n "own": 1.50\n}')
		expect(editor.locator(".memora-stage-numbers mark")).to_have_count(0)
		expect(editor.field("html").locator(".ProseMirror")).to_have_text("c")
		editor.done()
		assert rows_of(page)[0]["config"] == '{\n "html": "<p>c</p>",\n "own": 1.50\n}'


def test_another_type_keeps_what_fits_and_names_what_it_loses(desk: Desk, here: School) -> None:
	config = {"instructions": "<p>Read.</p>", "choices": ["a", "b"], "answer": "a", "own": [1]}
	written = json.dumps(config)
	with lesson_of(here, {"type": "Question", "config": written}) as lesson, desk.login(here.editor) as page:
		desk.form(page, lesson)
		editor = open_stage(page, here)
		editor.choose("Text")
		asked = page.locator(".modal.show", has_text=here.say("Change the Type")).last
		expect(asked).to_contain_text(here.say("Right answer"))
		asked.locator(".btn-modal-secondary").click()
		expect(editor.field("answer")).to_be_visible()
		editor.choose("Text")
		page.locator(".modal.show", has_text=here.say("Change the Type")).last.locator(".btn-primary").click()
		expect(editor.field("html").locator(".ProseMirror")).to_have_text("Read.")
		editor.choose("Question")
		expect(editor.rows("answer")).to_have_count(2)
		editor.choose("Text")
		page.locator(".modal.show", has_text=here.say("Change the Type")).last.locator(".btn-primary").click()
		editor.done()
		row = rows_of(page)[0]
		assert (row["type"], json.loads(row["config"])) == ("Text", {"html": "<p>Read.</p>", "own": [1]})


@pytest.mark.parametrize("answer", ["discard", "keep"])
def test_what_is_typed_is_not_left_by_mistake(desk: Desk, schools: dict[str, School], answer: str) -> None:
	here = schools["en"]
	with lesson_of(here, ODD[1]) as lesson, desk.login(here.editor) as page:
		desk.form(page, lesson)
		editor = open_stage(page, here)
		editor.fill("text", "three")
		page.keyboard.press("Escape")
		asked = page.locator(".modal.show", has_text=here.say("Leave this stage?")).last
		asked.locator(
			".btn-modal-secondary"
			if answer == "discard"
			else ".btn-modal-primary, .standard-actions .btn-primary"
		).first.click()
		expect(page.locator(".memora-stage-dialog")).to_have_count(0)
		assert ("three" in rows_of(page)[0]["config"]) == (answer == "keep")


def test_choices_are_put_in_order_by_keyboard(desk: Desk, here: School) -> None:
	with lesson_of(here) as lesson, desk.login(here.editor) as page:
		desk.form(page, lesson)
		editor = add_stage(page, here)
		editor.pick("Question", "Order")
		keyboard = page.keyboard
		editor.rows("answer").nth(0).locator("textarea").focus()
		for text in ("a", "b", "c"):
			keyboard.type(text)
			keyboard.press("Enter")
		keyboard.press("Backspace")  # the empty fourth
		expect(editor.rows("answer")).to_have_count(3)
		keyboard.press("Alt+ArrowUp")
		keyboard.press("Shift+Tab")
		keyboard.press("Space")
		keyboard.press("Control+Enter")
		expect(page.locator(".memora-stage-dialog")).to_have_count(0)
		row = rows_of(page)[0]
		assert json.loads(row["config"]) == {"choices": ["a", "c", "b"], "answer": "c"}
