// A document → HTML: short, predictable, one block a line.
import { KNOWN } from "./elements";
import { tex } from "./schema";

const text = (value) =>
	value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\u00a0", "&nbsp;");
const quoted = (value) =>
	String(value).replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("\u00a0", "&nbsp;");

const BLOCKS = {
	paragraph: () => "p",
	heading: (node) => `h${node.attrs.level}`,
	preformatted: () => "pre",
	blockquote: () => "blockquote",
	bullet_list: () => "ul",
	ordered_list: () => "ol",
	list_item: () => "li",
	box: (node) => node.attrs.tag,
	table_row: () => "tr",
	table_cell: () => "td",
	table_header: () => "th",
};
const NO_DEFAULT = new Set(["colspan", "rowspan"]);

export const write = (doc) => (is_empty(doc) ? "" : written(doc).join("\n"));

const is_empty = ({ childCount, firstChild: { type, content } }) =>
	childCount === 1 && ["paragraph", "bare"].includes(type.name) && !content.size;

// Each of a node's blocks. Two texts without an element of their own would be one: the second gets one.
export function written(parent) {
	const found = [];
	parent.forEach((node, _, place) => {
		const follows = node.type.name === "bare" && place > 0 && parent.child(place - 1).type.name === "bare";
		found.push(follows ? "<p>" + inline(node) + "</p>" : block(node));
	});
	return found;
}

function attributes(node, names = []) {
	const { dir, lang, extra } = node.attrs;
	const found = names
		.filter((name) => node.attrs[name] != null && !(NO_DEFAULT.has(name) && node.attrs[name] === 1))
		.map((name) => [name, node.attrs[name]]);
	if (dir != null) found.push(["dir", dir]);
	if (lang != null) found.push(["lang", lang]);
	if (extra) found.push(...JSON.parse(extra));
	return found.map(([name, value]) => ` ${name}="${quoted(value)}"`).join("");
}

function block(node) {
	const name = node.type.name;
	if (name === "bare") return inline(node);
	if (name === "horizontal_rule") return "<hr" + attributes(node) + ">";
	if (name === "code_block") return code(node);
	if (name === "table") return table(node);
	const tag = BLOCKS[name](node);
	const start = "<" + tag + attributes(node, KNOWN[tag]) + ">";
	return start + content(node) + "</" + tag + ">";
}

function content(node) {
	if (node.type.name === "preformatted") return kept_line(inline(node));
	if (node.isTextblock) return inline(node);
	const blocks = written(node);
	const alone = blocks.length === 1 && node.firstChild.isTextblock;
	if (alone) return blocks[0];
	return `${node.firstChild.type.name === "bare" ? "" : "\n"}${blocks.join("\n")}\n`;
}

function code(node) {
	const { language, inner } = node.attrs;
	const named = language ? ` class="${quoted(`language-${language}`)}"` : "";
	const more = inner
		? JSON.parse(inner)
				.map(([name, value]) => ` ${name}="${quoted(value)}"`)
				.join("")
		: "";
	return "<pre" + attributes(node) + "><code" + named + more + ">" + text(node.textContent) + "</code></pre>";
}

// HTML leaves out a line break right after <pre>.
const kept_line = (html) => (html.startsWith("\n") ? `\n${html}` : html);

function table(node) {
	const parts = [];
	node.forEach((row) => {
		const { part } = row.attrs;
		if (parts[parts.length - 1]?.part !== part) parts.push({ part, rows: [] });
		parts[parts.length - 1].rows.push(block(row));
	});
	const inner = parts.map(({ part, rows }) => "<" + part + ">\n" + rows.join("\n") + "\n</" + part + ">");
	return "<table" + attributes(node) + ">\n" + inner.join("\n") + "\n</table>";
}

// The mark that reaches furthest is the outermost: <code>n<sub>i</sub></code> stays one piece of code.
function inline(parent) {
	let html = "";
	const open = [];
	const close_to = (count) => {
		while (open.length > count) html += `</${open.pop().type.name}>`;
	};
	parent.forEach((node, _, place) => {
		if (node.attrs.pending) return;
		let same = 0;
		while (same < open.length && open[same].isInSet(node.marks)) same++;
		close_to(same);
		const opening = node.marks
			.filter((mark) => !mark.isInSet(open))
			.map((mark) => ({ mark, end: reach(parent, place, mark) }));
		for (const { mark } of opening.sort((one, other) => other.end - one.end)) {
			html += "<" + mark.type.name + attributes(mark, KNOWN[mark.type.name]) + ">";
			open.push(mark);
		}
		html += leaf(node);
	});
	close_to(0);
	return html;
}

function reach(parent, place, mark) {
	let end = place + 1;
	while (end < parent.childCount && mark.isInSet(parent.child(end).marks)) end++;
	return end;
}

function leaf(node) {
	switch (node.type.name) {
		case "text":
			return text(node.text);
		case "hard_break":
			return "<br" + attributes(node) + ">";
		case "image":
			return "<img" + attributes(node, KNOWN.img) + ">";
		case "formula":
			return text(tex(node.attrs));
		default:
			return node.attrs.markup;
	}
}
