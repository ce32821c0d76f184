// The fields of a stage of one type.
import { h, icon } from "./dom";
import { Field } from "./field";
import { fields_of, keys_of, LANGUAGES } from "./types";
import { UploadError } from "./upload";
import { UploadLine } from "./upload_line";

export class Form {
	config;
	dir;
	on_change;
	read_only;
	type;
	upload;

	// on_change(key) is called after each edit. `upload(kind)` gives a function that uploads a file, or null.
	/** @param {Record<string, any>} options */
	constructor({ type, config, read_only = false, dir = null, upload = () => null, on_change }) {
		Object.assign(this, { type, config, read_only, dir, upload, on_change });
		this.fields = new Map();
		this.running = new Set(); // files on their way
		this.element = h("div.memora-stage-fields");
		for (const spec of fields_of(type)) {
			const place = h(`div.memora-stage-place${spec.is_half ? ".is-half" : ""}`, { "data-place": spec.key });
			this.element.append(place);
			if (this.is_shown(spec)) this.show(spec, place);
		}
		this.more = h("div.memora-stage-more");
		const languages = h("datalist", { id: "memora-stage-languages" }, LANGUAGES.map((name) => h("option", { value: name })));
		this.element.append(this.more, languages);
		this.draw_more();
	}

	// The direction of the stage's texts: its own, else the course's.
	get text_dir() {
		const own = this.type === "Text" && this.config.get("dir");
		return ["ltr", "rtl"].includes(own) ? own : null;
	}

	is_shown({ key, is_more, is_rare }) {
		if (this.config.has(key)) return true;
		if (key === "html") return !this.config.has("text");
		return !is_more && !is_rare;
	}

	show(spec, place = this.element.querySelector(`:scope > [data-place="${spec.key}"]`)) {
		const field = new Field(spec, this);
		this.fields.set(spec.key, field);
		place.append(field.element);
		return field;
	}

	// What may be added, as buttons.
	draw_more() {
		const rest = this.read_only ? [] : fields_of(this.type).filter((spec) => (spec.is_more || spec.key === "html") && !this.fields.has(spec.key));
		this.more.replaceChildren(
			...rest.map((spec) =>
				h("button.memora-stage-chip", { type: "button", "data-add": spec.key, onclick: () => this.add(spec) }, icon("add"), ` ${spec.label}`)
			)
		);
	}

	add(spec) {
		const field = this.show(spec);
		this.draw_more();
		field.element.scrollIntoView({ block: "nearest" });
		field.focus();
	}

	changed(key) {
		this.on_change(key);
	}

	// Texts run in another direction now.
	turn(dir) {
		for (const { input, spec } of this.fields.values()) if (spec.kind === "rich") input?.set_dir(dir || null);
	}

	// An input for the address of a file, with a button where files of this kind can be uploaded.
	with_upload(input, kind) {
		const send = kind && !this.read_only && this.upload(kind);
		return send ? new UploadLine(input, { kind, send, wait: (sent) => this.wait(sent) }) : input;
	}

	wait(sent) {
		this.running.add(sent);
		sent.catch(() => {}).finally(() => this.running.delete(sent));
	}

	// What is typed and not yet told.
	flush() {
		for (const { input } of this.fields.values()) input?.flush?.();
	}

	// Once what is being uploaded has come. Rejects if some of it has not, so that no file is left out unawares.
	async ready() {
		const readies = [...this.fields.values()].map(({ input }) => input?.ready?.());
		try {
			await Promise.all([...readies, ...this.running]);
		} catch (error) {
			const words = error?.name === "UploadError" ? error.message : __("The file could not be uploaded.");
			throw new UploadError(`${words} ${__("Nothing is saved yet. Save again to save it without this file.")}`);
		}
	}

	// Keys that this form does not know, which stay as they are.
	get own_keys() {
		const known = keys_of(this.type);
		return this.config.keys.filter((key) => !known.includes(key));
	}

	field_of(key) {
		return [...this.fields.values()].find(({ spec }) => (spec.keys || [spec.key]).includes(key));
	}

	focus() {
		[...this.fields.values()][0]?.focus();
	}

	destroy() {
		for (const { input } of this.fields.values()) input?.destroy();
		this.element.remove();
	}
}
