"""What the forms and lists of content say of the whole: where a document is, what keeps it from being live, what is below
what; in both languages."""

from __future__ import annotations

from typing import Any

import frappe
from playwright.sync_api import Locator, Page, expect

from tests.e2e.desk.driver import Desk, pill, save, shoot
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


def test_a_form_shows_the_way_to_its_document(desk: Desk, here: School) -> None:
	above = ["mathematics", "algebra", "equations", "unknowns"]
	with desk.login(here.editor) as page:
		desk.form(page, here.docs["finding x"])
		crumbs = page.locator(".memora-way:visible li")
		expect(crumbs).to_have_text([here.title(key) for key in [*above, "finding x"]])
		expect(crumbs.last).to_have_attribute("aria-current", "page")
		crumbs.get_by_role("link", name=here.title("equations")).click()
		page.wait_for_function("name => cur_frm && cur_frm.docname === name", arg=here.name("equations"))
		crumbs = page.locator(".memora-way:visible li")
		expect(crumbs).to_have_text([here.title(key) for key in above[:3]])
		desk.open(page, "memora-lesson/new")
		page.wait_for_function("cur_frm && cur_frm.is_new()")
		expect(page.locator(".memora-way:visible")).to_have_count(0)


def test_a_form_says_all_that_is_in_the_way_and_one_button_publishes_the_drafts(
	desk: Desk, here: School
) -> None:
	drafts = ["word problems", "unknowns", "algebra"]
	for key in drafts:
		desk.edit(here.docs[key], is_published=0)
	plans = {key: here.docs[key] for key in ("plan", "short plan")}
	for plan in plans.values():
		desk.edit(plan, is_published=0)
	desk.publish()
	try:
		with desk.login(here.editor) as page:
			line = desk.form(page, here.docs["word problems"])
			expect(pill(line)).to_have_text(here.say("Draft"))
			rows = line.locator(".memora-status-reasons li")
			said = [
				here.say("It is a draft"),
				*(
					here.say("Its {0} “{1}” is a draft", here.say(kind), here.title(key))
					for kind, key in (("Topic", "unknowns"), ("Track", "algebra"))
				),
				*(here.say("The plan “{0}” is a draft", plan.title) for plan in plans.values()),
			]
			expect(rows).to_have_count(5)
			for text in said:
				expect(rows.filter(has_text=text)).to_have_count(1)
			shoot(page, "reasons", here)
			href = rows.get_by_role("link", name=here.title("unknowns")).get_attribute("href")
			assert href and href.endswith(here.name("unknowns"))

			line.get_by_role("button", name=here.say("Make Live")).click()
			dialog = page.locator(".memora-consequences.show")
			expect(dialog).to_contain_text(here.title("finding x"))
			shoot(page, "consequences", here)
			dialog.get_by_role("button", name=here.say("Cancel")).click()
			expect(dialog).to_have_count(0)
			assert not published("word problems", here)

			line.get_by_role("button", name=here.say("Make Live")).click()
			dialog.get_by_role("button", name=here.say("Go On")).click()
			expect(rows).to_have_count(2)
			expect(line.get_by_role("button", name=here.say("Make Live"))).to_have_count(0)
			assert all(published(key, here) for key in drafts)
	finally:
		for doc in (*(here.docs[key] for key in drafts), *plans.values()):
			desk.edit(doc, is_published=1)
		desk.publish()


def published(key: str, here: School) -> bool:
	"""Whether a document is no draft, as it is stored."""
	frappe.db.rollback()
	return bool(frappe.db.get_value(here.docs[key].doctype, here.name(key), "is_published"))


def test_a_single_reason_is_said_by_the_line_with_a_link(desk: Desk, here: School) -> None:
	with desk.login(here.editor) as page:
		line = desk.form(page, here.docs["music"])
		expect(line.locator(".memora-status-reasons")).to_have_count(0)
		expect(line.get_by_role("button", name=here.say("Make Live"))).to_have_count(0)
		line.get_by_role("link", name=here.say("Academic Plans")).click()
		expect(page.locator(".list-row-container:visible").first).to_be_visible()


def shown(page: Page) -> Locator:
	"""The titles of the list that is open."""
	return page.locator(".frappe-list:visible .list-row-container .list-subject a[data-doctype]")


def pick(page: Page, field: str, title: str) -> None:
	"""Choose in a box above the list."""
	offered(page, field, title).filter(has_text=title).first.click()


def open_list(desk: Desk, page: Page, route: str) -> None:
	"""A list without any filter of an earlier visit."""
	desk.open(page, route)
	page.locator(".frappe-list:visible .list-row-container").first.wait_for()
	# What the list remembers may come after its first rows.
	page.wait_for_function(
		"""() => {
			const is_free = !jQuery.active && !cur_list.filter_area.get().length;
			if (!is_free && !jQuery.active) cur_list.filter_area.clear();
			return is_free;
		}"""
	)


def test_a_list_is_filtered_by_what_is_above_and_stays_so(desk: Desk, here: School) -> None:
	inside = ["finding x", "two unknowns", "word problems", "angles of a triangle"]
	with desk.login(here.editor) as page:
		open_list(desk, page, "memora-lesson/view/list")
		pick(page, "memora_within_subject", here.title("mathematics"))
		expect(shown(page)).to_have_count(4)
		for key in inside:
			expect(shown(page).filter(has_text=here.title(key)).first).to_be_visible()
		pick(page, "memora_within_unit", here.title("triangles"))
		expect(shown(page)).to_have_text([here.title("angles of a triangle")])
		shoot(page, "list-filtered", here)
		page.wait_for_function("location.search.includes('memora_within_unit')")

		page.reload()
		expect(shown(page)).to_have_text([here.title("angles of a triangle")])
		expect(page.locator("[data-fieldname=memora_within_unit]:visible input").first).to_have_value(
			here.title("triangles")
		)
		desk.open(page, "memora-topic/view/list")
		expect(shown(page).first).to_be_visible()
		page.go_back()
		expect(shown(page)).to_have_text([here.title("angles of a triangle")])
		desk.open(page, "memora-lesson/view/list")  # an address without a filter: Frappe's saved one
		expect(shown(page)).to_have_text([here.title("angles of a triangle")])

		page.evaluate("cur_list.filter_area.clear()")
		expect(shown(page).filter(has_text=here.title("what is speed")).first).to_be_visible()
		page.wait_for_function("!location.search.includes('memora_within')")


def test_what_is_above_filters_the_list_that_each_kind_has(desk: Desk, here: School) -> None:
	with desk.login(here.editor) as page:
		for route, fields in (
			("memora-track", []),
			("memora-unit", ["subject"]),
			("memora-topic", ["subject", "track"]),
			("memora-lesson", ["subject", "track", "unit"]),
		):
			open_list(desk, page, f"{route}/view/list")
			boxes = page.locator(".page-form:visible [data-fieldname^=memora_within_].frappe-control")
			expect(boxes).to_have_count(len(fields))
		open_list(desk, page, "memora-topic/view/list")
		pick(page, "memora_within_track", here.title("geometry"))
		expect(shown(page)).to_have_text([here.title("angles")])


def test_below_one_parent_a_list_is_in_the_learners_order(desk: Desk, here: School) -> None:
	lessons = [here.docs[key] for key in ("word problems", "finding x", "two unknowns")]
	places = [doc.sort_order for doc in lessons]
	for doc in lessons:
		desk.edit(doc, sort_order=7)  # equal ones keep the order in which they were made
	desk.edit(lessons[0], sort_order=3)
	order = [here.title(key) for key in ("word problems", "finding x", "two unknowns")]
	try:
		with desk.login(here.editor) as page:
			open_list(desk, page, "memora-lesson/view/list")
			page.evaluate(
				"cur_list.sort_selector.sort_by = 'modified'; cur_list.sort_selector.sort_order = 'desc'"
			)
			desk.open(page, f"memora-lesson/view/list?parent_topic={here.name('unknowns')}")
			expect(shown(page)).to_have_text(order)
			open_list(desk, page, "memora-lesson/view/list")
			expect(shown(page)).not_to_have_count(len(order))  # all lessons are there again
			pick(page, "memora_within_unit", here.title("equations"))
			expect(shown(page)).to_have_text(order)
			page.evaluate(
				"cur_list.sort_selector.sort_by = 'title'; cur_list.sort_selector.onchange('title', 'asc')"
			)
			expect(shown(page)).to_have_text(sorted(order))
	finally:
		for doc, place in zip(lessons, places, strict=True):
			desk.edit(doc, sort_order=place)
		desk.publish()
