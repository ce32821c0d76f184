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

import memora.tests.conftest
from memora.services.cdn_export import paths
from memora.tests.conftest import site  # noqa: F401 - the session's fixture
from tests.e2e import desk as desks
from tests.e2e.desk import Desk, shoot

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
_FLAGS = (
	"--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
	" --disable-component-update --disable-sync"
).split()

EDITOR, ADMIN = "editor@e2e.test", "admin@e2e.test"
ARABIC_EDITOR, ARABIC_ADMIN = "editor.ar@e2e.test", "admin.ar@e2e.test"


@pytest.fixture(scope="module")
def desk(site: None) -> Iterator[Desk]:  # noqa: F811
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


def status(page: Page):
	return page.locator(".memora-status:visible")


def lesson_json(desk: Desk, title: str) -> dict:
	return json.loads(desk.read(paths.lesson(desk.docs[title].name)))


def test_an_editor_sees_publishes_and_finds_a_lesson_on_the_cdn(desk: Desk) -> None:
	with desk.login(EDITOR) as page:
		desk.form(page, "Finding x")
		expect(status(page)).to_contain_text("Live since")
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
		expect(status(page)).to_contain_text("Live since", timeout=30_000)
		assert lesson_json(desk, "Finding x")["title"] == "Finding x and y"
		with page.expect_popup() as popup:
			page.get_by_role("link", name="Open on CDN").first.click()
		assert "Finding x and y" in popup.value.content()
