"""The trash in the browser: what is deleted says that it can be restored, and comes back in two clicks with its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import frappe
import pytest
from playwright.sync_api import Locator, Page, expect

from memora.install import EDITOR
from memora.tests.helpers import factories
from memora.tests.helpers.files import PNG
from tests.e2e.desk.driver import Desk, shoot
from tests.e2e.desk.school import School
from tests.e2e.desk.test_course import course


def kept(here: School) -> str:
	"""What a question before a deletion says in the language of the site, up to the day."""
	return here.say("It can be restored from the trash until {0}.")


@pytest.fixture
def subject(here: School) -> Iterator[frappe._dict]:
	"""A course with a unit of eight published lessons, each with a picture of its own."""
	arabic = here.language == "ar"
	top = factories.make_subject(title="العلوم" if arabic else "Science", is_published=1)
	track = factories.make_track(
		title="الضوء" if arabic else "Light", parent_subject=top.name, is_published=1
	)
	unit = factories.make_unit(
		title="المرايا" if arabic else "Mirrors", parent_track=track.name, is_published=1
	)
	topic = factories.make_topic(
		title="الانعكاس" if arabic else "Reflection", parent_unit=unit.name, is_published=1
	)
	lessons = []
	for number in range(1, 9):
		title = f"{'الدرس' if arabic else 'Lesson'} {number}"
		lesson = factories.make_lesson(title=title, parent_topic=topic.name, is_published=1)
		file = frappe.get_doc(
			{
				"doctype": "File",
				"file_name": f"mirror-{number}.png",
				"content": PNG + lesson.name.encode(),
				"is_private": 0,
				"attached_to_doctype": lesson.doctype,
				"attached_to_name": lesson.name,
			}
		).insert()
		config = frappe.as_json({"html": f'<img src="{file.file_url}" alt="m">'})
		lesson.append("stages", {"title": "Look", "type": "Text", "config": config})
		lesson.save()
		lessons.append(frappe._dict(name=lesson.name, title=title, url=file.file_url))
	frappe.db.commit()
	yield frappe._dict(top=top, track=track, unit=unit, topic=topic, lessons=lessons)
	frappe.db.rollback()
	for doctype, names in (
		("Memora Lesson", [lesson.name for lesson in lessons]),
		*((doc.doctype, [doc.name]) for doc in (topic, unit, track, top)),
	):
		for name in names:
			frappe.delete_doc(doctype, name, force=True)
	frappe.db.delete("Deleted Document", {"deleted_doctype": ("like", "Memora %")})
	frappe.db.delete("Memora Trash")
	frappe.db.commit()


def dialog_of(page: Page) -> Locator:
	return page.locator(".modal-dialog:visible").last


def entry(page: Page, title: str) -> Locator:
	return dialog_of(page).locator(".memora-deleted li").filter(has=page.locator("bdi", has_text=title))


def test_a_deleted_unit_with_its_lessons_and_pictures_is_back_in_two_clicks(
	desk: Desk, here: School, subject: frappe._dict
) -> None:
	say, unit = here.say, subject.unit
	with course(desk, here, subject.top.name) as outline:
		page = outline.page
		outline.unfold_all()
		outline.focus(unit.title)
		outline.keys("Delete")
		expect(dialog_of(page)).to_contain_text(kept(here))
		shoot(page, "course-delete", here)
		dialog_of(page).get_by_role("button", name=say("Delete"), exact=True).click()
		expect(outline.row(unit.title)).to_have_count(0)

		page.locator("[data-find]").fill(subject.track.title)  # a search ends when something comes back
		page.locator(".memora-bar-found").wait_for()
		page.locator("[data-bar=trash]").click()
		row = entry(page, unit.title)
		expect(row).to_contain_text(say("with {0} below it", 9))
		expect(row).to_contain_text(subject.track.title)
		shoot(page, "trash", here)
		row.get_by_role("button", name=say("Restore"), exact=True).click()
		expect(row).to_have_count(0)
		expect(outline.row(unit.title)).to_be_visible()
		expect(page.locator("[data-find]")).to_have_value("")
	frappe.db.rollback()
	for lesson in subject.lessons:
		doc = frappe.get_doc("Memora Lesson", lesson.name)
		assert (doc.title, doc.is_published, doc.parent_topic) == (lesson.title, 0, subject.topic.name)
		assert lesson.url in doc.stages[0].config
		assert Path(frappe.get_site_path("public", *lesson.url.split("/"))).exists()


def test_a_form_says_that_it_can_be_restored_and_home_brings_back_what_it_was_in(
	desk: Desk, here: School, subject: frappe._dict
) -> None:
	say, lesson, unit = here.say, subject.lessons[0], subject.unit
	said = kept(here)
	with desk.login(here.editor) as page:
		# Where a form leads back to whose document is gone.
		desk.open(page, f"memora-lesson?parent_topic={subject.topic.name}")
		page.locator(".list-row-checkbox:visible").nth(7).wait_for()
		desk.form(page, frappe.get_doc("Memora Lesson", lesson.name))
		page.evaluate("() => { cur_frm.savetrash(); }")
		expect(dialog_of(page)).to_contain_text(say("Delete “{0}”?", lesson.title))
		expect(dialog_of(page)).to_contain_text(said)
		dialog_of(page).locator(".btn-primary:visible, .btn-modal-primary:visible").first.click()
		expect(page.locator(".list-row-checkbox:visible")).to_have_count(7)
		for box in (0, 1):
			page.locator(".list-row-checkbox:visible").nth(box).check()
		page.evaluate(
			"""() => cur_list.get_actions_menu_items()
				.find((item) => item.label === __("Delete", null, "Button in list view actions menu")).action()"""
		)
		expect(dialog_of(page)).to_contain_text(said)
		page.keyboard.press("Escape")

	frappe.db.rollback()
	for name in frappe.get_all("Memora Lesson", {"parent_topic": subject.topic.name}, pluck="name"):
		frappe.delete_doc("Memora Lesson", name)
	frappe.delete_doc("Memora Topic", subject.topic.name)
	frappe.delete_doc("Memora Unit", unit.name)
	frappe.db.commit()
	with desk.login(here.editor) as page:
		desk.open(page, "memora-course")
		page.locator("[data-home=trash]").click()
		dialog_of(page).locator("input:visible").first.fill(lesson.title)
		row = entry(page, lesson.title)
		expect(row).to_have_count(1)
		expect(row).to_contain_text(say("What it was in is gone, too: {0}", subject.topic.title))
		row.get_by_role("button", name=say("Restore"), exact=True).click()
		asked = dialog_of(page)
		expect(asked).to_contain_text(subject.topic.title)
		expect(asked).to_contain_text(unit.title)
		asked.locator(".btn-primary:visible, .btn-modal-primary:visible").first.click()
		expect(row).to_have_count(0)
		link = page.locator(".desk-alert a", has_text=lesson.title)
		link.click()
		expect(page.get_by_role("tree").locator(".memora-title", has_text=lesson.title)).to_be_visible()
	frappe.db.rollback()
	assert frappe.db.exists("Memora Lesson", lesson.name)
	assert not frappe.db.exists("Memora Lesson", subject.lessons[3].name)


def test_only_an_admin_deletes_for_good_and_is_asked(
	desk: Desk, here: School, subject: frappe._dict, request: pytest.FixtureRequest
) -> None:
	lesson = subject.lessons[2]
	frappe.delete_doc("Memora Lesson", lesson.name)
	admin = frappe.get_doc("User", here.admin)
	admin.add_roles(EDITOR)
	request.addfinalizer(frappe.db.commit)
	request.addfinalizer(lambda: frappe.get_doc("User", here.admin).remove_roles(EDITOR))
	frappe.db.commit()
	with desk.login(here.editor) as page:
		desk.open(page, "memora-course")
		page.locator("[data-home=trash]").click()
		expect(entry(page, lesson.title)).to_be_visible()
		expect(dialog_of(page).locator("[data-trash=remove]")).to_have_count(0)
	with desk.login(here.admin) as page:
		desk.open(page, "memora-course")
		page.locator("[data-home=trash]").click()
		entry(page, lesson.title).locator("[data-trash=remove]").click()
		expect(dialog_of(page)).to_contain_text(lesson.title)
		with page.expect_response("**/memora.api.trash.remove"):
			dialog_of(page).locator(".btn-primary:visible, .btn-modal-primary:visible").first.click()
		expect(entry(page, lesson.title)).to_have_count(0)
	frappe.db.rollback()
	assert not frappe.db.exists("Deleted Document", {"deleted_name": lesson.name})
	assert not Path(frappe.get_site_path("public", *lesson.url.split("/"))).exists()
