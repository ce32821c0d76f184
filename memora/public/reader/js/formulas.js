// Formulas in texts, drawn by KaTeX, which is loaded for the first of them. MathML is the browser's own.

import { h } from "./dom.js?v=459e199b";
import { t } from "./i18n.js?v=f2e1dbaa";
import { whenNear } from "./near.js?v=bdf554d0";
import { drawn, pieces } from "./tex.js?v=bc94b97e";

const KATEX = "../../node_modules/katex/dist/katex.min.js?v=0.17.0";
const STYLE = "../../node_modules/katex/dist/katex.min.css?v=0.17.0";
const COLOURS = /\\(?:textcolor|color|f?colorbox)(?![a-z])/i;
// Where a text means itself.
const LITERAL = "code, pre, kbd, samp, tt, math, [data-left-out]";

const fresh = [];
let library;

// The elements of some markup, with its formulas in their places.
export function withFormulas(fragment) {
	if (!isLikely(fragment.textContent)) return fragment;
	fragment.normalize();
	const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
	const texts = [];
	for (let node = walker.nextNode(); node; node = walker.nextNode()) {
		if (node instanceof Text && isLikely(node.data) && !node.parentElement?.closest(LITERAL)) texts.push(node);
	}
	for (const text of texts) text.replaceWith(inText(text.data));
	return fragment;
}

// A plain text, with its formulas in their places.
export function inText(text) {
	const fragment = new DocumentFragment();
	// One by one: as arguments of one call they could be too many.
	for (const piece of isLikely(text) ? pieces(text) : [text]) fragment.append(piece.source ? formula(piece) : piece);
	return fragment;
}

const isLikely = (text) => text.includes("\\(") || text.includes("\\[");

function formula({ source, display, typed }) {
	const element = h(`span.formula${display ? ".is-display" : ""}`, { dir: "ltr" }, typed);
	library ??= loaded();
	library.then((katex) =>
		whenNear(element, () => {
			try {
				element.replaceChildren(drawn(katex, source, display));
				element.classList.toggle("is-coloured", COLOURS.test(source));
			} catch {
				element.append(h("span.formula-mark", { role: "img", "aria-label": t("brokenFormula"), title: t("brokenFormula") }, "⚠"));
				element.classList.add("is-broken");
			}
			settle(element);
		})
	);
	return element;
}

// What is wider than its place is moved in it, not the page. All that were drawn together are measured together.
function settle(element) {
	fresh.push(element);
	if (fresh.length > 1) return;
	requestAnimationFrame(async () => {
		await document.fonts.ready;
		const drawn = fresh.splice(0);
		const wide = drawn.filter((one) => one.getBoundingClientRect().width > room(one));
		for (const one of wide) one.classList.add("is-wide");
		const moved = drawn.filter((one) => one.clientWidth && one.scrollWidth > one.clientWidth);
		for (const one of moved) one.tabIndex = 0;
	});
}

// The width of the box around an element: what is in a line has none of its own.
function room(element) {
	for (let box = element.parentElement; box; box = box.parentElement) if (box.clientWidth) return box.clientWidth;
	return Infinity;
}

async function loaded() {
	const style = h("link", { rel: "stylesheet", href: new URL(STYLE, import.meta.url).href });
	const isStyled = new Promise((done, failed) => {
		style.addEventListener("load", done);
		style.addEventListener("error", failed);
	});
	document.head.append(style);
	try {
		await Promise.all([import(KATEX), isStyled]);
		return globalThis.katex;
	} catch {
		return undefined; // every formula stays as it was typed, with a mark
	}
}
