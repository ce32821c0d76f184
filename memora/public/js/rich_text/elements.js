// The elements that the editor knows. Whatever else a text holds opens as source.

// Marks, from the outermost in. Each is written as the element that it was.
export const MARKS = [
	"a",
	"bdo",
	"bdi",
	"span",
	"q",
	"cite",
	"dfn",
	"abbr",
	"ins",
	"del",
	"mark",
	"strong",
	"b",
	"em",
	"i",
	"u",
	"s",
	"strike",
	"big",
	"small",
	"sub",
	"sup",
	"var",
	"samp",
	"kbd",
	"tt",
	"code",
];

// Two of these side by side look like one.
export const JOINED = new Set([
	"span",
	"strong",
	"b",
	"em",
	"i",
	"u",
	"s",
	"strike",
	"big",
	"small",
	"sub",
	"sup",
	"ins",
	"del",
]);

// Elements that only hold others.
export const BOXES = [
	"div",
	"section",
	"article",
	"aside",
	"header",
	"footer",
	"nav",
	"address",
	"figure",
	"figcaption",
	"dl",
	"dt",
	"dd",
	"details",
	"summary",
];

// Kept as they are written, shown as a word; the reader decides what it shows of them.
export const KEPT = ["iframe", "video", "audio"];

export const HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"];

export const BLOCKS = new Set(["p", ...HEADINGS, "pre", "blockquote", "ul", "ol", "li", "table", "hr", ...BOXES]);

export const VOID = new Set([
	"area",
	"base",
	"br",
	"col",
	"embed",
	"hr",
	"img",
	"input",
	"link",
	"meta",
	"param",
	"source",
	"track",
	"wbr",
]);

// Attributes with a place of their own in the document, by element. All others wait in `extra`, unseen by the page.
export const KNOWN = {
	a: ["href", "title"],
	img: ["src", "alt", "title", "width", "height"],
	ol: ["start"],
	li: ["value"],
	td: ["colspan", "rowspan"],
	th: ["colspan", "rowspan"],
};
