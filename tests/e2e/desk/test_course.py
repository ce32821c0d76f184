"""The course page, as editors use it: a whole subject made, ordered, previewed and published without leaving it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import frappe
import pytest
from playwright.sync_api import Locator, Page, expect

from memora.tests.helpers import factories
from tests.e2e.desk.driver import Desk, shoot
from tests.e2e.desk.school import School

LEVELS = ("Memora Track", "Memora Unit", "Memora Topic", "Memora Lesson")


REFUSED = ("EXPECTATION FAILED", "ValidationError", "ERR_FAILED")
"""What the browser's console says of a refusal, and of what a test keeps from the page."""


class Course:
	"""The outline of one subject, open in a browser."""

	def __init__(self, page: Page, here: School) -> None:
		self.page, self.here, self.say = page, here, here.say

	@property
	def tree(self) -> Locator:
		return self.page.get_by_role("tree")

	def row(self, title: str) -> Locator:
		"""The row of this title, without what is below it."""
		exact = re.compile(rf"^\s*{re.escape(title)}\s*$")
		return self.tree.locator(".memora-row").filter(
			has=self.page.locator(".memora-title bdi", has_text=exact)
		)

	def node(self, title: str) -> Locator:
		"""The tree item of this title."""
		return self.row(title).locator("xpath=..")

	def titles(self, kind: str = "") -> list[str]:
		"""The titles that are seen, from the top down; of one kind if asked."""
		kinds = f".is-{kind}" if kind else ""
		return self.tree.locator(f"{kinds}.memora-node > .memora-row .memora-title").all_inner_texts()

	def focus(self, title: str) -> Locator:
		node = self.node(title)
		node.focus()
		expect(node).to_be_focused()
		return node

	def keys(self, *keys: str) -> None:
		for key in keys:
			self.page.keyboard.press(key)

	def menu(self, title: str, entry: str) -> None:
		self.row(title).locator("[data-action=menu]").click()
		self.page.get_by_role("menuitem", name=self.say(entry), exact=True).click()

	def unfold_all(self) -> None:
		self.page.locator("[data-bar=unfold]").click()


@contextmanager
def course(
	desk: Desk, here: School, subject: str, user: str = "", expected: tuple[str, ...] = (), **size: int
) -> Iterator[Course]:
	"""The outline of a subject by its name, as this editor sees it."""
	with desk.login(user or here.editor, expected=expected, **size) as page:
		desk.open(page, f"memora-course/{subject}")
		page.get_by_role("tree").locator(".memora-row").first.wait_for()
		yield Course(page, here)


@pytest.fixture
def subject(here: School) -> Iterator[frappe._dict]:
	"""A draft of a course of two tracks: its documents by title. It is gone afterwards."""
	made = _make_subject("كتابة" if here.language == "ar" else "Writing")
	yield made
	_remove(made.top.name)


def _make_subject(title: str) -> frappe._dict:
	top = factories.make_subject(title=title)
	docs = {}
	for track in ("A", "B"):
		docs[track] = factories.make_track(title=f"Track {track}", parent_subject=top.name)
		docs[f"{track}1"] = factories.make_unit(title=f"Unit {track}1", parent_track=docs[track].name)
		for topic in (1, 2):
			doc = factories.make_topic(title=f"Topic {track}{topic}", parent_unit=docs[f"{track}1"].name)
			for lesson in (1, 2, 3):
				factories.make_lesson(title=f"Lesson {track}{topic}{lesson}", parent_topic=doc.name)
	frappe.db.commit()
	return frappe._dict(top=top, **docs)


def _remove(name: str) -> None:
	"""Delete a subject and all below it."""
	frappe.db.rollback()
	names = [name]
	below = []
	for doctype, field in zip(
		LEVELS, ("parent_subject", "parent_track", "parent_unit", "parent_topic"), strict=True
	):
		names = frappe.get_all(doctype, {field: ("in", names or [""])}, pluck="name")
		below.append((doctype, names))
	for plan in frappe.get_all("Memora Plan Subject", {"subject": name}, pluck="parent"):
		frappe.delete_doc("Memora Academic Plan", plan, force=True)
	for doctype, found in reversed(below):
		for each in found:
			frappe.delete_doc(doctype, each, force=True)
	frappe.delete_doc("Memora Subject", name, force=True)
	frappe.db.commit()


def test_the_outline_opens_folded_and_unfolds(desk: Desk, here: School, subject: frappe._dict) -> None:
	with course(desk, here, subject.top.name) as outline:
		expect(outline.row("Track A")).to_be_visible()
		expect(outline.node("Track A")).to_have_attribute("aria-expanded", "false")
		assert outline.titles("unit") == []
		outline.focus("Track A")
		outline.keys("ArrowLeft" if here.language == "ar" else "ArrowRight")
		expect(outline.row("Unit A1")).to_be_visible()
		expect(outline.node("Unit A1")).to_have_attribute("aria-level", "3")
		outline.unfold_all()
		expect(outline.row("Lesson B23")).to_be_visible()
		shoot(outline.page, "course", here)


def order_of(doctype: str, field: str, parent: str) -> list[str]:
	"""The titles of children as learners have them."""
	frappe.db.rollback()
	return frappe.get_all(
		doctype, {field: parent}, pluck="title", order_by="sort_order, creation, name", limit=0
	)


def lessons_of(topic: frappe._dict | object) -> list[str]:
	return order_of("Memora Lesson", "parent_topic", topic.name)


def topic(subject: frappe._dict, title: str) -> object:
	name = frappe.get_all(
		"Memora Topic",
		{"title": title, "parent_unit": ("in", [subject.A1.name, subject.B1.name])},
		pluck="name",
	)[0]
	return frappe.get_doc("Memora Topic", name)


def typed(outline: Course, *lines: str) -> None:
	"""Type titles, each with Enter; a line may be a key instead."""
	for line in lines:
		if line in ("Tab", "Shift+Tab", "Escape"):
			outline.keys(line)
		else:
			outline.page.keyboard.type(line)
			outline.keys("Enter")


def saved(outline: Course) -> None:
	"""Wait until the server has all that was typed or moved."""
	expect(outline.tree.locator(".is-pending")).to_have_count(0)


def test_an_empty_course_is_typed_with_enter_and_tab(desk: Desk, here: School) -> None:
	name = factories.make_subject(title="Course by keys").name
	frappe.db.commit()
	with course(desk, here, name) as outline:
		page = outline.page
		draft = page.locator("[data-draft]")
		expect(draft).to_be_focused()
		expect(draft).to_have_attribute("placeholder", here.say("Type the first track's title"))
		shoot(page, "course-empty", here)
		typed(outline, "First", "Second", "Tab", "Unit", "Tab", "Topic", "Tab", "One", "Two", "Shift+Tab")
		typed(outline, "Topic 2", "Shift+Tab", "Shift+Tab", "Third", "Escape")
		saved(outline)
		assert outline.titles() == [
			"Course by keys", "First", "Second", "Unit", "Topic", "One", "Two", "Topic 2", "Third",
		]  # fmt: skip
		assert order_of("Memora Track", "parent_subject", name) == ["First", "Second", "Third"]
		page.reload()
		outline.tree.locator(".memora-row").nth(8).wait_for()
		assert outline.titles()[5:7] == ["One", "Two"]
		expect(outline.node("One")).to_have_class(re.compile("is-draft"))
	_remove(name)


def test_titles_are_edited_in_the_row(desk: Desk, here: School, subject: frappe._dict) -> None:
	with course(desk, here, subject.top.name) as outline:
		outline.focus("Track A")
		outline.keys("F2")
		outline.page.keyboard.type("Track of letters")
		outline.keys("Enter")
		expect(outline.node("Track of letters")).to_be_focused()
		saved(outline)
		assert order_of("Memora Track", "parent_subject", subject.top.name)[0] == "Track of letters"
		outline.keys("F2")
		outline.page.keyboard.type("Never mind")
		outline.keys("Escape")
		expect(outline.row("Track of letters")).to_be_visible()
		outline.keys("Control+z")
		expect(outline.row("Track A")).to_be_visible()
		assert order_of("Memora Track", "parent_subject", subject.top.name)[0] == "Track A"


def test_a_title_that_changed_meanwhile_is_refused_in_the_row(
	desk: Desk, here: School, subject: frappe._dict
) -> None:
	with course(desk, here, subject.top.name, expected=REFUSED) as outline:
		outline.page.route("**/*api.course.stamp*", lambda route: route.abort())
		outline.page.route("**/*api.course.outline*", lambda route: route.abort())
		desk.edit(subject.A, title="Track of another")
		outline.focus("Track A")
		outline.keys("F2")
		outline.page.keyboard.type("Mine")
		outline.keys("Enter")
		expect(outline.tree.get_by_role("alert")).to_contain_text("Track of another")
		assert order_of("Memora Track", "parent_subject", subject.top.name)[0] == "Track of another"


def test_rows_are_moved_by_keys_within_and_across_parents(
	desk: Desk, here: School, subject: frappe._dict
) -> None:
	first, second = topic(subject, "Topic A1"), topic(subject, "Topic A2")
	with course(desk, here, subject.top.name) as outline:
		outline.unfold_all()
		outline.focus("Lesson A11")
		outline.keys("Alt+ArrowDown")
		saved(outline)
		expect(outline.node("Lesson A11")).to_be_focused()
		assert lessons_of(first) == ["Lesson A12", "Lesson A11", "Lesson A13"]
		outline.keys("Alt+ArrowDown", "Alt+ArrowDown")
		saved(outline)
		assert lessons_of(first) == ["Lesson A12", "Lesson A13"]
		assert lessons_of(second)[0] == "Lesson A11"
		outline.keys("Control+z")
		expect(outline.node("Lesson A11").locator("xpath=../..")).to_have_attribute("data-name", first.name)
		assert lessons_of(first) == ["Lesson A12", "Lesson A13", "Lesson A11"]
		outline.focus("Track A")
		outline.keys("Alt+ArrowDown")
		saved(outline)
		assert order_of("Memora Track", "parent_subject", subject.top.name) == ["Track B", "Track A"]


def drag(outline: Course, title: str, to: str, part: float = 0.8) -> None:
	"""Drag a row to the lower part of another one, as a hand does."""
	page = outline.page
	start, end = outline.row(title).bounding_box(), outline.row(to).bounding_box()
	assert start and end
	x = start["x"] + start["width"] / 2
	page.mouse.move(x, start["y"] + start["height"] / 2)
	page.mouse.down()
	page.mouse.move(x, start["y"] + start["height"] / 2 + 8, steps=4)
	expect(page.locator(".memora-drag-ghost")).to_be_visible()
	end = outline.tree.locator(".memora-node:not(.sortable-ghost) > .memora-row").filter(
		has=page.locator(".memora-title bdi", has_text=re.compile(rf"^{re.escape(to)}$"))
	).bounding_box()  # fmt: skip
	assert end
	page.mouse.move(x, end["y"] + end["height"] * part, steps=15)
	page.mouse.move(x, end["y"] + end["height"] * part + 1)


def test_rows_are_dragged_within_and_across_parents(desk: Desk, here: School, subject: frappe._dict) -> None:
	first, second = topic(subject, "Topic A1"), topic(subject, "Topic A2")
	with course(desk, here, subject.top.name, height=1200) as outline:
		outline.unfold_all()
		expect(outline.row("Lesson B23")).to_be_visible()
		drag(outline, "Lesson A11", "Lesson A13")
		outline.page.mouse.up()
		saved(outline)
		assert lessons_of(first) == ["Lesson A12", "Lesson A13", "Lesson A11"]
		drag(outline, "Lesson A11", "Lesson A22")
		shoot(outline.page, "course-drag", here)
		outline.page.mouse.up()
		saved(outline)
		assert lessons_of(first) == ["Lesson A12", "Lesson A13"]
		assert lessons_of(second) == ["Lesson A21", "Lesson A22", "Lesson A11", "Lesson A23"]


def test_what_cannot_be_dropped_there_says_why(desk: Desk, here: School, subject: frappe._dict) -> None:
	why = here.say("A lesson belongs in a topic.")
	with course(desk, here, subject.top.name, height=1200) as outline:
		outline.unfold_all()
		expect(outline.row("Lesson B23")).to_be_visible()
		drag(outline, "Lesson A11", "Track B", 0.5)
		expect(outline.page.locator(".memora-drag-hint")).to_have_text(why)
		outline.page.mouse.up()
		expect(outline.row("Lesson A11").get_by_role("alert")).to_contain_text(why)
		assert lessons_of(topic(subject, "Topic A1"))[0] == "Lesson A11"
