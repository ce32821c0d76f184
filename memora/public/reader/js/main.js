// The frame around every page: bar, address, focus, errors.

import { base, forgetUnversioned, preview, ReadError, refused } from "./cdn.js?v=1813956c";
import { lessonOf, link, load, parse, place } from "./course.js?v=b9f200e3";
import { bdi, h, icon } from "./dom.js?v=459e199b";
import { direction, t } from "./i18n.js?v=f2e1dbaa";
import { change, state } from "./state.js?v=6016eab5";
import { page as pageOf } from "./views.js?v=69c5a10d";

let course = { view: "plans" };
let turn = 0;
let shown = ""; // the address of what is shown, without a place in it

const main = h("main", { id: "main" });
const aside = h("aside", {});
const announcer = h("p.visually-hidden", { role: "status" });

function start() {
	addEventListener("hashchange", () => {
		if (location.hash.startsWith("#token=")) return location.reload();
		return link(...parse(location.hash)) === shown ? stay() : show();
	});
	addEventListener("click", (event) => {
		const target = /** @type {Element} */ (event.target);
		if (target.closest?.("a")?.getAttribute("href") === location.hash) jump();
	});
	addEventListener("memora-change", () => {
		frame();
		show({ still: true });
	});
	addEventListener("keydown", shortcut);
	// After a while in the background lists may have changed.
	document.addEventListener("visibilitychange", () => {
		if (document.hidden) return;
		forgetUnversioned();
		preview?.refresh(reload, () => show({ still: true }));
	});
	frame();
	show({ still: true });
}

// Read the documents of the address, and show them. `still`: neither scroll nor move the focus.
async function show({ still = false } = {}) {
	if (refused) return refuse();
	const mine = ++turn;
	const slow = setTimeout(
		() => {
			if (mine !== turn) return;
			shown = "";
			main.replaceChildren(skeleton());
		},
		still && main.childElementCount ? 1000 : 150
	);
	try {
		let found;
		try {
			found = await load(parse(location.hash));
			if (mine === turn) await put(found, mine);
		} catch (error) {
			// A list from a cache may name what is gone: once more, with lists as they are now.
			if (!error.isGone || mine !== turn) throw error;
			forgetUnversioned();
			await put(await load(parse(location.hash)), mine);
		}
	} catch (error) {
		if (mine === turn) fail(error);
	} finally {
		clearTimeout(slow);
	}
	if (mine !== turn) return;
	if (!jump() && !still) {
		scrollTo(0, 0);
		main.querySelector("h1")?.focus({ preventScroll: true });
	}
}

// Read what is shown once more.
async function reload() {
	const found = await load(parse(location.hash));
	if (found.view === "lesson") await lessonOf(found);
}

function redraw() {
	forgetUnversioned();
	show({ still: true });
}

// The page is there: what still loads for another comes too late.
function stay() {
	turn += 1;
	jump();
}

// Go to the place in a text that the address names, if any.
function jump() {
	main.dataset.shown = location.hash;
	const target = document.getElementById(place(location.hash));
	if (!target) return false;
	target.focus({ preventScroll: true });
	if (document.activeElement !== target) {
		target.tabIndex = -1;
		target.focus({ preventScroll: true });
	}
	target.scrollIntoView();
	return true;
}

async function put(found, mine) {
	const page = await pageOf(found);
	if (mine !== turn) return;
	course = found;
	shown = link(...parse(location.hash));
	document.title = `${page.title} – memora`;
	document.body.dataset.view = found.view;
	if (page.colour) document.body.style.setProperty("--subject", page.colour);
	else document.body.style.removeProperty("--subject");
	main.replaceChildren(...page.main.flat(Infinity).filter(Boolean));
	aside.replaceChildren();
	aside.hidden = !page.aside;
	if (page.aside) {
		const wide = matchMedia("(min-width: 64rem)").matches;
		aside.append(h("details", { open: wide }, h("summary", {}, icon("list"), t("contents")), page.aside));
		const here = aside.querySelector('[aria-current="page"]');
		if (wide && here) aside.scrollTop = here.offsetTop - aside.clientHeight / 2;
	}
	announcer.textContent = page.title;
	bar();
	preview?.draw(found, redraw);
}

function fail(error) {
	const retry = h("button", { type: "button", onclick: () => (forgetUnversioned(), show()) }, t("retry"));
	const said = preview?.explain(error);
	if (said) return notice(said[0], said[1], said[2] ?? retry);
	if (error.isGone) return notice(t("gone"), t("goneHint"), retry);
	const status = error.status || (error.url ? t("noAnswer") : error.message);
	notice(t("offline"), t("offlineHint", { url: error.url ?? base, status }), retry);
	if (!(error instanceof ReadError)) console.error(error);
}

// Another host's files would appear under this site's name.
function refuse() {
	notice(t("refused"), t("refusedHint", { url: refused }), null, location.pathname);
	main.dataset.shown = location.hash;
}

function notice(words, hint, button, plans = link()) {
	shown = "";
	document.title = `${words} – memora`;
	aside.hidden = true;
	main.replaceChildren(
		h(
			"section.locked",
			{ role: "alert" },
			h("span.locked-mark", {}, icon("warning")),
			h("h1", { tabindex: "-1" }, words),
			h("p", {}, hint),
			h(
				"p.buttons",
				{},
				button,
				h("a.button.quiet", { href: plans }, t("toPlans"))
			)
		)
	);
}

const skeleton = () =>
	h("div.skeleton", { role: "status", "aria-label": t("loading") }, h("i"), h("i"), h("i"), h("i"));

// the frame

const header = h("header.bar", {});
const footer = h("footer.foot", {});

function frame() {
	const root = document.documentElement;
	root.lang = state.language;
	root.dir = direction();
	root.dataset.theme = state.theme;
	if (!header.isConnected) {
		const columns = h("div.columns", {}, aside, main);
		document.body.replaceChildren(
			h("a.skip", { href: "#main", onclick: skip }, t("skip")),
			header,
			columns,
			footer,
			announcer
		);
	}
	document.querySelector(".skip").textContent = t("skip");
	footer.replaceChildren(
		preview ? h("p", {}, t("previewNote")) : h("p", {}, t("source", { base: "" }), h("bdi", {}, h("code", {}, base)))
	);
	bar();
}

function skip(event) {
	event.preventDefault();
	main.querySelector("h1")?.focus();
}

// Made again whenever something in it changes; a menu that is open stays so, with the focus where it was.
function bar() {
	const open = header.querySelector(".menu-panel:popover-open");
	const { name, value } = /** @type {HTMLButtonElement} */ (document.activeElement);
	const inPlan = course.view !== "plans";
	header.replaceChildren(
		h("a.brand", { href: link(), title: t("allPlans") }, h("img", { src: "../images/memora.svg", alt: "", width: "28", height: "28" }), h("span", {}, "memora")),
		inPlan ? h("a.bar-plan", { href: link(course.plan.plan_id) }, bdi(course.plan.title)) : h("span"),
		h(
			"div.bar-end",
			{},
			inPlan && !preview
				? h(
						"button.bar-search",
						{ type: "button", onclick: search, "aria-keyshortcuts": "/" },
						icon("search"),
						h("span", {}, t("search")),
						h("kbd", { "aria-hidden": "true" }, "/")
					)
				: null,
			menu("person", `${t("viewAs")}: `, t(state.kind), learnerChoices()),
			menu("moon", t("theme"), "", themeChoices()),
			h(
				"button.quiet",
				{
					type: "button",
					lang: state.language === "ar" ? "en" : "ar",
					onclick: () => change({ language: state.language === "ar" ? "en" : "ar" }),
				},
				t("language")
			)
		)
	);
	if (!open) return;
	const panel = document.getElementById(open.id);
	panel.showPopover();
	[...panel.querySelectorAll("input")].find((input) => input.name === name && input.value === value)?.focus();
}

function menu(sign, label, value, content) {
	const id = `menu-${sign}`;
	const button = h(
		`button.quiet.menu-${sign}`,
		{ type: "button", popovertarget: id, "aria-label": label + value },
		icon(sign),
		value ? h("span", {}, value) : null
	);
	return h("div.menu", {}, button, h("div.menu-panel", { id, popover: "auto" }, content));
}

function learnerChoices() {
	const radio = (kind) =>
		h(
			"label.choice",
			{},
			h("input", { type: "radio", name: "kind", value: kind, checked: state.kind === kind, onchange: () => change({ kind }) }),
			h("span", {}, h("strong", {}, t(kind)), h("small", {}, t(`${kind}Hint`)))
		);
	const known = [...new Set([...state.known, ...state.items])].sort();
	const box = (item) =>
		h(
			"label.choice",
			{},
			h("input", {
				type: "checkbox",
				value: item,
				checked: state.items.includes(item),
				onchange: (event) => {
					const items = state.items.filter((other) => other !== item);
					change({ kind: "owner", items: event.target.checked ? [...items, item] : items });
				},
			}),
			h("code", {}, h("bdi", {}, item))
		);
	return h(
		"fieldset",
		{},
		h("legend", {}, t("viewAs")),
		["anonymous", "signed-in", "owner"].map(radio),
		known.length ? h("div.items", {}, known.map(box)) : h("p.row-note", {}, t("noItems"))
	);
}

function themeChoices() {
	const radio = (theme) =>
		h(
			"label.choice",
			{},
			h("input", { type: "radio", name: "theme", value: theme, checked: state.theme === theme, onchange: () => change({ theme }) }),
			h("span", {}, t(theme))
		);
	return h("fieldset", {}, h("legend", {}, t("theme")), ["auto", "light", "dark"].map(radio));
}

// keys

async function search() {
	try {
		const { open } = await import("./search.js?v=d3d51b4b");
		open(course);
	} catch (error) {
		fail(error);
	}
}

function shortcut(event) {
	const typing = event.target.closest?.("input, textarea, select, dialog, video, [popover]");
	if (event.defaultPrevented || event.altKey) return;
	if ((event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing)) {
		if (course.view === "plans" || preview || document.querySelector("dialog[open]")) return;
		event.preventDefault();
		search();
	} else if (!typing && !event.ctrlKey && !event.metaKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
		if (event.target.closest("pre")) return;
		const forward = (event.key === "ArrowRight") === (direction() === "ltr");
		main.querySelector(forward ? "a.neighbour.next" : "a.neighbour.previous")?.click();
	}
}

start();
