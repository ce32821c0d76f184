"""What holds for all of memora's screens: a phone, the dark, the keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.desk.driver import Desk, pill, shoot
from tests.e2e.desk.school import NIGHT, School

PHONE = {"width": 390, "height": 780}


def test_forms_and_lists_fit_a_phone(desk: Desk, here: School) -> None:
	with desk.login(here.editor, **PHONE) as page:
		box = desk.form(page, here.docs["finding x"]).bounding_box()
		assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
		shoot(page, "lesson-phone", here)
		desk.open(page, "memora-lesson")
		page.locator(".list-row-container:visible").first.wait_for()
		assert page.evaluate("document.documentElement.scrollWidth") <= 390
		shoot(page, "list-phone", here)


@pytest.mark.parametrize("width", [1280, 1900])
def test_the_line_stands_where_the_forms_fields_do(desk: Desk, here: School, width: int) -> None:
	side = "right" if here.language == "ar" else "left"

	def edge(part: Locator) -> float:
		return part.evaluate("(part, side) => part.getBoundingClientRect()[side]", side)

	with desk.login(here.editor, width=width) as page:
		line = desk.form(page, here.docs["finding x"])
		field = page.locator("input[data-fieldname=title]:visible")
		assert edge(pill(line)) == pytest.approx(edge(field), abs=10)


@pytest.mark.parametrize("route", ["cdn-export-dashboard", "cdn-settings", "memora"])
def test_an_admins_pages_fit_a_phone(desk: Desk, here: School, route: str) -> None:
	shown = {
		"cdn-export-dashboard": ".memora-charts svg",
		"cdn-settings": ".frappe-control[data-fieldname=storage_provider] select",
		"memora": ".number-widget-box",
	}
	with desk.login(here.admin, **PHONE) as page:
		desk.open(page, route)
		page.locator(shown[route]).first.wait_for()
		assert page.evaluate("document.documentElement.scrollWidth") <= 390
		shoot(page, f"{route.removeprefix('cdn-export-')}-phone", here)


def test_the_dark_theme_is_followed(desk: Desk, schools: dict[str, School]) -> None:
	def lightness(selector: str) -> float:
		"""Of what stands behind the text, between 0 and 255."""
		red, green, blue = page.evaluate(
			"selector => getComputedStyle(document.querySelector(selector)).backgroundColor.match(/[\\d.]+/g)",
			selector,
		)[:3]
		return (float(red) + float(green) + float(blue)) / 3

	with desk.login(NIGHT) as page:
		desk.open(page, "cdn-export-dashboard")
		page.locator(".memora-charts svg").first.wait_for()
		assert lightness(".memora-panel") < 80
		shoot(page, "dashboard-dark")
		line = desk.form(page, schools["en"].docs["finding x"])
		assert lightness(".memora-status") < 80
		line.get_by_role("button", name="View JSON").click()
		page.locator(".memora-json").wait_for()
		assert lightness(".memora-json") < 80
		shoot(page, "view-json-dark")


def test_the_keyboard_is_enough(desk: Desk, here: School) -> None:
	with desk.login(here.editor) as page:
		line = desk.form(page, here.docs["finding x"])
		line.get_by_role("button", name=here.say("View JSON")).focus()
		page.keyboard.press("Enter")
		expect(page.locator(".memora-json")).to_be_visible()
		page.wait_for_function("document.activeElement.closest('.modal.show')")  # where the keys go
		page.keyboard.press("Escape")
		expect(page.locator(".memora-json")).to_be_hidden()
		line.locator("summary").focus()
		page.keyboard.press("Enter")
		expect(line).to_contain_text(here.title("plan"))
