// The toolbar: one tab stop, arrow keys within it, a name and its keys for each button.
import { redo, undo } from "prosemirror-history";
import * as tables from "prosemirror-tables";

import * as commands from "./commands";
import { KINDS } from "./commands";
import { icon } from "./icons";
import { Menu } from "./menu";
import { schema } from "./schema";

const mac = /Mac|iPhone|iPad/.test(navigator.platform);
const spelled = (keys) => (mac ? keys.replace("Ctrl+", "⌘").replace("Alt+", "⌥").replace("Shift+", "⇧") : keys);

const mark = (kind, sign, label, keys) => ({
	sign,
	label,
	keys,
	kind,
	run: commands.toggle(kind),
	on: (state) => commands.has_mark(state, KINDS[kind]),
});

const turn = (sign, dir, label) => ({
	sign,
	label,
	run: (state, dispatch) =>
		commands.set_attributes({ dir: commands.direction(state) === dir ? null : dir })(state, dispatch),
	on: (state) => commands.direction(state) === dir,
});

// Groups of buttons. `editor` has what asks: link(), picture() …
const groups = (editor) => [
	[
		{ sign: "undo", label: __("Undo"), keys: "Ctrl+Z", run: undo, may: undo },
		{ sign: "redo", label: __("Redo"), keys: "Ctrl+Shift+Z", run: redo, may: redo },
	],
	[{ menu: styles, label: __("Style") }],
	[
		mark("bold", "B", __("Bold"), "Ctrl+B"),
		mark("italic", "I", __("Italic"), "Ctrl+I"),
		mark("underline", "U", __("Underline"), "Ctrl+U"),
		mark("strike", "S", __("Strikethrough"), "Ctrl+Shift+X"),
		mark("sub", "x₂", __("Subscript"), "Ctrl+,"),
		mark("sup", "x²", __("Superscript"), "Ctrl+."),
		mark("code", "code", __("Code within text"), "Ctrl+E"),
		{ sign: "clear", label: __("Clear formatting"), run: clear },
	],
	[
		{
			sign: "link",
			label: __("Link"),
			keys: "Ctrl+K",
			ask: editor.link,
			on: (state) => Boolean(commands.link_at(state)),
		},
		{ sign: "picture", label: __("Picture"), ask: editor.picture },
		{ sign: "∑", label: __("Formula"), keys: "Ctrl+Alt+M", ask: editor.formula },
		{ menu: table_menu, label: __("Table"), sign: "table" },
		{ sign: "rule", label: __("Dividing line"), run: rule },
	],
	[
		{
			sign: "bullets",
			label: __("Bulleted list"),
			keys: "Ctrl+Shift+8",
			run: commands.toggle_list("bullet_list"),
			on: (state) => commands.around(state, "bullet_list", "ordered_list")?.node.type.name === "bullet_list",
		},
		{
			sign: "numbers",
			label: __("Numbered list"),
			keys: "Ctrl+Shift+7",
			run: commands.toggle_list("ordered_list"),
			on: (state) => commands.around(state, "bullet_list", "ordered_list")?.node.type.name === "ordered_list",
		},
		{ sign: "outdent", label: __("Less indent"), keys: "Ctrl+[", run: commands.outdent, may: commands.outdent },
		{ sign: "indent", label: __("More indent"), keys: "Ctrl+]", run: commands.indent, may: commands.indent },
		{
			sign: "quote",
			label: __("Quote"),
			keys: "Ctrl+Shift+9",
			run: commands.toggle_quote,
			on: (state) => Boolean(commands.around(state, "blockquote")),
		},
	],
	[
		turn("ltr", "ltr", __("Left to right")),
		turn("rtl", "rtl", __("Right to left")),
		{ sign: "language", label: __("Language"), ask: editor.language },
	],
	[{ sign: "HTML", label: __("Source"), ask: editor.to_source }],
];

function styles(state) {
	const style = (label, type, attrs, keys) => ({
		label,
		keys,
		on: commands.is_block(state, type, attrs),
		run: commands.set_block(type, attrs),
	});
	return [
		style(__("Paragraph"), "paragraph", undefined, "Ctrl+Alt+0"),
		...[1, 2, 3, 4, 5, 6].map((level) =>
			style(__("Heading {0}", [level]), "heading", { level }, `Ctrl+Alt+${level}`)
		),
		style(__("Code"), "code_block", undefined, "Ctrl+Alt+C"),
	];
}

function table_menu(state, editor) {
	if (!tables.isInTable(state)) return [{ label: __("Insert table"), ask: editor.table }];
	const item = (label, run) => ({ label, run, may: run });
	return [
		item(__("Row above"), tables.addRowBefore),
		item(__("Row below"), tables.addRowAfter),
		item(__("Column before"), tables.addColumnBefore),
		item(__("Column after"), tables.addColumnAfter),
		item(__("Header cells: row"), tables.toggleHeader("row")),
		item(__("Header cells: column"), tables.toggleHeader("column")),
		item(__("Header cell"), tables.toggleHeaderCell),
		item(__("Merge cells"), tables.mergeCells),
		item(__("Split cell"), tables.splitCell),
		item(__("Delete row"), tables.deleteRow),
		item(__("Delete column"), tables.deleteColumn),
		item(__("Delete table"), tables.deleteTable),
	];
}

function clear(state, dispatch) {
	const { from, to } = state.selection;
	if (dispatch) dispatch(state.tr.removeMark(from, to).setStoredMarks([]));
	return true;
}

function rule(state, dispatch) {
	if (dispatch) dispatch(state.tr.replaceSelectionWith(schema.nodes.horizontal_rule.create()).scrollIntoView());
	return true;
}

export class Toolbar {
	#items = [];

	constructor(editor) {
		this.editor = editor;
		this.dom = document.createElement("div");
		this.dom.className = "memora-rt-toolbar";
		this.dom.setAttribute("role", "toolbar");
		this.dom.setAttribute("aria-label", __("Formatting"));
		for (const group of groups(editor)) {
			const place = document.createElement("div");
			place.className = "memora-rt-group";
			place.setAttribute("role", "group");
			place.append(...group.map((item) => this.#button(item)));
			this.dom.append(place);
		}
		this.#stop(this.#items[0].button);
		this.dom.addEventListener("keydown", (event) => this.#key(event));
		this.dom.addEventListener("focusin", (event) => this.#stop(event.target));
	}

	#button(item) {
		const button = document.createElement("button");
		button.type = "button";
		button.dataset.stop = "";
		button.tabIndex = -1;
		button.setAttribute("aria-label", item.label);
		button.title = item.keys ? `${item.label} (${spelled(item.keys)})` : item.label;
		if (item.kind) button.dataset.kind = item.kind;
		if (item.sign) button.append(icon(item.sign));
		// The cursor stays where it is.
		button.addEventListener("mousedown", (event) => event.preventDefault());
		if (item.menu) {
			item.popup = new Menu(
				button,
				item.label,
				() => item.menu(this.editor.view.state, this.editor),
				this.editor
			);
			button.dataset.menu = "";
		} else {
			button.addEventListener("click", () => this.#run(item));
			if (item.on) button.setAttribute("aria-pressed", "false");
		}
		this.#items.push({ item, button });
		return button;
	}

	#run(item) {
		const { view } = this.editor;
		if (item.ask) return item.ask();
		item.run(view.state, view.dispatch, view);
		view.focus();
	}

	// What is on, and what can't be done here.
	update(state) {
		for (const { item, button } of this.#items) {
			if (item.on) button.setAttribute("aria-pressed", String(item.on(state)));
			// Stays reachable by the arrow keys, so that its name can be heard.
			if (item.may) button.setAttribute("aria-disabled", String(!item.may(state)));
			if (item.menu === styles) {
				const now = styles(state).find(({ on }) => on);
				button.textContent = now ? now.label : item.label;
				button.setAttribute("aria-label", `${item.label}: ${button.textContent}`);
			}
		}
	}

	focus() {
		this.#items.find(({ button }) => button.tabIndex === 0).button.focus();
	}

	#stop(button) {
		if (!this.#items.some(({ button: known }) => known === button)) return;
		for (const { button: other } of this.#items) other.tabIndex = other === button ? 0 : -1;
	}

	#key(event) {
		const buttons = this.#items.map(({ button }) => button);
		const place = buttons.indexOf(event.target);
		if (place < 0) return;
		const forward = getComputedStyle(this.dom).direction === "rtl" ? -1 : 1;
		const steps = { ArrowRight: forward, ArrowLeft: -forward };
		let next = null;
		if (event.key in steps) next = (place + steps[event.key] + buttons.length) % buttons.length;
		else if (event.key === "Home") next = 0;
		else if (event.key === "End") next = buttons.length - 1;
		else if (event.key === "Escape") {
			event.stopPropagation();
			return this.editor.view.focus();
		}
		if (next === null) return;
		event.preventDefault();
		buttons[next].focus();
	}

	destroy() {
		for (const { item } of this.#items) item.popup?.close();
	}
}
