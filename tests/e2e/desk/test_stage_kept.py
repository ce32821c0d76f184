"""What is typed into stages and not saved: each new stage is kept as itself, rows say so, and a page that goes takes nothing along."""

from __future__ import annotations

import json
from typing import Any

import frappe
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.desk.driver import Desk
from tests.e2e.desk.school import School
from tests.e2e.desk.stage_forms import StageEditor, add_stage, lesson_of, open_stage, stored
from tests.e2e.desk.test_stage_places import TEXT, hold, is_kept, outline, row_of, see


def _left_in_this_page(page: Page, field: Locator, text: str) -> None:
	"""Type, and leave the page in the same moment: no timer of it runs any more."""
	field.evaluate(
		"""(field, text) => {
			field.value = text;
			field.dispatchEvent(new Event("input", { bubbles: true }));
			location.reload();
		}""",
		text,
	)


_NO_STORE = (
	"Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError'); } })"
)
_FULL_STORE = """const { put } = IDBObjectStore.prototype;
IDBObjectStore.prototype.put = function (...given) {
	const request = put.apply(this, given);
	this.transaction.abort();
	return request;
};"""


def _left(page: Page, lesson: Any) -> list[str]:
	"""What pages have left of a lesson beside the store."""
	return list(
		page.evaluate(
			"""(lesson) => Object.entries(localStorage)
				.filter(([key]) => key.startsWith("memora-stage") && key.includes(lesson))
				.map(([, text]) => text)""",
			lesson.name,
		)
	)


def _unsaved(page: Page, name: str) -> Locator:
	return page.locator(f"[data-name='{name}'] > .memora-row .is-unsaved")


def test_what_is_typed_in_the_moment_of_a_reload_is_kept(desk: Desk, here: School) -> None:
	with lesson_of(here, TEXT) as lesson, desk.login(here.editor) as page:
		desk.form(page, lesson)
		hold(desk, page)
		editor = open_stage(page, here)
		_left_in_this_page(page, editor.field("text").locator("textarea"), "at the last moment")
		box = page.locator(".memora-stages-kept")
		box.locator("button").first.click()
		editor = StageEditor(page, here)
		expect(editor.field("text").locator("textarea")).to_have_value("at the last moment")
		editor.locator(".memora-stage-kept button").first.click()  # discarded: it comes no more
		expect(editor.field("text").locator("textarea")).to_have_value("one")
		editor.done()
		assert _left(page, lesson) == []


@pytest.mark.parametrize("store", [_NO_STORE, _FULL_STORE], ids=["no store", "a full store"])
def test_what_the_store_does_not_take_is_not_lost(desk: Desk, here: School, store: str) -> None:
	with lesson_of(here, TEXT) as lesson, desk.login(here.editor) as page:
		page.add_init_script(store)
		desk.form(page, lesson)
		hold(desk, page)
		editor = open_stage(page, here)
		_left_in_this_page(page, editor.field("text").locator("textarea"), "at the last moment")
		box = page.locator(".memora-stages-kept")
		expect(box).to_be_visible()
		page.reload()  # it is still there when somebody has only looked
		box.locator("button").first.click()
		editor = StageEditor(page, here)
		expect(editor.field("text").locator("textarea")).to_have_value("at the last moment")
		editor.fill("text", "done, but not saved")
		editor.done()
		page.wait_for_function(
			"Object.values(localStorage).some((text) => text.includes('done, but not saved'))"
		)
		page.reload()
		box.locator("button").first.click()
		editor = StageEditor(page, here)
		expect(editor.field("text").locator("textarea")).to_have_value("done, but not saved")
		editor.locator(".memora-stage-kept button").first.click()
		editor.done()
		assert _left(page, lesson) == []


def test_what_is_left_and_newer_counts_and_what_nobody_can_read_stays(desk: Desk, here: School) -> None:
	with lesson_of(here, TEXT) as lesson, desk.login(here.editor) as page:
		desk.form(page, lesson)
		editor = open_stage(page, here)
		editor.fill("text", "typed first")
		[kept] = is_kept(desk, page, lesson.name, "typed first")
		newer = {**kept, "config": '{"text": "typed later"}', "at": kept["at"] + 60_000}
		older = {**kept, "config": '{"text": "typed before"}', "at": kept["at"] - 60_000}
		for left in (newer, older):
			page.goto(f"{desk.address}/assets/memora/reader/stage.html")
			for key, text in ((kept["key"], json.dumps(left)), (f"of {lesson.name}", "{")):
				page.evaluate(
					"([key, text]) => localStorage.setItem('memora-stage-left:' + key, text)", [key, text]
				)
			desk.form(page, lesson)
			page.locator(".memora-stages-kept button").first.click()
			editor = StageEditor(page, here)
			expect(editor.field("text").locator("textarea")).to_have_value("typed later")
			assert _left(page, lesson) == ["{"]
		editor.locator(".memora-stage-kept button").first.click()
		editor.done()


def test_a_saved_stage_whose_name_begins_as_new_ones_do_is_marked_itself(desk: Desk, here: School) -> None:
	with lesson_of(here, TEXT) as lesson:
		frappe.db.set_value(lesson.stages[0].doctype, lesson.stages[0].name, "name", "new1a2b3c4")
		frappe.db.commit()
		with outline(desk, here, lesson) as page:
			[stage] = stored(lesson)
			page.locator(".memora-title", has_text=stage.title).click()
			StageEditor(page, here).fill("text", "of the saved one")
			is_kept(desk, page, lesson.name, "of the saved one")
			see(desk, here, page, lesson)
			expect(_unsaved(page, stage.name)).to_be_visible()
			expect(_unsaved(page, lesson.name)).to_have_count(0)
			page.locator(f"[data-parent='{lesson.name}'] > .memora-adder").click()
			editor = StageEditor(page, here)
			expect(editor.locator(".memora-stage-kept")).to_have_count(0)
			expect(editor.title).to_have_value("")


def _begin(page: Page, here: School, lesson: Any, title: str) -> StageEditor:
	page.locator(f"[data-name='{lesson.name}']").focus()
	page.locator(f"[data-parent='{lesson.name}'] > .memora-adder").click()
	editor = StageEditor(page, here)
	editor.pick("Text", title)
	return editor


def test_each_new_stage_is_kept_as_itself_and_its_lesson_says_so(desk: Desk, here: School) -> None:
	with lesson_of(here, TEXT) as lesson, outline(desk, here, lesson, width=1440, height=900) as page:
		adder = page.locator(f"[data-parent='{lesson.name}'] > .memora-adder")
		_begin(page, here, lesson, "The first").write("html", "one")
		is_kept(desk, page, lesson.name, "The first")
		page.reload()
		expect(_unsaved(page, lesson.name)).to_be_visible()
		adder.click()  # what was typed is here again; beside it another is begun
		editor = StageEditor(page, here)
		expect(editor.title).to_have_value("The first")
		editor.dialog.get_by_role("button", name=here.say("Keep It, Begin Another")).click()
		second = page.locator(".memora-stage-dialog.show .memora-stage-card").first
		expect(second).to_be_visible()
		editor = StageEditor(page, here)
		editor.pick("Text", "The second")
		editor.write("html", "two")
		is_kept(desk, page, lesson.name, "The second")
		is_kept(desk, page, lesson.name, "The first")
		editor.done()
		expect(page.locator(".memora-title", has_text="The second")).to_be_visible()
		expect(_unsaved(page, lesson.name)).to_be_visible()
		adder.click()
		editor = StageEditor(page, here)
		expect(editor.title).to_have_value("The first")
		editor.done()
		expect(page.locator(".memora-title", has_text="The first")).to_be_visible()
		expect(_unsaved(page, lesson.name)).to_have_count(0)
		assert sorted(stage.title for stage in stored(lesson)) == ["Stage 1", "The first", "The second"]


def test_a_row_says_that_its_stage_has_unsaved_text(desk: Desk, here: School) -> None:
	with lesson_of(here, TEXT) as lesson, outline(desk, here, lesson) as page:
		[stage] = stored(lesson)
		row_of(page, stage).focus()
		page.keyboard.press("Enter")
		editor = StageEditor(page, here)
		editor.fill("text", "typed and left")
		is_kept(desk, page, lesson.name, "typed and left")
		page.reload()
		expect(_unsaved(page, stage.name)).to_have_text(here.say("Typed and not saved"))
		page.locator(".memora-title", has_text=stage.title).click()
		StageEditor(page, here).done()
		expect(page.locator(f"[data-name='{stage.name}'] .is-unsaved")).to_have_count(0)
		assert json.loads(stored(lesson)[0].config)["text"] == "typed and left"


def test_a_stage_of_another_new_lesson_is_offered_with_its_name(desk: Desk, here: School) -> None:
	with desk.login(here.editor) as page:
		desk.open(page, "memora-lesson/new")
		title = page.locator("[data-fieldname=title] input:visible").first
		title.fill("A lesson with a name")
		title.blur()
		editor = add_stage(page, here)
		editor.pick("Text", "Of that lesson")
		is_kept(desk, page, "new", "Of that lesson")
		desk.open(page, "memora-lesson/new")
		offered = page.locator(".memora-stages-kept li", has_text="Of that lesson")
		expect(offered).to_contain_text("A lesson with a name")
		offered.locator("[data-act=drop]").click()
		expect(page.locator(".memora-stages-kept")).to_have_count(0)


def test_what_a_saved_draft_lacks_is_listed(desk: Desk, here: School) -> None:
	with lesson_of(here, TEXT) as lesson, outline(desk, here, lesson) as page:
		editor = _begin(page, here, lesson, "Ask")
		editor.choose("Question")
		editor.fill("question", "Is it so?")
		editor.locator(".standard-actions .btn-primary").click()
		said = page.locator(".modal.show", has_text=here.say("Learners Would Not Get This"))
		expect(said).to_contain_text("Ask")
		assert json.loads(stored(lesson)[1].config) == {"question": "Is it so?"}
