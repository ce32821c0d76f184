// The editor of one stage: its title and type, the fields of that type, the JSON, closed at first, and what the check says.
import { Config } from "./config";
import { h, icon } from "./dom";
import { check, show } from "./findings";
import { Form } from "./form";
import { Line, Switch } from "./inputs";
import { Raw } from "./raw";
import { Seen } from "./seen";
import { ABOUT, NAMES, names_in, TYPES } from "./types";

export class Editor {
	dir;
	on_change;
	read_only;
	stage;
	upload;

	// `stage` as it is saved, `typed` as someone left it unsaved. on_change() is called after each edit.
	/** @param {Record<string, any>} options */
	constructor({ stage, typed = null, dir = null, read_only = false, upload = () => null, on_change = () => {} }) {
		Object.assign(this, { stage, dir, read_only, upload, on_change });
		const shown = typed || stage;
		this.title = shown.title || "";
		this.type = shown.type || "";
		this.told = new Set(); // fields that someone has typed into
		this.tells_all = Boolean(String(shown.config ?? "").trim());
		this.findings = [];
		this.broken_text = null; // JSON that is none
		this.check_soon = frappe.utils.debounce(() => this.check(), 500);
		this.build();
		this.take(shown.config);
	}

	build() {
		this.seen = new Seen({ dir: this.dir });
		this.rest = h("div.memora-stage-findings", { role: "status" });
		this.fields = h("div.memora-stage-holder");
		this.raw = new Raw({ read_only: this.read_only, on_change: (text) => this.on_raw(text) });
		this.own = h("p.memora-stage-own");
		this.form_side = h("div.memora-stage-form", {}, this.head(), this.rest, this.fields, this.own, this.raw.element);
		this.columns = h("div.memora-stage-columns", {}, this.form_side, this.seen.element);
		this.element = h("div.memora-stage", {}, this.sides(), this.columns);
	}

	head() {
		const input = new Line({
			value: this.title,
			label: __("Title of the stage"),
			placeholder: __("Title of the stage"),
			read_only: this.read_only,
			on_change: () => {
				this.title = this.title_input.element.value;
				this.changed("title");
			},
		});
		this.title_input = input;
		input.element.maxLength = 140;
		input.element.classList.add("memora-stage-title");
		this.types = new Switch({
			value: this.type,
			label: __("Type"),
			read_only: this.read_only,
			choices: TYPES.map((type) => [type, [icon(type), " ", h("span", {}, __(type))]]),
			on_change: (type) => this.set_type(type),
		});
		return h("div.memora-stage-head", {}, input.element, this.types.element);
	}

	// On a phone one side is seen at a time.
	sides() {
		const sides = new Switch({
			value: "form",
			label: __("Show"),
			choices: [
				["form", __("Edit")],
				["seen", __("As learners see it")],
			],
			on_change: (side) => this.columns.setAttribute("data-side", side),
		});
		return h("div.memora-stage-sides", {}, sides.element);
	}

	// Shows a config, whatever it is.
	take(text) {
		this.broken_text = null;
		try {
			this.config = new Config(text);
		} catch {
			this.config = null;
			this.broken_text = String(text ?? "");
		}
		this.draw();
	}

	draw() {
		this.form?.destroy();
		this.form = null;
		this.types.element.hidden = !this.type;
		if (!this.type) this.fields.replaceChildren(this.cards());
		else if (this.config) this.draw_form();
		else this.fields.replaceChildren(h("div.memora-stage-note", {}, __("The JSON of this stage has a mistake. Correct it below; then its fields are here again.")));
		this.raw.element.hidden = !this.type;
		this.raw.set(this.text());
		if (this.broken_text !== null && this.type) this.raw.element.open = true;
		this.after_change();
	}

	draw_form() {
		this.form = new Form({
			type: this.type,
			config: this.config,
			dir: this.dir,
			read_only: this.read_only,
			upload: this.upload,
			on_change: (key) => this.changed(key),
		});
		this.fields.replaceChildren(this.form.element);
	}

	// The first question about a new stage.
	cards() {
		return h(
			"div.memora-stage-cards",
			{},
			TYPES.map((type) =>
				h(
					"button.memora-stage-card",
					{ type: "button", "data-type": type, onclick: () => this.pick(type) },
					icon(type),
					h("b", {}, __(type)),
					h("span", {}, ABOUT[type]())
				)
			)
		);
	}

	pick(type) {
		this.type = type;
		this.types.set(type);
		this.draw();
		if (this.title.trim()) this.form?.focus();
		else this.title_input.focus();
		this.changed("type");
	}

	set_type(type) {
		const from = this.type;
		if (!this.config) return this.turn_into(type, null);
		this.flush();
		const { former } = this;
		if (former && former.type === type && former.after === this.config.text) return this.turn_into(type, former.config);
		const names = names_in(this.config, from, type);
		const lost = Object.keys(names).filter((key) => !names[key]);
		const go = () => {
			const before = this.config;
			this.turn_into(type, before.renamed(names));
			this.former = { type: from, config: before, after: this.config.text };
		};
		if (!lost.length) return go();
		return this.ask_loss(type, lost, go);
	}

	ask_loss(type, lost, go) {
		let is_meant = false;
		const names = lost.map((key) => `“${NAMES[key]?.() ?? key}”`);
		const words = __("As {0} this stage loses {1}.", [__(type), [...new Set(names)].join(frappe.utils.is_rtl() ? "، " : ", ")]);
		const dialog = new frappe.ui.Dialog({
			title: __("Change the Type"),
			fields: [{ fieldname: "body", fieldtype: "HTML" }],
			primary_action_label: __("Change It"),
			primary_action: () => {
				is_meant = true;
				dialog.hide();
			},
			secondary_action_label: __("Cancel"),
			secondary_action: () => dialog.hide(),
		});
		dialog.onhide = () => {
			setTimeout(() => dialog.$wrapper.remove(), 500);
			if (is_meant) go();
			else this.types.set(this.type);
		};
		dialog.get_field("body").$wrapper.append(h("p", {}, words));
		dialog.show();
	}

	turn_into(type, config) {
		this.type = type;
		if (config) this.config = config;
		this.types.set(type);
		this.draw();
		this.changed("type");
	}

	// Someone typed into the JSON.
	on_raw(text) {
		this.told.add("raw");
		this.tells_all = true;
		this.broken_text = null;
		try {
			this.config = new Config(text);
			this.raw.say(null);
		} catch {
			this.config = null;
			this.broken_text = text;
		}
		clearTimeout(this.raw_timer);
		this.raw_timer = setTimeout(() => this.draw_fields(), 300);
		this.changed("raw");
	}

	draw_fields() {
		const held = document.activeElement;
		this.draw();
		if (held instanceof HTMLElement && held.isConnected) held.focus();
	}

	changed(key) {
		this.told.add(key);
		if (key !== "raw" && this.config) this.raw.set(this.text());
		this.after_change();
		this.on_change();
	}

	after_change() {
		const own = this.form ? this.form.own_keys : [];
		this.own.hidden = !own.length;
		this.own.textContent = own.length ? __("It also holds {0}, which this form leaves as it is.", [own.slice(0, 8).join(", ")]) : "";
		if (!this.type) return;
		this.seen.show({ title: this.title, type: this.type, config: this.config ? this.text() : null });
		this.check_soon();
	}

	// What is typed and not yet in the config.
	flush() {
		this.form?.flush();
	}

	text() {
		return this.broken_text === null ? this.config.text ?? "" : this.broken_text;
	}

	// The stage as it would be saved: what was not edited is as it was, byte by byte.
	value() {
		this.flush();
		const config = this.broken_text === null ? this.config.text : this.broken_text;
		const is_same = String(config ?? "") === String(this.stage.config ?? "");
		return { ...this.stage, title: this.title, type: this.type, config: is_same ? this.stage.config : config };
	}

	get is_changed() {
		const { title, type, config } = this.value();
		return title !== (this.stage.title || "") || type !== (this.stage.type || "") || config !== this.stage.config;
	}

	// Asks what is wrong, and shows it where it belongs. → the findings, null where there was no answer.
	check() {
		this.checking = this.judge();
		return this.checking;
	}

	// Who is overtaken by a later question gets that one's answer.
	async judge() {
		if (!this.type || this.is_gone) return null;
		const asked = (this.asked = (this.asked || 0) + 1);
		let findings;
		try {
			findings = await check(this.type, this.text());
		} catch {
			return null;
		}
		if (this.is_gone) return null;
		if (asked !== this.asked) return this.checking;
		this.findings = findings || [];
		this.show_findings();
		return findings;
	}

	show_findings() {
		const whole = this.findings.find(({ path }) => !path.length);
		this.raw.say(this.config ? null : whole);
		if (!this.form) return this.rest.replaceChildren();
		return show(this.findings, this.form, this.rest, (key) => this.tells_all || (key !== undefined && this.told.has(key)));
	}

	tell_all() {
		this.tells_all = true;
		this.show_findings();
	}

	focus() {
		if (!this.title) this.title_input.focus();
		else if (!this.type) this.fields.querySelector("button").focus();
		else this.form?.focus();
	}

	destroy() {
		this.is_gone = true;
		clearTimeout(this.raw_timer);
		this.form?.destroy();
		this.seen.destroy();
	}
}
