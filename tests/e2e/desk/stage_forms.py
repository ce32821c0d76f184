"""What the tests of the editor of stages drive: its dialog, as people see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe
from playwright.sync_api import Locator, Page, expect

from memora.tests.helpers import factories
from tests.e2e.desk.school import School


class StageEditor:
	"""The editor of a stage that is open on a page."""

	def __init__(self, page: Page, school: School) -> None:
		self.page = page
		self.say = school.say
		self.dialog = page.locator(".memora-stage-dialog.show").last
		self.dialog.locator(".memora-stage").wait_for()

	def has_keys(self) -> None:
		"""Wait until the keyboard is in it: a dialog gets it when it has opened."""
		self.page.wait_for_function("document.activeElement.closest('.memora-stage-dialog') !== null")

	def locator(self, selector: str) -> Locator:
		return self.dialog.locator(selector)

	@property
	def title(self) -> Locator:
		return self.locator(".memora-stage-title")

	def pick(self, type_: str, title: str) -> None:
		"""What kind of stage a new one is, and its title."""
		self.locator(f".memora-stage-card[data-type={type_}]").click()
		self.title.fill(title)

	def choose(self, words: str) -> None:
		"""One of a few that are all seen: a type, a kind of answer."""
		self.dialog.get_by_role("radio", name=self.say(words), exact=True).click()

	def add(self, key: str) -> Locator:
		"""A field that is not there yet."""
		self.locator(f"[data-add={key}]").click()
		return self.field(key)

	def field(self, key: str) -> Locator:
		return self.locator(f"[data-field={key}]")

	def fill(self, key: str, text: str) -> None:
		self.field(key).locator("> :is(input, textarea), .memora-stage-file > input").fill(text)

	def rows(self, key: str) -> Locator:
		return self.field(key).locator(".memora-stage-row")

	def write(self, key: str, text: str) -> Locator:
		"""Type into the editor for texts of a field."""
		area = self.field(key).locator(".ProseMirror")
		area.click()
		self.page.keyboard.press("Control+End")
		self.page.keyboard.type(text)
		return area

	def part(self, row: Locator, key: str) -> Locator:
		return row.locator(f"[data-part={key}] :is(input[type=text], textarea)")

	def findings(self, key: str = "") -> Locator:
		within = self.field(key) if key else self.dialog
		return within.locator(".memora-stage-finding")

	def done(self) -> None:
		self.dialog.locator(".btn-modal-primary, .standard-actions .btn-primary").first.click()
		expect(self.page.locator(".memora-stage-dialog")).to_have_count(0)

	@property
	def raw(self) -> Locator:
		fold = self.locator(".memora-stage-raw")
		if fold.get_attribute("open") is None:
			fold.locator("summary").click()
		return fold.locator("textarea")


def add_stage(page: Page, school: School) -> StageEditor:
	"""Open the editor of a new stage, in the lesson's form that is open."""
	page.locator("[data-fieldname=stages] .btn-custom", has_text=school.say("Add Stage")).click()
	return StageEditor(page, school)


def open_stage(page: Page, school: School, place: int = 1) -> StageEditor:
	"""Open the editor of a row of the lesson's form."""
	page.locator(f"[data-fieldname=stages] .grid-row[data-idx='{place}'] .btn-open-row").click()
	return StageEditor(page, school)


def rows_of(page: Page) -> list[dict[str, Any]]:
	"""The stages as the form that is open has them."""
	return list(page.evaluate("cur_frm.doc.stages.map(({title, type, config}) => ({title, type, config}))"))


@contextmanager
def lesson_of(here: School, *stages: dict[str, Any], is_published: int = 0) -> Iterator[Any]:
	"""A lesson with these stages, for the time of a test."""
	lesson = factories.make_lesson(
		title=here.title("word problems"),
		parent_topic=here.name("unknowns"),
		is_published=is_published,
		sort_order=90,
		stages=[{"title": f"Stage {place}", **stage} for place, stage in enumerate(stages, 1)],
	)
	frappe.db.commit()
	try:
		yield lesson
	finally:
		frappe.db.rollback()
		frappe.delete_doc(lesson.doctype, lesson.name, force=True)
		frappe.db.commit()


def stored(lesson: Any) -> list[Any]:
	"""The stages of a lesson as they are saved."""
	frappe.db.rollback()
	return list(frappe.get_doc(lesson.doctype, lesson.name).stages)
