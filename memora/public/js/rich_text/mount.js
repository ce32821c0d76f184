// The editor: rich text where it can give a text back as it was, its source where it can't.
import { dropCursor } from "prosemirror-dropcursor";
import { gapCursor } from "prosemirror-gapcursor";
import { history } from "prosemirror-history";
import { EditorState, NodeSelection, Plugin } from "prosemirror-state";
import { fixTables, tableEditing } from "prosemirror-tables";
import { EditorView } from "prosemirror-view";

import { clean } from "./clean";
import { parts_in_order } from "./commands";
import * as dialogs from "./dialogs";
import { keys, typing } from "./keys";
import { with_long } from "./long_paste";
import { Pictures } from "./pictures";
import { SourceView } from "./source_view";
import { Sources, open } from "./sources";
import { Toolbar } from "./toolbar";
import { write } from "./write";

const OURS = /<[^>]+\sdata-pm-slice=/i;

// An editor for a text in an element of the Desk. Options: `html`; `dir` of the whole; `label`, its name for those who do
// not see it; on_change(), called after each edit; upload(file) → a promise of the address of a picture's file.
// get_html() is `html` byte by byte until someone edits it, and each block stays so until someone edits that.
export function mount(element, options = {}) {
	const editor = new RichText(element, options);
	return {
		get_html: () => editor.get_html(),
		set_dir: (dir) => editor.set_dir(dir),
		focus: () => editor.focus(),
		// Settles when the pictures that are being uploaded have come; rejects if one has not.
		ready: () => editor.pictures.ready(),
		destroy: () => editor.destroy(),
		get is_source() {
			return Boolean(editor.source);
		},
	};
}

class RichText {
	is_leaving = false; // the next Tab leaves the editor
	passing = null; // the key that is for the Desk, too

	constructor(element, { html = "", dir = null, label = __("Text"), on_change = () => {}, upload = null }) {
		this.label = label;
		this.on_change = on_change;
		this.pictures = new Pictures(upload);
		this.dom = document.createElement("div");
		this.dom.className = "memora-rt";
		// What the editor has done with a key is not for the Desk: Ctrl+B, Ctrl+K, Escape.
		this.dom.addEventListener(
			"keydown",
			(event) => event.defaultPrevented && event !== this.passing && event.stopPropagation()
		);
		element.append(this.dom);
		frappe.require("memora_rich_text.bundle.css");
		this.link = () => dialogs.link(this.view, this.pictures);
		this.formula = () => dialogs.formula(this.view);
		this.table = () => dialogs.table(this.view);
		this.language = () => dialogs.language(this.view);
		this.picture = () => dialogs.picture(this.view, this.pictures);
		this.to_source = this.to_source.bind(this);
		this.set_dir(dir);
		this.open(String(html ?? ""));
	}

	get_html() {
		return this.source ? this.source.get_html() : this.sources.write(this.view.state.doc);
	}

	set_dir(dir) {
		this.dom.querySelector(".ProseMirror")?.setAttribute("dir", dir || "auto");
		this.dir = dir;
	}

	focus() {
		(this.source || this.view).focus();
	}

	destroy() {
		this.#clear();
		this.dom.remove();
	}

	// Rich, if nothing of the text would be lost.
	open(html) {
		const { doc, sources, problems } = open(html);
		if (sources) this.#show_rich(doc, sources);
		else this.#show_source(html, { problems });
	}

	to_source() {
		this.#show_source(this.get_html());
		this.focus();
	}

	#clear() {
		this.toolbar?.destroy();
		this.view?.destroy();
		this.toolbar = this.view = this.source = null;
		this.dom.replaceChildren();
	}

	#show_source(html, { problems = [] } = {}) {
		this.#clear();
		this.source = new SourceView({ html, problems, label: this.label, on_change: this.on_change });
		this.source.on_rich = () => this.#from_source();
		this.dom.append(this.source.dom);
	}

	// From source to rich text: at once if nothing is lost, else after a question.
	#from_source() {
		const html = this.source.get_html();
		const { doc, sources, problems } = open(html);
		if (sources) {
			this.#show_rich(doc, sources);
			return this.focus();
		}
		this.source.say(problems);
		const after = doc && without_loss(doc);
		if (!after) return;
		dialogs.confirm_loss({
			words: this.source.words(problems),
			before: html,
			after: after.write(after.doc),
			done: () => {
				this.#show_rich(after.doc, after);
				this.on_change();
				this.focus();
			},
		});
	}

	#show_rich(doc, sources) {
		this.#clear();
		this.sources = sources;
		this.toolbar = new Toolbar(this);
		this.dom.append(this.toolbar.dom);
		this.view = new EditorView(this.dom, {
			state: EditorState.create({ doc, plugins: this.#plugins() }),
			attributes: {
				role: "textbox",
				"aria-multiline": "true",
				"aria-label": this.label,
				"aria-description": __("Alt+F10 goes to the toolbar. After Escape, Tab leaves the text."),
				class: "memora-rt-text",
				dir: this.dir || "auto",
			},
			handleKeyDown: (_, event) => this.#key(event),
			handlePaste: (view, event) =>
				!event.clipboardData.getData("text/html") && this.pictures.take(view, event.clipboardData.files),
			handleDrop: (view, event) => this.#drop(view, event),
			transformPastedHTML: (html) => (OURS.test(html) ? html : clean(html)),
			transformPasted: (slice, view) => this.pictures.taken_from(view, slice),
			handleDoubleClickOn: (view, _, node, pos) => {
				if (!node.isAtom || !node.isInline) return false;
				view.dispatch(view.state.tr.setSelection(NodeSelection.create(view.state.doc, pos)));
				return this.#edit(node);
			},
			handleDOMEvents: {
				// Before ProseMirror reads it.
				paste: ({ state: { selection } }, event) =>
					this.#take_long(event, event.clipboardData, selection.from, selection.to),
				drop: (view, event) => {
					if (view.dragging) return false; // what is moved within it
					const at = view.posAtCoords({ left: event.clientX, top: event.clientY });
					return Boolean(at) && this.#take_long(event, event.dataTransfer, at.pos, at.pos);
				},
				click: (_, event) =>
					event.target instanceof Element && event.target.closest("a") && event.preventDefault(),
			},
			dispatchTransaction: (tr) => this.#dispatch(tr),
		});
		this.toolbar.update(this.view.state);
	}

	#plugins() {
		return [
			...keys(this),
			typing(),
			history(),
			dropCursor(),
			gapCursor(),
			tableEditing({ allowTableNodeSelection: true }),
			new Plugin({
				appendTransaction: (trs, _, state) =>
					trs.some((tr) => tr.docChanged) ? this.pictures.fill(state) || parts_in_order(state) : null,
			}),
		];
	}

	#dispatch(tr) {
		this.view.updateState(this.view.state.apply(tr));
		this.toolbar.update(this.view.state);
		if (tr.docChanged) this.on_change();
	}

	to_toolbar() {
		this.toolbar.focus();
	}

	// The first Escape lets Tab leave the text; a dialog around it closes with the second.
	#key(event) {
		if (event.key === "Escape" && !this.is_leaving) {
			this.is_leaving = true;
			return true;
		}
		this.passing = event.key === "Escape" ? event : null; // ProseMirror takes each of them
		if (event.key !== "Tab" && event.key !== "Shift") this.is_leaving = false;
		if (event.key === "Enter" && this.#edit(selected(this.view.state))) return true;
		return false;
	}

	// What is edited in a dialog; false if it is not.
	#edit(node) {
		const name = node?.type.name;
		if (name === "image") this.picture();
		else if (name === "formula" || name === "math") this.formula();
		else return false;
		return true;
	}

	// What is dropped besides text: pictures. Another file would be opened in place of the page.
	#drop(view, event) {
		const at = view.posAtCoords({ left: event.clientX, top: event.clientY });
		const { files } = event.dataTransfer || {};
		if (!files?.length) return false;
		event.preventDefault();
		if (at && this.pictures.take(view, files, at.pos)) return true;
		frappe.show_alert({ message: __("Only pictures can be dropped here. Another file goes into a link."), indicator: "orange" });
		return true;
	}

	// A text that would freeze the page becomes source; true if it was one.
	#take_long(event, data, from, to) {
		const html = with_long(this.view.state.doc, data, from, to);
		if (!html) return false;
		event.preventDefault();
		const before = this.get_html();
		this.#show_source(html, { problems: ["long"] });
		this.source.offer_back(() => {
			this.open(before);
			this.on_change();
			this.focus();
		});
		this.on_change();
		return true;
	}
}

// The node that is selected as a whole.
const selected = ({ selection }) => (selection instanceof NodeSelection ? selection.node : null);

// What would be left of a text after a loss; null if that cannot be shown either.
function without_loss(doc) {
	try {
		const fixed = fixTables(EditorState.create({ doc }))?.doc ?? doc;
		fixed.check();
		return new Sources(write(fixed), fixed);
	} catch {
		return null;
	}
}
