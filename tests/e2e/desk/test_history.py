"""The way back: from a form and from the course page, in three clicks, with what changed side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import frappe
import pytest
from frappe.model.document import Document
from playwright.sync_api import Locator, Page, expect

from memora.tests.helpers import factories
from tests.e2e.desk.driver import Desk, shoot
from tests.e2e.desk.school import School
from tests.e2e.desk.test_course import course

TEXTS = {
	"en": (
		"<p>Speed says how far something goes in a second.</p><p>It has a unit.</p>",
		"<p>Spoilt.</p><p>It has a unit.</p>",
	),
	"ar": (
		"<p>السرعة تقول كم يقطع الشيء في الثانية.</p><p>ولها وحدة.</p>",
		"<p>نص فاسد.</p><p>ولها وحدة.</p>",
	),
}


@pytest.fixture(autouse=True)
def as_it_was(schools: dict[str, School]) -> Iterator[None]:
	"""The schools have no lesson more after a test than before."""
	before = frappe.get_all("Memora Lesson", pluck="name")
	yield
	frappe.db.rollback()
	for lesson in frappe.get_all("Memora Lesson", {"name": ("not in", before)}, pluck="name"):
		frappe.delete_doc("Memora Lesson", lesson, force=True)
	frappe.db.commit()


def stage(title: str, html: str) -> dict[str, str]:
	return {"title": title, "type": "Text", "config": json.dumps({"html": html}, ensure_ascii=False)}


def rewritten(here: School, title: str = "", other: str = "Units") -> Document:
	"""A lesson one of whose stages was rewritten, and the `other` one renamed."""
	good, spoilt = TEXTS[here.language]
	lesson = factories.make_lesson(
		title=title or here.title("speed"),
		parent_topic=here.name("speed"),
		stages=[
			stage("What speed is", good),
			stage("Unit", "<p><img src=x onerror='top.hasRun=1'>&lt;b&gt;</p>"),
		],
	)
	lesson.reload()
	lesson.description = "<b>" + here.title("forces")
	lesson.save()
	lesson.stages[0].config = stage("", spoilt)["config"]
	lesson.stages[1].title = other
	lesson.save()
	frappe.db.commit()
	return lesson


def configs(lesson: Document) -> list[Any]:
	frappe.db.rollback()
	return [json.loads(row.config)["html"] for row in frappe.get_doc(lesson.doctype, lesson.name).stages]


class History:
	"""The dialog, open."""

	def __init__(self, page: Page, here: School) -> None:
		self.page, self.say = page, here.say
		self.element = page.locator(".memora-history-dialog.modal.show")
		self.rows = self.element.locator(".memora-history > li")
		self.rows.first.wait_for()

	def back(self, place: int) -> Locator:
		return self.rows.nth(place).get_by_role("button", name=self.say("Go Back to This"))

	@property
	def question(self) -> Locator:
		return self.page.locator(".memora-consequences.modal.show")

	def agree(self) -> None:
		with self.page.expect_response("**/memora.api.history.go_back") as answer:
			self.question.get_by_role("button", name=self.say("Go Back"), exact=True).click()
		assert answer.value.ok, answer.value.text()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_stage_that_was_rewritten_is_back_in_three_clicks(
	desk: Desk, schools: dict[str, School], language: str
) -> None:
	here = schools[language]
	lesson = rewritten(here)
	with desk.login(here.editor) as page:
		desk.form(page, lesson)
		page.get_by_role("button", name=here.say("History"), exact=True).click()
		history = History(page, here)
		expect(history.rows).to_have_count(3)
		expect(history.rows.nth(0)).to_contain_text(here.say("Stages changed: {0}"))
		expect(history.rows.nth(0)).to_contain_text(here.say("As it is now"))
		history.rows.nth(0).locator("summary").click()
		lines = history.rows.nth(0).locator(".memora-history-lines").first
		expect(lines.locator(".memora-json-live", has_text=TEXTS[language][0][3:20])).to_be_visible()
		expect(lines.locator(".memora-json-planned", has_text=TEXTS[language][1][3:10])).to_be_visible()
		shoot(page, "history", here)
		history.back(1).click()
		expect(history.question).to_contain_text(here.say("Stages changed: {0}"))
		history.agree()
		expect(history.element).to_be_hidden()
		assert page.evaluate("top.hasRun") is None
	assert configs(lesson)[0] == TEXTS[language][0]
	assert frappe.db.get_value(lesson.doctype, lesson.name, "description").startswith("﹤b")


def test_one_stage_comes_back_alone_from_the_course_page(desk: Desk, schools: dict[str, School]) -> None:
	here = schools["en"]
	lesson = rewritten(here, "Rewritten", "<i>Units")
	with course(desk, here, f"{here.name('physics')}/{lesson.name}") as outline:
		outline.menu("Rewritten", "History")
		history = History(outline.page, here)
		history.rows.nth(0).locator("summary").click()
		expect(history.rows.nth(0)).to_contain_text("<i>Units")  # a text, whatever is in it
		history.rows.nth(0).get_by_role("button", name="Bring This Stage Back").first.click()
		expect(history.question).to_contain_text("Stage “What speed is” changed")
		history.agree()
		expect(history.element).to_be_hidden()
	assert configs(lesson)[0] == TEXTS["en"][0]
	assert frappe.get_doc(lesson.doctype, lesson.name).stages[1].title == "﹤i﹥Units"


def test_a_form_with_changes_that_are_not_saved_keeps_them(desk: Desk, schools: dict[str, School]) -> None:
	here = schools["en"]
	lesson = rewritten(here)
	with desk.login(here.editor) as page:
		desk.form(page, lesson)
		page.locator("[data-fieldname=title] input:visible").fill("Typed and not saved")
		page.get_by_role("button", name="History", exact=True).click()
		history = History(page, here)
		history.back(1).click()
		page.get_by_text("The form has changes that are not saved.").wait_for()
	assert configs(lesson)[0] == TEXTS["en"][1]


def test_on_a_phone_all_of_it_is_in_sight(desk: Desk, schools: dict[str, School]) -> None:
	here = schools["en"]
	lesson = rewritten(here)
	with desk.login(here.editor, width=390, height=800) as page:
		desk.open(page, f"memora-course/{here.name('physics')}/{lesson.name}")
		page.get_by_role("tree").wait_for()
		page.evaluate(
			"([doctype, name]) => memora.history.show({ doctype, name })", [lesson.doctype, lesson.name]
		)
		history = History(page, here)
		history.rows.nth(0).locator("summary").click()
		history.rows.nth(0).locator(".memora-history-lines").first.wait_for()
		box = history.back(1).bounding_box()
		assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
		assert history.element.evaluate("element => element.scrollWidth <= innerWidth")
		shoot(page, "history-phone", here)


def test_an_admin_of_publishing_reads_it_and_a_new_document_has_none(
	desk: Desk, schools: dict[str, School]
) -> None:
	here = schools["en"]
	lesson = rewritten(here)
	with desk.login(here.admin) as page:
		desk.form(page, lesson)
		page.get_by_role("button", name="History", exact=True).click()
		history = History(page, here)
		expect(history.rows).to_have_count(3)
		expect(history.element.get_by_role("button", name="Go Back to This")).to_have_count(0)
	fresh = factories.make_lesson(parent_topic=here.name("speed"))
	frappe.db.commit()
	with desk.login(here.editor) as page:
		desk.form(page, fresh)
		page.get_by_role("button", name="History", exact=True).click()
		page.get_by_text("No change is recorded yet.").wait_for()
