// Draws the outline as a tree (WAI-ARIA), each time only what differs: focus, what is typed and the page's place stay.
import { below, can_be_typed, STAGE, SUBJECT, words } from "./kinds";
import { adder_html, draft_html, node_class, row_html } from "./row";

const { html, put } = memora.publishing;

// Gives a list these children in this order, and moves only those that are elsewhere.
function arrange(list, wanted) {
	const kept = new Set(wanted);
	let cursor = list.firstElementChild;
	for (const element of wanted) {
		while (cursor && !kept.has(cursor)) cursor = dropped(cursor);
		if (cursor && cursor !== element && cursor.nextElementSibling === element) cursor = dropped(cursor);
		if (cursor === element) cursor = cursor.nextElementSibling;
		else list.insertBefore(element, cursor);
	}
	while (cursor) cursor = dropped(cursor);
}

function dropped(element) {
	const next = element.nextElementSibling;
	element.remove();
	return next;
}

function set(element, attributes) {
	for (const [name, value] of Object.entries(attributes)) {
		if (value == null) element.removeAttribute(name);
		else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
	}
}

// What a screen reader says of a row; its buttons are not part of it.
function spoken(row, state) {
	const { one, count } = words(row.doctype);
	const below_it = row.children && words(below(row.doctype)).count(row.children);
	const status = state ? state.label : row.is_published || row.doctype === STAGE ? "" : __("Draft");
	const level = row.level && memora.publishing.level(row.level);
	return [row.plan_title || row.title, count && one, status, level, below_it].filter(Boolean).join(", ");
}

export class Tree {
	constructor(view) {
		this.view = view;
		this.nodes = new Map();
		this.groups = new Map();
		this.adders = new Map();
		this.keys = new WeakMap(); // what each node was drawn from
		this.current = "";
		this.element = $('<ul class="memora-tree" role="tree" aria-multiselectable="true"></ul>')[0];
	}

	draw() {
		const { outline } = this.view;
		if (!outline.root) return;
		const held = this.element.contains(document.activeElement) && document.activeElement;
		this.drawn = new Set();
		set(this.element, { "aria-label": __("Outline of {0}", [outline.root.title]) });
		this.element.classList.toggle("is-flat", Boolean(outline.found));
		this.element.classList.toggle("is-choosing", outline.chosen.size > 0);
		if (outline.found) arrange(this.element, [...outline.found.keys()].map((name, at, all) => this.node(name, 1, at, all.length)));
		else arrange(this.element, [this.node(outline.subject, 1, 0, 1)]);
		for (const [name, node] of this.nodes) if (!this.drawn.has(name)) this.forget(name, node);
		if (!this.nodes.has(this.current)) this.current = outline.found ? [...outline.found.keys()][0] || "" : outline.subject;
		this.reach(this.current);
		if (held && !this.element.contains(document.activeElement)) this.hold(held);
	}

	// One row is reached by Tab.
	reach(name) {
		const [before, node] = [this.reached, this.nodes.get(name)];
		if (before && before !== node) set(before, { tabindex: -1 });
		if (node) set(node, { tabindex: 0 });
		this.reached = node;
	}

	// Focus goes back to where it was, or to its row.
	hold(held) {
		if (held.isConnected) return held.focus({ preventScroll: true });
		const node = this.nodes.get(this.current);
		if (node) node.focus({ preventScroll: true });
	}

	node(name, level, at, of) {
		const { outline } = this.view;
		const row = outline.row(name);
		let node = this.nodes.get(name);
		if (!node) {
			node = $('<li role="treeitem" tabindex="-1"><div class="memora-row"></div></li>')[0];
			node.dataset.name = name;
			this.nodes.set(name, node);
			this.view.live.watch_row(node);
		}
		this.drawn.add(name);
		const is_open = !outline.found && outline.is_open(name);
		const has_branch = !outline.found && Boolean(row.children || outline.is_open(name)) && row.doctype !== SUBJECT;
		node.dataset.kind = row.doctype;
		set(node, {
			class: this.class_of(row),
			"aria-level": level,
			"aria-posinset": at + 1,
			"aria-setsize": of,
			"aria-selected": outline.chosen.has(name),
			"aria-expanded": has_branch ? is_open : null,
			"aria-label": spoken(row, outline.states.get(name)),
		});
		this.paint(node, row, is_open);
		this.branch(node, row, level, is_open);
		return node;
	}

	class_of(row) {
		const { outline, pending, drag } = this.view;
		const flags = {
			"is-chosen": outline.chosen.has(row.name),
			"is-draft": !row.is_published && !row.is_new && row.title !== undefined && "is_published" in row,
			"is-hidden": row.hidden,
			"is-pending": row.is_new || pending.has(row.name),
			"is-locked": !row.can_write || row.is_new,
			"is-dragged": drag.name === row.name,
		};
		return [node_class(row), ...Object.keys(flags).filter((flag) => flags[flag])].join(" ");
	}

	paint(node, row, is_open) {
		const { outline, titles, errors, stages } = this.view;
		const renaming = titles.renaming === row.name;
		const flags = {
			is_open,
			is_flat: Boolean(outline.found),
			is_chosen: outline.chosen.has(row.name),
			state: outline.states.get(row.name),
			error: errors.get(row.name),
			is_unsaved: stages.unsaved.has(row.name),
			renaming,
		};
		const key = JSON.stringify([row, flags]);
		const drawn = this.keys.get(node);
		if (drawn && (drawn.key === key || (renaming && drawn.renaming))) return; // what is being typed stays
		this.keys.set(node, { key, renaming });
		put($(node.firstElementChild), row_html(row, flags));
	}

	branch(node, row, level, is_open) {
		const group = this.groups.get(row.name);
		if (!is_open) {
			if (group) this.close(row.name, group);
			return;
		}
		const { outline, titles, drag } = this.view;
		const list = group || this.group(row);
		if (list.parentElement !== node) node.append(list);
		const names = outline.children(row.name);
		const wanted = names.map((name, at) => this.node(name, level + 1, at, names.length));
		const { draft } = titles;
		if (draft && draft.parent === row.name) {
			const at = names.indexOf(draft.after) + 1;
			wanted.splice(draft.after && !at ? wanted.length : at, 0, titles.element);
		}
		if (outline.left_off[row.name]) wanted.push(this.note(row.name, outline.left_off[row.name]));
		const kind = below(row.doctype);
		if (row.can_write && can_be_typed(kind) && !row.is_new) wanted.push(this.adder(row.name, kind));
		arrange(list, wanted);
		if (!group) drag.attach(list);
	}

	group(row) {
		const list = $('<ul role="group"></ul>')[0];
		list.dataset.parent = row.name;
		list.dataset.kind = below(row.doctype);
		this.groups.set(row.name, list);
		return list;
	}

	adder(parent, kind) {
		if (!this.adders.has(parent)) {
			const item = $('<li role="none" class="memora-adder-item"></li>');
			put(item, adder_html(kind));
			item[0].dataset.parent = parent;
			this.adders.set(parent, item[0]);
		}
		return this.adders.get(parent);
	}

	note(parent, number) {
		const item = $('<li role="none" class="memora-adder-item"></li>');
		put(item, html`<span class="memora-note">${__("{0} more are not shown. Search by title to find them.", [number])}</span>`);
		return item[0];
	}

	draft_element(kind, is_first) {
		const item = $('<li role="none" class="memora-node memora-draft"></li>').addClass(node_class({ doctype: kind }));
		put(item, draft_html(kind, is_first));
		return item[0];
	}

	close(name, group) {
		this.view.drag.detach(group);
		group.remove();
		this.groups.delete(name);
		this.adders.delete(name);
	}

	forget(name, node) {
		const group = this.groups.get(name);
		if (group) this.close(name, group);
		this.view.live.leave_row(node);
		node.remove();
		this.nodes.delete(name);
	}

	// A new row has its name now; its element stays.
	rename(old, name) {
		const node = this.nodes.get(old);
		if (!node) return;
		this.nodes.delete(old);
		this.nodes.set(name, node);
		node.dataset.name = name;
		this.view.live.rename(old, name);
		if (this.current === old) this.current = name;
		for (const map of [this.groups, this.adders]) {
			const element = map.get(old);
			if (!element) continue;
			map.delete(old);
			map.set(name, element);
			element.dataset.parent = name;
		}
	}

	// Gives a row the keyboard, unless someone has gone on to type elsewhere while an answer was awaited.
	focus(name) {
		const node = this.nodes.get(name);
		if (!node) return;
		this.current = name;
		this.reach(name);
		if (!this.is_typing_elsewhere()) node.focus({ preventScroll: true });
		node.firstElementChild.scrollIntoView({ block: "nearest" });
		this.view.remember(name);
	}

	is_typing_elsewhere() {
		const { activeElement } = document;
		const is_ours = this.view.element.contains(activeElement) || activeElement.closest(".modal");
		return !is_ours && activeElement.matches("input, textarea, [contenteditable=true]");
	}

	// What a search or an empty course shows instead of rows.
	empty_html() {
		const { outline } = this.view;
		if (outline.found && !outline.found.size) return html`<p class="memora-empty">${__("No row is like that.")}</p>`;
		return "";
	}
}

