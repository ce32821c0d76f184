"""What the forms and lists of content say of the whole: where a document is, what keeps it from being live, what is below
what; in both languages."""

from __future__ import annotations

from typing import Any

import frappe
from playwright.sync_api import Locator, Page, expect

from tests.e2e.desk.driver import Desk, save, shoot
from tests.e2e.desk.school import School

ATTACK = '<img src=x onerror="window.attacked = 1">'


def offered(page: Page, field: str, text: str) -> Locator:
	"""What the link box of this field offers for a text, typed as people do."""
	box = page.locator(f".frappe-control[data-fieldname={field}]:visible input").first
	box.click()
	box.fill("")
	box.press_sequentially(text)
	return page.locator("ul[role=listbox]:visible > *")


def way(here: School, *keys: str) -> str:
	return " › ".join(map(here.title, keys))


def rename(doc: Any, title: str) -> None:
	"""Past Frappe, which would write stand-ins for what could be markup."""
	frappe.db.set_value(doc.doctype, doc.name, "title", title)
	frappe.db.commit()


def test_a_link_box_says_where_each_is_and_finds_by_that(desk: Desk, here: School) -> None:
	with desk.login(here.editor) as page:
		desk.form(page, here.docs["finding x"])
		choices = offered(page, "parent_topic", f"{here.title('geometry')} {here.title('angles')}")
		expect(choices.first).to_contain_text(here.title("angles"))
		expect(choices.first.locator(".small")).to_have_text(
			way(here, "mathematics", "geometry", "triangles")
		)
		expect(choices.filter(has_text=here.title("speed"))).to_have_count(0)
		shoot(page, "link-box", here)
		choices.first.click()
		page.wait_for_function("name => cur_frm.doc.parent_topic === name", arg=here.name("angles"))


def test_what_a_link_box_says_is_text(desk: Desk, here: School) -> None:
	titles = {key: here.title(key) for key in ("angles", "triangles")}
	for key in titles:
		rename(here.docs[key], f"{ATTACK} {titles[key]}")
	try:
		with desk.login(here.editor) as page:
			desk.form(page, here.docs["finding x"])
			choices = offered(page, "parent_topic", f"onerror {titles['angles']}")
			stored = ATTACK.replace("<", "﹤").replace(">", "﹥")
			expect(choices.first.locator("strong")).to_have_text(f"{stored} {titles['angles']}")
			expect(choices.first.locator(".small")).to_contain_text(f"{stored} {titles['triangles']}")
			expect(choices.locator("img")).to_have_count(0)
			page.keyboard.press("Escape")
			assert page.evaluate("window.attacked") is None
	finally:
		for key, title in titles.items():
			rename(here.docs[key], title)


def test_a_form_tells_the_server_where_its_document_was_when_it_was_loaded(desk: Desk, here: School) -> None:
	lesson = here.docs["two unknowns"]
	loaded = {"parent": lesson.parent_topic, "sort_order": lesson.sort_order}
	with desk.login(here.editor) as page:
		desk.form(page, lesson)
		page.evaluate("cur_frm.set_value('sort_order', 7)")
		page.wait_for_function("cur_frm.is_dirty()")
		page.evaluate("cur_frm.refresh()")  # as after a look at another form
		with page.expect_request("**/api/method/frappe.desk.form.save.savedocs") as sent:
			save(page)
		assert frappe.parse_json(sent.value.post_data_json["doc"])["__memora_place"] == loaded
		page.wait_for_function("(cur_frm.doc.__memora_place || {}).sort_order === 7")
	desk.edit(lesson, sort_order=lesson.sort_order)
	desk.publish()
