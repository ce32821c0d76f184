// What the toolbar and the keys do.
import { lift, setBlockType, toggleMark, wrapIn } from "prosemirror-commands";
import { liftListItem, sinkListItem, wrapInList } from "prosemirror-schema-list";
import { TextSelection } from "prosemirror-state";

import { schema } from "./schema";

const { nodes, marks } = schema;

// The elements that look alike; the first is what the editor writes.
export const KINDS = {
	bold: ["strong", "b"],
	italic: ["em", "i"],
	underline: ["u", "ins"],
	strike: ["s", "strike", "del"],
	code: ["code"],
	sub: ["sub"],
	sup: ["sup"],
};

export function has_mark(state, names) {
	const { from, $from, to, empty } = state.selection;
	if (empty) return names.some((name) => marks[name].isInSet(state.storedMarks || $from.marks()));
	return names.some((name) => state.doc.rangeHasMark(from, to, marks[name]));
}

export const toggle = (kind) => (state, dispatch) => {
	const names = KINDS[kind];
	const on = names.find((name) => has_mark(state, [name]));
	if (!on || names.length === 1) return toggleMark(marks[on || names[0]])(state, dispatch);
	const { from, to, empty } = state.selection;
	if (dispatch) {
		const { tr } = state;
		for (const name of names) empty ? tr.removeStoredMark(marks[name]) : tr.removeMark(from, to, marks[name]);
		dispatch(tr);
	}
	return true;
};

const within = (state, test) => {
	const { $from } = state.selection;
	for (let depth = $from.depth; depth > 0; depth--) {
		if (test($from.node(depth))) return { node: $from.node(depth), pos: $from.before(depth), depth };
	}
	return null;
};

export const around = (state, ...types) => within(state, (node) => types.includes(node.type.name));

// After a command: what left its list is a paragraph, what came into one is the item's own text.
export const tidied = (command) => (state, dispatch, view) =>
	command(state, dispatch && ((tr) => dispatch(tidy(tr))), view);

export function tidy(tr) {
	const { from, to } = tr.selection;
	const changes = [];
	tr.doc.nodesBetween(from, to, (node, pos, parent, place) => {
		const is_in_list = parent?.type === nodes.list_item;
		if (node.type === nodes.bare && !is_in_list && !parent.type.spec.tableRole)
			changes.push([pos, nodes.paragraph]);
		const { dir, lang, extra } = node.attrs;
		if (
			node.type === nodes.paragraph &&
			is_in_list &&
			!place &&
			parent.childCount === 1 &&
			!dir &&
			!lang &&
			!extra
		) {
			changes.push([pos, nodes.bare]);
		}
	});
	for (const [pos, type] of changes) tr.setNodeMarkup(pos, type, {});
	return tr;
}

export const set_block = (type, attrs) => setBlockType(nodes[type], attrs);

export const is_block = (state, type, attrs = {}) => {
	const { parent } = state.selection.$from;
	return parent.type.name === type && Object.entries(attrs).every(([name, value]) => parent.attrs[name] === value);
};

export const toggle_list = (name) => (state, dispatch) => {
	const list = around(state, "bullet_list", "ordered_list");
	if (!list) return tidied(wrapInList(nodes[name]))(state, dispatch);
	if (list.node.type.name === name) return outdent(state, dispatch);
	const { dir, lang } = list.node.attrs;
	if (dispatch) dispatch(state.tr.setNodeMarkup(list.pos, nodes[name], { dir, lang }));
	return true;
};

export const indent = sinkListItem(nodes.list_item);
export const outdent = tidied(liftListItem(nodes.list_item));

export const toggle_quote = (state, dispatch) =>
	around(state, "blockquote") ? lift(state, dispatch) : wrapIn(nodes.blockquote)(state, dispatch);

// Direction and language of each block of the selection: of the item or cell where the text has no element of its own.
export const set_attributes = (attributes) => (state, dispatch) => {
	const { from, to } = state.selection;
	const { tr } = state;
	const set = (pos, node, type = node.type) => tr.setNodeMarkup(pos, type, { ...node.attrs, ...attributes });
	state.doc.nodesBetween(from, to, (node, pos, parent) => {
		if (!node.isTextblock) return true;
		if (node.type !== nodes.bare) set(pos, node);
		else if ("dir" in parent.type.spec.attrs && parent.type !== nodes.blockquote && parent.type !== nodes.box)
			set(pos - 1, parent);
		else set(pos, node, nodes.paragraph);
		return false;
	});
	if (dispatch) dispatch(tr);
	return tr.docChanged;
};

// The direction of the block in which the selection starts; "auto" when it has none.
export function direction(state) {
	const { $from } = state.selection;
	for (let depth = $from.depth; depth > 0; depth--) {
		const { dir } = $from.node(depth).attrs;
		if (dir) return dir.toLowerCase();
	}
	return "auto";
}

export function insert(view, node) {
	view.dispatch(view.state.tr.replaceSelectionWith(node).scrollIntoView());
	view.focus();
}

export function insert_table(view, { rows, columns, header }) {
	const cells = (type) => Array.from({ length: columns }, () => type.createAndFill());
	const row = (_, place) =>
		nodes.table_row.create(
			{ part: header && !place ? "thead" : "tbody" },
			cells(header && !place ? nodes.table_header : nodes.table_cell)
		);
	const { from } = view.state.selection;
	insert(view, nodes.table.create(null, Array.from({ length: rows }, row)));
	view.dispatch(to_first_cell(view.state, from));
}

// From the last cell, where what is inserted leaves the cursor, to the first.
function to_first_cell(state, from) {
	let first = -1;
	state.doc.nodesBetween(Math.max(0, from - 1), state.doc.content.size, (node, pos) => {
		if (first < 0 && node.type === nodes.table && pos + node.nodeSize > from) first = pos;
		return first < 0;
	});
	return first < 0 ? state.tr : state.tr.setSelection(TextSelection.near(state.doc.resolve(first + 1)));
}

// A row that comes between those of the head belongs to it.
export function parts_in_order(state) {
	const { tr } = state;
	state.doc.descendants((table, pos) => {
		if (table.type !== nodes.table) return !table.isTextblock;
		let head = -1;
		table.forEach((row, _, place) => {
			if (row.attrs.part === "thead") head = place;
		});
		table.forEach((row, offset, place) => {
			if (place < head && row.attrs.part !== "thead")
				tr.setNodeMarkup(pos + 1 + offset, null, { ...row.attrs, part: "thead" });
		});
	});
	return tr.docChanged ? tr : null;
}

// The link around the cursor or the selection: { mark, from, to }.
export function link_at(state) {
	const { $from, from, to, empty } = state.selection;
	const mark = marks.a.isInSet($from.marks()) || (!empty && marks.a.isInSet($from.nodeAfter?.marks || []));
	if (!mark) return null;
	const parent = $from.parent;
	let start = $from.parentOffset;
	let end = start;
	parent.forEach((child, offset) => {
		const has = mark.isInSet(child.marks);
		if (has && offset <= $from.parentOffset && offset + child.nodeSize >= $from.parentOffset) {
			start = offset;
			end = offset + child.nodeSize;
		}
	});
	// Parts of one link that differ in other marks belong together.
	for (let grown = true; grown; ) {
		grown = false;
		parent.forEach((child, offset) => {
			if (!mark.isInSet(child.marks)) return;
			if (offset + child.nodeSize === start) [start, grown] = [offset, true];
			if (offset === end) [end, grown] = [offset + child.nodeSize, true];
		});
	}
	const found = { mark, from: $from.start() + start, to: $from.start() + end };
	return empty || (from >= found.from && to <= found.to) ? found : { mark, from, to };
}
