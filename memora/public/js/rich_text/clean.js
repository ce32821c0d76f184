// What is pasted from elsewhere, without what only made it look so: Word, Google Docs, web pages.
import { is_link, is_picture } from "./addresses";
import { BLOCKS, BOXES, HEADINGS, MARKS } from "./elements";
import { inert } from "./safe";

const DROPPED =
	"script, style, head, title, meta, link, base, template, noscript, object, embed, applet, iframe, svg, canvas, colgroup, form > button, select, textarea, input, audio, video, xml, br.Apple-interchange-newline";
const ATTRIBUTES = {
	a: ["href", "title"],
	img: ["src", "alt", "width", "height"],
	td: ["colspan", "rowspan"],
	th: ["colspan", "rowspan", "scope"],
	ol: ["start", "type"],
	li: ["value"],
};
const PLAIN = new Set(["span", "big", "tt"]); // marks that only made it look so

// HTML of a clipboard → HTML that the editor's schema reads.
export function clean(html) {
	const { body } = inert(html);
	for (const comment of comments(body)) comment.remove();
	word_lists(body);
	for (const element of body.querySelectorAll(DROPPED)) element.remove();
	for (const element of [...body.querySelectorAll("*")].reverse()) looks(element);
	lists(body);
	for (const element of [...body.querySelectorAll("*")].reverse()) element_of_ours(element);
	for (const paragraph of body.querySelectorAll("p")) {
		if (!paragraph.textContent.replaceAll("\u00a0", " ").trim() && !paragraph.querySelector("img, math, br"))
			paragraph.remove();
	}
	return body.outerHTML;
}

const comments = (body) => {
	const found = [];
	const walker = body.ownerDocument.createTreeWalker(body, NodeFilter.SHOW_COMMENT);
	while (walker.nextNode()) found.push(walker.currentNode);
	return found;
};

const unwrap = (element) => element.replaceWith(...element.childNodes);

function renamed(element, tag) {
	const other = element.ownerDocument.createElement(tag);
	for (const { name, value } of element.attributes) other.setAttribute(name, value);
	other.append(...element.childNodes);
	element.replaceWith(other);
	return other;
}

// Word writes a list as paragraphs: style="mso-list:l0 level2 lfo1", with the number in a span of its own.
function word_lists(body) {
	const lists = []; // the open ones, from the outermost in
	let before = null;
	for (const item of [...body.querySelectorAll("p, h1, h2, h3, h4, h5, h6")]) {
		const level = Number(/mso-list:[^;]*level(\d)/i.exec(item.getAttribute("style") || "")?.[1] || 0);
		const follows = before && next_element(before) === item;
		if (!level) {
			lists.length = 0;
			before = null;
			continue;
		}
		if (!follows) lists.length = 0;
		const marker = [...item.querySelectorAll("span")].find((span) =>
			/mso-list:\s*ignore/i.test(span.getAttribute("style") || "")
		);
		const number = /^\W*([0-9]+|[a-z]{1,4})[.)]/i.exec(marker?.textContent.trim() || "");
		marker?.remove();
		lists.length = Math.min(lists.length, level);
		while (lists.length < level) {
			const list = body.ownerDocument.createElement(number ? "ol" : "ul");
			if (number && /^\d+$/.test(number[1]) && number[1] !== "1") list.setAttribute("start", number[1]);
			const outer = lists[lists.length - 1];
			if (!outer) item.before(list);
			else (outer.lastElementChild || outer.appendChild(body.ownerDocument.createElement("li"))).append(list);
			lists.push(list);
		}
		const li = body.ownerDocument.createElement("li");
		li.append(...item.childNodes);
		lists[level - 1].append(li);
		item.remove();
		before = lists[0];
	}
}

function next_element(element) {
	let next = element.nextSibling;
	while (next && next.nodeType === Node.TEXT_NODE && !next.data.trim()) next = next.nextSibling;
	return next;
}

// What a style says, as an element: bold, italic, struck, underlined, raised, lowered.
function looks(element) {
	const style = element.getAttribute("style") || "";
	const says = (pattern) => pattern.test(style);
	if (element.localName === "b" && says(/font-weight:\s*(?:normal|400)/i)) return unwrap(element); // Google Docs around all
	if (element.localName !== "span" && element.localName !== "font") return;
	const tags = [
		says(/font-weight:\s*(?:bold|[6-9]00)/i) && "strong",
		says(/font-style:\s*italic/i) && "em",
		says(/text-decoration[^;]*line-through/i) && "s",
		says(/text-decoration[^;]*underline/i) && !element.closest("a") && !element.querySelector("a") && "u",
		says(/vertical-align:\s*super/i) && "sup",
		says(/vertical-align:\s*sub(?!\w)/i) && "sub",
	].filter(Boolean);
	for (const tag of tags) {
		const inner = element.ownerDocument.createElement(tag);
		inner.append(...element.childNodes);
		element.append(inner);
	}
}

// A list within a list belongs to the item before it.
function lists(body) {
	for (const list of body.querySelectorAll(":is(ul, ol) > :is(ul, ol)")) {
		const item = list.previousElementSibling;
		if (item?.localName === "li") item.append(list);
		else list.replaceWith(...list.childNodes);
	}
	for (const item of body.querySelectorAll("li, td, th")) {
		const only = item.querySelectorAll(":scope > p");
		if (
			only.length === 1 &&
			[...item.children].every((child) => child === only[0] || /^[uo]l$/.test(child.localName))
		)
			unwrap(only[0]);
	}
}

function element_of_ours(element) {
	const name = element.localName;
	if (element.namespaceURI !== "http://www.w3.org/1999/xhtml" || element.closest("math")) return;
	const href = element.getAttribute("href");
	if (name === "img" && !(element.getAttribute("src") && is_picture(element.getAttribute("src"))))
		return element.remove();
	if (name === "a" && (href === null || !is_link(href) || !element.textContent.trim())) return unwrap(element);
	const language = name === "code" && /(?:^|\s)language-[\w+#.-]+/.exec(element.className)?.[0].trim();
	attributes(element, ATTRIBUTES[name] || []);
	if (language) element.className = language;
	if (name === "caption") return void element.closest("table").before(renamed(element, "p"));
	if (PLAIN.has(name) || name === "font")
		return element.hasAttribute("dir") || element.hasAttribute("lang") ? null : unwrap(element);
	const is_table = /^(?:thead|tbody|tfoot|tr|td|th)$/.test(name);
	if (BOXES.includes(name)) return box(element);
	if (
		is_table ||
		name === "img" ||
		name === "br" ||
		MARKS.includes(name) ||
		BLOCKS.has(name) ||
		HEADINGS.includes(name)
	)
		return null;
	unwrap(element);
}

function attributes(element, kept) {
	for (const { name, value } of [...element.attributes]) {
		const stays =
			kept.includes(name) ||
			(name === "dir" && /^(?:ltr|rtl)$/i.test(value)) ||
			(name === "lang" && element.closest("[dir]") === element);
		if (!stays) element.removeAttribute(name);
	}
}

// A box is its blocks; one of text alone is a paragraph.
function box(element) {
	const holds = [...element.children].some((child) => BLOCKS.has(child.localName));
	if (holds) unwrap(element);
	else if (element.textContent.trim() || element.querySelector("img")) renamed(element, "p");
	else element.remove();
}
