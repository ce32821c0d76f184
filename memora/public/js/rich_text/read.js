// HTML → a document. Strict: whatever the document cannot hold is named in `problems`, and then left out.
import { Fragment } from "prosemirror-model";
import { TableMap } from "prosemirror-tables";

import { is_link, is_picture } from "./addresses";
import { BLOCKS, BOXES, HEADINGS, JOINED, KEPT, KNOWN, MARKS } from "./elements";
import { inert, is_math, is_still } from "./safe";
import { schema } from "./schema";

const SPACE = "[ \\t\\n\\f\\r]+";
const SPACES = new RegExp(SPACE, "g");
const BLANK = new RegExp(`^(?:${SPACE})?$`);
const TEX = /\\\(([^]+?)\\\)|\\\[([^]+?)\\\]/g;
const LITERAL = new Set(["code", "kbd", "samp", "tt"]);
const NAME = /^[a-z_:][\w:.-]*$/i;
const RUNS = /^(?:on|srcdoc$)/i;
const PARTS = ["thead", "tbody", "tfoot"];
const INTEGER = /^-?(?:0|[1-9]\d{0,8})$/;
// What would not be inside <body> as it is written.
const OUTSIDE = /<!doctype|<\/?(?:html|head|body|frameset)(?=[\s/>])/i;

// → { doc, problems }: problems is empty when `doc` holds all of it.
export function read(html) {
	const reading = new Reading();
	const { body, head } = inert("<!doctype html><body>" + html);
	if (OUTSIDE.test(html)) reading.lose("<html>");
	if (head.childNodes.length) reading.lose("<head>");
	const blocks = reading.blocks(body);
	const doc = schema.nodes.doc.create(null, blocks.length ? blocks : [schema.nodes.paragraph.create()]);
	return { doc, problems: [...reading.problems] };
}

class Reading {
	problems = new Set();

	lose(what) {
		this.problems.add(what);
	}

	// The element's attributes: those of the document, and all others in `extra`.
	attributes(element) {
		const known = KNOWN[element.localName] || [];
		const found = { dir: null, lang: null, extra: null };
		const extra = [];
		for (const { name, value } of element.attributes) {
			if (RUNS.test(name) || !NAME.test(name)) this.lose(name);
			else if (name === "dir" || name === "lang" || known.includes(name)) found[name] = value;
			else extra.push([name, value]);
		}
		for (const name of ["start", "value", "colspan", "rowspan", "width", "height"]) {
			if (name in found && !INTEGER.test(found[name])) {
				extra.push([name, found[name]]);
				delete found[name];
			}
		}
		if (extra.length) found.extra = JSON.stringify(extra);
		return found;
	}

	// What has no place for attributes.
	none(element) {
		for (const { name } of element.attributes) this.lose(`<${element.localName} ${name}>`);
	}

	blocks(parent) {
		const found = [];
		let run = [];
		const flush = () => {
			const inline = settled(run);
			if (inline.length) found.push(schema.nodes.bare.create(null, Fragment.fromArray(inline)));
			run = [];
		};
		for (const child of parent.childNodes) {
			if (child.nodeType === Node.ELEMENT_NODE && this.is_block(child)) {
				flush();
				found.push(...this.block(child));
			} else {
				this.inline(child, [], run);
			}
		}
		flush();
		return found;
	}

	is_block(element) {
		const name = element.localName;
		if (BLOCKS.has(name)) return true;
		// Unknown ones are blocks if they hold some: only what is in them is taken.
		return (
			!MARKS.includes(name) &&
			!KEPT.includes(name) &&
			name !== "math" &&
			element.querySelector([...BLOCKS].join()) !== null
		);
	}

	block(element) {
		const name = element.localName;
		if (name === "p") return [this.text_block(schema.nodes.paragraph, element)];
		if (HEADINGS.includes(name))
			return [this.text_block(schema.nodes.heading, element, { level: HEADINGS.indexOf(name) + 1 })];
		if (name === "pre") return [this.pre(element)];
		if (name === "blockquote") return [this.holder(schema.nodes.blockquote, element)];
		if (BOXES.includes(name)) return [this.holder(schema.nodes.box, element, { tag: name })];
		if (name === "ul") return this.list(schema.nodes.bullet_list, element);
		if (name === "ol") return this.list(schema.nodes.ordered_list, element);
		if (name === "table") return this.table(element);
		if (name === "hr") return [schema.nodes.horizontal_rule.create(this.attributes(element))];
		this.lose(`<${name}>`);
		return this.blocks(element);
	}

	text_block(type, element, more = {}) {
		return type.create(
			{ ...this.attributes(element), ...more },
			Fragment.fromArray(settled(this.inlines(element)))
		);
	}

	holder(type, element, more = {}) {
		const blocks = this.blocks(element);
		return type.create(
			{ ...this.attributes(element), ...more },
			blocks.length ? blocks : [schema.nodes.bare.create()]
		);
	}

	pre(element) {
		const code = element.firstElementChild;
		const attributes = this.attributes(element);
		if (
			code?.localName === "code" &&
			element.childNodes.length === 1 &&
			!code.firstElementChild &&
			only_text(code)
		) {
			const language = /^language-([\w+#.-]+)$/.exec(code.getAttribute("class") || "")?.[1] ?? null;
			if (language) code.removeAttribute("class");
			const { dir, lang, extra } = this.attributes(code);
			if (dir || lang) this.lose("<code dir>");
			return schema.nodes.code_block.create({ ...attributes, language, inner: extra }, text_of(code.textContent));
		}
		const pieces = this.inlines(element);
		return schema.nodes.preformatted.create(
			attributes,
			Fragment.fromArray(
				pieces.flatMap(({ node, text, marks }) =>
					node ? [node.mark(marks)] : text ? [schema.text(text, marks)] : []
				)
			)
		);
	}

	list(type, element) {
		const items = [];
		for (const child of element.childNodes) {
			if (child instanceof Element && child.localName === "li")
				items.push(this.holder(schema.nodes.list_item, child));
			else this.stray(child);
		}
		if (!items.length) this.lose(`<${element.localName}>`);
		return items.length ? [type.create(this.attributes(element), items)] : [];
	}

	// Something between items or cells: only white space may be there.
	stray(node) {
		if (node.nodeType === Node.TEXT_NODE && BLANK.test(node.data)) return;
		this.lose(
			node.nodeType === Node.ELEMENT_NODE
				? `<${node.localName}>`
				: node.nodeType === Node.COMMENT_NODE
				? "<!-- -->"
				: node.data.trim()
		);
	}

	table(element) {
		const rows = [];
		let last = -1;
		for (const part of element.childNodes) {
			const place = part instanceof Element ? PARTS.indexOf(part.localName) : -1;
			if (place < 0) {
				this.stray(part);
				continue;
			}
			this.none(part);
			if (place <= last) this.lose(`<${PARTS[place]}>`);
			last = place;
			for (const row of part.childNodes) {
				if (row instanceof Element && row.localName === "tr") rows.push(this.row(row, PARTS[place]));
				else this.stray(row);
			}
		}
		if (!rows.length) {
			this.lose("<table>");
			return [];
		}
		const table = schema.nodes.table.create(this.attributes(element), rows);
		// Rows of unlike lengths, cells over each other: the editor would put them right.
		if (TableMap.get(table).problems) this.lose("<table>");
		return [table];
	}

	row(element, part) {
		const cells = [];
		for (const child of element.childNodes) {
			const name = child instanceof Element ? child.localName : "";
			if (name !== "td" && name !== "th") {
				this.stray(child);
				continue;
			}
			const type = name === "td" ? schema.nodes.table_cell : schema.nodes.table_header;
			const { colspan = "1", rowspan = "1" } = this.attributes(child);
			if (![colspan, rowspan].every((span) => Number(span) >= 1 && Number(span) <= 1000))
				this.lose(`<${name} colspan>`);
			cells.push(
				this.holder(type, child, {
					colspan: Math.min(1000, Math.max(1, Number(colspan))),
					rowspan: Math.min(1000, Math.max(1, Number(rowspan))),
				})
			);
		}
		return schema.nodes.table_row.create({ ...this.attributes(element), part }, cells);
	}

	inlines(element) {
		const run = [];
		for (const child of element.childNodes) this.inline(child, [], run);
		return run;
	}

	// Adds what a node is to a run of { text | node, marks }.
	inline(node, marks, run) {
		if (node.nodeType === Node.TEXT_NODE) {
			run.push({ text: node.data, marks });
			return;
		}
		if (node.nodeType !== Node.ELEMENT_NODE) {
			this.lose("<!-- -->");
			return;
		}
		const leaf = this.leaf(node);
		if (leaf) {
			run.push({ node: leaf, marks });
			return;
		}
		const inner = this.marked(node, marks);
		const before = run.length;
		for (const child of node.childNodes) this.inline(child, inner, run);
		// White space alone may vanish, and the element with it.
		if (run.slice(before).every((piece) => !piece.node && BLANK.test(piece.text)))
			this.lose(`<${node.localName}></${node.localName}>`);
	}

	leaf(element) {
		const name = element.localName;
		if (name === "br") return schema.nodes.hard_break.create({ extra: this.attributes(element).extra });
		if (name === "img") {
			const attributes = this.attributes(element);
			if (attributes.src && is_picture(attributes.src)) return schema.nodes.image.create(attributes);
		}
		if (name === "math" && is_math(element.outerHTML))
			return schema.nodes.math.create({ markup: element.outerHTML });
		if (KEPT.includes(name) && is_still(element)) {
			return schema.nodes.kept.create({ tag: name, markup: element.outerHTML });
		}
		return null;
	}

	marked(element, marks) {
		const name = element.localName;
		if (!MARKS.includes(name)) {
			this.lose(`<${name}>`);
			return marks;
		}
		const attributes = this.attributes(element);
		if (attributes.href != null && !is_link(attributes.href)) {
			this.lose("<a href=" + attributes.href.slice(0, 30) + ">");
			return marks;
		}
		const mark = schema.marks[name].create(attributes);
		if (mark.type.isInSet(marks)) this.lose(`<${name}><${name}>`);
		const before = element.previousSibling;
		if (!JOINED.has(name) && before instanceof Element && before.localName === name) {
			if (schema.marks[name].create(this.attributes(before)).eq(mark)) this.lose(`</${name}><${name}>`);
		}
		return mark.addToSet(marks);
	}
}

const only_text = (element) => [...element.childNodes].every((child) => child.nodeType === Node.TEXT_NODE);
const text_of = (text) => (text ? [schema.text(text)] : []);

// The nodes of a run, with white space as browsers show it, and formulas as nodes.
function settled(run) {
	const pieces = [];
	let after_space = true;
	for (const piece of run) {
		if (piece.node) {
			if (piece.node.type === schema.nodes.hard_break) trim_end(pieces);
			pieces.push(piece);
			after_space = piece.node.type === schema.nodes.hard_break;
			continue;
		}
		let text = piece.text.replace(SPACES, " ");
		if (after_space && text.startsWith(" ")) text = text.slice(1);
		if (!text) continue;
		after_space = text.endsWith(" ");
		pieces.push({ ...piece, text });
	}
	trim_end(pieces);
	return pieces.flatMap(({ node, text, marks }) => (node ? [node.mark(marks)] : with_formulas(text, marks)));
}

function trim_end(pieces) {
	const last = pieces[pieces.length - 1];
	if (!last?.text?.endsWith(" ")) return;
	last.text = last.text.slice(0, -1);
	if (!last.text) pieces.pop();
}

// A text as nodes: what is \(…\) or \[…\] in it is a formula.
export function with_formulas(text, marks) {
	if (marks.some((mark) => LITERAL.has(mark.type.name))) return [schema.text(text, marks)];
	const found = [];
	let end = 0;
	for (const { 0: whole, 1: inline, 2: display, index } of text.matchAll(TEX)) {
		if (index > end) found.push(schema.text(text.slice(end, index), marks));
		found.push(schema.nodes.formula.create({ source: inline ?? display, display: display != null }, null, marks));
		end = index + whole.length;
	}
	if (end < text.length) found.push(schema.text(text.slice(end), marks));
	return found;
}
