// What stages of several types show: markup, plain paragraphs, code, checks, and what no type knows.

import { address } from "./cdn.js?v=1813956c";
import { bdi, h } from "./dom.js?v=459e199b";
import { inText, withFormulas } from "./formulas.js?v=1bf8a815";
import { highlight } from "./highlight.js?v=2877ceb4";
import { t } from "./i18n.js?v=f2e1dbaa";
import { prepare, sanitised } from "./markup.js?v=1989f5fb";
import "./stage_words.js?v=86d44f25";

// How stages look, loaded with the first of them: nothing is shown before. Where it cannot be loaded stages are shown without.
const sheet = h("link", { rel: "stylesheet", href: new URL("../stages.css?v=a91eeff5", import.meta.url).href });
const isLoaded = new Promise((done) => ["load", "error"].forEach((name) => sheet.addEventListener(name, done)));
document.head.append(sheet);

// Have at hand what the texts in some JSON need.
export const ready = (source) => Promise.all([isLoaded, prepare(source)]);

export const markup = (source, prefix) => h("div.prose", { dir: "auto" }, withFormulas(sanitised(source, prefix)));

// A plain text in a line: a question, a choice. What is around it gives its direction.
export const words = (text) => h("span", {}, inText(text));

export const paragraphs = (source) =>
	h(
		"div.prose.is-plain",
		{},
		source
			.split(/\n{2,}/)
			.filter((part) => part.trim())
			.map((part) => h("p", { dir: "auto" }, inText(part)))
	);

// What must be true in the end: to read, since nothing here has tried it.
export function checks(tests, id) {
	const texts = (Array.isArray(tests) ? tests : []).map((test) => test?.text ?? test).filter(isPlain);
	if (!texts.length) return null;
	return h(
		"div.checks",
		{},
		h("h3", {}, t("tests")),
		h(
			"ul",
			{},
			texts.map((words, place) => h("li", {}, markup(String(words), `${id}-test-${place}`)))
		)
	);
}

export function code(source, name = "", language = "") {
	const shown = h("code", {}, source || "\n");
	highlight(shown, language);
	const button = h("button.quiet", { type: "button" }, t("copy"));
	button.addEventListener("click", async () => {
		try {
			await navigator.clipboard.writeText(source);
		} catch {
			// There is no clipboard without https, or it was refused.
			getSelection().selectAllChildren(shown);
			if (!document.execCommand("copy")) return;
		}
		button.textContent = t("copied");
	});
	return h(
		"figure.code",
		{},
		h("figcaption", {}, h("bdi", {}, name), button),
		h("pre", { tabindex: "0", dir: "ltr", "aria-label": name || t("solution"), role: "region" }, shown)
	);
}

export const isText = (value) => typeof value === "string" && value !== "";
export const isPlain = (value) => ["string", "number", "boolean"].includes(typeof value);
export const written = (value) => (isPlain(value) ? String(value) : value === null || value === undefined ? "" : JSON.stringify(value, null, 2));
export const hasValue = (value) => value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && !value.length);

// What of a config is as its type knows it, and the others.
export function taken(config, kinds) {
	const isKnown = ([name, value]) => Object.hasOwn(kinds, name) && kinds[name](value);
	const entries = Object.entries(config);
	return [entries.filter(isKnown), entries.filter((entry) => !isKnown(entry))].map(Object.fromEntries);
}

// What an editor added that no type knows: as a list of names and values.
export function rest(config) {
	const entries = Object.entries(config);
	if (!entries.length) return null;
	return h(
		"dl.rest",
		{},
		entries.map(([name, value]) => h("div", {}, h("dt", {}, bdi(name)), h("dd", { dir: "auto" }, shown(value))))
	);
}

function shown(value) {
	if (Array.isArray(value)) return h("ul", {}, value.map((item) => h("li", {}, shown(item))));
	if (value !== null && typeof value === "object") return rest(value) ?? "–";
	const link = typeof value === "string" && !/\s/.test(value.trim()) && address(value);
	if (link) return h("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, value);
	return String(value);
}
