// How a question is answered: by choices with the right ones ticked, or by typing.
import { fresh_id, h, icon } from "./dom";
import { formula_button } from "./formula_button";
import { Amount, Line, Lines, Switch, Tick } from "./inputs";
import { List } from "./list";
import { western } from "./numbers";
import { NAMES } from "./types";

const KINDS = ["one", "several", "true_false", "short", "number"];
const CHOOSING = ["one", "several", "true_false"];
const MOST = 200; // rows in a form

const is_scalar = (value) => ["string", "number", "boolean"].includes(typeof value);
const is_list = (value) => Array.isArray(value) && value.every(is_scalar);
const folded = (text) => text.toLowerCase().split(/\s+/).filter(Boolean).join(" ");

export class Answer {
	config;
	on_change;
	read_only;

	// Why the form cannot show this: "" if it can.
	static problem(config) {
		if (config.size("choices") > 400_000 || config.size("answer") > 400_000) return "long";
		const [kind, choices, answer] = [config.get("kind"), config.get("choices"), config.get("answer")];
		const fits =
			(kind === undefined || KINDS.includes(kind)) &&
			(choices === undefined || is_list(choices)) &&
			(answer === undefined || is_scalar(answer) || is_list(answer)) &&
			["undefined", "number"].includes(typeof config.get("tolerance")) &&
			["undefined", "string"].includes(typeof config.get("unit")) &&
			["undefined", "boolean"].includes(typeof config.get("shuffle"));
		if (!fits) return "other";
		return (choices || []).length > MOST || (is_list(answer) && answer.length > MOST) ? "long" : "";
	}

	constructor(config, { on_change, read_only }) {
		Object.assign(this, { config, on_change, read_only });
		this.read();
		this.element = h("div.memora-stage-answer");
		this.slots = {};
		this.kinds = new Switch({
			value: this.kind,
			label: __("How it is answered"),
			choices: KINDS.map((kind) => [kind, NAMES[kind]()]),
			read_only,
			on_change: (kind) => this.set_kind(kind),
		});
		this.draw();
	}

	read() {
		const { config } = this;
		const choices = (config.get("choices") || []).map(String);
		const answers = [config.get("answer") ?? []].flat().map(String);
		// As the reader: an answer that is a choice letter for letter is that choice alone.
		const means = (answer, text) => (choices.includes(answer) ? answer === text : folded(answer) === folded(text));
		const is_right = (text) => answers.some((answer) => means(answer, text));
		this.kind = config.get("kind") || this.implied(choices, answers, config.has("answer") || choices.length);
		this.choices = choices.map((text) => ({ text, is_right: is_right(text) }));
		this.typed = CHOOSING.includes(this.kind) ? [] : answers;
		this.tolerance = config.get("tolerance");
		this.unit = config.get("unit");
	}

	implied(choices, answers, is_any = true) {
		if (choices.length || !is_any) return Array.isArray(this.config.get("answer")) && answers.length > 1 ? "several" : "one";
		return "short";
	}

	set_kind(kind) {
		const was_choosing = CHOOSING.includes(this.kind);
		this.kind = kind;
		if (CHOOSING.includes(kind) && !this.choices.some(({ text }) => text.trim())) this.fill_choices();
		if (kind === "one" || kind === "true_false") this.keep_first_right();
		if (!CHOOSING.includes(kind) && was_choosing && !this.typed.some((text) => text.trim())) {
			this.typed = this.choices.filter(({ is_right }) => is_right).map(({ text }) => text);
		}
		this.config.set("kind", kind);
		this.draw();
		this.write();
	}

	// What was typed becomes choices; of true and false both are there.
	fill_choices() {
		const typed = this.typed.filter((text) => text.trim());
		this.choices = typed.map((text) => ({ text, is_right: true }));
		if (this.kind === "true_false" && !typed.length) {
			this.choices = [__("True"), __("False")].map((text) => ({ text, is_right: false }));
		}
	}

	keep_first_right() {
		let is_found = false;
		for (const choice of this.choices) {
			choice.is_right = choice.is_right && !is_found;
			is_found = is_found || choice.is_right;
		}
	}

	slot(key) {
		this.slots[key] = h("div.memora-stage-findings");
		return this.slots[key];
	}

	draw() {
		this.element.replaceChildren(
			h("div.memora-stage-label", {}, __("How it is answered")),
			this.kinds.element,
			this.slot("kind"),
			...(CHOOSING.includes(this.kind) ? this.choosing() : this.typing())
		);
	}

	choosing() {
		const is_many = this.kind === "several";
		const group = fresh_id();
		const values = this.choices.length ? this.choices : [{ text: "", is_right: false }, { text: "", is_right: false }];
		this.choices = values;
		this.list = new List({
			values,
			one: __("Choice"),
			add_label: __("Add Choice"),
			read_only: this.read_only,
			is_fixed: this.kind === "true_false" && values.length === 2,
			make: (value, row) => this.choice_row(value || { text: "", is_right: false }, row, is_many, group),
			on_change: () => this.take_choices(),
		});
		return [
			h(
				"div.memora-stage-label",
				{},
				__("Choices"),
				h("span.memora-stage-help", {}, is_many ? __("Tick each that is right.") : __("Tick the right one.")),
				h("span.memora-stage-help", {}, __("A formula goes between \\( and \\)."))
			),
			this.slot("choices"),
			this.list.element,
			this.slot("answer"),
			...this.shuffle(),
		];
	}

	shuffle() {
		const tick = new Tick({
			value: this.config.get("shuffle"),
			label: __("In another order each time"),
			read_only: this.read_only,
			on_change: (value) => {
				this.config.set("shuffle", value);
				this.on_change("shuffle");
			},
		});
		return [tick.element, this.slot("shuffle")];
	}

	choice_row(value, row, is_many, group) {
		const input = new Lines({
			value: value.text,
			label: __("Text of the choice"),
			read_only: this.read_only,
			may_be_empty: true,
			on_change: (text) => {
				value.text = text;
				this.write("choices");
			},
		});
		input.element.addEventListener("paste", (event) => this.paste(event, row, input));
		const mark = h("input.memora-stage-right", {
			type: is_many ? "checkbox" : "radio",
			name: group,
			"aria-label": __("This is right"),
			title: __("This is right"),
			disabled: this.read_only,
			onchange: () => this.mark(value, mark.checked, is_many),
		});
		mark.checked = value.is_right;
		const box = h("span.memora-stage-mark", {}, mark, icon("check"));
		const formula = this.read_only ? null : formula_button(input.element);
		return { value, parts: [box, input.element, formula], focus: () => input.focus(), is_empty: () => !value.text.trim() };
	}

	mark(value, is_right, is_many) {
		if (!is_many) for (const choice of this.choices) choice.is_right = false;
		value.is_right = is_right;
		this.write("answer");
	}

	take_choices() {
		this.choices = this.list.rows.map((row) => row.value);
		this.write("choices");
	}

	// Several pasted lines are several choices.
	paste(event, row, input) {
		const lines = event.clipboardData.getData("text/plain").split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
		if (lines.length < 2 || !row.is_empty() || this.list.is_fixed) return;
		event.preventDefault();
		if (this.choices.length + lines.length > MOST) return this.take_many(lines, row);
		input.element.value = row.value.text = lines[0];
		input.fit();
		let after = row;
		for (const text of lines.slice(1)) after = this.list.add({ text, is_right: false }, after);
		after.focus();
		this.take_choices();
	}

	// More than rows can be made of here: the form says so in their place.
	take_many(lines, row) {
		const pasted = lines.map((text) => ({ text, is_right: false }));
		this.choices = this.list.rows.flatMap((each) => (each === row ? pasted : [each.value]));
		this.write("choices");
	}

	typing() {
		const is_number = this.kind === "number";
		if (!this.typed.length) this.typed = [""];
		this.list = new List({
			values: this.typed,
			one: __("Answer"),
			add_label: __("Add Another Right Answer"),
			read_only: this.read_only,
			make: (value, row) => this.typed_row(value ?? "", row, is_number),
			on_change: () => this.take_typed(),
		});
		const help = is_number ? __("With a point or a comma, in any digits.") : __("Case, spaces and marks don't count. Each of these is right.");
		return [
			h("div.memora-stage-label", {}, is_number ? __("Right number") : __("Right answers"), h("span.memora-stage-help", {}, help)),
			this.list.element,
			this.slot("answer"),
			is_number ? h("div.memora-stage-line", {}, this.beside("tolerance", __("Tolerance, up and down"), Amount), this.beside("unit", __("Unit"), Line)) : null,
			this.slot("choices"),
		].filter(Boolean);
	}

	typed_row(value, row, is_number) {
		row.value = value;
		const input = new Line({
			value,
			label: is_number ? __("Right number") : __("Right answer"),
			dir: is_number ? "ltr" : "auto",
			read_only: this.read_only,
			on_change: () => {
				row.value = is_number ? western(input.element.value) : input.element.value;
				this.take_typed();
			},
		});
		if (is_number) input.element.inputMode = "decimal";
		return { parts: [input.element], focus: () => input.focus(), is_empty: () => !row.value.trim() };
	}

	take_typed() {
		this.typed = this.list.rows.map((row) => row.value);
		this.write("answer");
	}

	beside(key, label, Input) {
		const id = fresh_id();
		const input = new Input({
			id,
			value: this[key],
			read_only: this.read_only,
			on_change: (value) => {
				this[key] = value;
				this.config.set(key, value);
				this.on_change(key);
			},
		});
		return h("div.memora-stage-part", {}, h("label", { for: id }, label), input.element, this.slot(key));
	}

	// Notes all of it in the config: choices and the right ones among them, or what is right to type.
	write(key = "kind") {
		const { config, kind } = this;
		const is_choosing = CHOOSING.includes(kind);
		const filled = this.choices.filter(({ text }) => text.trim());
		const choices = is_choosing ? filled.map(({ text }) => text) : [];
		const right = is_choosing
			? [...new Set(filled.filter(({ is_right }) => is_right).map(({ text }) => text))]
			: this.typed.map((text) => text.trim()).filter(Boolean);
		config.set("choices", choices.length ? choices : undefined);
		config.set("answer", kind === "several" ? (right.length ? right : undefined) : right.length > 1 ? right : right[0]);
		if (config.has("kind") || kind !== this.implied(choices, right)) config.set("kind", kind);
		for (const name of ["tolerance", "unit"]) config.set(name, kind === "number" ? this[name] : undefined);
		this.on_change(key);
	}

	// Where a finding is shown: by its path in the config.
	slot_of([key, place]) {
		if (key === "choices" && typeof place === "number") {
			const filled = this.list.rows.filter((row) => !row.is_empty());
			return filled[place]?.problem || this.slots.choices;
		}
		return this.slots[key] || this.slots.answer;
	}

	focus() {
		this.kinds.focus();
	}

	destroy() {}
}
