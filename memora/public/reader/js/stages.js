// The stages of a lesson: what each type is known to hold is shown as such, the rest as what it is.

import { h, bdi, icon, safeUrl } from "./dom.js?v=1efe77f2";
import { base } from "./cdn.js?v=ca94127a";
import { fold } from "./fold.js?v=8d068ded";
import { t } from "./i18n.js?v=1c24cd91";
import { sanitised } from "./markup.js?v=e611a578";

// Each type with its sign and what shows its config.
const TYPES = {
	Video: ["play", video],
	Question: ["question", question],
	Text: ["text", text],
	Interactive: ["code", interactive],
};
const MEDIA = /\.(mp4|m4v|webm|ogv|mov|mp3|m4a|ogg)$/i;

export function stage(document, total) {
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
	return [player(safeUrl(link, base)), rest(others)];
}

function player(link) {
	if (!link) return h("p.note", {}, icon("warning"), t("noVideo"));
	const url = new URL(link);
	const embedded = embed(url);
	if (MEDIA.test(url.pathname)) {
		const film = h("video", { src: link, controls: true, preload: "metadata", playsinline: true });
		film.addEventListener("error", () => film.replaceWith(outside(url)), { once: true });
		return film;
	}
	if (!embedded) return outside(url);
	// Nothing is asked of the service before the learner wants it.
	const poster = h("button.poster", { type: "button" }, h("span.poster-play", {}, icon("play")), t("play", { host: url.hostname }));
	poster.addEventListener("click", () => {
		const frame = h("iframe", {
			src: embedded,
			title: t("Video"),
			allow: "autoplay; fullscreen; encrypted-media; picture-in-picture",
			sandbox: "allow-scripts allow-same-origin allow-presentation allow-popups",
		});
		poster.replaceWith(frame);
		frame.focus();
	});
	return poster;
}

function embed(url) {
	const host = url.hostname.replace(/^(www|m)\./, "");
	let id = "";
	if (host === "youtu.be") id = url.pathname.slice(1);
	if (host === "youtube.com" || host === "youtube-nocookie.com") {
		id = url.searchParams.get("v") ?? url.pathname.match(/^\/(?:embed|shorts)\/([^/]+)/)?.[1] ?? "";
	}
	if (/^[\w-]{6,20}$/.test(id)) return `https://www.youtube-nocookie.com/embed/${id}?autoplay=1`;
	// A film that is not listed has a key behind its number, or as `h`.
	const [, film, written] = (host.endsWith("vimeo.com") && url.pathname.match(/\/(\d{5,})(?:\/(\w+))?\/?$/)) || [];
	const key = written ?? url.searchParams.get("h");
	if (!film) return "";
	return `https://player.vimeo.com/video/${film}?dnt=1&autoplay=1${key ? `&h=${encodeURIComponent(key)}` : ""}`;
}

const outside = (url) =>
	h("a.outside", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, icon("play"), t("watch", { host: url.hostname }), icon("out"));

function text(config) {
	const { html, text, body, content, solutions, ...others } = config;
	const plain = [text, body, content].filter((value) => typeof value === "string" && value);
	return [
		typeof html === "string" ? markup(html) : null,
		...plain.map(paragraphs),
		Array.isArray(solutions) && solutions.length
			? h("details.solution", {}, h("summary", {}, t("solution")), solutions.map((one) => code(String(one))))
			: null,
		rest(others),
	];
}

function question(config, id) {
	const { question, instructions, choices, answer, tests, ...others } = config;
	const options = Array.isArray(choices) ? choices.map(String) : [];
	const answers = [answer].flat().filter((value) => value !== undefined && value !== null).map(String);
	const many = Array.isArray(answer) && answer.length > 1;
	const asksLink = !options.length && answer === "url";
	const said = h("p.verdict", { role: "status" });
	const input = (value) =>
		h(
			"label.choice",
			{},
			h("input", { type: many ? "checkbox" : "radio", name: id, value }),
			h("span", { dir: "auto" }, value)
		);
	const field = h("input", { type: asksLink ? "url" : "text", name: id, id: `${id}-answer`, dir: "auto", autocomplete: "off" });
	const form = h(
		"form",
		{
			novalidate: true,
			onsubmit: (event) => {
				event.preventDefault();
				const given = new FormData(form).getAll(id).map(String).filter(Boolean);
				if (!given.length) return;
				const right = options.length ? chosen(given, answers, options) : same(given, answers);
				said.textContent = asksLink || !answers.length ? t("noted") : t(right ? "right" : "wrong");
				said.className = `verdict ${asksLink || !answers.length ? "" : right ? "right" : "wrong"}`;
			},
		},
		options.length
			? h("fieldset", {}, h("legend", { dir: "auto" }, String(question ?? t("answer"))), options.map(input))
			: h(
					"p.field",
					{},
					h("label", { for: `${id}-answer`, dir: "auto" }, String(question ?? t(asksLink ? "answerLink" : "answer"))),
					field
				),
		h("div.form-end", {}, h("button", { type: "submit" }, t("checkAnswer")), said)
	);
	return [typeof instructions === "string" ? markup(instructions) : null, checks(tests), form, rest(others)];
}

// Choices may differ in their marks alone; an answer that is none of them as it is written stands for one that is the same
// when folded.
const chosen = (given, answers, options) =>
	answers.every((answer) => options.includes(answer))
		? given.length === answers.length && answers.every((answer) => given.includes(answer))
		: same(given, answers);

const same = (given, answers) =>
	given.length === answers.length &&
	given.every((value) => answers.some((answer) => fold(answer.trim()) === fold(value.trim())));

function interactive(config) {
	const { instructions, files, tests, libraries, ...others } = config;
	return [
		typeof instructions === "string" ? markup(instructions) : null,
		...(Array.isArray(files) ? files : []).map((file) => code(String(file?.content ?? ""), String(file?.name ?? ""))),
		checks(tests),
		Array.isArray(libraries) && libraries.length
			? h("p.libraries", {}, `${t("libraries")}: `, h("bdi", {}, libraries.map(String).join(", ")))
			: null,
		rest(others),
	];
}

function checks(tests) {
	if (!Array.isArray(tests) || !tests.length) return null;
	return h(
		"div.checks",
		{},
		h("h3", {}, t("tests")),
		h(
			"ul",
			{},
			tests.map((test) => h("li", {}, icon("check"), markup(String(test?.text ?? test))))
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

function markup(source) {
	const place = h("div.prose", { dir: "auto", "aria-busy": "true" });
	sanitised(source).then((content) => {
		place.replaceChildren(content);
		place.removeAttribute("aria-busy");
	});
	return place;
}

const paragraphs = (source) =>
	h(
		"div.prose",
		{},
		source
			.split(/\n{2,}/)
			.filter((part) => part.trim())
			.map((part) => h("p", { dir: "auto" }, part))
	);

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
	const link = typeof value === "string" && /^https?:\/\//.test(value) && safeUrl(value, base);
	if (link) return h("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, value);
	return String(value);
}
