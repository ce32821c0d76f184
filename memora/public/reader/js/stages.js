// The stages of a lesson: what each type is known to hold is shown as such, the rest as what it is.

import { isSame, plain } from "./answers.js?v=1ff12f84";
import { address } from "./cdn.js?v=3d98f7d3";
import { h, bdi, icon } from "./dom.js?v=459e199b";
import { player } from "./films.js?v=d982b1d3";
import { t } from "./i18n.js?v=a8e4157b";
import { prepare, sanitised } from "./markup.js?v=e69c3acc";

// Each type with its sign and what shows its config.
const TYPES = {
	Video: ["play", video],
	Question: ["question", question],
	Text: ["text", text],
	Interactive: ["code", interactive],
};

// The sections of all stages, in their order.
export async function stages(documents) {
	await prepare(JSON.stringify(documents));
	return documents.map((document) => stage(document, documents.length));
}

function stage(document, total) {
	const { idx, title, type, config } = document;
	const [sign, body] = TYPES[type] ?? ["list", rest];
	return h(
		"section.stage",
		{ "data-type": type, id: `stage-${idx}`, "aria-labelledby": `stage-${idx}-title` },
		h(
			"header",
			{},
			h("span.stage-mark", { "aria-hidden": "true" }, icon(sign)),
			h("h2", { id: `stage-${idx}-title` }, bdi(title)),
			h("span.stage-type", {}, type in TYPES ? t(type) : bdi(type), total > 1 ? ` · ${idx}/${total}` : "")
		),
		h("div.stage-body", {}, body({ ...config }, `stage-${idx}`))
	);
}

// Each of these takes what it knows out of the config; `rest` shows what is left.

function video(config) {
	const { video_url: link, ...others } = config;
	return [player(link), rest(others)];
}

function text(config, id) {
	const kinds = { html: isText, text: isText, body: isText, content: isText, markdown: isText, solutions: Array.isArray };
	const [known, others] = taken(config, kinds);
	const { html, markdown, solutions } = known;
	return [
		html ? markup(html, id) : null,
		...[known.text, known.body, known.content].filter(Boolean).map(paragraphs),
		markdown ? [h("p.note", {}, icon("warning"), t("markdown")), paragraphs(markdown)] : null,
		solutions?.length
			? h("details.solution", {}, h("summary", {}, t("solution")), solutions.map((one) => code(written(one))))
			: null,
		rest(others),
	];
}

// Nothing of a Question is shown but what is known: the rest may be its answers.
function question(config, id) {
	const { question, instructions, choices, answer, tests } = config;
	const options = Array.isArray(choices) && choices.every(isPlain) ? [...new Set(choices.map(String))] : [];
	const answers = [...new Set([answer].flat().filter(isPlain).map(String).filter(plain))];
	const right = options.length ? answers.map((one) => meant(one, options)) : [];
	const each = [...new Map(right.map((same) => [String(same), same])).values()];
	const words = isPlain(question) ? String(question) : "";
	const asked = [isText(instructions) ? markup(instructions, id) : null, checks(tests, id)];

	// An answer that is none of the choices or cannot be typed, choices of another form, or nothing to answer with.
	const isBroken = options.length
		? (hasValue(answer) && !answers.length) || right.some((same) => !same.length)
		: hasValue(choices) || !answers.length;
	if (isBroken) {
		return [
			...asked,
			words ? h("p", { dir: "auto" }, words) : null,
			options.length ? h("ul.options", {}, options.map((option) => h("li", { dir: "auto" }, option))) : null,
			h("p.note", {}, icon("warning"), t("unanswerable")),
		];
	}
	return [...asked, options.length ? choice(words, options, each, id) : typed(words, answers, id)];
}

// Choices may differ in their marks alone; an answer that is none of them as it is written is any that means the same.
const meant = (answer, options) =>
	options.includes(answer) ? [answer] : options.filter((option) => isSame(option, answer) || isSame(answer, option));

function choice(words, options, right, id) {
	const many = right.length > 1;
	const input = (value) =>
		h(
			"label.choice",
			{},
			h("input", { type: many ? "checkbox" : "radio", name: id, value }),
			h("span", { dir: "auto" }, value)
		);
	const fields = h("fieldset", {}, h("legend", { dir: "auto" }, words || t("answer")), options.map(input));
	const isRight = (given) => given.length === right.length && right.every((same) => same.some((one) => given.includes(one)));
	return checked(id, fields, right.length ? isRight : null);
}

// Of several answers to type each is right.
function typed(words, answers, id) {
	const asksLink = answers.length === 1 && answers[0] === "url";
	const field = h("input", { type: asksLink ? "url" : "text", name: id, id: `${id}-answer`, dir: "auto", autocomplete: "off" });
	const label = h("label", { for: field.id, dir: "auto" }, words || t(asksLink ? "answerLink" : "answer"));
	const isRight = ([given]) => answers.some((answer) => isSame(given, answer));
	return checked(id, h("p.field", {}, label, field), asksLink ? null : isRight);
}

// A form that says whether what was given is right, or that it was noted where there is nothing to compare it with.
function checked(id, fields, isRight) {
	const said = h("p.verdict", { role: "status" });
	const form = h(
		"form",
		{
			novalidate: true,
			onsubmit: (event) => {
				event.preventDefault();
				const given = new FormData(form).getAll(id).map(String).filter((value) => value.trim());
				if (!given.length) return;
				const verdict = !isRight ? "noted" : isRight(given) ? "right" : "wrong";
				said.textContent = t(verdict);
				said.className = `verdict ${verdict}`;
			},
		},
		fields,
		h("div.form-end", {}, h("button", { type: "submit" }, t("checkAnswer")), said)
	);
	return form;
}

function interactive(config, id) {
	const kinds = { instructions: isText, files: Array.isArray, tests: Array.isArray, libraries: Array.isArray };
	const [known, others] = taken(config, kinds);
	const { instructions, files, tests, libraries } = known;
	return [
		instructions ? markup(instructions, id) : null,
		...(files ?? []).map((file) => code(written(file?.content), written(file?.name))),
		checks(tests, id),
		libraries?.length
			? h("p.libraries", {}, `${t("libraries")}: `, h("bdi", {}, libraries.map(written).join(", ")))
			: null,
		// It may be the solution.
		Object.keys(others).length ? h("details.solution", {}, h("summary", {}, t("more")), rest(others)) : null,
	];
}

function checks(tests, id) {
	const texts = (Array.isArray(tests) ? tests : []).map((test) => test?.text ?? test).filter(isPlain);
	if (!texts.length) return null;
	return h(
		"div.checks",
		{},
		h("h3", {}, t("tests")),
		h(
			"ul",
			{},
			texts.map((words, place) => h("li", {}, icon("check"), markup(String(words), `${id}-test-${place}`)))
		)
	);
}

function code(source, name = "") {
	const shown = h("code", {}, source || "\n");
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

const markup = (source, prefix) => h("div.prose", { dir: "auto" }, sanitised(source, prefix));

const paragraphs = (source) =>
	h(
		"div.prose.is-plain",
		{},
		source
			.split(/\n{2,}/)
			.filter((part) => part.trim())
			.map((part) => h("p", { dir: "auto" }, part))
	);

const isText = (value) => typeof value === "string" && value !== "";
const isPlain = (value) => ["string", "number", "boolean"].includes(typeof value);
const written = (value) => (isPlain(value) ? String(value) : value === null || value === undefined ? "" : JSON.stringify(value, null, 2));
const hasValue = (value) => value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && !value.length);

// What of a config is as its type knows it, and the others.
function taken(config, kinds) {
	const isKnown = ([name, value]) => Object.hasOwn(kinds, name) && kinds[name](value);
	const entries = Object.entries(config);
	return [entries.filter(isKnown), entries.filter((entry) => !isKnown(entry))].map(Object.fromEntries);
}

// What an editor added that no type knows: as a list of names and values.
function rest(config) {
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
