// Markup that a text keeps as it is written: MathML, and frames and films. Formulas are drawn by a copy of what is harmless
// in them; the others are never put into the page.
import { is_link } from "./addresses";
import { KEPT } from "./elements";

const MATHML = "http://www.w3.org/1998/Math/MathML";

const ELEMENTS = new Set(
	(
		"math maction maligngroup malignmark menclose merror mfenced mfrac mglyph mi mlabeledtr mlongdiv mmultiscripts mn mo mover " +
		"mpadded mphantom mprescripts mroot mrow ms mscarries mscarry msgroup msline mspace msqrt msrow mstack mstyle msub msubsup " +
		"msup mtable mtd mtext mtr munder munderover none semantics annotation"
	).split(" ")
);
const LOADS = /^(?:on|href$|src$|style$|action|xlink:|xml:base|definitionurl)/i;

// An inert document: nothing in it loads or runs.
export const inert = (markup) => new DOMParser().parseFromString(markup, "text/html");

const is_harmless = (element) =>
	element.namespaceURI === MATHML &&
	ELEMENTS.has(element.localName) &&
	[...element.attributes].every(({ name }) => !LOADS.test(name)) &&
	[...element.childNodes].every(
		(child) => child.nodeType === Node.TEXT_NODE || (child.nodeType === Node.ELEMENT_NODE && is_harmless(child))
	);

function only_element(markup) {
	const { body, head } = inert("<!doctype html><body>" + String(markup ?? "").trim());
	return body.childNodes.length === 1 && !head.childNodes.length ? body.firstElementChild : null;
}

function formula(markup) {
	const only = only_element(markup);
	return only && only.localName === "math" && is_harmless(only) ? only : null;
}

// Is this one formula, and nothing that loads, leads anywhere or runs?
export const is_math = (markup) => Boolean(formula(markup));

// An element that shows it; its text if the browser shall not draw it.
export function drawn(markup) {
	const found = formula(markup);
	const place = document.createElement("span");
	if (found) place.append(document.importNode(found, true));
	else place.textContent = inert(markup).body.textContent;
	return place;
}

// Nothing in it runs, or leads where no link may.
export const is_still = (element) =>
	[element, ...element.querySelectorAll("*")].every(
		(each) =>
			each.localName !== "script" &&
			[...each.attributes].every(
				({ name, value }) =>
					!/^(?:on|srcdoc$)/i.test(name) && (!/^(?:src|href|poster|data)$/i.test(name) || is_link(value))
			)
	);

// A frame or a film as a node's attributes, if it is one.
export function kept(markup) {
	const only = only_element(markup);
	return only && KEPT.includes(only.localName) && is_still(only) ? { markup, tag: only.localName } : null;
}
