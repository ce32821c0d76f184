"""What the tests of the editor for texts drive: editors on a page of the Desk that holds nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.desk.driver import Desk
from tests.e2e.desk.test_texts import LOOKOUT

_BARE = """async () => {
	document.body.replaceChildren();
	const bare = document.createElement("main");
	bare.id = "bare";
	bare.style.padding = "12px";
	document.body.append(bare);
	await new Promise((done) => frappe.require("memora_rich_text.bundle.js", done));
	await new Promise((done) => frappe.require("memora_rich_text.bundle.css", done));
	let place = null;
	window.ran = () => { window.hasRun = true };
	window.mount = (html, options = {}) => {
		if (window.editor) window.editor.destroy();
		if (place) place.remove();
		place = document.createElement("div");
		place.id = "place";
		bare.append(place);
		window.changes = 0;
		window.editor = memora.rich_text.mount(place, {
			html, label: "Text of the stage", on_change: () => { window.changes++ }, ...options,
		});
		return window.editor.is_source;
	};
	window.pasted = (data) => {
		const clipboardData = new DataTransfer();
		for (const [type, text] of Object.entries(data)) clipboardData.setData(type, text);
		place.querySelector(".ProseMirror").dispatchEvent(
			new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true })
		);
	};
	// What a browser makes of it: text without white space, elements, attributes.
	window.seen = (html) => {
		const { body } = new DOMParser().parseFromString("<!doctype html><body>" + html, "text/html");
		const said = body.textContent.replace(/[ \\t\\n\\f\\r]/g, "");
		const elements = [...body.querySelectorAll("*")].map((element) => element.localName).sort();
		const attributes = [...body.querySelectorAll("*")].flatMap((element) =>
			[...element.attributes].map(({ name, value }) => element.localName + " " + name + "=" + value)).sort();
		return JSON.stringify([said, elements, attributes]);
	};
	// For each text: is it given back, does it open as source, the text after an edit of its start, and what is lost of it when
	// all of it is written again: it is one block then.
	window.tried = (texts) => texts.map((html) => {
		const is_source = window.mount(html);
		const same = window.editor.get_html() === html;
		if (is_source) return [same, true, null, null];
		window.pasted({ "text/plain": "⚑" });
		const edited = window.editor.get_html();
		const whole = "<div><p></p>" + html + "</div>";
		if (window.mount(whole)) return [same, false, edited, null];
		window.pasted({ "text/plain": "⚑" });
		const written = window.editor.get_html();
		return [same, false, edited, window.seen(written.replace("⚑", "")) === window.seen(whole) ? null : written];
	});
}"""


@dataclass(slots=True)
class Editor:
	"""The editor that is mounted, and who writes in it."""

	page: Page

	def mount(self, html: str = "", options: str = "{}") -> bool:
		"""Open a text; `options` is an object in JavaScript. Is it shown as source?"""
		return bool(self.page.evaluate(f"(html) => mount(html, {options})", html))

	@property
	def html(self) -> str:
		return str(self.page.evaluate("editor.get_html()"))

	@property
	def text(self) -> Locator:
		return self.page.locator("#place .ProseMirror")

	@property
	def said(self) -> Locator:
		"""Why a text is shown as source."""
		return self.page.locator("#place [role=status]")

	def write(self, *lines: str) -> None:
		"""Type at the end, with Enter between the lines."""
		self.text.focus()
		self.page.keyboard.press("Control+End")
		for place, line in enumerate(lines):
			if place:
				self.page.keyboard.press("Enter")
			self.page.keyboard.type(line)

	def select(self, words: str) -> None:
		"""Select these words, which are within one element."""
		self.text.focus()
		self.page.evaluate(
			"""(words) => {
				const walker = document.createTreeWalker(document.querySelector("#place .ProseMirror"), NodeFilter.SHOW_TEXT);
				while (walker.nextNode()) {
					const start = walker.currentNode.data.indexOf(words);
					if (start < 0) continue;
					getSelection().setBaseAndExtent(walker.currentNode, start, walker.currentNode, start + words.length);
					return new Promise((done) => document.addEventListener("selectionchange", () => setTimeout(done), { once: true }));
				}
				throw new Error("no such words");
			}""",
			words,
		)

	def button(self, name: str) -> Locator:
		return self.page.get_by_role("toolbar").get_by_role("button", name=name, exact=True)

	def choose(self, menu: str, entry: str) -> None:
		self.page.get_by_role("toolbar").locator(f"[data-menu][aria-label^='{menu}']").click()
		self.page.get_by_role("menu").locator("button", has_text=entry).first.click()

	def paste(self, **data: str) -> None:
		"""Paste what is of these types: html, plain."""
		self.text.focus()
		self.page.evaluate("data => pasted(data)", {f"text/{kind}": text for kind, text in data.items()})

	def dialog(self, **values: Any) -> Locator:
		"""Fill the dialog that is open; returns it."""
		dialog = self.page.locator(".modal.show")
		dialog.wait_for()
		for name, value in values.items():
			field = dialog.locator(f"[data-fieldname={name}] :is(input, textarea)").first
			if isinstance(value, bool):
				field.set_checked(value)
			else:
				field.fill(str(value))
		return dialog

	def refused(self, message: str, **values: Any) -> Locator:
		"""Fill the dialog that is open, and be told in it why what it is for can't be done; returns the dialog."""
		dialog = self.dialog(**values)
		dialog.locator(".btn-modal-primary").click()
		expect(dialog.get_by_role("alert")).to_contain_text(message)
		return dialog

	def confirm(self, **values: Any) -> None:
		"""Fill the dialog that is open, and do what it is for."""
		dialog = self.dialog(**values)
		dialog.locator(".btn-modal-primary").click()
		dialog.wait_for(state="hidden")

	def calm(self) -> None:
		"""No text has run, and none has become markup that would."""
		assert self.page.evaluate("window.hasRun") is None
		assert self.page.evaluate("window.markup") == []


@contextmanager
def opened(desk: Desk, user: str, **size: int) -> Iterator[Editor]:
	"""A page of this user's Desk that holds nothing but an editor."""
	with desk.login(user, expected=("Failed to load resource",), **size) as page:
		page.add_init_script(LOOKOUT)
		page.route(lambda url: not url.startswith(desk.address), lambda route: route.abort())
		desk.open(page, "memora-lesson")
		page.locator(".page-title:visible, .result:visible").first.wait_for()
		page.wait_for_load_state("networkidle")
		page.evaluate(_BARE)
		yield Editor(page)
