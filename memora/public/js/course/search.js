// Rows by title, or by what they lack, as a flat list in place of the tree; and below it lessons by their texts.
import { read } from "./kinds";
import { search_texts } from "./text_search";

export class Search {
	constructor(view) {
		this.view = view;
		this.text = "";
		this.only = "";
		this.left_off = 0;
		this.texts = null; // lessons by their texts, where a text is searched
	}

	get is_active() {
		return Boolean(this.text.trim() || this.only);
	}

	// What is found, by name; the tree draws it while it is not null.
	async ask() {
		const { outline } = this.view;
		const args = { subject: outline.subject, text: this.text.trim(), only: this.only, plan: outline.plan };
		const [{ rows, left_off }, texts] = await Promise.all([
			read("find", args),
			this.only ? null : search_texts(this.text, outline.subject),
		]);
		Object.assign(this, { left_off, texts });
		return new Map(rows.map((row) => [row.name, row]));
	}

	set(what) {
		Object.assign(this, what);
		this.view.selection.clear();
		return this.view.refresh();
	}

	clear() {
		return this.set({ text: "", only: "" });
	}

	// Leaves the search, for the place of what was found.
	async reveal(name) {
		const { outline, tree } = this.view;
		const { path = [] } = outline.row(name);
		for (const parent of path) if (parent !== name) outline.open.add(parent);
		outline.remember();
		await this.clear();
		tree.focus(name);
	}
}
