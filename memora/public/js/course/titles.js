// Titles are typed straight into rows: of new rows (Enter: the next one; Tab and Shift+Tab: a level down or up), and of
// those that are there.
import { above, below, can_be_typed, change, KINDS, STAGE, text_of, words } from "./kinds";

let made = 0;

export class Titles {
	constructor(view) {
		this.view = view;
		this.draft = null; // {parent, after, kind}: where the next title goes
		this.element = null;
		this.renaming = "";
		this.names = new Map(); // what new rows are called since the server has named them
	}

	bind($tree) {
		$tree.on("keydown", "[data-draft]", (event) => this.on_draft_key(event));
		$tree.on("paste", "[data-draft]", (event) => this.on_paste(event));
		$tree.on("focusout", "[data-draft]", (event) => this.on_leave(event.currentTarget, () => this.close_draft(true)));
		$tree.on("keydown", "[data-rename]", (event) => this.on_rename_key(event));
		$tree.on("focusout", "[data-rename]", (event) => this.on_leave(event.currentTarget, () => this.end_rename(true)));
	}

	// A field that the page itself moves, or a window that is left, is not left.
	on_leave(input, done) {
		setTimeout(() => {
			const is_left = input.isConnected && document.activeElement !== input && document.hasFocus();
			if (is_left && !this.view.menu.is_open) done();
		});
	}

	get input() {
		return this.element && this.element.querySelector("[data-draft]");
	}

	// Opens the field for a new row below `parent`, behind `after` or as the last.
	async add(parent, after) {
		const { view } = this;
		const { outline } = view;
		const row = outline.row(parent);
		const kind = row && below(row.doctype);
		if (!row || !can_be_typed(kind)) return;
		if (!row.can_write) return view.fail(parent, __("You may not change this."));
		this.close_draft(true);
		await view.unfold(parent);
		const last = outline.children(parent).slice(-1)[0] || "";
		const behind = after === undefined ? last : after;
		if (kind === STAGE && !row.is_new) return view.stages.add(parent, behind);
		this.open(parent, behind, "");
	}

	open(parent, after, text) {
		const { view } = this;
		const { outline } = view;
		const kind = below(outline.row(parent).doctype);
		this.draft = { parent, after, kind };
		const element = view.tree.draft_element(kind, !outline.children(parent).length);
		if (this.element) this.element.remove();
		this.element = element;
		view.draw();
		this.input.value = text;
		this.input.focus({ preventScroll: true });
		element.scrollIntoView({ block: "nearest" });
	}

	close_draft(keep) {
		if (!this.draft) return;
		const text = this.input.value.trim();
		if (keep && text) this.commit(text);
		this.draft = null;
		this.element = null;
		this.view.draw();
	}

	on_draft_key(event) {
		event.stopPropagation(); // not a key of the tree
		const actions = {
			Enter: () => this.next(),
			Escape: () => this.leave(),
			Tab: () => this.shift(event.shiftKey ? -1 : 1),
		};
		if (event.originalEvent.isComposing || !actions[event.key]) return;
		event.preventDefault();
		actions[event.key]();
	}

	next() {
		const text = this.input.value.trim();
		if (!text) return this.leave();
		this.draft.after = this.commit(text);
		this.input.value = "";
		this.hint("");
		const { one, title } = words(this.draft.kind);
		this.input.placeholder = title;
		this.view.draw();
		this.element.scrollIntoView({ block: "nearest" });
		this.view.say(__("{0} added: {1}", [one, text]));
	}

	leave() {
		const { parent, after } = this.draft;
		this.draft = null;
		this.element = null;
		this.view.draw();
		this.view.tree.focus(after || parent);
	}

	// The row that is typed becomes a child of the one before it, or the next sibling of its parent.
	async shift(by) {
		const { view } = this;
		const { outline } = view;
		const { parent, after, kind } = this.draft;
		const text = this.input.value;
		const target = by > 0 ? after : (outline.row(parent) || {}).parent;
		const wanted = by > 0 ? below(kind) : above(kind);
		if (!wanted) return this.hint(__("Nothing goes below a stage."));
		if (!KINDS.indexOf(wanted)) return this.hint(__("Above a track there is only the course."));
		if (!target) return this.hint(words(wanted).place);
		if (by > 0) {
			await view.unfold(target);
			this.open(target, outline.children(target).slice(-1)[0] || "", text);
		} else {
			this.open(target, parent, text);
		}
	}

	hint(text) {
		this.element.querySelector(".memora-draft-hint").textContent = text;
	}

	// Several lines are several rows.
	on_paste(event) {
		const pasted = event.originalEvent.clipboardData.getData("text/plain");
		const lines = pasted.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
		if (lines.length < 2) return;
		event.preventDefault();
		for (const line of lines) {
			this.input.value += line;
			this.next();
		}
	}

	// The row is seen at once; the server names it in its turn.
	commit(title) {
		const { outline } = this.view;
		const { parent, after, kind } = this.draft;
		const row = {
			doctype: kind,
			name: `new-${++made}`,
			parent,
			title: title.slice(0, 140),
			children: 0,
			is_published: 0,
			is_new: true,
			can_write: 1,
		};
		outline.insert(row, after);
		const above_row = outline.row(parent);
		above_row.children += 1;
		this.send(row, after);
		return row.name;
	}

	// What a row that was new is called now.
	named(name) {
		return this.names.get(name) || name;
	}

	// A call's arguments where some of the places were new when it was meant.
	with_names(args) {
		const places = ["parent", "after", "before"].filter((key) => args[key]);
		return { ...args, ...Object.fromEntries(places.map((key) => [key, this.named(args[key])])) };
	}

	send(row, after) {
		const { view } = this;
		view.queue
			.add(() => {
				// Behind a row that was refused it goes behind what is before that.
				let before = this.named(after);
				while (before && (view.outline.row(before) || {}).is_new) before = view.outline.previous(before);
				const parent = this.named(row.parent);
				if ((view.outline.row(parent) || {}).is_new) throw new Error("parent");
				return change("add", { doctype: row.doctype, parent, title: row.title, after: before });
			})
			.then((saved) => this.saved(row, saved))
			.catch((error) => this.refused(row, after, error));
	}

	saved(row, saved) {
		const { view } = this;
		const { outline } = view;
		const { draft } = this;
		this.names.set(row.name, saved.name);
		outline.rename(row.name, { ...saved, children: (outline.row(row.name) || row).children });
		outline.remember();
		view.tree.rename(row.name, saved.name);
		if (draft && draft.parent === row.name) draft.parent = saved.name;
		if (draft && draft.after === row.name) draft.after = saved.name;
		const made_row = `${saved.doctype}:${saved.name}`;
		view.undo.push(__("Added: {0}", [saved.title]), "delete", { rows: [made_row], below: 0 });
		view.draw();
		view.refresh_soon();
	}

	refused(row, after, error) {
		const { view } = this;
		const text = error.message === "parent" ? __("What it belongs to was not saved.") : text_of(error);
		view.errors.set(row.name, { text, retry: true });
		view.again.set(row.name, () => this.send(row, after));
		view.draw();
	}

	rename(name) {
		const row = this.view.outline.row(name);
		if (!row || row.is_new || !row.can_write) return;
		this.close_draft(true);
		this.renaming = name;
		this.view.draw();
		const input = this.view.tree.nodes.get(name).querySelector("[data-rename]");
		input.focus();
		input.select();
	}

	on_rename_key(event) {
		event.stopPropagation();
		if (event.originalEvent.isComposing || !["Enter", "Escape"].includes(event.key)) return;
		event.preventDefault();
		this.end_rename(event.key === "Enter", true);
	}

	end_rename(keep, focus = false) {
		const { view } = this;
		const { outline } = view;
		const name = this.renaming;
		if (!name) return;
		const title = view.tree.nodes.get(name).querySelector("[data-rename]").value.trim();
		const row = outline.row(name);
		this.renaming = "";
		if (keep && title && title !== row.title) this.save_title(row, title);
		view.draw();
		if (focus) view.tree.focus(name);
	}

	save_title(row, title) {
		const { view } = this;
		const seen = row.title;
		row.title = title;
		view
			.change_rows([row.name], "set_title", { doctype: row.doctype, name: row.name, title, seen })
			.then((answer) => {
				if (!answer) return;
				const args = { doctype: row.doctype, name: row.name, title: seen, seen: answer.title };
				view.undo.push(__("Title changed: {0}", [answer.title]), "set_title", args);
			});
	}
}
