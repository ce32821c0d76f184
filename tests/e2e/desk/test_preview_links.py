"""A link for a colleague: made in the Desk, read by somebody without an account, taken back; in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe
from playwright.sync_api import Page, expect

from memora.services.preview_links import links
from tests.e2e.desk.driver import Desk, shoot
from tests.e2e.desk.school import School

API = "memora.api.preview_links"
WORDS = {
	"en": {
		"over": "This link does not work.",
		"by": "Shared by {} until",
		"drafts": "With drafts",
		"paid": "With paid content",
		"share": "Share preview",
	},
	"ar": {
		"over": "هذا الرابط لا يعمل.",
		"by": "يشاركه {} حتى",
		"drafts": "فيه مسودات",
		"paid": "فيه محتوى مدفوع",
		"share": "مشاركة المعاينة",
	},
}


@contextmanager
def stranger(desk: Desk, here: School) -> Iterator[Page]:
	"""A page of a browser that is logged in nowhere; no address that it asks for has the secret of a link."""
	context = desk.browser.new_context(locale=here.language, viewport={"width": 1280, "height": 860})
	page = context.new_page()
	asked: list[tuple[str, dict[str, str]]] = []
	errors: list[str] = []
	page.on("request", lambda request: asked.append((request.url, request.headers)))
	page.on("pageerror", lambda error: errors.append(str(error)))
	yield page
	secret = page.url.partition("#")[2].split("/")[0]
	for url, headers in asked:
		path, _, fragment = url.partition("#")
		assert not secret or secret not in path
		assert API not in path or (
			not fragment and headers["x-memora-preview-link"] and "cookie" not in headers
		)
	assert not errors
	context.close()


def make(page: Page, here: School) -> str:
	"""Make a link in the dialog that is open: its address."""
	page.locator(".modal:visible").get_by_role("button", name=here.say("Make Link")).click()
	field = page.locator("#memora-preview-link")
	expect(field).to_have_value(re.compile(r"\?shared#[\w-]{32}$"))
	return field.input_value()


def banner(page: Page) -> Any:
	return page.locator("section.preview")


def test_a_lesson_is_read_by_a_link_until_it_is_taken_back(desk: Desk, here: School) -> None:
	say, lesson = WORDS[here.language], here.docs["word problems"]
	name = frappe.db.get_value("User", here.editor, "full_name")
	desk.edit(lesson, is_published=0)
	desk.publish()
	with desk.login(here.editor) as page, stranger(desk, here) as visitor:
		line = desk.form(page, lesson)
		line.get_by_role("button", name=here.say("Share Preview")).click()
		link = make(page, here)
		rows = page.locator(".memora-preview-links li")
		expect(rows).to_have_count(1)
		expect(rows).to_contain_text(here.say("not used yet"))
		shoot(page, "share-preview", here)

		visitor.goto(link)
		expect(visitor.locator("h1")).to_contain_text(here.title("word problems"))
		expect(visitor.locator(".stage h2")).to_have_count(1)
		expect(visitor.locator("html")).to_have_attribute("dir", {"en": "ltr", "ar": "rtl"}[here.language])
		expect(banner(visitor)).to_contain_text(say["by"].format(name))
		expect(banner(visitor)).to_contain_text(say["drafts"])
		expect(banner(visitor)).not_to_contain_text(say["paid"])
		expect(banner(visitor).get_by_role("link")).to_have_count(0)
		expect(visitor.locator('meta[name="robots"]')).to_have_attribute("content", re.compile("noindex"))
		shoot(visitor, "shared-preview", here)
		# Nothing is beside it: its subject's page has its way alone, and the address stays one that works.
		visitor.goto(f"{link}/{'/'.join(visitor.url.partition('#')[2].split('/')[1:3])}")
		expect(visitor.locator("h1")).to_have_text(here.title("mathematics"))
		expect(visitor.locator("main")).not_to_contain_text(here.title("geometry"))
		expect(visitor.locator("main .row")).to_have_count(1)
		visitor.locator("main a.row").first.click()
		visitor.reload()
		expect(visitor.locator("main")).to_contain_text(here.title("word problems"))
		visitor.locator("a.brand").click()
		expect(visitor.locator("main")).to_contain_text(here.title("plan"))
		assert visitor.url.startswith(link)

		rows.get_by_role("button", name=here.say("Revoke")).click()
		expect(rows).to_have_count(0)
		visitor.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
		expect(visitor.locator("h1")).to_have_text(say["over"])
		expect(banner(visitor)).to_have_count(0)
		expect(visitor.locator("body")).not_to_contain_text(here.title("word problems"))
	desk.edit(lesson, is_published=1)
	desk.publish()


def test_what_is_paid_is_open_to_a_colleague_and_said(desk: Desk, here: School) -> None:
	say = WORDS[here.language]
	with desk.login(here.editor) as page, stranger(desk, here) as visitor:
		line = desk.form(page, here.docs["plan"])
		line.get_by_role("button", name=here.say("Share Preview")).click()
		visitor.goto(make(page, here))
		expect(visitor.locator("h1")).to_have_text(here.title("plan"))
		expect(banner(visitor)).to_contain_text(say["paid"])
		visitor.locator(".subject-card", has_text=here.title("physics")).click()
		expect(visitor.locator("h1")).to_have_text(here.title("physics"))
		for view in ("unit", "lesson"):
			visitor.locator("main a.row").first.click()
			expect(visitor.locator("body")).to_have_attribute("data-view", view)
		expect(visitor.locator(".stage h2")).to_have_count(1)
		expect(visitor.locator(".locked")).to_have_count(0)
		# What the link opens is for the preview alone; what the visitor chose counts for what is published, too.
		visitor.locator(".menu-moon").click()
		visitor.locator('.menu-panel input[value="dark"]').check()
		visitor.goto(f"{desk.address}/assets/memora/reader/index.html?base=/files/e2e/")
		expect(visitor.locator(".plan-card").first).to_be_visible()
		expect(visitor.locator("html")).to_have_attribute("data-theme", "dark")
		visitor.locator(".menu-person").click()
		expect(visitor.locator('.menu-panel input[value="signed-in"]')).to_be_checked()
		expect(visitor.locator(".menu-panel input[type=checkbox]")).to_have_count(0)


def test_links_are_made_on_the_course_page_and_in_the_preview(desk: Desk, here: School) -> None:
	say, lesson = WORDS[here.language], here.docs["finding x"]
	with desk.login(here.editor) as page, stranger(desk, here) as visitor:
		desk.open(page, f"memora-course/{here.name('mathematics')}")
		page.locator('[data-bar="share"]').click()
		visitor.goto(make(page, here))
		expect(visitor.locator("h1")).to_have_text(here.title("mathematics"))
		line = desk.form(page, lesson)
		with page.expect_popup() as popup:
			line.get_by_role("link", name=here.say("Preview as Learner")).first.click()
		tab = popup.value
		banner(tab).get_by_role("link", name=say["share"]).click()
		link = make(tab, here)
		assert "share_preview" not in tab.url
		tab.close()
		# Another link in the same tab is another preview.
		visitor.evaluate("link => { location.href = link }", link)
		expect(visitor.locator("h1")).to_contain_text(here.title("finding x"))
		visitor.evaluate("link => { location.href = link.slice(0, -1) + '!' }", link)
		expect(visitor.locator("h1")).to_have_text(say["over"])


def test_an_admin_finds_all_links_and_takes_one_back(desk: Desk, here: School) -> None:
	with desk.login(here.editor) as page:
		line = desk.form(page, here.docs["triangles"])
		line.get_by_role("button", name=here.say("Share Preview")).click()
		link = make(page, here)
	with desk.login(here.admin) as page, stranger(desk, here) as visitor:
		visitor.goto(link)
		expect(visitor.locator("h1")).to_contain_text(here.title("triangles"))
		frappe.db.rollback()
		name = frappe.get_all("Memora Preview Link", order_by="creation desc", pluck="name", limit=1)[0]
		desk.open(page, "memora-preview-link")
		row = page.locator(f'.btn-action[data-name="{name}"]')
		row.click()
		expect(row).to_have_count(0)
		visitor.reload()
		expect(visitor.locator("h1")).to_have_text(WORDS[here.language]["over"])


def test_a_click_on_how_a_link_is_lists_the_links_that_are_so(desk: Desk, here: School) -> None:
	lesson = here.docs["triangles"]
	frappe.set_user(here.editor)
	names = [links.make(lesson.doctype, lesson.name, "", 7, drafts=True)[1] for _ in range(2)]
	frappe.set_user("Administrator")
	frappe.db.set_value(links.DOCTYPE, names[0], "ends", "2020-01-01 00:00:00")
	frappe.db.commit()
	with desk.login(here.admin) as page:
		desk.open(page, "memora-preview-link")
		ended, works = (
			page.locator(".list-row-container", has=page.locator(f'[data-name="{name}"]')) for name in names
		)
		for one, other, word in ((ended, works, "Ended"), (works, ended, "Works")):
			expect(other).to_be_visible()
			one.locator(".indicator-pill:visible", has_text=here.say(word)).click()
			expect(other).to_have_count(0)
			expect(one).to_be_visible()
			page.evaluate("() => { cur_list.filter_area.clear(); }")
	for name in names:
		frappe.delete_doc(links.DOCTYPE, name, force=True)
	frappe.db.commit()
