"""The gate's keys in the Desk: an admin makes the next one and takes one back, in both languages."""

from __future__ import annotations

import frappe
from playwright.sync_api import Page, expect

from memora.services.access_gate import keys
from memora.services.access_gate.rules.key_states import WAIT
from memora.tests.helpers import clock
from tests.e2e.desk.driver import Bench, Desk, shoot
from tests.e2e.desk.school import School

PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----"""
ASKED = "Make a key? It signs a minute and a half after it has been published. The one before leaves by itself a day later."


def confirm(page: Page, said: str) -> None:
	dialog = page.locator(".modal:visible")
	expect(dialog).to_contain_text(said)
	dialog.locator(".btn-modal-primary").click()


def test_an_admin_makes_the_next_key_and_takes_one_back(desk: Desk, bench: Bench, here: School) -> None:
	frappe.db.delete(keys.TABLE)
	old = keys.rotate()
	desk.publish()
	clock.skip(WAIT)
	with desk.login(here.admin) as page:
		desk.open(page, "memora-gate-key")
		row = page.locator(".list-row", has_text=old)
		expect(row.locator(".indicator-pill")).to_have_text(here.say("Signs"))
		page.get_by_role("button", name=here.say("Make the Next Key")).click()
		confirm(page, here.say(ASKED))
		expect(page.locator(".list-row")).to_have_count(2)
		frappe.db.rollback()  # see what the server has written
		new = keys.listed()[0]["kid"]
		added = page.locator(".list-row", has_text=new)
		expect(added.locator(".indicator-pill")).to_have_text(here.say("Does Not Sign Yet"))
		row.get_by_role("button", name=here.say("Revoke")).click()
		confirm(page, old)
		expect(row.locator(".indicator-pill")).to_have_text(here.say("Revoked"))
		# Accepting a key starts a batch, which a worker can end before the list shows the key.
		with bench.without_worker():
			page.get_by_role("button", name=here.say("Accept an App's Key")).click()
			dialog = page.locator(".modal:visible")
			dialog.locator("[data-fieldname=kid] input").fill("app-1")
			dialog.locator("[data-fieldname=public_key] textarea").fill(PEM)
			dialog.locator(".btn-modal-primary").click()
			app = page.locator(".list-row", has_text="app-1")
			expect(app.locator(".indicator-pill")).to_have_text(here.say("An App's, Not Accepted Yet"))
			desk.publish()
		desk.open(page, "memora-gate-key")
		expect(app.locator(".indicator-pill")).to_have_text(here.say("An App's, Accepted"))
		shoot(page, "gate-keys", here)
	frappe.db.rollback()
	assert {key["kid"]: key["state"] for key in keys.listed()} == {
		old: "revoked",
		new: "waits",
		"app-1": "accepted",
	}
