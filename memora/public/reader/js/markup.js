// Markup that an editor wrote, made harmless by DOMPurify. Without it markup is shown as text.
//
// Harmless HTML and MathML are shown as written. What cannot be shown leaves a word in its place.

import { address, base } from "./cdn.js?v=1813956c";
import { link, parse } from "./course.js?v=b9f200e3";
import { h } from "./dom.js?v=459e199b";
import { isEmbedded, player } from "./films.js?v=fb20175a";
import { highlight } from "./highlight.js?v=2877ceb4";
import { t } from "./i18n.js?v=f2e1dbaa";

const PURIFY = "../../node_modules/dompurify/dist/purify.min.js?v=3.4.18";
const RULES = {
	USE_PROFILES: { html: true, mathMl: true },
	ADD_TAGS: ["semantics", "annotation", "maction", "none", "rb", "rtc"],
	ADD_ATTR: ["abbr", "alttext", "arg", "compact", "form", "hspace", "intent", "rules", "vspace"],
	FORBID_TAGS: [
		"style", "form", "input", "button", "select", "textarea", "dialog", "template", "datalist", "main", "canvas", "slot",
	],
	FORBID_ATTR: [
		"style", "class", "tabindex", "contenteditable", "popover", "popovertarget", "popovertargetaction", "command",
		"commandfor", "action", "method", "background", "autoplay", "integrity", "nonce", "slot", "part", "exportparts",
		"crossorigin", "xlink:href", "xml:id", "ping", "inert", "for",
	],
	ALLOW_DATA_ATTR: false,
	// As DOMPurify's own, for addresses that a lesson's files have in the browser (gate.js), too. `address` takes none of them.
	ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto|tel|sms|blob):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i,
	// Ids are given a name of the stage's own below, so they hide nothing of the document's.
	SANITIZE_DOM: false,
	RETURN_DOM_FRAGMENT: true,
};
// What no browser shows where it is written; of a form what is in it.
const UNSEEN = new Set([
	"#text", "#comment", "annotation-xml", "base", "datalist", "form", "head", "link", "meta", "noembed", "noframes", "noscript",
	"param", "style", "template", "title",
]);
const LITERAL = new Set(["listing", "plaintext", "textarea", "xmp"]);
const FRAMES = new Set(["iframe", "frame", "object", "embed"]);
const RASTER = /^data:image\/(?:png|jpe?g|gif|webp|avif|bmp);base64,[a-z0-9+/=\s]+$/i;
// Which attributes are addresses, and what each may be. "" marks one that means nothing here.
const ADDRESSES = {
	href: (value) => (/^(?:#|mailto:|tel:|sms:)/i.test(value) ? value : address(value)),
	src: (value, node) => (node.localName === "img" && RASTER.test(value) ? value : address(value)),
	poster: address,
	cite: address,
	srcset: (value) =>
		value
			.split(/,\s+|(?<=\s[\d.]+[wx]),/)
			.map((candidate) => candidate.trim().split(/\s+/))
			.map(([url, ...size]) => [address(url), ...size])
			.filter(([url]) => url)
			.map((candidate) => candidate.join(" "))
			.join(", "),
};
const REFERENCES = ["headers", "aria-labelledby", "aria-describedby", "aria-details", "aria-controls", "aria-owns"];

let library;
let left; // placeholders during DOMPurify's run: element → what it becomes
let named; // blocks of code during its run: element → language

// Have DOMPurify at hand for a text that may need it.
export async function prepare(text) {
	if (library || !/[<&]/.test(text)) return;
	try {
		await import(PURIFY);
		library = globalThis.DOMPurify;
		library.addHook("uponSanitizeElement", replace);
		library.addHook("uponSanitizeAttribute", (node, data) => {
			if (data.attrName === "class" || data.attrName === "data-language") name(node, data);
			if (data.attrName in ADDRESSES) data.attrValue = ADDRESSES[data.attrName](data.attrValue, node);
		});
	} catch {
		library = undefined;
	}
}

// The elements of some markup. `prefix` tells its ids from those of other texts.
export function sanitised(markup, prefix) {
	try {
		if (library) return purified(markup, prefix);
	} catch (error) {
		console.warn(error);
	}
	return document.createTextNode(markup);
}

function purified(markup, prefix) {
	left = new Map();
	named = new Map();
	// A line before all makes it a body from the start: no part of it a head, or a set of frames.
	const fragment = library.sanitize(`<hr>${markup}`, RULES);
	fragment.firstChild.remove();
	// What DOMPurify removed whole, for a reason that no rule here foresaw, is named at the end.
	for (const { element } of library.removed) {
		if (!(element instanceof Element) || (UNSEEN.has(element.localName) && !(element instanceof HTMLFormElement))) continue;
		// Fields of a form can shadow its own properties; a range cannot be fooled.
		const range = new Range();
		range.selectNodeContents(element);
		if (range.toString().trim()) fragment.append(word(range.toString().trim()));
	}
	links(fragment, prefix);
	media(fragment);
	directions(fragment);
	for (const [place, become] of left) if (fragment.contains(place)) become();
	for (const [code, language] of named) if (fragment.contains(code)) highlight(code, language);
	return fragment;
}

// The language of a block of code: of class="language-…" on <code> or <pre>, as contract 1.1 has it, or of data-language.
function name(node, { attrName, attrValue }) {
	const language = attrName === "class" ? /(?:^|\s)language-([\w+#.-]+)/.exec(attrValue)?.[1] : attrValue;
	const block = node.closest("pre");
	if (language && block && (node === block || node.localName === "code")) named.set(block.querySelector("code") ?? block, language);
}

// A word replaces each element that DOMPurify would remove with everything in it.
function replace(node, { tagName, allowedTags }) {
	if (UNSEEN.has(tagName) || (allowedTags[tagName] && !RULES.FORBID_TAGS.includes(tagName))) return;
	if (FRAMES.has(tagName)) {
		const link = address(node.getAttribute(tagName === "object" ? "data" : "src"));
		if (link && isEmbedded(link)) {
			const place = h("span");
			left.set(place, () => place.replaceWith(player(link)));
			node.replaceWith(place);
		} else {
			node.replaceWith(trace(node.getAttribute("title") || node.textContent.trim() || tagName, link));
		}
	} else if (LITERAL.has(tagName)) {
		node.replaceWith(h("pre", {}, node.textContent));
	} else if (tagName === "svg" || tagName === "script" || tagName === "canvas") {
		node.replaceWith(trace(node.textContent.trim() || tagName));
	} else if (tagName === "input") {
		if (node.type !== "hidden") node.replaceWith(trace(node.value || node.placeholder || tagName));
	} else if (!node.hasChildNodes()) {
		node.replaceWith(trace(tagName));
	}
}

// A word of what cannot be shown, with where it is.
function trace(what, link = "") {
	const place = h("span", {}, leftOut(what), link ? [" ", h("a", { href: link }, new URL(link).hostname)] : null);
	left.set(place, () => place.setAttribute("data-left-out", ""));
	return place;
}

// Links lead out of the page, or to a place in their own text. Only such places keep their id.
function links(fragment, prefix) {
	for (const anchor of fragment.querySelectorAll("a[name]:not([id])")) anchor.id = anchor.name;
	const places = new Map();
	for (const place of fragment.querySelectorAll("[id]")) {
		if (place.id && !places.has(place.id)) places.set(place.id, place);
		place.removeAttribute("id");
	}
	const named = (id) => {
		const place = places.get(id);
		if (place) place.id = `${prefix}:${id}`;
		return place?.id ?? "";
	};
	for (const anchor of fragment.querySelectorAll(":is(a, area)[href]")) {
		const href = anchor.getAttribute("href");
		const top = href === "#" || href === "#top" ? prefix : "";
		const place = href.startsWith("#") && (named(href.slice(1)) || named(decoded(href.slice(1))) || top);
		if (place) {
			anchor.setAttribute("href", link(...parse(location.hash), place));
		} else if (/^(?:https?|blob):/i.test(href)) {
			anchor.target = "_blank";
			anchor.rel = "noopener noreferrer nofollow";
		} else if (!/^(?:mailto|tel|sms):|^#\/./i.test(href)) {
			anchor.removeAttribute("href");
			const words = h("span", { "data-left-out": "" }, t("deadLink"));
			if (anchor.localName === "a") anchor.append(" ", words);
		}
	}
	for (const name of REFERENCES) {
		for (const node of fragment.querySelectorAll(`[${name}]`)) {
			node.setAttribute(name, node.getAttribute(name).split(/\s+/).map(named).filter(Boolean).join(" "));
			if (!node.getAttribute(name)) node.removeAttribute(name);
		}
	}
	for (const map of fragment.querySelectorAll("map[name]")) map.name = `${prefix}:${map.name}`;
	for (const image of fragment.querySelectorAll("[usemap]")) image.useMap = `#${prefix}:${image.useMap.replace(/^#/, "")}`;
	for (const node of fragment.querySelectorAll("[name]:not(map)")) node.removeAttribute("name");
	for (const node of fragment.querySelectorAll("[href]:not(a, area)")) node.removeAttribute("href");
}

function decoded(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

// Pictures, sound and films. One without an address leaves its words.
function media(fragment) {
	for (const name of ["src", "srcset", "poster", "cite"]) {
		for (const node of fragment.querySelectorAll(`[${name}=""]`)) node.removeAttribute(name);
	}
	for (const node of fragment.querySelectorAll("[src]:not(img, audio, video, source, track)")) node.removeAttribute("src");
	for (const node of fragment.querySelectorAll(":is(source, track):not([src], [srcset])")) node.remove();
	for (const image of fragment.querySelectorAll("img")) {
		image.loading = "lazy";
		if (!image.matches("[src], [srcset], picture:has(source) > *")) image.replaceWith(word(image.alt || "img"));
	}
	for (const film of fragment.querySelectorAll("audio, video")) {
		if (!film.matches("[src], :has(source)")) {
			film.replaceWith(word(film.title || film.textContent.trim() || film.localName));
			continue;
		}
		film.controls = true;
		film.preload = "metadata";
		// Subtitles come with the film's own consent; other hosts may give none.
		const sources = [film, ...film.querySelectorAll("source")].map((node) => node.src).filter(Boolean);
		if (film.querySelector("track") && sources.every((source) => source.startsWith(base))) film.crossOrigin = "anonymous";
	}
}

const word = (what) => h("span", { "data-left-out": "" }, leftOut(what));
const leftOut = (what) => t("leftOut", { what: what.length > 300 ? `${what.slice(0, 300)}…` : what });

// Each block in its own direction, unless the editor gave one to it or around it.
function directions(fragment) {
	for (const block of fragment.querySelectorAll("p, li, td, th, blockquote, h1, h2, h3, h4, h5, h6, dd, dt")) {
		if (!block.closest('[dir="ltr" i], [dir="rtl" i]')) block.dir = "auto";
	}
	for (const code of fragment.querySelectorAll("pre:not([dir]), code:not([dir])")) code.dir = "ltr";
	for (const code of fragment.querySelectorAll("pre")) code.tabIndex = 0;
	// A formula from which all was taken is no formula.
	// A variable leans by its style, not by another letter: browsers would put 𝑥 for x, which is copied and found as that.
	for (const sign of fragment.querySelectorAll("mi:not([mathvariant])")) {
		if ([...sign.textContent.trim()].length === 1) sign.classList.add("variable");
	}
	for (const formula of fragment.querySelectorAll("math")) if (!formula.textContent.trim()) formula.replaceWith(word("math"));
}
