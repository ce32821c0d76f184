// What a field is typed into. Each has `element`, focus(), and says its value by on_change(value); undefined is nothing.
import { h } from "./dom";
import { catch_long, put_into } from "../long_text";
import { as_moment, number_of, seconds_of } from "./numbers";

const nothing = (text) => (text.trim() ? text : undefined);

// Text of one line. `dir` is for what runs from the left in every language: links, names of files.
export class Line {
	/** @param {Record<string, any>} options */
	constructor({ value = "", id, label = "", dir = "auto", placeholder = "", list = "", on_change, read_only = false }) {
		this.element = h("input.form-control", {
			type: "text",
			id,
			dir,
			list: list || null,
			placeholder,
			"aria-label": label || null,
			autocomplete: "off",
			disabled: read_only,
			oninput: () => on_change(this.value()),
		});
		this.typed = this.element;
		this.typed.value = this.shown(value);
		this.typed.addEventListener("change", () => this.tidy());
	}

	shown(value) {
		return String(value ?? "");
	}

	value() {
		return nothing(this.typed.value);
	}

	// When one leaves it.
	tidy() {}

	focus() {
		this.typed.focus();
	}

	destroy() {}
}

class Numeric extends Line {
	constructor(options) {
		super({ ...options, dir: "ltr" });
		this.element.inputMode = "decimal";
		this.element.classList.add("is-number");
	}

	parsed() {
		return number_of(this.element.value);
	}

	// What is no number is kept as it was typed, for the check to say so.
	value() {
		const number = this.parsed();
		return Number.isNaN(number) ? this.element.value : number;
	}

	tidy() {
		const value = this.value();
		if (typeof value === "number") this.element.value = this.shown(value);
	}
}

export class Amount extends Numeric {}

export class Moment extends Numeric {
	parsed() {
		return seconds_of(this.element.value);
	}

	shown(value) {
		return typeof value === "number" ? as_moment(value) : String(value ?? "");
	}
}

// Text of several lines, as high as what is in it. Of one that is too long the beginning is read.
export class Lines {
	/** @param {Record<string, any>} options */
	constructor({ value = "", id, label = "", dir = "auto", placeholder = "", on_change, read_only = false, is_code = false, may_be_empty = false, rows = 1 }) {
		this.may_be_empty = may_be_empty;
		this.element = h(`textarea.form-control${is_code ? ".is-code" : ""}`, {
			id,
			dir: is_code ? "ltr" : dir,
			rows,
			placeholder,
			spellcheck: is_code ? "false" : null,
			"aria-label": label || null,
			disabled: read_only,
			oninput: () => {
				this.fit();
				on_change(this.value());
			},
		});
		this.show(String(value ?? ""));
		catch_long(this.element, (text) => {
			this.show(text);
			on_change(this.value());
		});
		requestAnimationFrame(() => this.fit());
	}

	show(text) {
		this.text = put_into(this.element, text);
	}

	value() {
		const text = this.text();
		return this.may_be_empty ? text : nothing(text);
	}

	fit() {
		if (CSS.supports("field-sizing", "content")) return;
		this.element.style.height = "auto";
		this.element.style.height = `${this.element.scrollHeight + 2}px`;
	}

	focus() {
		this.element.focus();
	}

	destroy() {}
}

// A few to choose one from, all of them seen. `choices` are [value, label]; undefined is a value, too.
export class Switch {
	/** @param {Record<string, any>} options */
	constructor({ value, label, choices, on_change, read_only = false }) {
		this.choices = choices;
		const pick = (event) => {
			const button = event.target.closest("button");
			if (button) this.set(this.choices[Number(button.dataset.place)][0], on_change);
		};
		this.element = h(
			"div.memora-stage-switch",
			{ role: "radiogroup", "aria-label": label, onclick: pick, onkeydown: (event) => this.on_key(event, on_change) },
			choices.map(([, words], place) => h("button", { type: "button", role: "radio", "data-place": place, disabled: read_only }, words))
		);
		this.set(value);
	}

	set(value, on_change = null) {
		const is_other = value !== this.chosen;
		this.chosen = value;
		const buttons = [...this.element.children];
		const at = Math.max(0, this.choices.findIndex(([one]) => one === value));
		buttons.forEach((button, place) => {
			button.setAttribute("aria-checked", String(this.choices[place][0] === value));
			button.tabIndex = place === at ? 0 : -1;
		});
		if (on_change && is_other) on_change(value);
	}

	on_key(event, on_change) {
		const forward = frappe.utils.is_rtl() ? "ArrowLeft" : "ArrowRight";
		const back = frappe.utils.is_rtl() ? "ArrowRight" : "ArrowLeft";
		const step = { [forward]: 1, ArrowDown: 1, [back]: -1, ArrowUp: -1 }[event.key];
		if (!step) return;
		event.preventDefault();
		const buttons = [...this.element.children];
		const at = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
		buttons[at].focus();
		this.set(this.choices[at][0], on_change);
	}

	focus() {
		this.element.querySelector("[tabindex='0']").focus();
	}

	destroy() {}
}

export class Tick {
	/** @param {Record<string, any>} options */
	constructor({ value, id, label, on_change, read_only = false }) {
		this.box = h("input", { type: "checkbox", id, disabled: read_only, onchange: () => on_change(this.box.checked || undefined) });
		this.box.checked = Boolean(value);
		this.element = h("label.memora-stage-tick", {}, this.box, h("span", {}, label));
	}

	focus() {
		this.box.focus();
	}

	destroy() {}
}

// Markup, in the editor for texts; that is loaded once the field comes into sight.
export class Rich {
	dir;
	html;
	label;
	on_change;
	read_only;
	upload;

	/** @param {Record<string, any>} options */
	constructor({ value = "", label, dir = null, upload = null, on_change, read_only = false }) {
		Object.assign(this, { label, dir, upload, on_change, read_only, html: String(value ?? "") });
		this.element = h("div.memora-stage-rich", {}, h("div.memora-stage-rich-waits", { "aria-hidden": "true" }));
		this.sight = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.mount(), { rootMargin: "300px" });
		this.sight.observe(this.element);
		this.send = frappe.utils.debounce(() => this.flush(), 150);
	}

	mount() {
		this.sight.disconnect();
		this.mounted = this.mounted || new Promise((done) => frappe.require("memora_rich_text.bundle.js", done)).then(() => this.open());
		return this.mounted;
	}

	open() {
		if (this.is_gone) return;
		this.element.replaceChildren();
		const { label, dir, upload } = this;
		this.editor = memora.rich_text.mount(this.element, {
			html: this.html,
			label,
			dir,
			upload,
			on_change: () => {
				this.is_edited = true;
				this.send();
			},
		});
		if (this.read_only) this.element.inert = true;
	}

	// What is typed and not yet told.
	flush() {
		if (!this.is_edited || !this.editor) return;
		this.is_edited = false;
		this.html = this.editor.get_html();
		this.on_change(nothing(this.html));
	}

	set_dir(dir) {
		this.dir = dir;
		this.editor?.set_dir(dir);
	}

	// When pictures that are being uploaded have come.
	async ready() {
		await this.editor?.ready();
		this.flush();
	}

	focus() {
		this.mount().then(() => this.editor?.focus());
	}

	destroy() {
		this.is_gone = true;
		this.sight.disconnect();
		this.editor?.destroy();
	}
}
