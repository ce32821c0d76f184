"""The Desk as editors use it, in both languages: each flow from the click to the published file."""

from __future__ import annotations

import json
import time
from contextlib import closing
from unittest.mock import patch

import frappe
import pytest
from playwright.sync_api import Page, expect

from memora.services.cdn_export.cache_purge import PurgeResult
from memora.services.cdn_export.cache_purge.cloudflare import CloudflarePurge
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import edge_check
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.rules import sibling_order
from memora.tests.helpers import factories
from tests.e2e.desk import driver
from tests.e2e.desk.driver import Bench, Desk, pill, save, shoot
from tests.e2e.desk.school import School

PICKED = """() => {
	const { target_name } = cur_frm.fields_dict.overrides.grid.grid_rows.at(-1).on_grid_fields_dict;
	return target_name.get_model_value() && target_name.get_input_value() === target_name.get_model_value();
}"""
"""Whether Frappe has entered what was picked. It asks the server first, and then notes which name the title in the
field stands for; who leaves the field before that has picked nothing."""


def published_lesson(desk: Desk, here: School, key: str, plan: str | None = None) -> dict:
	"""A lesson as an app reads it, {} when it is not there."""
	return json.loads(desk.read(paths.lesson(here.name(key), plan)) or "{}")


def publish_now(page: Page, here: School) -> None:
	"""Press the button of the form's line, and see the line turn by itself."""
	line = page.locator(".memora-status:visible")
	line.get_by_role("button", name=here.say("Publish Now")).click()
	expect(pill(line)).to_have_text(here.say("Live"))


def test_a_lesson_from_the_save_to_the_learner(desk: Desk, here: School) -> None:
	say, newer = here.say, here.title("finding x") + " 2"
	with desk.login(here.editor) as page:
		line = desk.form(page, here.docs["finding x"])
		expect(page.locator("html")).to_have_attribute("dir", {"en": "ltr", "ar": "rtl"}[here.language])
		expect(pill(line)).to_have_text(say("Live"))
		expect(line).to_contain_text(say("since {0}"))
		line.locator("summary").click()
		expect(line).to_contain_text(here.title("plan"))
		expect(line).to_contain_text(here.title("short plan"))
		shoot(page, "lesson-live", here)

		page.locator("input[data-fieldname=title]:visible").fill(newer)
		save(page)
		expect(line).to_contain_text(say("Changed, and waiting for the next run"))
		line.locator("summary").click()
		shoot(page, "lesson-waiting", here)

		line.get_by_role("button", name=say("View JSON")).click()
		changed = page.locator(".memora-json tr.is-changed")
		expect(changed.first).to_contain_text(newer)
		expect(page.locator(".memora-json-summary")).to_contain_text(f"lessons/{here.name('finding x')}.json")
		shoot(page, "view-json", here)
		page.locator("select[data-fieldname=view]").select_option("changes")
		expect(page.locator(".memora-json tr.is-same")).to_have_count(0)
		page.locator("select[data-fieldname=view]").select_option("bytes")
		live, planned = page.locator(".memora-bytes").all_inner_texts()
		assert live == desk.read(paths.lesson(here.name("finding x")))
		assert json.loads(planned)["title"] == newer
		page.locator("select[data-fieldname=plan]").select_option(here.name("short plan"))
		expect(page.locator(".memora-json-summary")).to_contain_text(
			f"plans/{here.name('short plan')}/lessons/"
		)
		page.keyboard.press("Escape")
		expect(page.locator(".memora-json-summary")).to_be_hidden()

		publish_now(page, here)
		assert published_lesson(desk, here, "finding x")["title"] == newer
		with page.expect_popup() as popup:
			line.get_by_role("link", name=say("Open on CDN")).first.click()
		assert newer in popup.value.content()
		with page.expect_popup() as popup:
			line.get_by_role("link", name=say("View as Learner")).first.click()
		expect(popup.value.locator("h1")).to_have_text(newer)
		expect(popup.value.locator(".stage")).to_have_count(1)
		popup.value.close()


def test_a_duplicate_of_a_published_lesson_is_a_draft_and_the_last(desk: Desk, here: School) -> None:
	lesson = here.docs["finding x"]
	with desk.login(here.editor) as page:
		desk.form(page, lesson)
		page.evaluate("cur_frm.copy_doc()")
		page.wait_for_function("cur_frm.is_new() && cur_frm.fields_dict.title.get_value()")
		page.locator("input[data-fieldname=title]:visible").fill("Copy")
		save(page)
		page.wait_for_function("!cur_frm.is_new()")
		name = page.evaluate("cur_frm.docname")
	frappe.db.rollback()
	copy = frappe.get_doc("Memora Lesson", name)
	siblings = frappe.get_all(
		"Memora Lesson", {"parent_topic": lesson.parent_topic, "name": ("!=", name)}, pluck="sort_order"
	)
	assert (copy.is_published, copy.sort_order) == (0, max(siblings) + sibling_order.GAP)
	assert [stage.title for stage in copy.stages] == [stage.title for stage in lesson.stages]
	copy.delete()
	frappe.db.commit()


def test_publish_now_is_off_until_its_run_is_over_and_the_server_is_asked_ever_less(
	desk: Desk, here: School
) -> None:
	"""Where no socket is connected, and a run was asked for that does not begin."""
	asked: list[str] = []
	answered: list[str] = []

	def note(where: list[str], url: str) -> None:
		if "document_status" in url:
			where.append(url)

	with desk.login(here.editor) as page:
		page.clock.install()
		page.route("**/*publish_now*", lambda route: route.fulfill(json={"message": {"message": "Started."}}))
		page.on("request", lambda request: note(asked, request.url))
		page.on("response", lambda response: note(answered, response.url))
		line = desk.form(page, here.docs["finding x"])
		page.locator(
			"input[data-fieldname=description]:visible, textarea[data-fieldname=description]:visible"
		).fill("Waits")
		save(page)
		button = line.get_by_role("button", name=here.say("Publish Now"))
		expect(button).to_be_enabled()
		button.click()
		expect(button).to_be_disabled()
		asked.clear()
		answered.clear()
		for _ in range(120):
			page.clock.run_for(2_500)
			while len(answered) < len(asked):
				page.wait_for_timeout(20)
		assert 8 < len(asked) < 40, "of 120 in five minutes, were there one every 2.5 s"
	desk.publish()


@pytest.mark.parametrize("key", ["physics", "mechanics", "motion", "speed", "what is speed", "plan"])
def test_every_content_form_and_the_plans_has_the_line(desk: Desk, here: School, key: str) -> None:
	with desk.login(here.editor) as page:
		line = desk.form(page, here.docs[key])
		expect(pill(line)).to_have_text(here.say("Live"))
		expect(line.get_by_role("button", name=here.say("View JSON"))).to_be_visible()
		expect(line.get_by_role("link", name=here.say("Open on CDN")).first).to_be_visible()
		reader = line.get_by_role("link", name=here.say("View as Learner")).first
		with page.expect_popup() as popup:
			reader.click()
		page_of = {"mechanics": "physics", "speed": "motion"}.get(key, key)
		expect(popup.value.locator("h1")).to_have_text(here.title(page_of))
		popup.value.close()


def test_a_lesson_that_the_cdn_is_seen_to_show_is_live_at_the_edge(
	desk: Desk, bench: Bench, here: School
) -> None:
	say, lesson = here.say, here.docs["finding x"]
	desk.configure(cdn="Cloudflare", cloudflare_zone_id="zone", cloudflare_api_token="token")
	bench.settle()
	desk.edit(lesson, description="About x")
	with patch.object(
		CloudflarePurge,
		"forget",
		lambda _, stale: PurgeResult(purged=tuple(dict.fromkeys(each.url for each in stale))),
	):
		desk.publish()
	with desk.login(here.editor) as page:
		line = desk.form(page, lesson)
		expect(pill(line)).to_have_text(say("Live"))
		expect(line).not_to_contain_text(say("at the edge since {0}"))
		with closing(PublishTarget.open()) as target:
			assert edge_check.run(target, time.time() + 60)
		line = desk.form(page, lesson)
		expect(line).to_contain_text(say("at the edge since {0}"))
		line.locator("summary").click()
		row = line.locator("li", has_text=here.title("plan")).first
		expect(row).to_contain_text(say("at the edge since {0}"))
	desk.configure(cdn="None", cloudflare_zone_id="", cloudflare_api_token="")
	bench.settle()


def test_a_plans_next_run_is_previewed_and_then_goes_out(desk: Desk, bench: Bench, here: School) -> None:
	say = here.say
	desk.configure(
		cdn="Cloudflare",
		cdn_base_url="https://cdn.example.com",
		cloudflare_zone_id="zone",
		cloudflare_api_token="token",
	)
	bench.settle()
	desk.edit(here.docs["what is speed"], is_free_preview=1)
	desk.edit(here.docs["word problems"], is_published=0)
	with desk.login(here.editor) as page:
		line = desk.form(page, here.docs["plan"])
		expect(line).to_contain_text(say("Changed, and waiting for the next run"))
		shoot(page, "plan", here)
		line.get_by_role("button", name=say("Preview Changes")).click()
		dialog = page.locator(".memora-preview-dialog")
		lost, opened = dialog.locator(".alert").nth(0), dialog.locator(".alert").nth(1)
		expect(lost).to_contain_text(say("Live lessons that learners lose: {0}", 1))
		expect(lost).to_contain_text(here.title("word problems"))
		expect(opened).to_contain_text(say("Paid lessons that could be read without paying: {0}", 1))
		expect(opened).to_contain_text(here.title("what is speed"))
		expect(dialog).to_contain_text(
			say("Hold Large Changes is off in CDN Settings, so this goes out without asking.")
		)
		removed = dialog.locator("details", has_text=say("Files removed"))
		removed.locator("summary").click()
		expect(removed.locator("li")).to_have_text(
			f"{here.title('word problems')} {paths.lesson(here.name('word problems'))}"
		)
		expect(dialog).to_contain_text(say("URLs purged from the CDN's cache"))
		shoot(page, "preview", here)
		page.keyboard.press("Escape")

	desk.configure(cdn="None", cloudflare_zone_id="", cloudflare_api_token="")
	with desk.login(here.editor) as page:
		line = desk.form(page, here.docs["plan"])
		line.get_by_role("button", name=say("Preview Changes")).click()
		dialog = page.locator(".memora-preview-dialog")
		expect(dialog).to_contain_text(say("No CDN cache is set up, so nothing is purged."))
		dialog.get_by_role("button", name=say("Publish Now")).click()
		expect(pill(line)).to_have_text(say("Live"))
	assert published_lesson(desk, here, "what is speed")["access"]["access_level"] == "free_preview"
	assert published_lesson(desk, here, "word problems") == {}
	desk.edit(here.docs["what is speed"], is_free_preview=0)
	desk.edit(here.docs["word problems"], is_published=1)
	desk.publish()


def test_a_title_with_markup_is_shown_as_it_is(desk: Desk, here: School) -> None:
	say, docs = here.say, [here.docs[key] for key in ("finding x", "plan")]
	lesson, plan = docs
	titles = [doc.title for doc in docs]
	for doc, title in zip(docs, titles, strict=True):
		desk.edit(doc, title=f"<b>{title}</b>")
	with desk.login(here.editor) as page:
		line = desk.form(page, lesson)
		line.get_by_role("button", name=say("View JSON")).click()
		dialog = page.locator(".memora-json-dialog")
		expect(dialog.locator(".modal-title")).to_contain_text(f"<b>{titles[0]}</b>")
		expect(dialog.locator("select[data-fieldname=plan]")).to_contain_text(f"<b>{titles[1]}</b>")
		line = desk.form(page, plan)
		line.get_by_role("button", name=say("Preview Changes")).click()
		expect(page.locator(".memora-preview-dialog .modal-title")).to_contain_text(f"<b>{titles[1]}</b>")
	for doc, title in zip(docs, titles, strict=True):
		desk.edit(doc, title=title)
	desk.publish()


def test_a_lesson_says_why_it_is_not_live_and_its_editor_fixes_it(desk: Desk, here: School) -> None:
	say = here.say
	desk.edit(here.docs["equations"], is_published=0)
	desk.publish()
	with desk.login(here.editor) as page:
		line = desk.form(page, here.docs["two unknowns"])
		expect(line).to_contain_text(
			say("Not published: its {0} “{1}” is a draft", say("Unit"), here.title("equations"))
		)
		shoot(page, "lesson-why", here)
		page.evaluate("window.memora_is_kept = true")
		line.get_by_role("link", name=here.title("equations")).click()
		line = page.locator(".memora-status:visible")
		expect(line).to_contain_text(say("Not published: it is a draft"))
		assert page.evaluate("window.memora_is_kept"), "the link has loaded the whole page again"
		page.locator("input[data-fieldname=is_published]:visible").check()
		save(page)
		publish_now(page, here)
	assert published_lesson(desk, here, "two unknowns")


def test_what_a_plan_hides_and_what_no_plan_lists_say_so(desk: Desk, here: School) -> None:
	with desk.login(here.editor) as page:
		line = desk.form(page, here.docs["angles of a triangle"])
		line.locator("summary").click()
		expect(line).to_contain_text(
			here.say(
				"Hidden in the plan “{0}”, which hides its {1} “{2}”",
				here.title("short plan"),
				here.say("Track"),
				here.title("geometry"),
			)
		)
		line = desk.form(page, here.docs["music"])
		expect(line).to_contain_text(here.say("In no plan, so no learner sees it"))


def test_a_failure_is_told_in_plain_words(desk: Desk, here: School) -> None:
	desk.edit(here.docs["measuring speed"], title=here.title("measuring speed") + " 2")
	with driver.broken():
		desk.publish()
	with desk.login(here.editor) as page:
		line = desk.form(page, here.docs["measuring speed"])
		expect(pill(line)).to_have_text(here.say("Failed"))
		expect(line).to_contain_text("The disk is full: make room in the site's public/files")
		expect(line).to_contain_text(here.say("next try {0}"))
		shoot(page, "lesson-failed", here)
		publish_now(page, here)
	assert published_lesson(desk, here, "measuring speed")["title"].endswith(" 2")


def test_lists_show_how_each_row_stands_and_no_hashes(desk: Desk, here: School) -> None:
	say = here.say
	desk.edit(here.docs["push and pull"], description=here.title("forces"))
	# Frappe 17 looks for its "Saved Filters" by the English label, and finds none in Arabic.
	with desk.login(here.editor, expected=("(setting 'textContent')",)) as page:
		desk.open(page, f"memora-lesson?parent_topic={here.name('forces')}")
		waiting = page.locator(".list-row-container", has_text=here.title("push and pull"))
		expect(waiting.locator(".memora-state").first).to_have_text(say("Waiting"))
		page.locator(".filter-x-button:visible").click()
		live = page.locator(".list-row-container", has_text=here.title("angles of a triangle"))
		expect(live.locator(".memora-state").first).to_have_text(say("Live"))
		expect(waiting).to_contain_text(here.title("forces"))
		rows = page.locator(".frappe-list:visible").inner_text()
		assert not [doc.name for doc in here.docs.values() if doc.name in rows]
		shoot(page, "list", here)
		page.locator("input[data-fieldname=title]:visible").fill(here.title("two unknowns"))
		page.keyboard.press("Enter")
		expect(page.locator(".list-row-container:visible .level-item.bold")).to_have_count(1)
	desk.publish()
	assert published_lesson(desk, here, "push and pull")["description"] == here.title("forces")


def test_a_list_shows_how_rows_stand_that_have_other_names(desk: Desk, here: School) -> None:
	lesson = here.docs["push and pull"]
	renamed = frappe.rename_doc(lesson.doctype, lesson.name, f"دفع {here.language}", force=True)
	desk.publish()
	with desk.login(here.editor) as page:
		desk.open(page, f"memora-lesson?parent_topic={here.name('forces')}")
		row = page.locator(".list-row-container", has_text=here.title("push and pull"))
		expect(row.locator(".memora-state").first).to_have_text(here.say("Live"))
	frappe.rename_doc(lesson.doctype, renamed, lesson.name, force=True)
	desk.publish()


def test_a_list_shows_how_each_of_very_many_rows_stands(desk: Desk, here: School) -> None:
	titles = [f"Draft {place}" for place in range(501)]
	names = factories.make_many("Memora Lesson", here.docs["forces"], titles, is_published=0)
	frappe.db.commit()
	try:
		with desk.login(here.editor) as page:
			desk.open(page, f"memora-lesson?parent_topic={here.name('forces')}")
			page.get_by_role("button", name="500", exact=True).click()
			rows = page.locator(".frappe-list:visible .list-row-container")
			expect(rows.nth(499).locator(".memora-state").first).to_be_attached()
			page.locator("button.btn-more:visible").click()
			expect(rows.nth(500).locator(".memora-state").first).to_be_attached()
	finally:
		frappe.db.delete("Memora Lesson", {"name": ("in", names)})
		frappe.db.commit()


def test_overrides_are_picked_from_the_plans_own_content(desk: Desk, here: School) -> None:
	say, plan = here.say, here.docs["short plan"]
	with desk.login(here.editor) as page:
		line = desk.form(page, plan)
		grid = page.locator("[data-fieldname=overrides]:visible")
		expect(grid).to_contain_text(here.title("geometry"))
		grid.locator(".grid-add-row").click()
		row = grid.locator(".grid-body .grid-row").last
		row.locator("[data-fieldname=target_doctype]").first.click()
		row.locator("[data-fieldname=target_doctype] select").select_option("Memora Lesson")
		row.locator("[data-fieldname=target_name]").first.click()
		row.locator("[data-fieldname=target_name] input").press_sequentially(here.title("two unknowns")[0])
		choices = page.locator("ul[role=listbox]:visible > *")  # v17 shows them outside of the row
		expect(choices.filter(has_text=here.title("two unknowns"))).to_be_visible()
		expect(choices.filter(has_text=say("Only what the plan's subjects hold"))).to_be_visible()
		expect(choices.filter(has_text=here.title("what is speed"))).to_have_count(0)
		shoot(page, "override", here)
		choices.filter(has_text=here.title("two unknowns")).click()
		page.wait_for_function(PICKED)
		row.locator("[data-fieldname=action]").first.click()
		row.locator("[data-fieldname=action] select").select_option("Rename")
		row.locator("[data-fieldname=override_value]").first.click()
		row.locator("[data-fieldname=override_value] input").fill("×2")
		save(page)
		expect(line).to_contain_text(say("Changed, and waiting for the next run"))
		publish_now(page, here)
	assert published_lesson(desk, here, "two unknowns", plan.name)["title"] == "×2"
	assert published_lesson(desk, here, "two unknowns")["title"] == here.title("two unknowns")


def test_what_was_deleted_is_restored_from_its_list(desk: Desk, here: School) -> None:
	say = here.say
	title = f'Deleted "by <b>mistake</b>" {frappe.generate_hash(length=6)}'
	season = factories.make("Memora Season", title=title)
	frappe.delete_doc("Memora Season", season.name)
	frappe.db.commit()
	with desk.login(here.editor) as page:
		desk.open(page, "memora-season")
		page.locator(".menu-btn-group:visible > button").first.click()
		page.locator(".menu-btn-group .dropdown-menu:visible").get_by_text(say("Trash"), exact=True).click()
		dialog = page.locator(".modal-dialog:visible")
		row = dialog.locator(".memora-deleted li", has_text=title)
		expect(row).to_have_count(1)
		dialog.locator("input:visible").first.fill("no such title")
		expect(dialog).to_contain_text(say("Nothing was deleted."))
		dialog.locator("input:visible").first.fill(title)
		row.get_by_role("button", name=say("Restore")).click()
		expect(row).to_have_count(0)
	frappe.db.rollback()
	frappe.delete_doc("Memora Season", season.name)
	frappe.db.commit()
