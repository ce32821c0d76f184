"""The Desk as editors and admins use it, in a real browser: each flow from the click to the published file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

if not os.environ.get("MEMORA_SITE"):
	pytest.skip("these drive a site's Desk: use dev/test", allow_module_level=True)

import frappe
from playwright.sync_api import Page, expect, sync_playwright

from memora.services.cdn_export import paths
from memora.tests.conftest import SITES_PATH
from tests.e2e import desk as desks
from tests.e2e.desk import Desk, shoot

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
_FLAGS = (
	"--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
	" --disable-component-update --disable-sync"
).split()

EDITOR, ADMIN = "editor@e2e.test", "admin@e2e.test"
NIGHT = "night@e2e.test"
ARABIC_EDITOR, ARABIC_ADMIN = "editor.ar@e2e.test", "admin.ar@e2e.test"


@pytest.fixture(scope="module")
def site() -> Iterator[None]:
	"""The site that memora's own tests use, which end the connection when they all are done."""
	started_in = os.getcwd()
	os.chdir(SITES_PATH)  # Frappe takes its logs and some files to be beside it
	frappe.flags.in_test = True
	frappe.clear_cache()
	yield
	frappe.db.rollback()
	os.chdir(started_in)


@pytest.fixture(scope="module")
def desk(site: None) -> Iterator[Desk]:
	desks.clean()
	desks.make_users()
	with desks.served() as address, sync_playwright() as playwright:
		browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
		found = Desk(address, browser)
		found.configure()
		found.docs = desks.make_school()
		found.publish()
		yield found
		browser.close()
	desks.clean()


expect.set_options(timeout=15_000)


def status(page: Page):
	return page.locator(".memora-status:visible")


def lesson_json(desk: Desk, title: str) -> dict:
	return json.loads(desk.read(paths.lesson(desk.docs[title].name)))


def test_an_editor_sees_publishes_and_finds_a_lesson_on_the_cdn(desk: Desk) -> None:
	with desk.login(EDITOR) as page:
		desk.form(page, "Finding x")
		expect(status(page)).to_contain_text("since")
		expect(status(page)).to_contain_text("In 2 plans")
		page.locator(".memora-status summary:visible").click()
		expect(status(page)).to_contain_text("Mathematics, short course")
		shoot(page, "lesson-live")
		page.locator("input[data-fieldname=title]:visible").fill("Finding x and y")
		page.keyboard.press("Control+s")
		expect(status(page)).to_contain_text("waiting for the next run")
		shoot(page, "lesson-waiting")
		page.get_by_role("button", name="View JSON").click()
		expect(page.locator(".memora-json tr.is-changed").first).to_contain_text("Finding x and y")
		page.wait_for_timeout(300)
		shoot(page, "view-json")
		page.keyboard.press("Escape")
		page.get_by_role("button", name="Publish Now").click()
		expect(status(page)).to_contain_text("since", timeout=30_000)
		assert lesson_json(desk, "Finding x")["title"] == "Finding x and y"
		with page.expect_popup() as popup:
			page.get_by_role("link", name="Open on CDN").first.click()
		assert "Finding x and y" in popup.value.content()


def test_a_plans_next_run_is_previewed_and_then_goes_out(desk: Desk) -> None:
	desk.edit("What is speed?", is_free_preview=1)
	desk.edit("Word problems", is_published=0)
	with desk.login(EDITOR) as page:
		desk.form(page, "Grade 7, General")
		expect(status(page)).to_contain_text("waiting for the next run")
		shoot(page, "plan")
		page.get_by_role("button", name="Preview Changes").click()
		dialog = page.locator(".memora-preview-dialog")
		expect(dialog).to_contain_text("Paid lessons that could be read without paying: 1")
		expect(dialog).to_contain_text("What is speed?")
		dialog.locator("summary", has_text="Files removed").click()
		expect(dialog).to_contain_text(paths.lesson(desk.docs["Word problems"].name))
		shoot(page, "preview")
		dialog.get_by_role("button", name="Publish Now").click()
		expect(status(page)).to_contain_text("since", timeout=30_000)
		expect(status(page).locator(".indicator-pill").first).to_have_text("Live", timeout=30_000)
	assert lesson_json(desk, "What is speed?")["access"]["access_level"] == "free_preview"
	assert desk.read(paths.lesson(desk.docs["Word problems"].name)) == ""


def test_a_lesson_says_why_it_is_not_live(desk: Desk) -> None:
	desk.edit("Equations", is_published=0)
	desk.publish()
	with desk.login(EDITOR) as page:
		desk.form(page, "Two unknowns")
		expect(status(page)).to_contain_text("Not published: its Unit “Equations” is a draft")
		shoot(page, "lesson-why")
		desk.form(page, "Angles of a triangle")
		page.locator(".memora-status summary:visible").click()
		expect(status(page)).to_contain_text("which hides its Track “Geometry”")
	desk.edit("Equations", is_published=1)
	desk.publish()


def test_lists_show_how_each_row_stands(desk: Desk) -> None:
	desk.edit("Push and pull", title="Push, pull and turn")
	with desk.login(EDITOR) as page:
		desk.open(page, "memora-lesson")
		row = page.locator(".list-row-container", has_text="Push, pull and turn")
		expect(row.locator(".memora-state").first).to_have_text("Waiting")
		live = page.locator(".list-row-container", has_text="Measuring speed")
		expect(live.locator(".memora-state").first).to_have_text("Live")
		shoot(page, "list")


def test_overrides_are_picked_from_the_plans_own_content(desk: Desk) -> None:
	with desk.login(EDITOR) as page:
		desk.form(page, "Mathematics, short course")
		grid = page.locator("[data-fieldname=overrides]:visible")
		expect(grid).to_contain_text("Geometry")
		grid.get_by_role("button", name="Add Row").click()
		row = grid.locator(".grid-body .grid-row").last
		row.locator("[data-fieldname=target_doctype]").first.click()
		row.locator("[data-fieldname=target_doctype] select").select_option("Memora Lesson")
		row.locator("[data-fieldname=target_name]").first.click()
		row.locator("[data-fieldname=target_name] input").press_sequentially("t", delay=50)
		choices = row.locator(".awesomplete li")
		expect(choices.filter(has_text="Two unknowns")).to_be_visible()
		expect(choices.filter(has_text="What is speed?")).to_have_count(0)
		shoot(page, "override")
		choices.filter(has_text="Two unknowns").click()
		row.locator("[data-fieldname=action]").first.click()
		row.locator("[data-fieldname=action] select").select_option("Rename")
		row.locator("[data-fieldname=override_value]").first.click()
		row.locator("[data-fieldname=override_value] input").fill("Two at once")
		page.keyboard.press("Control+s")
		expect(status(page)).to_contain_text("waiting for the next run")
		page.get_by_role("button", name="Publish Now").click()
		expect(status(page).locator(".indicator-pill").first).to_have_text("Live", timeout=30_000)
	own = paths.lesson(desk.docs["Two unknowns"].name, desk.docs["Mathematics, short course"].name)
	assert json.loads(desk.read(own))["title"] == "Two at once"


def test_an_admin_tests_the_connection_in_settings(desk: Desk) -> None:
	with desk.login(ADMIN) as page:
		desk.open(page, "cdn-settings")
		expect(page.locator(".form-dashboard, .form-message").filter(visible=True).first).to_contain_text(
			"batch"
		)
		shoot(page, "settings")
		page.get_by_role("button", name="Test Connection").click()
		findings = page.locator(".memora-findings li")
		expect(findings.filter(has_text="Files can be deleted")).to_be_visible(timeout=30_000)
		expect(findings.filter(has_text="readable by anyone")).to_be_visible()
		shoot(page, "test-connection")


def test_the_dashboard_shows_what_failed_and_retries_it(desk: Desk) -> None:
	plan = desk.docs["Mathematics, short course"]
	desk.edit("Mathematics, short course", title="Mathematics in brief")
	with desks.broken(desk):
		desk.publish()
		desks.let_die(plan.name)
	with desk.login(ADMIN) as page:
		desk.open(page, "cdn-export-dashboard")
		row = page.locator(".memora-rows > li", has_text="Mathematics in brief").first
		expect(row).to_contain_text("Failed for Good")
		shoot(page, "dashboard")
		row.get_by_role("button", name="Retry").click()
		expect(row).to_contain_text("Live", timeout=30_000)
	assert json.loads(desk.read(paths.manifest(plan.name)))["title"] == "Mathematics in brief"


def test_a_held_change_waits_for_the_admins_word(desk: Desk) -> None:
	desk.configure(hold_large_changes=1)
	desk.edit("Physics", required_item="", is_public=1)
	desk.publish()
	assert lesson_json(desk, "Push and pull")["access"]["access_level"] == "paid"
	with desk.login(EDITOR) as page:
		desk.form(page, "Push and pull")
		expect(status(page)).to_contain_text("stay paid until approved")
		shoot(page, "held")
	with desk.login(ADMIN) as page:
		desk.open(page, "cdn-export-dashboard")
		row = page.locator(".memora-rows > li", has_text="Physics").first
		expect(row).to_contain_text("Held")
		shoot(page, "dashboard-held")
		row.get_by_role("button", name="Approve").click()
		page.locator(".modal.show .btn-modal-primary, .modal.show .btn-primary").first.click()
		expect(row).to_have_count(0, timeout=30_000)
	assert lesson_json(desk, "Push and pull")["access"]["access_level"] == "public"
	desk.configure(hold_large_changes=0)


def test_the_workspace_leads_there(desk: Desk) -> None:
	with desk.login(ADMIN) as page:
		desk.open(page, "memora")
		expect(page.locator(".widget", has_text="Published Plans").first).to_contain_text("2")
		expect(page.locator(".shortcut-widget-box", has_text="CDN Export Dashboard")).to_be_visible()
		shoot(page, "workspace")
	with desk.login(EDITOR) as page:
		desk.open(page, "memora")
		expect(page.locator(".widget", has_text="Published Plans").first).to_contain_text("2")
		expect(page.locator(".widget", has_text="CDN Settings")).to_have_count(0)


def test_it_all_reads_from_the_right_in_arabic(desk: Desk) -> None:
	with desk.login(ARABIC_EDITOR) as page:
		desk.form(page, "الجملة الاسمية")
		assert page.locator("html").get_attribute("dir") == "rtl"
		expect(status(page).locator(".indicator-pill").first).to_have_text("منشور")
		page.locator("input[data-fieldname=title]:visible").fill("الجملة الاسمية وأنواعها")
		page.keyboard.press("Control+s")
		expect(status(page)).to_contain_text("بانتظار")
		page.get_by_role("button", name="عرض JSON").click()
		expect(page.locator(".memora-json tr.is-changed").first).to_be_visible()
		shoot(page, "view-json-ar")
		page.keyboard.press("Escape")
		shoot(page, "lesson-ar")
		page.get_by_role("button", name="انشر الآن").click()
		expect(status(page).locator(".indicator-pill").first).to_have_text("منشور", timeout=30_000)
	assert lesson_json(desk, "الجملة الاسمية")["title"] == "الجملة الاسمية وأنواعها"
	with desk.login(ARABIC_ADMIN) as page:
		desk.open(page, "cdn-export-dashboard")
		expect(page.locator(".memora-rows > li").first).to_be_visible()
		shoot(page, "dashboard-ar")


def test_it_fits_a_phone_and_the_dark(desk: Desk) -> None:
	desk.edit("Finding x", description="How one finds out.")
	with desk.login(EDITOR, width=390, height=780) as page:
		desk.form(page, "Finding x")
		box = status(page).bounding_box()
		assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
		shoot(page, "lesson-phone")
	with desk.login(ADMIN, width=390, height=780) as page:
		desk.open(page, "cdn-export-dashboard")
		page.locator(".memora-rows > li").first.wait_for()
		assert page.evaluate("document.documentElement.scrollWidth") <= 390
		shoot(page, "dashboard-phone")
	with desk.login(NIGHT) as page:
		desk.open(page, "cdn-export-dashboard")
		page.locator(".memora-rows > li").first.wait_for()
		shoot(page, "dashboard-dark")
	with desk.login(NIGHT) as page:
		desk.form(page, "Finding x")
		page.get_by_role("button", name="View JSON").click()
		page.locator(".memora-json").wait_for()
		shoot(page, "view-json-dark")


def test_the_keyboard_is_enough(desk: Desk) -> None:
	desk.edit("Finding x", description="By hand.")
	with desk.login(EDITOR) as page:
		desk.form(page, "Finding x")
		page.get_by_role("button", name="View JSON").focus()
		page.keyboard.press("Enter")
		expect(page.locator(".memora-json")).to_be_visible()
		page.keyboard.press("Escape")
		expect(page.locator(".memora-json")).to_be_hidden()
		page.locator(".memora-status summary:visible").focus()
		page.keyboard.press("Enter")
		expect(status(page)).to_contain_text("Grade 7, General")


def test_an_empty_dashboard_and_a_lost_server_say_so(desk: Desk) -> None:
	with desk.login(ADMIN) as page:
		page.route("**/api/method/memora.api.publishing.get_dashboard*", desks.empty_dashboard)
		desk.open(page, "cdn-export-dashboard")
		expect(page.locator(".memora-dashboard")).to_contain_text("Nothing has been published yet.")
		shoot(page, "dashboard-empty")
