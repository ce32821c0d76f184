"""Who finds what of memora in the Desk: its icon, its sidebar, its workspace."""

from __future__ import annotations

import frappe
import pytest
from playwright.sync_api import Page, expect

from memora.frappe_versions import DESK
from tests.e2e.desk.driver import Desk
from tests.e2e.desk.school import MANAGER, STRANGER, School

ONLY_ADMINS = ("CDN Export Dashboard", "Publish States", "Published Files", "Waiting Changes", "CDN Settings")
ALL = (
	"Home",
	"Subjects",
	"Tracks",
	"Units",
	"Topics",
	"Lessons",
	"Academic Plans",
	"Seasons",
	"CDN Sync Log",
)
LINKS = f".body-sidebar a.item-anchor[href^='{DESK}/']"


@pytest.fixture
def sidebars() -> None:
	"""Only for a Desk that has a desktop, and a sidebar for each app."""
	if not frappe.db.exists("DocType", "Workspace Sidebar"):
		pytest.skip("this Frappe has one sidebar, of all workspaces, and no desktop")


def sidebar(page: Page) -> list[str]:
	"""What the sidebar leads to."""
	links = page.locator(f"{LINKS}:visible")
	links.first.wait_for()
	return [text.strip() for text in links.all_inner_texts()]


def test_memoras_icon_stands_on_the_desktop_and_leads_to_its_workspace(
	desk: Desk, here: School, sidebars: None
) -> None:
	with desk.login(here.editor) as page:
		desk.open(page, "")
		icon = page.locator(".desktop-icon", has_text="Memora")
		picture = icon.locator("img.app-icon")
		expect(picture).to_be_visible()
		page.wait_for_function("icon => icon.naturalWidth > 0", arg=picture.element_handle())
		icon.click()
		expect(page.locator(".number-widget-box", has_text=here.say("Published Plans"))).to_be_visible()


def test_the_sidebar_has_what_its_reader_may_open_and_no_more(
	desk: Desk, here: School, sidebars: None
) -> None:
	say = here.say
	for user, may in ((here.editor, False), (here.admin, True)):
		with desk.login(user) as page:
			desk.open(page, "memora-lesson")
			page.locator(".list-row-container:visible").first.wait_for()
			labels = sidebar(page)
			for label in ALL[1:]:
				assert say(label) in labels
			for label in ONLY_ADMINS:
				assert (say(label) in labels) is may, f"{label}: {labels}"


def test_who_manages_the_system_has_all_of_it(desk: Desk, schools: dict[str, School], sidebars: None) -> None:
	with desk.login(MANAGER) as page:
		desk.open(page, "memora")
		assert {*ONLY_ADMINS, *ALL} <= {*sidebar(page)}


def test_who_has_none_of_memoras_roles_sees_nothing_of_it(desk: Desk, schools: dict[str, School]) -> None:
	refused = ("403", "404", "Page memora not found")
	with desk.login(STRANGER, expected=refused) as page:
		desk.open(page, "")
		page.locator(
			".desktop-icon:visible, .desk-sidebar-item:visible, .standard-sidebar-item:visible"
		).first.wait_for()
		expect(page.locator("body")).not_to_contain_text("Memora")
		desk.open(page, "memora")
		page.wait_for_load_state("networkidle")
		expect(page.locator(".number-widget-box, .shortcut-widget-box")).to_have_count(0)
