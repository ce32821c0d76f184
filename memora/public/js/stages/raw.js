// The config as it is stored, closed at first: JSON with its line numbers, and the line of an error marked.
import { h } from "./dom";
import { line } from "./findings";
import { catch_long, is_long, put_into } from "../long_text";

export class Raw {
	// on_change(text) is called after each edit.
	constructor({ read_only, on_change }) {
		this.read_only = read_only;
		this.numbers = h("pre.memora-stage-numbers", { "aria-hidden": "true" });
		this.input = h("textarea.form-control.is-code", {
			dir: "ltr",
			spellcheck: "false",
			wrap: "off",
			rows: 8,
			"aria-label": __("Raw JSON"),
			oninput: () => {
				this.number();
				on_change(this.value());
			},
			onscroll: () => {
				this.numbers.scrollTop = this.input.scrollTop;
			},
		});
		catch_long(this.input, (text) => {
			this.text = text;
			this.draw();
			on_change(text);
		});
		this.said = h("div.memora-stage-findings", { role: "status" });
		this.tidy = h("button.btn.btn-default.btn-xs", { type: "button", onclick: () => this.format(on_change) }, __("Put in Lines"));
		this.element = h(
			"details.memora-stage-raw",
			{ ontoggle: () => this.element.open && this.draw() },
			h("summary", {}, __("Raw JSON")),
			h("div.memora-stage-editor", {}, this.numbers, this.input),
			this.said,
			read_only ? null : this.tidy
		);
		this.text = "";
		this.is_long = false;
		this.value = () => this.input.value;
	}

	// Shows a text, unless that is what is being typed.
	set(text) {
		const is_drawn = !this.is_long && this.input.value === text;
		this.text = text;
		if (this.element.open && !is_drawn) this.draw();
	}

	draw() {
		this.is_long = is_long(this.text);
		this.value = put_into(this.input, this.text);
		this.input.readOnly ||= this.read_only;
		this.tidy.hidden = this.is_long;
		this.input.rows = Math.min(24, Math.max(4, this.input.value.split("\n").length + 1));
		this.number();
	}

	number(bad = 0) {
		const count = this.input.value.split("\n").length;
		const lines = Array.from({ length: count }, (_, place) => (place + 1 === bad ? h("mark", {}, String(place + 1)) : String(place + 1)));
		this.numbers.replaceChildren(...lines.flatMap((each) => [each, "\n"]));
		this.numbers.scrollTop = this.input.scrollTop;
	}

	// What is wrong with it as a whole, and at which line.
	say(finding) {
		this.said.replaceChildren(finding ? line(finding, true) : "");
		const at = finding && /\{1\}/.test(finding.text) ? Number(finding.about[0]) || 0 : 0;
		this.number(at);
		this.tidy.hidden = this.is_long || Boolean(finding); // a key that is there twice would lose a value
		this.input.setAttribute("aria-invalid", String(Boolean(finding)));
	}

	format(on_change) {
		try {
			this.input.value = JSON.stringify(JSON.parse(this.value() || "{}"), null, 2);
		} catch {
			return;
		}
		this.number();
		on_change(this.value());
	}

	open() {
		this.element.open = true;
		this.draw();
		this.input.focus();
	}
}
