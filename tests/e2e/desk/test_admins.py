"""The Desk as admins use it, in both languages: settings, dashboard, workspace, and what reaches them by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import frappe
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from memora.services.cdn_export.model import paths
from memora.services.cdn_export.state import database, gate_switch, site_values
from tests.e2e.desk import driver
from tests.e2e.desk.driver import Bench, Desk, pill, save, shoot
from tests.e2e.desk.school import School

DASHBOARD = "cdn-export-dashboard"
ANSWER = "**/api/method/memora.api.cdn_admin.get_dashboard*"

CUT_SHORT = """boxes => boxes
	.flatMap(box => [...box.querySelectorAll("*")])
	.filter(part => getComputedStyle(part).overflowX === "hidden" && part.scrollWidth > part.clientWidth + 1)
	.map(part => part.textContent.trim())"""
"""The texts in these boxes that end in an ellipsis."""


@pytest.fixture
def onboarding() -> Iterator[None]:
	"""As on a new site, where the workspace shows the first steps."""
	with system(enable_onboarding=1):
		yield


@contextmanager
def system(**settings: object) -> Iterator[None]:
	"""Meanwhile System Settings are these."""
	before = {field: frappe.db.get_single_value("System Settings", field) for field in settings}
	for field, value in settings.items():
		_set_system(field, value)
	try:
		yield
	finally:
		for field, value in before.items():
			_set_system(field, value)


def _set_system(field: str, value: object) -> None:
	frappe.db.set_single_value("System Settings", field, value)
	frappe.db.commit()
	frappe.clear_cache()


def published_plan(desk: Desk, here: School, key: str) -> dict:
	return json.loads(desk.read(paths.manifest(here.name(key))) or "{}")


def row_of(page: Page, title: str) -> Locator:
	rows = page.locator("[data-part=rows] .memora-rows > li")
	return rows.filter(has=page.get_by_role("link", name=title, exact=True))


def state_of(row: Locator) -> Locator:
	return row.locator(".indicator-pill")


def confirm(page: Page) -> None:
	page.locator(".modal.show .btn-modal-primary, .modal.show .btn-primary").first.click()


# settings


@pytest.mark.parametrize(
	("provider", "needs", "hides"),
	[
		("Local Directory", ["local_path"], ["bucket_name", "endpoint_url", "access_key", "sign"]),
		(
			"Cloudflare R2",
			["bucket_name", "endpoint_url", "access_key", "secret_key", "sign"],
			["local_path"],
		),
		("AWS S3", ["bucket_name", "region", "access_key", "secret_key", "sign"], ["local_path"]),
	],
)
def test_settings_show_what_the_provider_needs(
	desk: Desk, here: School, provider: str, needs: list[str], hides: list[str]
) -> None:
	with desk.login(here.admin) as page:
		desk.open(page, "cdn-settings")
		page.locator(".frappe-control[data-fieldname=storage_provider] select").select_option(provider)
		for field in needs:
			expect(page.locator(f".frappe-control[data-fieldname={field}]")).to_be_visible()
		for field in hides:
			expect(page.locator(f".frappe-control[data-fieldname={field}]")).to_be_hidden()
		notice = page.locator("[data-fieldname=access_notice]")
		expect(notice).to_contain_text(
			{
				"en": "can be read by anyone who knows its address",
				"ar": "يستطيع قراءته كل من يعرف عنوانه",
			}[here.language]
		)
		if provider == "Cloudflare R2":
			shoot(page, "settings", here)


def test_settings_say_how_far_paid_content_is_private(desk: Desk, here: School) -> None:
	database.transaction(lambda: site_values.write(gate_switch.NOTE, "closing"))
	try:
		with desk.login(here.admin) as page:
			desk.open(page, "cdn-settings")
			status = page.locator(".frappe-control[data-fieldname=gate_status]")
			expect(status).to_contain_text(
				{
					"en": "Until all are, caches may show them to strangers.",
					"ar": "وإلى أن تُنشر كلها قد تعرضها الذواكر المؤقتة للغرباء",
				}[here.language]
			)
			address = page.locator(".frappe-control[data-fieldname=gate_url]")
			expect(address).to_be_hidden()
			page.locator(".frappe-control[data-fieldname=gate_enabled] input.input-with-feedback").check()
			expect(address).to_be_visible()
	finally:
		database.transaction(lambda: site_values.write(gate_switch.NOTE, ""))


def test_a_key_that_a_provider_has_made_is_not_judged_as_a_password(desk: Desk, here: School) -> None:
	with desk.login(here.admin) as page:
		judged: list[str] = []
		page.on("request", lambda request: judged.append(request.url) if "strength" in request.url else None)
		desk.open(page, "cdn-settings")
		page.locator(".frappe-control[data-fieldname=storage_provider] select").select_option("AWS S3")
		for field in ("secret_key", "cloudflare_api_token"):
			control = page.locator(f".frappe-control[data-fieldname={field}]")
			if not control.is_visible():
				continue
			control.locator("input").press_sequentially("abc123")
			page.wait_for_timeout(1500)  # Frappe asks when nothing has been typed for a while
			expect(control.locator(".password-strength-indicator")).to_be_hidden()
		assert judged == []


def test_the_connection_is_tested_and_the_next_run_named(desk: Desk, here: School) -> None:
	with desk.login(here.admin) as page:
		desk.open(page, "cdn-settings")
		headline = page.locator(".form-dashboard, .form-message").filter(visible=True).first
		expect(headline).to_contain_text(here.say("Last batch {0}"))
		expect(headline).to_contain_text(here.say("next {0}"))
		page.get_by_role("button", name=here.say("Test Connection")).click()
		findings = page.locator(".memora-findings li")
		expect(findings.filter(has_text=here.say("Files can be deleted."))).to_be_visible()
		exposed = here.say(
			"Paid content is readable by anyone with the address: {0} was read without credentials."
		)
		expect(findings.filter(has_text=exposed)).to_be_visible()
		shoot(page, "test-connection", here)


def test_a_bucket_that_cannot_be_written_is_named_only_on_purpose(desk: Desk, here: School) -> None:
	say, endpoint = here.say, "https://no-such-storage.invalid"
	before = frappe.get_doc("CDN Settings").as_dict()
	with desk.login(here.admin, expected=("417", "ValidationError")) as page:
		desk.open(page, "cdn-settings")
		page.locator(".frappe-control[data-fieldname=storage_provider] select").select_option("Cloudflare R2")
		fields = {
			"bucket_name": "films",
			"endpoint_url": endpoint,
			"access_key": "key",
			"secret_key": "secret",
		}
		for field, value in fields.items():
			page.locator(f".frappe-control[data-fieldname={field}] input").fill(value)
		page.keyboard.press("Control+s")
		refusal = page.get_by_role("dialog").filter(visible=True)
		expect(refusal).to_contain_text(say("The Bucket Cannot Be Written"))
		shoot(page, "bucket-refused", here)
		frappe.db.rollback()
		assert frappe.get_doc("CDN Settings").endpoint_url == before.endpoint_url
		refusal.get_by_role("button", name=say("Save Anyway")).click()
		page.wait_for_function("!cur_frm.is_dirty()")
		expect(refusal).to_have_count(0)
		frappe.db.rollback()
		assert frappe.get_doc("CDN Settings").endpoint_url == endpoint
		# What was let through once is asked for again at the next change of the place.
		page.locator(".frappe-control[data-fieldname=bucket_name] input").fill("others")
		page.keyboard.press("Control+s")
		expect(refusal).to_contain_text(say("The Bucket Cannot Be Written"))
	desk.configure(**{field: before[field] or "" for field in fields if field != "secret_key"}, secret_key="")
	desk.publish()


def test_another_sites_folder_is_taken_over_by_an_admins_word(desk: Desk, here: School) -> None:
	say, plan, newer = here.say, here.docs["short plan"], here.title("short plan") + " +"
	mark = Path(frappe.get_site_path(driver.FOLDER, paths.MARK))
	theirs = json.loads(mark.read_text()) | {"site": "0" * 64}
	mark.write_text(json.dumps(theirs))
	desk.edit(plan, title=newer)
	desk.publish()
	assert published_plan(desk, here, "short plan")["title"] == here.title("short plan")
	with desk.login(here.admin) as page:
		desk.open(page, DASHBOARD)
		warning = page.locator(".memora-dashboard .alert-warning").filter(has_text="take-over")
		expect(warning).to_contain_text(
			say("Nothing is published or removed there until this is decided; changes wait.")
		)
		shoot(page, "take-over", here)
		warning.get_by_role("button", name=say("Take Over")).click()
		confirm(page)
		expect(warning).to_have_count(0)
		expect(state_of(row_of(page, newer))).to_have_text(say("Live"))
	assert published_plan(desk, here, "short plan")["title"] == newer
	assert json.loads(mark.read_text())["site"] != theirs["site"]
	desk.edit(plan, title=here.title("short plan"))
	desk.publish()


def test_export_is_switched_off_and_on(desk: Desk, here: School) -> None:
	say = here.say
	with desk.login(here.admin) as page:
		desk.open(page, "cdn-settings")
		page.locator("input[data-fieldname=enabled]:visible").uncheck()
		save(page)
		expect(page.locator(".form-message:visible, .form-dashboard:visible").first).to_contain_text(
			say("Export is off.")
		)
		desk.edit(here.docs["plan"], title=here.title("plan") + " *")
		with desk.login(here.editor) as editors:
			line = desk.form(editors, here.docs["plan"])
			expect(line).to_contain_text(
				say("Export is switched off in CDN Settings, so changes wait until it is on.")
			)
			page.locator("input[data-fieldname=enabled]:visible").check()
			save(page)
			editors.reload()
			line.get_by_role("button", name=say("Publish Now")).click()
			expect(pill(line)).to_have_text(say("Live"))
	assert published_plan(desk, here, "plan")["title"].endswith(" *")
	desk.edit(here.docs["plan"], title=here.title("plan"))
	desk.publish()


def test_what_keeps_batches_from_running_is_said(desk: Desk, bench: Bench, here: School) -> None:
	say = here.say
	with desk.login(here.admin) as page:
		warnings = page.locator("[data-part=warnings]")
		with system(enable_scheduler=0), bench.without_worker():
			desk.open(page, DASHBOARD)
			expect(warnings).to_contain_text(say("The scheduler is off."))
			expect(warnings).to_contain_text(say("No worker listens."))
			shoot(page, "dashboard-warnings", here)
			desk.open(page, "cdn-settings")
			headline = page.locator(".form-dashboard, .form-message").filter(visible=True).first
			expect(headline).to_contain_text(say("The scheduler is off."))
			expect(headline).to_contain_text(say("No worker listens."))
		desk.open(page, DASHBOARD)
		expect(page.locator(".memora-tiles")).to_be_visible()
		expect(warnings).not_to_contain_text(say("The scheduler is off."))
		expect(warnings).not_to_contain_text(say("No worker listens."))


# the dashboard


def test_the_dashboard_is_searched_and_filtered(desk: Desk, here: School) -> None:
	say, title = here.say, here.title("plan")
	with desk.login(here.admin) as page:
		desk.open(page, DASHBOARD)
		expect(row_of(page, title)).to_be_visible()
		expect(row_of(page, here.title("short plan"))).to_be_visible()
		search = page.locator("[data-search]")
		search.fill(title)
		expect(row_of(page, here.title("short plan"))).to_be_hidden()
		expect(row_of(page, title)).to_be_visible()
		expect(search).to_be_focused()
		search.fill("")
		live, dead = (page.locator(f".memora-tile[data-state={state}]") for state in ("live", "dead"))
		dead.click()
		expect(page.locator("[data-part=rows]")).to_contain_text(say("Nothing of this kind."))
		live.click()
		expect(row_of(page, title)).to_be_visible()
		expect(live).to_have_attribute("aria-pressed", "true")
		live.click()
		expect(live).to_have_attribute("aria-pressed", "false")


def test_many_that_failed_for_one_cause_are_retried_at_once(desk: Desk, here: School) -> None:
	plans = [here.docs[key] for key in ("plan", "short plan")]
	for plan in plans:
		desk.edit(plan, title=plan.title + " *")
	with driver.broken():
		desk.publish()
		for plan in plans:
			driver.let_die(plan.name)
	with desk.login(here.admin) as page:
		desk.open(page, DASHBOARD)
		causes = page.locator("[data-part=causes]")
		expect(causes).to_contain_text("The disk is full")
		causes.get_by_role("button", name=here.say("Retry All")).click()
		expect(causes).to_be_hidden()
		for plan in plans:
			expect(state_of(row_of(page, plan.title + " *"))).to_have_text(here.say("Live"))
	for plan in plans:
		desk.edit(plan, title=plan.title)
	desk.publish()


def test_what_failed_for_good_reaches_the_admin_and_is_retried(desk: Desk, here: School) -> None:
	say, plan, newer = here.say, here.docs["short plan"], here.title("short plan") + " *"
	desk.edit(plan, title=newer)
	with driver.broken():
		desk.publish()
		driver.let_die(plan.name)
	with desk.login(here.admin) as page:
		desk.open(page, DASHBOARD)
		row = row_of(page, newer)
		expect(state_of(row)).to_have_text(say("Failed Permanently"))
		expect(row).to_contain_text("The disk is full")
		expect(page.locator(".memora-tile.is-bad")).to_contain_text(say("Dead letters"))
		expect(page.locator(".memora-charts svg")).to_have_count(3)
		shoot(page, "dashboard", here)
		# in the bar at the top, or in the sidebar
		page.locator(".dropdown-notifications, .sidebar-notification").filter(visible=True).first.click()
		told = page.locator(".notification-list-body:visible, .dropdown-notifications .recent-item").filter(
			has_text=say("Publishing {0} has failed permanently", newer)
		)
		expect(told.first).to_be_visible()
		shoot(page, "notification", here)
		page.keyboard.press("Escape")
		row.get_by_role("button", name=say("Retry")).click()
		expect(state_of(row)).to_have_text(say("Live"))
	assert published_plan(desk, here, "short plan")["title"] == newer
	desk.edit(plan, title=here.title("short plan"))
	desk.publish()


def test_what_cannot_be_taken_off_is_said_to_be_still_on_the_cdn(desk: Desk, here: School) -> None:
	say, lesson = here.say, here.docs["measuring speed"]
	path = paths.lesson(lesson.name)
	owner = frappe.db.get_value("CDN File", {"path": path}, "scope")
	subject = frappe.db.get_value("CDN Publish State", owner, "ref")
	with driver.refusing():
		desk.edit(lesson, is_published=0)
		desk.publish()
		driver.let_die(f"removal:subject:{subject}")
	assert desk.read(path)
	with desk.login(here.admin) as page:
		line = desk.form(page, lesson)
		expect(pill(line)).to_have_text(say("Still on the CDN"))
		expect(line).to_contain_text("The folder is locked")
		shoot(page, "lesson-remains", here)
		desk.open(page, DASHBOARD)
		rows = page.locator(".memora-rows").first.locator("> li")
		row = rows.filter(has_text=path)
		expect(row).to_contain_text(say("files to remove from the CDN"))
		expect(state_of(row)).to_have_text(say("Failed Permanently"))
		row.get_by_role("button", name=say("Retry")).click()
		expect(row).to_have_count(0)
	assert not desk.read(path)
	desk.edit(lesson, is_published=1)
	desk.publish()


def test_a_dead_letter_is_given_up_and_a_plan_rebuilt(desk: Desk, here: School) -> None:
	say, plan, newer = here.say, here.docs["short plan"], here.title("short plan") + " -"
	live = desk.read(paths.manifest(plan.name))
	desk.edit(plan, title=newer)
	with driver.broken():
		desk.publish()
		driver.let_die(plan.name)
	with desk.login(here.admin) as page:
		desk.open(page, DASHBOARD)
		row = row_of(page, newer)
		row.get_by_role("button", name=say("Dismiss")).click()
		confirm(page)
		expect(state_of(row)).to_have_text(say("Live"))
		assert desk.read(paths.manifest(plan.name)) == live
		row.get_by_role("button", name=say("Rebuild")).click()
		latest = page.locator(".memora-rows").last.locator("> li").first
		expect(latest).to_contain_text(newer)
		expect(state_of(latest)).to_have_text(say("Success"))
	assert published_plan(desk, here, "short plan")["title"] == newer
	desk.edit(plan, title=here.title("short plan"))
	desk.publish()


def test_a_held_change_waits_for_the_admins_word(desk: Desk, here: School) -> None:
	say, physics = here.say, here.docs["physics"]
	lesson = paths.lesson(here.name("push and pull"))
	desk.configure(hold_large_changes=1)
	desk.edit(physics, required_item="", is_public=1)
	with desk.login(here.editor) as page:
		line = desk.form(page, here.docs["plan"])
		line.get_by_role("button", name=say("Preview Changes")).click()
		dialog = page.locator(".memora-preview-dialog")
		expect(dialog).to_contain_text(say("This is held until an admin approves it."))
		shoot(page, "preview-held", here)
	desk.publish()
	assert json.loads(desk.read(lesson))["access"]["access_level"] == "paid"
	with desk.login(here.editor) as page:
		line = desk.form(page, here.docs["push and pull"])
		expect(line).to_contain_text(say("An admin can approve it on the dashboard."))
		shoot(page, "held", here)
	with desk.login(here.admin) as page:
		desk.open(page, DASHBOARD)
		row = row_of(page, here.title("physics"))
		expect(state_of(row)).to_have_text(say("Waiting for Approval"))
		shoot(page, "dashboard-held", here)
		row.get_by_role("button", name=say("Approve")).click()
		confirm(page)
		expect(row).to_have_count(0)
	assert json.loads(desk.read(lesson))["access"]["access_level"] == "public"
	desk.configure(hold_large_changes=0)
	desk.edit(physics, required_item="PHYSICS-7", is_public=0)
	desk.publish()


@pytest.mark.earlier_defect("the dashboard page came up blank: its template was never rendered")
def test_a_build_is_watched_while_it_runs(desk: Desk, here: School) -> None:
	say = here.say
	desk.edit(here.docs["mathematics"], description=here.title("algebra"), required_item="MATHS-7")
	with driver.publishing_stands_still(files=4):
		with desk.login(here.editor) as page:
			line = desk.form(page, here.docs["finding x"])
			expect(pill(line)).to_have_text(say("Being Published"))
			expect(line).to_contain_text(say("Being published now"))
		with desk.login(here.admin) as page:
			desk.open(page, DASHBOARD)
			row = row_of(page, here.title("mathematics"))
			expect(state_of(row)).to_have_text(say("Being Published"))
			expect(row.locator(".memora-progress")).to_be_visible()
			shoot(page, "dashboard-building", here)
		assert "MATHS-7" not in desk.read(paths.plan_subject(here.name("plan"), here.name("mathematics")))
	lesson = json.loads(desk.read(paths.lesson(here.name("finding x"))))
	assert lesson["access"]["required_item"] == "MATHS-7"
	desk.edit(here.docs["mathematics"], description="", required_item="")
	desk.publish()


def test_an_empty_dashboard_and_a_silent_server_say_so(desk: Desk, here: School) -> None:
	say = here.say

	def of_a_new_site(route: Route) -> None:
		answer = route.fetch()
		message = answer.json()["message"]
		message.update(
			rows=[],
			found=0,
			total=0,
			causes=[],
			runs=[],
			oldest_waiting_since=None,
			counts=dict.fromkeys(message["counts"], 0),
		)
		for day in message["days"]:
			day.update(uploaded=0, deleted=0, succeeded=0, failed=0, seconds=0)
		route.fulfill(response=answer, json={"message": message})

	asked: list[Route] = []
	with desk.login(here.admin, expected=("get_dashboard",)) as page:
		page.route(ANSWER, lambda route: asked.append(route))
		desk.open(page, DASHBOARD)
		expect(page.locator(".memora-skeleton").first).to_be_visible()
		of_a_new_site(asked[0])
		dashboard = page.locator(".memora-dashboard")
		expect(dashboard).to_contain_text(say("Nothing has been published yet."))
		shoot(page, "dashboard-empty", here)

		page.unroute(ANSWER)
		page.route(ANSWER, lambda route: route.abort())
		page.get_by_role("button", name=say("Refresh")).first.click()
		expect(dashboard.locator(".alert-danger")).to_contain_text(
			say("The server did not answer. Try again in a moment.")
		)
		shoot(page, "dashboard-error", here)
		page.unroute(ANSWER)
		dashboard.get_by_role("button", name=say("Try Again")).click()
		expect(dashboard).to_contain_text(here.title("plan"))
		expect(dashboard.locator(".alert-danger")).to_have_count(0)

		page.route(ANSWER, of_a_new_site)
		page.get_by_role("button", name=say("Refresh")).first.click()
		page.evaluate("window.memora_is_kept = true")
		dashboard.get_by_role("button", name=say("Academic Plans")).click()
		expect(page.locator(".list-row-container").filter(visible=True).first).to_be_visible()
		assert page.evaluate("window.memora_is_kept"), "the button has loaded the whole page again"


def test_a_proxy_that_answers_for_the_server_is_told_and_outlived(desk: Desk, here: School) -> None:
	say = here.say
	with desk.login(here.admin, expected=("get_dashboard",)) as page:
		desk.open(page, DASHBOARD)
		dashboard = page.locator(".memora-dashboard")
		expect(dashboard).to_contain_text(here.title("plan"))
		page.route(ANSWER, lambda route: route.fulfill(status=502, body="Bad Gateway"))
		page.get_by_role("button", name=say("Refresh")).first.click()
		expect(dashboard.locator(".alert-danger")).to_contain_text(
			say("The server did not answer. Try again in a moment.")
		)


# the workspace


def test_the_workspace_leads_to_all_of_it(desk: Desk, here: School) -> None:
	say = here.say
	with desk.login(here.admin) as page:
		desk.open(page, "memora")
		expect(page.locator(".number-widget-box", has_text=say("Published Plans"))).to_contain_text("4")
		expect(page.locator(".dashboard-widget-box svg.frappe-chart")).to_be_visible()
		page.wait_for_load_state(
			"networkidle"
		)  # Frappe draws a chart also where it is hidden by then, with errors
		shoot(page, "workspace", here)
		assert page.locator(".shortcut-widget-box").evaluate_all(CUT_SHORT) == []
		page.locator(".shortcut-widget-box", has_text=say("CDN Export Dashboard")).click()
		expect(page.locator(".memora-tiles")).to_be_visible()
	with desk.login(here.editor) as page:
		desk.open(page, "memora")
		expect(page.locator(".number-widget-box", has_text=say("Published Plans"))).to_contain_text("4")
		expect(page.locator(".shortcut-widget-box", has_text=say("CDN Settings"))).to_have_count(0)
		expect(page.locator(".dashboard-widget-box svg.frappe-chart")).to_be_visible()
		page.wait_for_load_state("networkidle")
		page.locator(".shortcut-widget-box", has_text=say("Lessons")).click()
		expect(page.locator(".list-row-container .memora-state").first).to_be_visible()


def test_a_new_sites_first_steps_stand_on_the_workspace(desk: Desk, here: School, onboarding: None) -> None:
	with desk.login(here.admin) as page:
		desk.open(page, "memora")
		# Frappe lists the steps by their titles on the workspace, or by what one does in a panel of its own.
		expect(page.get_by_text(here.say("Publish your first plan"))).to_be_visible()
		for title, action in (
			("Say where to publish", "Open CDN Settings"),
			("Create an academic plan", "Create a Plan"),
			("Watch it go live", "Open the Dashboard"),
		):
			step = page.get_by_text(here.say(title)).or_(page.get_by_text(here.say(action)))
			expect(step.first).to_be_visible()
		expect(page.locator(".number-widget-box", has_text=here.say("Dead Letters"))).to_contain_text("0")
		shoot(page, "onboarding", here)
		# A request that outlives the page would put the settings of now back into the cache that is cleared next.
		page.wait_for_load_state("networkidle")
