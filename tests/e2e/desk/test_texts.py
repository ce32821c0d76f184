"""No text that people type, and none that a server answers, runs on any screen of the Desk; the screens show what was
typed. Every DocType of memora by every field that holds text, from their meta, by every screen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import frappe
import pytest
from frappe.model import no_value_fields, table_fields
from playwright.sync_api import Page, expect

from memora.services.cdn_export import plain_text
from memora.services.cdn_export.dependency_resolver import CONTENT, PARENT_FIELDS
from memora.tests import factories
from memora.tests.payloads import HOSTILE, ORDINARY
from tests.e2e.desk.driver import Bench, Desk
from tests.e2e.desk.school import School

TEXTS = (*HOSTILE, *ORDINARY[:5])
TERMS = ("Memora Season", "Memora Grade", "Memora Stream")
PLAN = "Memora Academic Plan"

MARKUP = """() => [...document.querySelectorAll("*")].filter((element) =>
	[...element.attributes].some(({ name, value }) =>
		value.includes("ran()") && (/^on/i.test(name) || /^(href|src|action|formaction|xlink:href|srcdoc)$/i.test(name)))
	|| (element.localName === "script" && element.textContent.trim() === "ran()")
	|| (element.localName === "img" && element.getAttribute("src") === "x")
).map((element) => element.outerHTML.slice(0, 300))"""
"""Elements that only a text can have made."""


@dataclass(slots=True)
class Watched:
	"""A page that notices when a text runs, or has become markup that would at the next click or glance."""

	page: Page
	ran: list[str] = field(default_factory=list)

	def calm(self, where: str) -> None:
		self.page.wait_for_load_state("networkidle")
		for frame in self.page.frames:
			found = frame.evaluate(MARKUP)
			assert not found, f"{where}: {found}"
		assert not self.ran, f"{where}: {self.ran}"

	def go(self, *route: str) -> None:
		"""To another screen of the Desk, without loading it anew."""
		self.page.evaluate("route => frappe.set_route(...route).then(() => frappe.after_ajax())", list(route))


@contextmanager
def watched(desk: Desk, user: str) -> Iterator[Watched]:
	with desk.login(user, expected=("<rect> attribute",)) as page:  # Frappe draws charts in narrow frames
		watching = Watched(page)
		page.expose_function("ran", lambda *_: watching.ran.append(page.url))
		page.on("dialog", lambda dialog: (watching.ran.append(dialog.message), dialog.dismiss()))
		desk.open(page, "memora")
		page.locator(".number-widget-box").first.wait_for()
		yield watching


@pytest.fixture(scope="module")
def filled(bench: Bench, desk: Desk, schools: dict[str, School]) -> Iterator[dict[str, list[Any]]]:
	"""For each text a course of its own, of which every field holds it, in a plan of its own; by DocType, in the order of
	the texts."""
	found: dict[str, list[Any]] = {doctype: [] for doctype in (*CONTENT, *TERMS, PLAN)}
	for text in TEXTS:
		parent = ""
		for doctype in CONTENT:
			fields = _all_texts(doctype, text) | {"is_published": 1}
			if PARENT_FIELDS[doctype]:
				fields[PARENT_FIELDS[doctype]] = parent
			if doctype == "Memora Lesson":
				config = json.dumps({"text": text, text: [text]})
				fields["stages"] = [
					_all_texts("Memora Lesson Stage", text) | {"type": "Text", "config": config}
				]
			found[doctype].append(factories.make(doctype, **fields))
			parent = found[doctype][-1].name
		terms = {doctype.split()[1].lower(): factories.make(doctype, title=text) for doctype in TERMS}
		for doctype in TERMS:
			found[doctype].append(terms[doctype.split()[1].lower()])
		rename = factories.override(found["Memora Lesson"][-1], "Rename", text)
		found[PLAN].append(
			factories.make_plan(
				[found["Memora Subject"][-1]],
				title=text,
				overrides=[rename],
				is_published=1,
				**{kind: doc.name for kind, doc in terms.items()},
			)
		)
	desk.publish()
	for docs in found.values():  # so that each form has a version to tell of
		for doc, text in zip(docs, TEXTS, strict=True):
			doc.reload()
			doc.db_set("title", "Otherwise")
			doc.reload()
			doc.title = text
			doc.save(ignore_version=False)
	frappe.db.commit()
	bench.settle()
	with bench.without_worker():  # a batch would take up what the pipeline has recorded
		_what_servers_said()
		frappe.db.commit()
		yield found


def _all_texts(doctype: str, text: str) -> dict[str, str]:
	return {df.fieldname: text for df in plain_text.fields(frappe.get_meta(doctype)) if not df.read_only}


def _what_servers_said() -> None:
	"""What went wrong, as the pipeline records it, told in each of the texts."""
	for number, text in enumerate(TEXTS):
		said = plain_text.store(text)
		for doctype in frappe.get_all(
			"DocType", {"module": "Memora", "name": ("like", "CDN %"), "issingle": 0}, pluck="name"
		):
			fields = {df.fieldname: said[:140] for df in plain_text.fields(frappe.get_meta(doctype))}
			doc = frappe.get_doc({"doctype": doctype, **fields, "plan_id": ""})
			doc.name = f"said-{number}-{frappe.scrub(doctype)}"
			doc.db_insert()
		frappe.get_doc(
			{
				"doctype": "Notification Log",
				"for_user": "admin.en@e2e.test",
				"type": "Alert",
				"subject": plain_text.as_html(text),
				"email_content": plain_text.as_html(text),
			}
		).insert(ignore_permissions=True)


def _doctypes() -> list[str]:
	return frappe.get_all(
		"DocType",
		{"module": "Memora", "istable": 0, "issingle": 0, "custom": 0},
		pluck="name",
		order_by="name",
	)


@pytest.mark.parametrize("view", ["List", "Report"])
def test_lists_and_reports(
	desk: Desk, filled: dict[str, list[Any]], schools: dict[str, School], view: str
) -> None:
	user = schools["en"].admin  # who may read all of them
	with watched(desk, user) as watching:
		for doctype in _doctypes():
			meta = frappe.get_meta(doctype)
			_show_every_column(watching.page, meta)
			watching.go("List", doctype, view)
			expect(watching.page.locator(_ROWS).first, doctype).to_be_visible()
			watching.calm(f"{view} of {doctype}")
			if doctype in filled and view == "List":
				watching.page.evaluate("cur_list.page_length = 100, cur_list.refresh()")
				expect(watching.page.locator(".frappe-list:visible .list-row-container")).to_have_count(
					frappe.db.count(doctype)
				)
				shown = watching.page.locator(".frappe-list:visible").inner_text()
				for text in ORDINARY[:5]:
					assert plain_text.store(text) in shown, doctype


def test_forms(desk: Desk, filled: dict[str, list[Any]], schools: dict[str, School]) -> None:
	"""With their timelines, links, tables and the line on top; a text is in its field as it is stored."""
	with watched(desk, schools["en"].editor) as watching:
		for number, doctype in enumerate(filled):
			# Each text in some form; each kind of form with every third text.
			for doc, text in list(zip(filled[doctype], TEXTS, strict=True))[number % 3 :: 3]:
				watching.go("Form", doctype, doc.name)
				watching.page.wait_for_function(
					"name => window.cur_frm && cur_frm.docname === name && cur_frm.fields_dict.title.$input",
					arg=doc.name,
				)
				shown = watching.page.evaluate("cur_frm.fields_dict.title.$input.val()")
				assert shown == plain_text.store(text), doctype
				watching.calm(f"form of {doctype}, {text}")


def test_forms_of_the_pipeline(desk: Desk, filled: dict[str, list[Any]], schools: dict[str, School]) -> None:
	with watched(desk, schools["en"].admin) as watching:
		for doctype in (doctype for doctype in _doctypes() if doctype not in filled):
			for number, text in list(enumerate(TEXTS))[:8]:
				name = f"said-{number}-{frappe.scrub(doctype)}"
				watching.go("Form", doctype, name)
				watching.page.wait_for_function(
					"name => window.cur_frm && cur_frm.docname === name", arg=name
				)
				watching.calm(f"form of {doctype}, {text}")


def test_dashboard_and_previews(desk: Desk, filled: dict[str, list[Any]], schools: dict[str, School]) -> None:
	"""Our own screens show what was typed, with its `<`."""
	with watched(desk, schools["en"].admin) as watching:
		watching.go("cdn-export-dashboard")
		watching.page.locator(".memora-rows").first.wait_for()
		watching.calm("dashboard")
		shown = watching.page.locator(".memora-dashboard").inner_text()
		for text in ORDINARY[:5]:
			assert text in shown
		for plan, text in zip(filled[PLAN], TEXTS, strict=True):
			for dialog in ("show_preview", "show_json"):
				plans = [{"plan": plan.name, "title": text}] * 2
				watching.page.evaluate(
					f"([name, title, plans]) => {{ window.shown = memora.publishing.{dialog}("
					+ ("name, title" if dialog == "show_preview" else f"'{PLAN}', name, title, plans")
					+ ") }",
					[plan.name, plan.title, plans],
				)
				title = watching.page.locator(".modal-title:visible").inner_text()
				assert " ".join(text.split()) in " ".join(title.split()), dialog
				watching.calm(f"{dialog} of {text}")
				watching.page.evaluate("shown.hide(); shown.$wrapper.remove(); $('.modal-backdrop').remove()")


_ROWS = ".frappe-list:visible .list-row-container:visible, .dt-row:visible"


def _show_every_column(page: Page, meta: Any) -> None:
	"""In the report of a DocType, those of its tables too."""
	columns = [["name", meta.name]]
	for part in (meta, *(frappe.get_meta(table.options) for table in meta.get_table_fields())):
		kept = (*no_value_fields, *table_fields)
		columns += [[df.fieldname, part.name] for df in part.fields if df.fieldtype not in kept]
	page.evaluate(
		"([doctype, fields]) => frappe.model.user_settings.save(doctype, 'Report', { fields })",
		[meta.name, columns],
	)
