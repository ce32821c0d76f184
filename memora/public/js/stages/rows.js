// The rows of lists in a stage: captions, files, tests, and plain names or code.
import { fresh_id, h } from "./dom";
import { Line, Lines, Rich } from "./inputs";

const is_text = (value) => typeof value === "string";
const is_object = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const has = (...keys) => (value) => is_object(value) && keys.every((key) => value[key] === undefined || is_text(value[key]));

// Each: whether a value fits, and what its row is made of. `set(value)` notes the row's value.
export const ROWS = {
	name: { fits: is_text, make: (value, set, options) => text_row(value, set, options, {}) },
	code: { fits: is_text, make: (value, set, options) => text_row(value, set, options, { is_code: true, rows: 4 }) },
	caption: { fits: has("src", "lang", "label"), make: caption_row },
	file: { fits: has("name", "content", "language", "before", "after"), make: file_row },
	test: { fits: (value) => is_text(value) || has("text", "code")(value), make: test_row },
};

function text_row(value, set, { one, read_only }, look) {
	const input = new Lines({ value, label: one, read_only, may_be_empty: true, ...look, on_change: set });
	return { parts: [input.element], focus: () => input.focus(), is_empty: () => !input.value().trim() };
}

// The fields of an object: what it holds beside them stays.
class Parts {
	constructor(value, set) {
		this.value = { ...value };
		this.set = set;
		this.inputs = [];
	}

	// A labelled input of one key.
	field(key, label, Input, options = {}) {
		const id = fresh_id();
		const input = new Input({
			id,
			value: this.value[key],
			label,
			...options,
			on_change: (typed) => {
				if (typed === undefined) delete this.value[key];
				else this.value[key] = typed;
				this.set(this.value);
			},
		});
		this.inputs.push(input);
		return h("div.memora-stage-part", { "data-part": key }, h("label", { for: id }, label), input.element, options.beside);
	}

	row(parts) {
		return {
			parts,
			focus: () => this.inputs[0].focus(),
			is_empty: () => Object.values(this.value).every((one) => one === undefined || (is_text(one) && !one.trim())),
			flush: () => this.inputs.forEach((input) => input.flush?.()),
			destroy: () => this.inputs.forEach((input) => input.destroy()),
		};
	}
}

function caption_row(value, set, { read_only, form }) {
	const of = new Parts(value, set);
	const src = of.field("src", __("File (WebVTT)"), Line, { dir: "ltr", read_only, placeholder: "https://… .vtt" });
	src.append(form.with_upload(of.inputs[0], "captions").element);
	return of.row([
		h("div.memora-stage-line", {}, src),
		h(
			"div.memora-stage-line",
			{},
			of.field("lang", __("Language code, like ar"), Line, { dir: "ltr", read_only, placeholder: "ar" }),
			of.field("label", __("Learners choose it by"), Line, { read_only, placeholder: "العربية" })
		),
	]);
}

function file_row(value, set, { read_only }) {
	const of = new Parts({ name: "", content: "", ...value }, set);
	const more = ["before", "after"].filter((key) => of.value[key] !== undefined);
	const words = { before: __("Code that runs before"), after: __("Code that runs after") };
	return of.row([
		h(
			"div.memora-stage-line",
			{},
			of.field("name", __("Name"), Line, { dir: "ltr", read_only, placeholder: "main.py" }),
			of.field("language", __("Language"), Line, { dir: "ltr", read_only, list: "memora-stage-languages", placeholder: "python" })
		),
		of.field("content", __("Content"), Lines, { is_code: true, may_be_empty: true, rows: 4, read_only }),
		more.map((key) => of.field(key, words[key], Lines, { is_code: true, rows: 2, read_only })),
	]);
}

const HTML = /[<&]/;
const as_markup = (text) => text && memora.publishing.esc(text);

// A test's words are markup; those without any are typed as they are.
function test_row(value, set, { read_only }) {
	const of = new Parts(is_text(value) ? { text: value } : value, set);
	const is_markup = HTML.test(of.value.text || "");
	const words = is_markup
		? of.field("text", __("What is tested"), Rich, { read_only })
		: of.field("text", __("What is tested"), Marked, { read_only });
	return of.row([words, of.field("code", __("Code of the test"), Lines, { is_code: true, read_only })]);
}

class Marked extends Lines {
	constructor(options) {
		super({ ...options, on_change: (text) => options.on_change(as_markup(text)) });
	}
}
