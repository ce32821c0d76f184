// The keys of the outline: a tree as WAI-ARIA describes it, and what editors do.
import { show_keys } from "./help";

export class Keyboard {
	constructor(view) {
		this.view = view;
		this.on_key = (event) => this.pressed(event);
		this.on_paste = (event) => this.pasted(event);
	}

	// Heard before Frappe's own keys, and only while the outline is seen.
	start() {
		document.addEventListener("keydown", this.on_key, true);
		document.addEventListener("paste", this.on_paste);
	}

	stop() {
		document.removeEventListener("keydown", this.on_key, true);
		document.removeEventListener("paste", this.on_paste);
	}

	// Whether keys are the outline's now: not while one types, or while something lies over it.
	is_ours(target) {
		const { element } = this.view;
		if (!$(element).is(":visible") || this.view.menu.is_open || $(".modal.show").length) return false;
		if (target.closest && target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return false;
		return target === document.body || element.contains(target);
	}

	pressed(event) {
		if (!this.is_ours(event.target)) return;
		const is_in_tree = this.view.tree.element.contains(event.target) || event.target === document.body;
		const run = this.command(event) || (is_in_tree ? this.key(event) : null) || this.page_key(event);
		if (!run) return;
		event.preventDefault();
		event.stopPropagation();
		run();
	}

	page_key(event) {
		if (event.ctrlKey || event.metaKey || event.altKey) return null;
		if (event.key === "/") return () => this.view.bar.focus_search();
		if (event.key === "?") return () => show_keys();
		return null;
	}

	command(event) {
		if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
		const { actions, clipboard, tree, undo } = this.view;
		const name = tree.current;
		if (!name || window.getSelection().toString()) return null;
		const keys = {
			KeyZ: () => undo.run(),
			KeyC: () => clipboard.copy(actions.these(name)),
			KeyX: () => clipboard.copy(actions.these(name), true),
			KeyD: () => actions.duplicate(actions.these(name)),
			KeyA: () => this.view.selection.all(),
		};
		// Ctrl+V arrives as the browser's own `paste`, which alone may read what others have copied.
		return event.shiftKey ? null : keys[event.code] || null;
	}

	key(event) {
		const { view } = this;
		const { actions, moves, outline, selection, titles, tree } = view;
		const name = tree.current;
		const row = outline.row(name);
		if (!row || event.ctrlKey || event.metaKey) return null;
		const is_button = event.target.closest("button, a") && event.target.closest("li");
		if (is_button && ["Enter", " "].includes(event.key)) return null;
		const [forward, back] = frappe.utils.is_rtl() ? ["ArrowLeft", "ArrowRight"] : ["ArrowRight", "ArrowLeft"];
		if (event.altKey) {
			return { ArrowUp: () => moves.by(name, -1), ArrowDown: () => moves.by(name, 1) }[event.key] || null;
		}
		if (event.key === "F10" && event.shiftKey) return () => this.open_menu(name);
		const keys = {
			ArrowDown: () => this.step(1, event.shiftKey),
			ArrowUp: () => this.step(-1, event.shiftKey),
			Home: () => this.step(-Infinity, event.shiftKey),
			End: () => this.step(Infinity, event.shiftKey),
			[forward]: () => this.forward(name),
			[back]: () => this.back(name),
			"*": () => this.unfold_siblings(name),
			Enter: () => actions.open(name),
			F2: () => titles.rename(name),
			Insert: () => actions.add_beside(name),
			"+": () => actions.add_beside(name),
			" ": () => selection.toggle(name),
			Delete: () => actions.delete(actions.these(name)),
			Escape: () => view.escape(),
			ContextMenu: () => this.open_menu(name),
		};
		if (event.code === "KeyN" && !event.shiftKey) return () => actions.add_beside(name);
		if (event.code === "KeyP" && !event.shiftKey) return () => actions.preview(name);
		return keys[event.key] || null;
	}

	step(by, extends_choice) {
		const { outline, selection, tree } = this.view;
		const names = outline.visible();
		const at = Math.min(names.length - 1, Math.max(0, names.indexOf(tree.current) + by));
		if (extends_choice) selection.to(names[at]);
		tree.focus(names[at]);
	}

	forward(name) {
		const { outline, tree } = this.view;
		const row = outline.row(name);
		if (outline.found || !row.children) return null;
		if (!outline.is_open(name)) return this.view.unfold(name);
		return tree.focus(outline.children(name)[0]);
	}

	back(name) {
		const { outline, tree } = this.view;
		if (outline.found) return null;
		if (outline.is_open(name) && name !== outline.subject) return this.view.fold(name);
		return tree.focus(outline.row(name).parent);
	}

	async unfold_siblings(name) {
		const { outline } = this.view;
		for (const each of outline.siblings(name)) if (outline.row(each).children) outline.open.add(each);
		outline.remember();
		await this.view.refresh();
	}

	open_menu(name) {
		const node = this.view.tree.nodes.get(name);
		this.view.menu.open(name, { under: node.querySelector("[data-action=menu]") || node.firstElementChild });
	}

	pasted(event) {
		if (!this.is_ours(event.target)) return;
		event.preventDefault();
		this.view.clipboard.paste(this.view.tree.current, event.clipboardData.getData("text/plain"));
	}
}
