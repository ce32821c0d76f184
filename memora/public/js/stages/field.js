// One field of a stage's form: a label, what it is typed into, and what the check says about it.
import { Answer } from "./answer";
import { fresh_id, h } from "./dom";
import { formula_button } from "./formula_button";
import { Line, Lines, Moment, Rich, Switch } from "./inputs";
import { List } from "./list";
import { LONGEST } from "../long_text";
import { ROWS } from "./rows";

const MOST_ROWS = 200;
const SHORT = 600; // letters of JSON, which more rows than that have

const is_text = (value) => typeof value === "string";

const FITS = {
	line: is_text,
	lines: is_text,
	code: is_text,
	rich: is_text,
	moment: (value) => typeof value === "number",
	direction: (value) => ["ltr", "rtl"].includes(value),
};

export class Field {
	form;
	id;
	spec;

	constructor(spec, form) {
		Object.assign(this, { spec, form, id: fresh_id() });
		this.findings = h("div.memora-stage-findings");
		this.element = h("div.memora-stage-field", { "data-field": spec.key });
		this.draw();
	}

	get config() {
		return this.form.config;
	}

	// Why it cannot be shown as a field: "" if it can.
	problem() {
		const { key, kind, row } = this.spec;
		if (kind === "answer") return Answer.problem(this.config);
		if (!this.config.has(key)) return "";
		if (kind !== "rich" && this.config.size(key) > 2 * LONGEST) return "long";
		const value = this.config.get(key);
		if (kind !== "rows") return FITS[kind](value) ? "" : "other";
		if (!Array.isArray(value) || !value.every(ROWS[row].fits)) return "other";
		return value.length > MOST_ROWS ? "long" : "";
	}

	draw() {
		this.input?.destroy();
		this.input = null;
		const problem = this.problem();
		const { kind, label, help } = this.spec;
		if (!problem) this.input = this.made();
		const words = [label, help && !problem ? h("span.memora-stage-help", {}, help) : null];
		const is_one = ["line", "lines", "code", "moment"].includes(kind) && !problem;
		const title = is_one ? h("label.memora-stage-label", { for: this.id }, words) : h("div.memora-stage-label", {}, words);
		const has_button = this.spec.has_formulas && !problem && !this.form.read_only;
		const head = has_button ? h("div.memora-stage-head-line", {}, title, formula_button(this.input.element)) : title;
		this.element.replaceChildren(
			kind === "answer" && !problem ? "" : head,
			problem ? this.note(problem) : this.input.element,
			this.findings
		);
	}

	// What the form cannot show stays as it is.
	note(problem) {
		const words =
			problem === "long"
				? __("This is too long to be edited here. It stays as it is.")
				: __("This is not what the form knows here. It stays as it is; Raw JSON shows it.");
		const again = h("button.btn.btn-default.btn-xs", { type: "button", onclick: () => this.begin_again() }, __("Begin Again"));
		return h("div.memora-stage-note", {}, words, this.form.read_only ? null : [" ", again]);
	}

	begin_again() {
		for (const key of this.spec.keys || [this.spec.key]) this.config.set(key, undefined);
		this.draw();
		this.form.changed(this.spec.key);
		this.focus();
	}

	set(value) {
		this.config.set(this.spec.key, value);
		this.told(this.spec.key);
	}

	// Someone has changed it: perhaps into what the form cannot show any more.
	told(key) {
		const keys = this.spec.keys || [this.spec.key];
		const may_be_long = this.spec.kind !== "rich" && keys.some((each) => this.config.size(each) > SHORT);
		if (may_be_long && this.problem() === "long") {
			this.draw();
			this.element.querySelector("button")?.focus();
		}
		this.form.changed(key);
	}

	made() {
		const { key, kind } = this.spec;
		const { read_only } = this.form;
		const options = { ...this.spec, id: this.id, value: this.config.get(key), read_only, on_change: (value) => this.set(value) };
		const kinds = {
			line: () => this.with_upload(new Line({ ...options, label: "" })),
			lines: () => new Lines({ ...options, label: "" }),
			code: () => new Lines({ ...options, label: "", is_code: true, rows: 6 }),
			moment: () => new Moment({ ...options, label: "" }),
			rich: () => new Rich({ ...options, dir: this.form.text_dir, upload: this.form.upload("image") }),
			direction: () => this.direction(options),
			rows: () => this.list(options),
			answer: () => new Answer(this.config, { read_only, on_change: (changed) => this.told(changed) }),
		};
		return kinds[kind]();
	}

	// A button beside what may be a file of this computer.
	with_upload(input) {
		return this.form.with_upload(input, this.spec.upload);
	}

	direction(options) {
		const choices = [
			[undefined, __("As each paragraph")],
			["ltr", __("Left to right")],
			["rtl", __("Right to left")],
		];
		const on_change = (value) => {
			this.set(value);
			this.form.turn(value);
		};
		return new Switch({ ...options, choices, on_change });
	}

	list({ value = [], row, one, add, read_only }) {
		const values = value.length || read_only ? value : [undefined];
		const list = new List({
			values,
			one,
			add_label: add,
			read_only,
			make: (given, made) => {
				made.value = given;
				const set = (typed) => {
					made.value = typed;
					this.take(list);
				};
				return ROWS[row].make(given ?? (row === "name" || row === "code" ? "" : {}), set, { one, read_only, form: this.form });
			},
			on_change: () => this.take(list),
		});
		return list;
	}

	// Rows in which nothing was typed are none.
	take(list) {
		const filled = list.rows.filter((each) => each.value !== undefined && !each.is_empty()).map((each) => each.value);
		this.set(filled.length ? filled : undefined);
	}

	// Where a finding is shown.
	slot_of(path) {
		if (this.input instanceof Answer) return this.input.slot_of(path) || this.findings;
		if (this.spec.kind !== "rows" || typeof path[1] !== "number" || !this.input) return this.findings;
		const filled = this.input.rows.filter((each) => !each.is_empty());
		return filled[path[1]]?.problem || this.findings;
	}

	focus() {
		this.input?.focus();
	}
}
