"""Questions from elsewhere: pasted or from a file, seen before they come in, chosen of, and then what learners answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import frappe
import pytest
from frappe.model.document import Document
from playwright.sync_api import FilePayload, Locator, Page, expect

from memora.services.course_outline.rules.question_import import template
from memora.tests.helpers import factories
from tests.e2e.desk.driver import Desk, shoot
from tests.e2e.desk.school import School
from tests.e2e.desk.test_course import course

SHEET = {
	"en": "Question\tA\tB\tRight answer\nIs 2 prime?\tYes\tNo\tA\nIs 9 prime?\tYes\tNo\tC\nHow many?\t\t\t3.5\n",
	"ar": "السؤال\tأ\tب\tالإجابة\nهل 2 أولي؟\tنعم\tلا\tأ\nهل 9 أولي؟\tنعم\tلا\tد\nكم؟\t\t\t٣٫٥\n",
}
GIFT = "::One:: Is it <b>so</b>?{=yes ~no}\n\n::Two::[html]Is <b>this</b>?<img src\\=x onerror\\='top.hasRun\\=1'>{=yes ~no}\n\nMatch{=a->b =c->d}\n"
REFUSED = ("EXPECTATION FAILED", "ValidationError")


class Dialog:
	"""The dialog that brings questions in."""

	def __init__(self, page: Page, here: School) -> None:
		self.page, self.say = page, here.say
		self.element = page.locator(".memora-import.modal.show")
		self.text = self.element.get_by_role("textbox", name=here.say("Questions"))
		self.text.wait_for()

	def row(self, title: str) -> Locator:
		return self.element.locator(".memora-import-row").filter(has_text=title)

	def paste(self, text: str) -> None:
		"""As the browser pastes it."""
		self.text.evaluate(
			"""(box, text) => {
				const clipboardData = new DataTransfer();
				clipboardData.setData("text/plain", text);
				const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
				if (!box.dispatchEvent(event)) return;
				box.focus();
				document.execCommand("insertText", false, text);
			}""",
			text,
		)

	def choose_file(self, name: str, content: bytes) -> None:
		payload: FilePayload = {"name": name, "mimeType": "text/csv", "buffer": content}
		self.element.locator("input[type=file]").set_input_files(payload)

	@property
	def go(self) -> Locator:
		return self.element.locator(".modal-footer .btn-primary, .modal-header .btn-primary").first

	def found(self, all_: int, possible: int) -> None:
		expect(self.element.get_by_role("status")).to_contain_text(str(all_))
		expect(self.element.locator(".memora-import-row:not(.is-refused)")).to_have_count(possible)


@contextmanager
def form(desk: Desk, here: School, lesson: Document, user: str = "", **size: int) -> Iterator[Page]:
	with desk.login(user or here.editor, expected=REFUSED, **size) as page:
		desk.form(page, lesson)
		yield page


def open_from_form(page: Page, here: School) -> Dialog:
	page.get_by_role("button", name=here.say("Import Questions …")).click()
	return Dialog(page, here)


@pytest.fixture
def lesson(here: School) -> Iterator[Document]:
	"""A draft with one stage."""
	stage = {"title": "First", "type": "Text", "config": '{"text": "Read."}'}
	doc = factories.make_lesson(title="Quiz", parent_topic=here.name("unknowns"), stages=[stage])
	frappe.db.commit()
	yield doc
	frappe.db.rollback()
	frappe.delete_doc(doc.doctype, doc.name, force=True)
	frappe.db.commit()


def stages(lesson: Document) -> list[tuple[str, dict[str, object]]]:
	frappe.db.rollback()
	doc = frappe.get_doc(lesson.doctype, lesson.name)
	return [(stage.title, json.loads(stage.config)) for stage in doc.stages]


def test_cells_of_a_spreadsheet_are_seen_chosen_and_come_in(
	desk: Desk, here: School, lesson: Document
) -> None:
	text = SHEET[here.language]
	first, second, third = (line.split("\t")[0] for line in text.split("\n")[1:4])
	with form(desk, here, lesson) as page:
		dialog = open_from_form(page, here)
		expect(dialog.text).to_be_focused()
		expect(dialog.go).to_be_disabled()
		dialog.paste(text)
		dialog.found(3, 2)
		expect(dialog.row(first).locator(".is-right")).to_contain_text(text.split("\n")[1].split("\t")[1])
		expect(dialog.row(third).locator(".is-right")).to_contain_text("3.5")
		refused = dialog.row(second)
		expect(refused.get_by_role("checkbox")).to_be_disabled()
		expect(refused).to_contain_text(here.say("Stays out:"))
		why = "“{0}” is none of its choices. Write the choice itself, its letter or its number."
		expect(refused).to_contain_text(here.say(why, "د" if here.language == "ar" else "C"))
		shoot(page, "question-import", here)
		dialog.row(first).get_by_role("checkbox").uncheck()
		expect(dialog.go).to_contain_text("1")
		dialog.element.get_by_label(here.say("All that can come in")).check()
		expect(dialog.go).to_contain_text("2")
		dialog.go.click()
		expect(dialog.element).to_have_count(0)
		expect(page.locator("[data-fieldname=stages] .grid-row[data-name]")).to_have_count(3)
	assert [title for title, _config in stages(lesson)] == ["First", first, third]
	assert stages(lesson)[2][1] == {"question": third, "kind": "number", "answer": "3.5"}


def test_gift_of_a_file_comes_in_from_the_course_page_and_goes_again(
	desk: Desk, here: School, lesson: Document
) -> None:
	with course(
		desk, here, here.name("mathematics"), expected=(*REFUSED, "Content Security Policy")
	) as outline:
		page = outline.page
		outline.unfold_all()
		outline.menu("Quiz", "Import Questions …")
		dialog = Dialog(page, here)
		dialog.choose_file("quiz.gift", GIFT.encode())
		dialog.found(3, 2)
		expect(dialog.element).to_contain_text("quiz.gift")
		expect(dialog.row("Match")).to_contain_text(here.say("Stays out:"))
		# HTML is a text, unless it says that it is HTML; then it is shown as learners see it.
		expect(dialog.row("One").locator("p b")).to_have_count(0)
		dialog.row("Two").get_by_role("button", name=here.say("See as Learners Do")).click()
		frame = dialog.row("Two").frame_locator("iframe")
		expect(frame.locator("b", has_text="this")).to_be_visible()
		dialog.row("Two").get_by_role("button", name=here.say("See as Learners Do")).click()
		expect(dialog.row("Two").locator("iframe")).to_have_count(0)
		assert page.evaluate("window.hasRun") is None
		dialog.go.click()
		expect(outline.row("Two")).to_be_visible()
		assert [title for title, _config in stages(lesson)] == ["First", "One", "Two"]
		assert stages(lesson)[1][1]["question"] == "Is it <b>so</b>?"
		said = page.locator(".msgprint:visible")
		expect(said).to_contain_text("“x”")  # a picture that is not there
		page.locator(".modal.show .btn-modal-close").click()
		expect(said).to_have_count(0)
		outline.focus("Quiz")
		outline.keys("Control+z")
		expect(outline.row("Two")).to_have_count(0)
	assert [title for title, _config in stages(lesson)] == ["First"]


def test_a_published_lesson_gets_them_and_a_learner_answers(desk: Desk, here: School) -> None:
	lesson = here.docs["finding x"]
	before = len(frappe.get_doc(lesson.doctype, lesson.name).stages)
	try:
		with form(desk, here, lesson) as page:
			dialog = open_from_form(page, here)
			expect(dialog.element).to_contain_text(
				here.say("This lesson is published: learners get these questions with the next run.")
			)
			dialog.paste(template.pasted(here.language))
			dialog.found(5, 5)
			dialog.go.click()
			expect(dialog.element).to_have_count(0)
			page.goto(
				f"{desk.address}/assets/memora/reader/index.html?preview=Memora%20Lesson:{lesson.name}&lang={here.language}"
			)
			capital = page.locator("form", has=page.get_by_role("textbox")).first
			capital.get_by_role("textbox").fill("القاهرة" if here.language == "ar" else "al qahirah")
			capital.get_by_role("button").first.click()
			expect(capital.locator(".verdict.right")).to_be_visible()
	finally:
		frappe.db.rollback()
		doc = frappe.get_doc(lesson.doctype, lesson.name)
		assert len(doc.stages) == before + 5
		doc.stages = doc.stages[:before]
		doc.save()
		frappe.db.commit()


def test_files_of_other_encodings_are_read_and_workbooks_are_refused(
	desk: Desk, here: School, lesson: Document
) -> None:
	with form(desk, here, lesson) as page:
		dialog = open_from_form(page, here)
		text = (
			SHEET["ar"].replace("٣٫٥", "3.5")
			if here.language == "ar"
			else SHEET["en"].replace("many", "much café")
		)
		dialog.choose_file("a.csv", text.encode("cp1256" if here.language == "ar" else "cp1252"))
		dialog.found(3, 2)
		expect(dialog.element).to_contain_text("windows-125")
		expect(dialog.row("كم؟" if here.language == "ar" else "How much café?")).to_be_visible()
		dialog.element.get_by_role("button", name=here.say("Take Another Text")).click()
		expect(dialog.element.locator(".memora-import-row")).to_have_count(0)
		dialog.choose_file("b.txt", SHEET["ar"].encode("utf-16"))
		dialog.found(3, 2)
		dialog.choose_file("c.xlsx", b"PK\x03\x04 and more")
		expect(dialog.element.get_by_role("alert").filter(visible=True).last).to_contain_text("c.xlsx")
		expect(dialog.go).to_be_disabled()
	assert len(stages(lesson)) == 1


def test_the_template_is_offered_in_the_editors_language(desk: Desk, here: School, lesson: Document) -> None:
	with form(desk, here, lesson) as page:
		dialog = open_from_form(page, here)
		with page.expect_download() as download:
			dialog.element.get_by_role("button", name=here.say("Download Template")).click()
		content = download.value.path().read_text("utf-8-sig")
		assert content.startswith("السؤال" if here.language == "ar" else "Question")
		page.context.grant_permissions(["clipboard-read", "clipboard-write"])
		dialog.element.get_by_role("button", name=here.say("Copy Template")).click()
		page.wait_for_function("navigator.clipboard.readText().then((text) => text.includes('9.81'))")
		dialog.choose_file("template.csv", download.value.path().read_bytes())
		dialog.found(5, 5)


def test_a_form_with_changes_is_saved_first_if_one_agrees(desk: Desk, here: School, lesson: Document) -> None:
	with form(desk, here, lesson) as page:
		page.evaluate("() => cur_frm.set_value('description', 'Typed before')")
		page.get_by_role("button", name=here.say("Import Questions …")).click()
		page.locator(".modal.show .btn-primary:visible").click()
		dialog = Dialog(page, here)
		dialog.paste(SHEET[here.language])
		dialog.found(3, 2)
		dialog.go.click()
		expect(page.locator("[data-fieldname=stages] .grid-row[data-name]")).to_have_count(3)
		assert page.evaluate("() => [cur_frm.doc.description, cur_frm.is_dirty()]") == ["Typed before", 0]


def test_many_rows_and_large_files_keep_the_page_alive(desk: Desk, here: School, lesson: Document) -> None:
	row = "\"Is {} <img src=x onerror=top.hasRun=1>\neven?\",=cmd|' /C calc'!A0,no,A," + "x" * 800 + "\n"
	text = "Question,A,B,Answer,Explanation\n" + "".join(row.format(number) for number in range(10_200))
	with form(desk, here, lesson) as page:
		dialog = open_from_form(page, here)
		dialog.choose_file("large.csv", text.encode())
		dialog.found(10_000, 100)
		expect(dialog.element).to_contain_text(here.say("At most {0} questions come in at once.", 1000))
		expect(dialog.go).to_contain_text("1000")
		dialog.element.locator("[data-part=more]").click()
		dialog.found(10_000, 200)
		all_ = dialog.element.get_by_label(here.say("All that can come in"))
		all_.uncheck()
		expect(dialog.go).to_be_disabled()
		dialog.element.locator(".memora-import-row input").nth(150).check()
		dialog.go.click()
		expect(dialog.element).to_have_count(0)
		assert page.evaluate("window.hasRun") is None
	((_first, _text), (title, config)) = stages(lesson)
	assert title.startswith("Is 150 <img".replace("<", "﹤"))
	assert config["choices"] == ["=cmd|' /C calc'!A0", "no"]


def test_it_is_used_by_keyboard_and_fits_a_phone(desk: Desk, here: School, lesson: Document) -> None:
	with form(desk, here, lesson, width=375, height=740) as page:
		dialog = open_from_form(page, here)
		expect(dialog.text).to_be_focused()
		page.keyboard.insert_text(SHEET[here.language].rstrip("\n"))
		page.keyboard.press("Enter")
		page.keyboard.type("#")
		dialog.found(4, 2)
		page.keyboard.press("Backspace")
		dialog.found(3, 2)
		width = dialog.element.locator(".modal-body").evaluate(
			"(body) => body.scrollWidth - body.clientWidth"
		)
		assert width <= 0
		box = dialog.element.locator(".memora-import-row input").first
		box.focus()
		page.keyboard.press("Space")
		expect(box).not_to_be_checked()
		dialog.go.focus()
		page.keyboard.press("Enter")
		expect(dialog.element).to_have_count(0)
	assert len(stages(lesson)) == 2


def test_a_double_click_opens_one_dialog(desk: Desk, here: School, lesson: Document) -> None:
	with form(desk, here, lesson) as page:
		page.get_by_role("button", name=here.say("Import Questions …")).dblclick()
		dialog = Dialog(page, here)
		expect(dialog.text).to_be_focused()
		page.keyboard.press("Escape")
		expect(page.locator(".memora-import")).to_have_count(0)
		open_from_form(page, here)  # and another time again
		expect(dialog.text).to_be_focused()


def test_who_may_not_write_the_lesson_is_not_offered_it(desk: Desk, here: School, lesson: Document) -> None:
	with form(desk, here, lesson, here.admin) as page:
		page.locator("[data-fieldname=stages]").first.wait_for()
		button = page.get_by_role("button", name=re.compile(re.escape(here.say("Import Questions …"))))
		expect(button).to_have_count(0)
