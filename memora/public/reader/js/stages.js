// The stages of a lesson: what each type is known to hold is shown as such, the rest as what it is.

import { bdi, h, icon } from "./dom.js?v=459e199b";
import { interactive } from "./exercises.js?v=3435a093";
import { details, isEmbedded, player } from "./films.js?v=fb20175a";
import { t } from "./i18n.js?v=f2e1dbaa";
import { code, isText, markup, paragraphs, ready, rest, taken, written } from "./parts.js?v=38cc669b";
import { question } from "./questions.js?v=a343f4ee";

// Each type with its sign and what shows its config.
const TYPES = {
	Video: ["play", video],
	Question: ["question", question],
	Text: ["text", text],
	Interactive: ["code", interactive],
};

// The sections of all stages, in their order.
export async function stages(documents) {
	await ready(JSON.stringify(documents));
	return documents.map((document) => stage(document, documents.length));
}

function stage(document, total) {
	const { idx, title, type, config } = document;
	const isKnown = Object.hasOwn(TYPES, type);
	const [sign, body] = isKnown ? TYPES[type] : ["list", rest];
	return h(
		"section.stage",
		{ "data-type": type, id: `stage-${idx}`, "aria-labelledby": `stage-${idx}-title` },
		h(
			"header",
			{},
			h("span.stage-mark", { "aria-hidden": "true" }, icon(sign)),
			h("h2", { id: `stage-${idx}-title` }, bdi(title)),
			h("span.stage-type", {}, isKnown ? t(type) : bdi(type), total > 1 ? ` · ${idx}/${total}` : "")
		),
		h("div.stage-body", {}, body({ ...config }, `stage-${idx}`))
	);
}

// Each of these takes what it knows out of the config; `rest` shows what is left.

function video(config) {
	const { video_url: link, title, poster, captions, start, end, ...others } = config;
	const about = details({ title, poster, captions, start, end });
	return [player(link, about), about.captions.length && isEmbedded(link) ? subtitles(about.captions) : null, rest(others)];
}

// A service's player takes no captions from elsewhere: they are there to read.
const subtitles = (captions) =>
	h(
		"p.note",
		{},
		`${t("captions")}: `,
		captions.map(({ src, lang, label }) => h("a", { href: src, lang, target: "_blank", rel: "noopener noreferrer" }, bdi(label)))
	);

function text(config, id) {
	const isDirection = (value) => value === "ltr" || value === "rtl";
	const kinds = {
		html: isText, text: isText, body: isText, content: isText, markdown: isText, solutions: Array.isArray, dir: isDirection,
	};
	const [known, others] = taken(config, kinds);
	const { html, markdown, solutions, dir } = known;
	return [
		...[
			html ? markup(html, id) : null,
			...[known.text, known.body, known.content].filter(Boolean).map(paragraphs),
			markdown ? [h("p.note", {}, icon("warning"), t("markdown")), paragraphs(markdown)] : null,
		].flat().map((part) => (part && dir ? directed(part, dir) : part)),
		solutions?.length
			? h("details.solution", {}, h("summary", {}, t("solution")), solutions.map((one) => code(written(one))))
			: null,
		rest(others),
	];
}

// A text in one direction, but for parts to which the editor gave another.
function directed(part, dir) {
	for (const block of part.querySelectorAll('[dir="auto"]')) block.removeAttribute("dir");
	part.dir = dir;
	return part;
}
