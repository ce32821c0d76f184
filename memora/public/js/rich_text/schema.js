// What a text consists of. Every node and mark carries `dir`, `lang`, and in `extra` the attributes that the editor has no
// use for: they are written back, and never reach the page.
import { Schema } from "prosemirror-model";

import { is_link, is_picture, loaded } from "./addresses";
import { BOXES, HEADINGS, MARKS } from "./elements";
import { drawn, is_math, kept } from "./safe";

const common = { dir: { default: null }, lang: { default: null }, extra: { default: null } };

// An attribute that is not there is not drawn.
const present = (attributes) => Object.fromEntries(Object.entries(attributes).filter(([, value]) => value != null));
const shared = ({ attrs }) => present({ dir: attrs.dir, lang: attrs.lang });
// As in the reader, each block runs as its first letters do unless someone said otherwise.
const block = (node, more = {}) => ({ dir: "auto", ...shared(node), ...present(more) });
const read = (dom, more = {}) => ({ dir: own_dir(dom), lang: dom.getAttribute("lang"), ...more });
const own_dir = (dom) => (/^(ltr|rtl)$/i.test(dom.getAttribute("dir") || "") ? dom.getAttribute("dir") : null);
const number = (dom, name) => (/^-?\d+$/.test(dom.getAttribute(name) || "") ? dom.getAttribute(name) : null);

const text_block = (tag) => ({
	group: "block",
	content: "inline*",
	attrs: common,
	parseDOM: [{ tag, getAttrs: (dom) => read(dom) }],
	toDOM: (node) => [tag, block(node), 0],
});

const cell = (tag, role) => ({
	content: "(bare|block)+",
	tableRole: role,
	isolating: true,
	attrs: { ...common, colspan: { default: 1 }, rowspan: { default: 1 }, colwidth: { default: null } },
	parseDOM: [
		{
			tag,
			getAttrs: (dom) =>
				read(dom, {
					colspan: Number(number(dom, "colspan")) || 1,
					rowspan: Number(number(dom, "rowspan")) || 1,
				}),
		},
	],
	toDOM: (node) => [
		tag,
		block(node, {
			colspan: node.attrs.colspan === 1 ? null : node.attrs.colspan,
			rowspan: node.attrs.rowspan === 1 ? null : node.attrs.rowspan,
		}),
		0,
	],
});

const atom = { group: "inline", inline: true, atom: true, draggable: true };

/** @type {Record<string, any>} */
const nodes = {
	doc: { content: "(block|bare)+" },
	paragraph: text_block("p"),
	heading: {
		...text_block("h2"),
		defining: true,
		attrs: { ...common, level: { default: 2 } },
		parseDOM: HEADINGS.map((tag, place) => ({ tag, getAttrs: (dom) => read(dom, { level: place + 1 }) })),
		toDOM: (node) => [`h${node.attrs.level}`, block(node), 0],
	},
	code_block: {
		group: "block",
		content: "text*",
		marks: "",
		code: true,
		defining: true,
		attrs: { ...common, language: { default: null }, inner: { default: null } },
		parseDOM: [
			{ tag: "pre", preserveWhitespace: "full", getAttrs: (dom) => read(dom, { language: language_of(dom) }) },
		],
		toDOM: (node) => [
			"pre",
			{ dir: "ltr", ...shared(node), class: "memora-rt-code", "data-language": node.attrs.language || "" },
			["code", {}, 0],
		],
	},
	// <pre> with more than text in it.
	preformatted: {
		group: "block",
		content: "inline*",
		whitespace: "pre",
		defining: true,
		attrs: common,
		parseDOM: [
			{ tag: "pre[data-memora-pre]", preserveWhitespace: "full", priority: 60, getAttrs: (dom) => read(dom) },
		],
		toDOM: (node) => ["pre", { dir: "ltr", ...shared(node), "data-memora-pre": "" }, 0],
	},
	blockquote: {
		group: "block",
		content: "(block|bare)+",
		defining: true,
		attrs: common,
		parseDOM: [{ tag: "blockquote", getAttrs: (dom) => read(dom) }],
		toDOM: (node) => ["blockquote", shared(node), 0],
	},
	bullet_list: {
		group: "block list",
		content: "list_item+",
		attrs: common,
		parseDOM: [{ tag: "ul", getAttrs: (dom) => read(dom) }],
		toDOM: (node) => ["ul", shared(node), 0],
	},
	ordered_list: {
		group: "block list",
		content: "list_item+",
		attrs: { ...common, start: { default: null } },
		parseDOM: [{ tag: "ol", getAttrs: (dom) => read(dom, { start: number(dom, "start") }) }],
		toDOM: (node) => ["ol", { ...shared(node), ...present({ start: node.attrs.start }) }, 0],
	},
	list_item: {
		content: "(bare|block)+",
		defining: true,
		attrs: { ...common, value: { default: null } },
		parseDOM: [{ tag: "li", getAttrs: (dom) => read(dom, { value: number(dom, "value") }) }],
		toDOM: (node) => ["li", block(node, { value: node.attrs.value }), 0],
	},
	box: {
		group: "block",
		content: "(block|bare)+",
		attrs: { ...common, tag: { default: "div" } },
		parseDOM: BOXES.slice(1).map((tag) => ({ tag, getAttrs: (dom) => read(dom, { tag }) })),
		// <details> would hide what is in it.
		toDOM: (node) => ["div", { ...shared(node), class: "memora-rt-box", "data-tag": node.attrs.tag }, 0],
	},
	table: {
		group: "block",
		content: "table_row+",
		tableRole: "table",
		isolating: true,
		attrs: common,
		parseDOM: [{ tag: "table", getAttrs: (dom) => read(dom) }],
		toDOM: (node) => ["table", shared(node), ["tbody", 0]],
	},
	table_row: {
		content: "(table_cell|table_header)*",
		tableRole: "row",
		attrs: { ...common, part: { default: "tbody" } },
		parseDOM: [
			{
				tag: "tr",
				getAttrs: (dom) => read(dom, { part: dom.parentElement?.localName === "thead" ? "thead" : "tbody" }),
			},
		],
		toDOM: (node) => ["tr", { ...shared(node), "data-part": node.attrs.part }, 0],
	},
	table_cell: cell("td", "cell"),
	table_header: cell("th", "header_cell"),
	horizontal_rule: { group: "block", attrs: common, parseDOM: [{ tag: "hr" }], toDOM: () => ["hr"] },
	// Text that is in its element without one of its own: <li>text</li>.
	bare: {
		content: "inline*",
		attrs: {},
		parseDOM: [{ tag: "div.memora-rt-bare" }],
		toDOM: () => ["div", { class: "memora-rt-bare", dir: "auto" }, 0],
	},
	text: { group: "inline" },
	hard_break: {
		group: "inline",
		inline: true,
		selectable: false,
		attrs: { extra: { default: null } },
		parseDOM: [{ tag: "br" }],
		toDOM: () => ["br"],
		leafText: () => "\n",
	},
	image: {
		...atom,
		attrs: {
			...common,
			src: { default: "" },
			alt: { default: null },
			title: { default: null },
			width: { default: null },
			height: { default: null },
			pending: { default: null },
		},
		parseDOM: [
			{
				tag: "img[src], span[data-src]",
				getAttrs: (dom) =>
					is_picture(dom.getAttribute("data-src") || dom.getAttribute("src")) &&
					read(dom, {
						src: dom.getAttribute("data-src") || dom.getAttribute("src"),
						alt: dom.getAttribute("alt"),
						title: dom.getAttribute("title"),
						width: number(dom, "width"),
						height: number(dom, "height"),
					}),
			},
		],
		toDOM: ({ attrs }) => {
			const { alt, title, width, height } = attrs;
			const src = loaded(attrs.src);
			return src
				? [
						"img",
						{
							src,
							class: "memora-rt-image",
							"data-src": attrs.src,
							...present({ alt, title, width, height }),
						},
				  ]
				: [
						"span",
						{ class: "memora-rt-chip", "data-src": attrs.src, ...present({ alt, title }) },
						`🖼 ${alt || attrs.src || "…"}`,
				  ];
		},
	},
	formula: {
		...atom,
		attrs: { source: { default: "" }, display: { default: false } },
		parseDOM: [
			{
				tag: "span[data-memora-formula]",
				getAttrs: (dom) => ({
					source: dom.getAttribute("data-memora-formula"),
					display: dom.hasAttribute("data-display"),
				}),
			},
		],
		toDOM: ({ attrs: { source, display } }) => [
			"span",
			{
				class: "memora-rt-formula",
				dir: "ltr",
				"data-memora-formula": source,
				...(display ? { "data-display": "" } : {}),
			},
			source,
		],
		leafText: ({ attrs }) => tex(attrs),
	},
	math: {
		...atom,
		attrs: { markup: {} },
		parseDOM: [
			{
				tag: "span[data-memora-math]",
				getAttrs: (dom) => checked(dom.getAttribute("data-memora-math")),
			},
			{ tag: "math", getAttrs: (dom) => checked(dom.outerHTML) },
		],
		toDOM: ({ attrs }) => [
			"span",
			{ class: "memora-rt-math", "data-memora-math": attrs.markup },
			drawn(attrs.markup),
		],
	},
	// A film, a frame: shown as a word, never loaded.
	kept: {
		...atom,
		attrs: { markup: {}, tag: {} },
		parseDOM: [
			{ tag: "span[data-memora-kept]", getAttrs: (dom) => kept(dom.getAttribute("data-memora-kept")) || false },
		],
		toDOM: ({ attrs }) => ["span", { class: "memora-rt-chip", "data-memora-kept": attrs.markup }, `▶ ${attrs.tag}`],
	},
};

/** @returns {import("prosemirror-model").MarkSpec} */
const mark = (tag) => ({
	attrs: { ...common, ...(tag === "a" ? { href: { default: null }, title: { default: null } } : {}) },
	inclusive: tag !== "a",
	code: tag === "code",
	parseDOM: [
		tag === "a"
			? {
					tag: "a[href]",
					getAttrs: (dom) =>
						is_link(dom.getAttribute("href")) &&
						read(dom, { href: dom.getAttribute("href"), title: dom.getAttribute("title") }),
			  }
			: {
					tag,
					getAttrs: (dom) =>
						tag === "span" && !own_dir(dom) && !dom.getAttribute("lang") ? false : read(dom),
			  },
	],
	toDOM: (instance) => {
		const { href, title } = instance.attrs;
		return [
			tag,
			{ ...shared(instance), ...present({ title, href: href != null && is_link(href) ? href : null }) },
			0,
		];
	},
});

export const schema = new Schema({
	nodes,
	marks: /** @type {Record<string, any>} */ (Object.fromEntries(MARKS.map((tag) => [tag, mark(tag)]))),
});

// A formula as it is written in a text.
/** @param {Record<string, any>} attributes */
export const tex = ({ source, display }) => (display ? `\\[${source}\\]` : `\\(${source}\\)`);

const checked = (markup) => (is_math(markup) ? { markup } : false);

// The language of a block of code: of class="language-…" on <code>, or on <pre>.
export function language_of(pre) {
	const named = pre.querySelector?.('code[class*="language-"]') || pre;
	return (
		/(?:^|\s)language-([\w+#.-]+)/.exec(named.getAttribute("class") || "")?.[1] ?? (pre.dataset?.language || null)
	);
}
