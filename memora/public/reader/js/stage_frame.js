// One stage that is not saved yet, for the form beside it (memora/public/js/stages/frame.js): drawn as in a lesson, whenever a
// message brings it. Messages count only from this page's own origin, and from the window that holds or opened it.

import { bdi, h, icon } from "./dom.js?v=459e199b";
import { direction, LANGUAGES, t } from "./i18n.js?v=f2e1dbaa";
import { stages } from "./stages.js?v=bc2f8ea7";
import { state } from "./state.js?v=6016eab5";

// The frame's own words, beside the reader's.
export const WORDS = {
	en: {
		frameAlone: "This page shows a stage while it is written. Open it from a lesson's form.",
		frameLarge: "This stage is large, so it is not drawn while you type.",
		frameDraw: "Show it now",
		frameFails: "This stage cannot be shown ({why}).",
	},
	ar: {
		frameAlone: "تعرض هذه الصفحة مرحلة أثناء كتابتها. افتحها من نموذج درس.",
		frameLarge: "هذه المرحلة كبيرة، فلا تُرسم أثناء الكتابة.",
		frameDraw: "اعرضها الآن",
		frameFails: "لا يمكن عرض هذه المرحلة ({why}).",
	},
};
for (const [language, words] of Object.entries(WORDS)) Object.assign(LANGUAGES[language], words);

// What takes longer to draw than a key may take is drawn when asked for. A choice counts as many letters.
const LARGE = 200_000;
const ITEM = 400;

const owner = parent === window ? null : parent;
const main = h("main", {});
let drawn = { type: "", config: "" }; // what the stage on the page was made from

function start() {
	const root = document.documentElement;
	const asked = new URLSearchParams(location.search).get("dir");
	root.lang = state.language;
	root.dir = asked === "rtl" || asked === "ltr" ? asked : direction();
	root.dataset.theme = state.theme;
	document.body.append(main);
	document.addEventListener("click", stay);
	if (!owner) return main.append(h("p.empty", {}, t("frameAlone")));
	addEventListener("message", ({ origin, source, data }) => {
		if (origin === location.origin && source === owner && data?.memora === "stage") take(data);
	});
	new ResizeObserver(() => tell({ memora: "height", height: Math.ceil(main.getBoundingClientRect().height) })).observe(main);
	tell({ memora: "ready" });
}

const tell = (message) => owner.postMessage(message, location.origin);

// Show what a message brings, and say so when it is done: the next one waits for that.
async function take({ title, type, config }) {
	try {
		await show({ idx: 1, title: String(title ?? ""), type: String(type ?? ""), config: isObject(config) ? config : {} });
	} catch (error) {
		drawn = { type: "", config: "" };
		main.replaceChildren(h("p.note", {}, icon("warning"), t("frameFails", { why: error.message })));
	}
	tell({ memora: "shown" });
}

async function show(document) {
	const text = JSON.stringify(document.config);
	const heading = main.querySelector("h2");
	// A film plays on, and an answer stays, while only the title is typed.
	if (heading && drawn.type === document.type && drawn.config === text) return heading.replaceChildren(bdi(document.title));
	drawn = { type: document.type, config: text };
	if (weight(document.config, text) <= LARGE) return main.replaceChildren(...(await stages([document])));
	const draw = async () => main.replaceChildren(...(await stages([document])));
	main.replaceChildren(
		h("p.note", {}, icon("warning"), t("frameLarge")),
		h("p", {}, h("button", { type: "button", onclick: draw }, t("frameDraw")))
	);
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

const weight = (config, text) =>
	Object.values(config).reduce((sum, value) => sum + (Array.isArray(value) ? value.length * ITEM : 0), text.length);

// A link into the stage's own text leads there; the page's own address stays.
function stay(event) {
	const href = event.target.closest?.("a, area")?.getAttribute("href");
	if (!href?.startsWith("#")) return;
	event.preventDefault();
	const place = [...main.querySelectorAll("[id]")].find(({ id }) => encodeURIComponent(id) === href.split("/").at(-1));
	if (!(place instanceof HTMLElement)) return;
	place.tabIndex = -1;
	place.focus();
	place.scrollIntoView({ block: "nearest" });
}

start();
