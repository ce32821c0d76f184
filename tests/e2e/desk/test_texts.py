"""No text that people type, and none that a server answers, runs on any screen of the Desk; the screens show what was
typed. Every DocType of memora by every field that holds text, from their meta, by every screen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import frappe
import pytest
from frappe.desk.doctype.kanban_board.kanban_board import quick_kanban_board
from frappe.desk.form import assign_to
from frappe.model import no_value_fields, table_fields
from playwright.sync_api import Dialog, Locator, Page, expect

from memora.exceptions import StorageUnavailableError
from memora.services.cdn_export.builds import failures
from memora.services.cdn_export.model import plain_text, scopes
from memora.services.cdn_export.model.doctypes import CONTENT, PARENT_FIELDS
from memora.services.cdn_export.state import retries
from memora.tests.helpers import factories
from memora.tests.helpers.payloads import HOSTILE, ORDINARY
from tests.e2e.desk import driver
from tests.e2e.desk.driver import Bench, Desk
from tests.e2e.desk.school import MANAGER, NIGHT, School

TEXTS = (*HOSTILE, *ORDINARY[:5])
TERMS = ("Memora Season", "Memora Grade", "Memora Stream")
PLAN = "Memora Academic Plan"
BOARD = "Runs"

LOOKOUT = """(() => {
	const suspect = (element) =>
		[...element.attributes].some(({ name, value }) =>
			value.includes("ran()") && (/^(on|srcdoc$)/i.test(name)
				|| (/^(href|src|action|formaction|xlink:href)$/i.test(name) && /^\\s*(javascript|data):/i.test(value))))
		|| (element.localName === "script" && element.textContent.trim() === "ran()")
		|| (element.localName === "img" && element.getAttribute("src") === "x");
	const look = (element) => {
		for (const each of [element, ...element.querySelectorAll("*")])
			if (suspect(each)) window.top.postMessage({ markup: each.outerHTML.slice(0, 300) }, "*");
	};
	if (window === window.top) {
		window.markup = [];
		addEventListener("message", ({ data }) => data && data.markup && window.markup.push(data.markup));
	}
	new MutationObserver((changes) => {
		for (const { target, addedNodes } of changes) {
			if (!addedNodes.length && suspect(target)) look(target);
			addedNodes.forEach((node) => node.nodeType === 1 && look(node));
		}
	}).observe(document, {
		subtree: true,
		childList: true,
		attributeFilter: ["onerror", "onload", "onmouseover", "onfocus", "onclick", "href", "src", "srcdoc", "action"],
	});
})()"""
"""Notes every element that only a text can have made, from its first moment on, also one that is gone again."""


@dataclass(slots=True)
class Watched:
	"""A page that notices when a text runs, or has become markup that would at the next click or glance."""

	page: Page
	ran: list[str] = field(default_factory=list)

	def answer(self, dialog: Dialog) -> None:
		"""No text asks anything; the browser asks whether a form is left unsaved."""
		if dialog.type != "beforeunload":
			self.ran.append(dialog.message)
		dialog.accept()

	def calm(self, where: str) -> None:
		"""What was asked for has been answered, and nothing has run so far, nor would it."""
		self.page.wait_for_function("!window.jQuery || !jQuery.active")
		found = self.page.evaluate("markup.splice(0)")
		assert not found, f"{where}: {found}"
		assert not self.ran, f"{where}: {self.ran}"

	def go(self, *route: str) -> None:
		"""To another screen of the Desk, without loading it again."""
		self.page.evaluate("route => frappe.set_route(...route).then(() => frappe.after_ajax())", list(route))

	def form(self, doc: Any) -> None:
		self.go("Form", doc.doctype, doc.name)
		self.page.wait_for_function(
			"name => window.cur_frm && String(cur_frm.docname) === name && cur_frm.$wrapper.is(':visible')",
			arg=str(doc.name),
		)

	def drawn(self) -> None:
		"""The form that is open is drawn, and it is no longer the one before it of the same DocType."""
		self.page.wait_for_function("(cur_frm.memora_status || {}).name === cur_frm.docname")
		self.page.locator(".memora-status:visible .indicator-pill").first.wait_for()

	def choose(self, control: Locator, doc: Any, text: str, typed: str = "") -> None:
		"""Choose a document in a link field, by its title; Frappe's search itself fails for some of the hostile ones."""
		self.drawn()
		box = control.locator("input").first
		box.click()
		box.fill(typed or (plain_text.store(text) if text in ORDINARY else doc.name))
		offered = (
			self.page.locator("ul[role=listbox]:visible > *").filter(has_text=plain_text.store(text)).first
		)
		expect(offered).to_be_visible()
		offered.click()

	def new_row(self, table: str) -> Locator:
		"""Add a row to a table of the form."""
		grid = self.page.locator(f".frappe-control[data-fieldname={table}]:visible").first
		rows = grid.locator(".grid-body .grid-row")
		before = rows.count()
		grid.locator(".grid-add-row").click()
		expect(rows).to_have_count(before + 1)
		return rows.last

	def leave(self) -> None:
		"""The form as it is, unsaved."""
		self.page.evaluate("cur_frm.doc.__unsaved = 0")

	def close(self) -> None:
		"""All dialogs."""
		self.page.evaluate(
			"$('.modal, .modal-backdrop').remove(); $('body').removeClass('modal-open');"
			" frappe.msg_dialog = window.cur_dialog = null"
		)

	def shown(self, selector: str) -> str:
		"""What people read there, on one line."""
		return " ".join(self.page.locator(selector).first.inner_text().split())


Pages = Callable[[str], Watched]


@pytest.fixture(scope="module")
def pages(desk: Desk, filled: dict[str, list[Any]]) -> Iterator[Pages]:
	"""Each user's page, for all tests here; each begins with the workspace, loaded again."""
	opened: dict[str, Watched] = {}
	with ExitStack() as stack:

		def page_of(user: str) -> Watched:
			if user not in opened:
				# Frappe draws charts in narrow frames, and early v15 has an apostrophe in the image view's template.
				# A delete that is refused is an error in the console, too.
				expected = ("<rect> attribute", "frappe.template.compile", "client.delete", "LinkExistsError")
				page = stack.enter_context(desk.login(user, expected=expected))
				watching = opened[user] = Watched(page)
				page.expose_function("ran", lambda *_: watching.ran.append(page.url))
				page.add_init_script(LOOKOUT)
				page.on("dialog", lambda dialog: watching.answer(dialog))
			desk.open(opened[user].page, "memora")
			opened[user].page.locator(".number-widget-box").first.wait_for()
			return opened[user]

		yield page_of
		for watching in opened.values():
			watching.calm("at the end")


@contextmanager
def watched(pages: Pages, user: str) -> Iterator[Watched]:
	watching = pages(user)
	try:
		yield watching
	except Exception:
		driver.look(watching.page)
		raise
	finally:
		watching.close()


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
		_what_people_add(found)
		frappe.db.commit()
		yield found
		frappe.delete_doc("Kanban Board", BOARD, ignore_missing=True)
		frappe.db.commit()


def _all_texts(doctype: str, text: str) -> dict[str, str]:
	return {df.fieldname: text for df in plain_text.fields(frappe.get_meta(doctype)) if not df.read_only}


def _what_servers_said() -> None:
	"""What went wrong, as the pipeline records it, told in each of the texts."""
	for number, text in enumerate(TEXTS):
		said = plain_text.store(text)
		for doctype in frappe.get_all(
			"DocType", {"module": "Memora", "in_create": 1, "issingle": 0}, pluck="name"
		):
			fields = {
				df.fieldname: said[: df.length or 140] for df in plain_text.fields(frappe.get_meta(doctype))
			}
			if doctype == "Memora Trash":  # it shows what its reader might have deleted
				fields["deleted_doctype"] = "Memora Season"
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


def _what_people_add(found: dict[str, list[Any]]) -> None:
	"""Pictures, comments, tasks, and a board that a site may make of the log."""
	for doctype in CONTENT:
		frappe.db.set_value(
			doctype,
			{"name": ("in", [doc.name for doc in found[doctype]])},
			"image",
			"/assets/memora/images/memora.svg",
			update_modified=False,
		)
	for doc, text in zip(found["Memora Topic"], TEXTS, strict=True):
		doc.add_comment("Comment", plain_text.as_html(text))
		assign_to.add(
			{"assign_to": [MANAGER], "doctype": doc.doctype, "name": doc.name, "description": doc.title}
		)
	frappe.delete_doc("Kanban Board", BOARD, ignore_missing=True)  # of a run that was broken off
	quick_kanban_board("CDN Sync Log", BOARD, "status")


def _doctypes() -> list[str]:
	return frappe.get_all(
		"DocType",
		{"module": "Memora", "istable": 0, "issingle": 0, "custom": 0},
		pluck="name",
		order_by="name",
	)


@pytest.mark.parametrize("view", ["List", "Report"])
def test_lists_and_reports(
	pages: Pages, filled: dict[str, list[Any]], schools: dict[str, School], view: str
) -> None:
	with watched(pages, NIGHT) as watching:  # who may read all of them, and what is in the trash
		for doctype in _doctypes():
			meta = frappe.get_meta(doctype)
			_show_every_column(watching.page, meta)
			watching.go("List", doctype, view)
			expect(watching.page.locator(_ROWS).first, doctype).to_be_visible()
			watching.calm(f"{view} of {doctype}")
			if doctype in filled and view == "List":
				watching.page.evaluate("cur_list.page_length = 100, cur_list.refresh()")
				rows = watching.page.locator(".frappe-list:visible .list-row-checkbox[data-name]")
				expect(rows, doctype).to_have_count(frappe.db.count(doctype))
				shown = watching.page.locator(".frappe-list:visible").inner_text()
				for text in ORDINARY[:5]:
					assert plain_text.store(text) in shown, doctype


def test_forms(pages: Pages, filled: dict[str, list[Any]], schools: dict[str, School]) -> None:
	"""With their timelines, links, tables and the line on top; a text is in its field as it is stored."""
	with watched(pages, schools["en"].editor) as watching:
		for number, doctype in enumerate(filled):
			# Each text in some form; each kind of form with every third text.
			for doc, text in list(zip(filled[doctype], TEXTS, strict=True))[number % 3 :: 3]:
				watching.form(doc)
				shown = watching.page.evaluate("cur_frm.fields_dict.title.$input.val()")
				assert shown == plain_text.store(text), doctype
				watching.calm(f"form of {doctype}, {text}")


def test_forms_of_the_pipeline(
	pages: Pages, filled: dict[str, list[Any]], schools: dict[str, School]
) -> None:
	with watched(pages, NIGHT) as watching:
		for doctype in (doctype for doctype in _doctypes() if doctype not in filled):
			for number, text in list(enumerate(TEXTS))[:8]:
				name = f"said-{number}-{frappe.scrub(doctype)}"
				watching.form(frappe._dict(doctype=doctype, name=name))
				watching.calm(f"form of {doctype}, {text}")


def test_dashboard_and_previews(
	pages: Pages, filled: dict[str, list[Any]], schools: dict[str, School]
) -> None:
	"""Our own screens show what was typed, with its `<`."""
	with watched(pages, schools["en"].admin) as watching:
		watching.go("cdn-export-dashboard")
		watching.page.locator(".memora-rows").first.wait_for()
		watching.calm("dashboard")
		shown = watching.page.locator(".memora-dashboard").inner_text()
		for text in ORDINARY[:5]:
			assert text in shown
		for at, dialog in enumerate(("show_preview", "show_json")):
			for plan, text in _some(filled, PLAN, at, 2):
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


def test_links(pages: Pages, filled: dict[str, list[Any]], schools: dict[str, School]) -> None:
	"""What a field offers to link to, and what it shows once that is chosen: parents, a plan's terms, its subjects, and
	what it overrides."""
	fields = [(doctype, PARENT_FIELDS[doctype]) for doctype in CONTENT[1:]]
	fields += [(PLAN, doctype.split()[1].lower()) for doctype in TERMS]
	with watched(pages, schools["en"].editor) as watching:
		for at, (doctype, fieldname) in enumerate(fields):
			linked = frappe.get_meta(doctype).get_field(fieldname).options
			watching.form(filled[doctype][0])
			control = watching.page.locator(f".frappe-control[data-fieldname={fieldname}]:visible").first
			for doc, text in _some(filled, linked, at, len(fields)):
				watching.choose(control, doc, text)
				watching.page.wait_for_function(
					"([field, name]) => cur_frm.doc[field] === name", arg=[fieldname, doc.name]
				)
				assert control.locator("input").input_value() == plain_text.store(text)
				watching.calm(f"{fieldname}, {text}")
			watching.leave()


def test_pickers_of_a_plan(pages: Pages, filled: dict[str, list[Any]], schools: dict[str, School]) -> None:
	"""Of its subjects, of what it overrides, and of the plan whose JSON is viewed; what is found by a title is found by
	that as people type it."""
	with watched(pages, schools["en"].editor) as watching:
		page = watching.page
		plans = _some(filled, PLAN, 0, 6)[1:]
		for doctype, (plan, text) in zip(CONTENT, plans, strict=True):
			stored = plain_text.store(text)
			watching.form(plan)
			watching.drawn()
			for table in ("subjects", "overrides"):
				rows = page.locator(f".frappe-control[data-fieldname={table}]:visible .grid-body").first
				expect(rows).to_contain_text(stored)

			at = TEXTS.index(text) - 1
			cell = watching.new_row("subjects").locator("[data-fieldname=subject]").first
			cell.click()
			watching.choose(cell, filled["Memora Subject"][at], TEXTS[at])
			_is_picked(page, "subjects", "subject", filled["Memora Subject"][at].name)
			expect(cell.locator("input")).to_have_value(plain_text.store(TEXTS[at]))
			watching.calm(f"subject, {TEXTS[at]}")

			row, target = watching.new_row("overrides"), filled[doctype][TEXTS.index(text)]
			row.locator("[data-fieldname=target_doctype]").first.click()
			row.locator("[data-fieldname=target_doctype] select").select_option(doctype)
			_is_picked(page, "overrides", "target_doctype", doctype)
			cell = row.locator("[data-fieldname=target_name]").first
			cell.click()
			watching.choose(cell, target, text, typed=text)
			_is_picked(page, "overrides", "target_name", target.name)
			expect(cell.locator("input")).to_have_value(stored)
			watching.calm(f"override, {text}")
			watching.leave()

			subject = filled["Memora Subject"][TEXTS.index(text)]
			page.evaluate(
				"""([name, title, plans]) => {
					memora.publishing.show_json("Memora Subject", name, title, plans, true) }""",
				[subject.name, subject.title, [{"plan": plan.name, "title": plan.title}] * 2],
			)
			cell = page.locator(".memora-json-dialog.show [data-fieldname=plan]")
			page.locator(".memora-json-dialog.show .memora-json-summary").wait_for()
			expect(cell.locator("input")).to_have_value(stored)
			watching.choose(cell, plan, text, typed=text)
			expect(cell.locator("input")).to_have_value(stored)
			watching.calm(f"plans to view the JSON of, {text}")
			watching.close()


def _is_picked(page: Page, table: str, fieldname: str, value: str) -> None:
	"""The last row of a table of the form has this value, and nothing is asked for any more."""
	page.wait_for_function(
		"([table, field, value]) => cur_frm.doc[table].at(-1)[field] === value && !jQuery.active",
		arg=[table, fieldname, value],
	)


def test_prints(pages: Pages, filled: dict[str, list[Any]], schools: dict[str, School]) -> None:
	with watched(pages, schools["en"].editor) as watching:
		for at, doctype in enumerate(filled):
			for doc, text in _some(filled, doctype, at, 2 * len(filled)):
				watching.go("print", doctype, doc.name)
				watching.page.wait_for_function(
					"""name => { const body = $("iframe.print-format-container:visible")[0]?.contentDocument?.body;
						return body && body.innerText.includes(name) }""",
					arg=doc.name,
				)
				shown = watching.page.evaluate(
					"$('iframe.print-format-container:visible')[0].contentDocument.body.innerText"
				)
				if text in ORDINARY:
					assert plain_text.store(text) in _one_line(shown), doctype
				watching.calm(f"print of {doctype}, {text}")


def test_other_views(pages: Pages, filled: dict[str, list[Any]], schools: dict[str, School]) -> None:
	"""That Frappe offers for our DocTypes, or that a site may add."""
	with watched(pages, MANAGER) as watching:
		page = watching.page
		for doctype in CONTENT:
			watching.go("List", doctype, "Image")
			page.locator(".image-view-item:visible").first.wait_for()
			watching.calm(f"pictures of {doctype}")
		watching.go("List", "CDN Sync Log", "Kanban", BOARD)
		page.locator(".kanban-card-title:visible").first.wait_for()
		watching.calm("kanban")
		for doctype in (*filled, "CDN Sync Log"):
			page.evaluate(
				"""doctype => new Promise((done) => frappe.model.with_doctype(doctype, () => done(frappe.widget.make_widget({
					widget_type: "quick_list", document_type: doctype, label: doctype, quick_list_filter: "[]",
					container: $("<div class='memora-quick'></div>").appendTo("body"), options: {} }) && null)))""",
				doctype,
			)
			page.locator(".memora-quick .quick-list-item").first.wait_for()
			watching.calm(f"quick list of {doctype}")
			page.evaluate("$('.memora-quick').remove()")


def test_filters_and_groups_of_lists(
	pages: Pages, filled: dict[str, list[Any]], schools: dict[str, School]
) -> None:
	with watched(pages, schools["en"].editor) as watching:
		page = watching.page
		for at, doctype in enumerate(filled):
			watching.go("List", doctype, "List")
			page.locator(_ROWS).first.wait_for()
			page.wait_for_function("doctype => cur_list?.doctype === doctype", arg=doctype)
			fields = ["title", *([PARENT_FIELDS[doctype]] if PARENT_FIELDS.get(doctype) else [])]
			has_groups = page.evaluate("'ListSidebar' in frappe.views")
			if not has_groups:
				fields = []  # this Frappe counts no groups beside a list
			for fieldname in fields:
				# The sidebar is made beside the rows, sooner or later.
				page.wait_for_function("cur_list.list_sidebar?.list_group_by")
				page.evaluate(
					"""field => { const { list_group_by: groups } = cur_list.list_sidebar;
						groups.group_by_fields = [field]; groups.render_group_by_items(); groups.setup_dropdown();
						groups.$wrapper.find(".group-by-field").trigger("show.bs.dropdown") }""",
					fieldname,
				)
				page.locator(".group-by-item").first.wait_for(state="attached")
				watching.calm(f"{doctype} by {fieldname}")
			for doc, text in _some(filled, doctype, at, 2 * len(filled)):
				filters = [[doctype, "title", "=", plain_text.store(text)]]
				if PARENT_FIELDS.get(doctype):
					filters.append([doctype, PARENT_FIELDS[doctype], "=", doc.get(PARENT_FIELDS[doctype])])
				page.evaluate(
					"filters => cur_list.filter_area.clear().then(() => cur_list.filter_area.add(filters))",
					filters,
				)
				if not has_groups and text.startswith("%"):
					continue  # that Frappe filters by the rest: it takes the "%" for a wildcard of its own
				page.locator(f".frappe-list:visible .list-row-checkbox[data-name='{doc.name}']").wait_for(
					state="attached"
				)
				watching.calm(f"{doctype} filtered by {text}")
			page.evaluate("cur_list.filter_area.clear()")


def test_the_search_bar(pages: Pages, filled: dict[str, list[Any]], schools: dict[str, School]) -> None:
	with watched(pages, schools["en"].editor) as watching:
		page = watching.page
		for doc, _text in _some(filled, "Memora Lesson", 0, 6):
			watching.form(doc)  # which is among the pages last seen
		if not page.locator("#navbar-search").is_visible():
			page.keyboard.press("Control+k")  # it comes in a dialog
		for text in TEXTS[::3]:
			page.locator("#navbar-search").fill(text)
			page.wait_for_function("$('#navbar-search').parent().find('ul > :visible').length")
			watching.calm(f"search for {text}")
			page.locator("#navbar-search").fill("")
		page.keyboard.press("Escape")


def test_what_frappe_asks_before_it_deletes_and_what_is_refused(
	pages: Pages, filled: dict[str, list[Any]], schools: dict[str, School]
) -> None:
	with watched(pages, schools["en"].editor) as watching:
		page = watching.page
		for at, doctype in enumerate(filled):
			for doc, text in _some(filled, doctype, at, 2 * len(filled)):
				watching.form(doc)
				assert plain_text.store(text) == page.evaluate("cur_frm.doc.title")
				page.evaluate("cur_frm.savetrash()")
				asked = page.locator(".modal.show .modal-body")
				expect(asked).to_be_visible()
				if text in ORDINARY:
					expect(asked).to_contain_text(plain_text.store(text))
				watching.calm(f"delete {text}?")
				if doctype in (PLAN, "Memora Lesson"):
					watching.close()
					continue  # which nothing keeps
				page.locator(
					".modal.show .btn-modal-primary:visible, .modal.show .btn-primary:visible"
				).first.click()
				refused = page.locator(".modal.show .msgprint:visible")
				expect(refused).to_contain_text(_one_line(plain_text.store(text)))
				watching.calm(f"{text} is refused")
				watching.close()


def test_timelines(pages: Pages, filled: dict[str, list[Any]], schools: dict[str, School]) -> None:
	"""With comments, assignments and versions."""
	with watched(pages, schools["en"].editor) as watching:
		for doc, text in _some(filled, "Memora Topic", 1, 2):
			watching.form(doc)
			expect(watching.page.locator(".timeline-item:visible").first).to_be_visible()
			watching.calm(f"timeline of {text}")


def test_notifications(
	pages: Pages, desk: Desk, filled: dict[str, list[Any]], schools: dict[str, School]
) -> None:
	"""Of a plan that has failed permanently, of a task and of a mention: below the bell, in the log, each in its form."""
	user = schools["en"].admin
	entity, quote, ordinary, markup = 8, 12, len(HOSTILE), 0
	_fail_for_good(filled[PLAN][entity], TEXTS[quote])
	_fail_for_good(filled[PLAN][ordinary], TEXTS[markup])
	lesson, track = filled["Memora Lesson"][quote], filled["Memora Track"][ordinary]
	assign_to.add(
		{"assign_to": [user], "doctype": lesson.doctype, "name": lesson.name, "description": lesson.title}
	)
	mention = f'<span class="mention" data-id="{user}" data-value="Admin">@Admin</span>'
	track.add_comment("Comment", f"<div>{mention} {plain_text.as_html(TEXTS[markup])}</div>")
	frappe.db.commit()
	with watched(pages, user) as watching:
		page = watching.page
		watching.calm("before the notifications")
		desk.open(page, "memora")
		page.locator(".number-widget-box").first.wait_for()
		# in the bar at the top, or in the sidebar
		page.locator(".notifications-icon, .sidebar-notification").filter(visible=True).first.click()
		bell = page.locator(".dropdown-notifications .notification-item:visible")
		told = {"Publishing": (entity, ordinary), "assigned": (quote,), "mentioned": (ordinary,)}
		for what, texts in told.items():
			for text in texts:
				title = _one_line(plain_text.store(TEXTS[text]))
				expect(bell.filter(has_text=what).filter(has_text=title)).to_be_visible()
		watching.calm("below the bell")
		for view in ("List", "Report"):
			watching.go("List", "Notification Log", view)
			rows = page.locator(_ROWS).filter(has_text=plain_text.store(TEXTS[ordinary]))
			expect(rows.first).to_be_visible()
			watching.calm(f"{view} of notifications")
		said = {"Publishing": (quote, markup), "assigned": (quote,), "mentioned": (markup,)}
		for what, texts in said.items():
			logs = frappe.get_all(
				"Notification Log",
				{"for_user": user, "subject": ("like", f"%{what}%")},
				pluck="name",
				order_by="creation",
			)
			for log, text in zip(logs[-len(texts) :], texts, strict=True):
				watching.form(frappe._dict(doctype="Notification Log", name=log))
				message = page.locator("[data-fieldname=email_content]:visible").first
				expect(message).to_contain_text(plain_text.store(TEXTS[text]))
				watching.calm(f"notification, {what} {TEXTS[text]}")


def _fail_for_good(plan: Any, answer: str) -> None:
	"""A plan that is out of retries, since the storage answered this."""
	state, lease = (
		frappe._dict(generation=1, dead_since=None),
		frappe._dict(scope=scopes.plan(plan.name), token=""),
	)
	with patch.object(retries, "failed", return_value=frappe._dict(is_dead=True, retries=5)):
		failures.record(state, lease, StorageUnavailableError(answer))


def test_versions_and_deleted_documents(
	pages: Pages, filled: dict[str, list[Any]], schools: dict[str, School]
) -> None:
	"""What a title was changed to; and a document that is restored is the one that was deleted."""
	with watched(pages, MANAGER) as watching:
		page = watching.page
		for doctype in ("Version", "Deleted Document"):
			meta = frappe.get_meta(doctype)
			_show_every_column(page, meta)
			for plan, text in _some(filled, PLAN, 4, 8):
				if doctype == "Version":
					of = {"ref_doctype": PLAN, "docname": plan.name}
				else:
					subject = factories.make_subject(title=text, description=text)
					subject.delete()
					of = {"deleted_doctype": subject.doctype, "deleted_name": subject.name}
				frappe.db.commit()
				kept = frappe.get_last_doc(doctype, of)
				watching.form(kept)
				if doctype == "Version":
					# As one text, or line by line of eighty characters.
					changed = page.locator(
						".version-info:visible .diff-add, .version-info:visible table.diff td"
					)
					begins = _one_line(plain_text.store(text)[:80])
					expect(changed.filter(has_text=begins).first).to_be_visible()
				else:
					page.get_by_role("button", name="Restore").click()
					page.get_by_role("button", name="Open").wait_for()
					frappe.db.rollback()
					restored = frappe.get_doc(subject.doctype, kept.get_db_value("new_name"))
					assert [restored.title, restored.description] == [plain_text.store(text)] * 2
					restored.delete()
				watching.calm(f"form of {doctype}, {text}")
				watching.close()
			for view in ("List", "Report"):
				watching.go("List", doctype, view)
				page.locator(_ROWS).first.wait_for()
				watching.calm(f"{view} of {doctype}")


def _some(filled: dict[str, list[Any]], doctype: str, at: int, step: int) -> list[tuple[Any, str]]:
	"""Each so-many-th of the texts with its document: each text on some screen, each screen with some of them."""
	return list(zip(filled[doctype], TEXTS, strict=True))[at % step :: step]


def _one_line(text: str) -> str:
	return " ".join(text.split())


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
