// The frame around every page: bar, address, focus, errors.

import { base, forgetUnversioned, ReadError } from "./cdn.js?v=ca94127a";
import { load, link, parse } from "./course.js?v=9e99f500";
import { bdi, h, icon } from "./dom.js?v=1efe77f2";
import { direction, t } from "./i18n.js?v=1c24cd91";
import { change, state } from "./state.js?v=20804912";
import { page } from "./views.js?v=1de0a7ac";

let course = { view: "plans" };
let turn = 0;

const main = h("main", { id: "main" });
const aside = h("aside", {});
const announcer = h("p.visually-hidden", { role: "status" });

function start() {
	addEventListener("hashchange", () => show());
	addEventListener("memora-change", () => {
		frame();
		show({ still: true });
	});
	addEventListener("keydown", shortcut);
	// After a while in the background lists may have changed.
	document.addEventListener("visibilitychange", () => document.hidden || forgetUnversioned());
	frame();
	show({ still: true });
}

// Read what the address stands for, and show it. `still`: neither scroll nor move the focus.
async function show({ still = false } = {}) {
	const mine = ++turn;
	const slow = setTimeout(
		() => mine === turn && main.replaceChildren(skeleton()),
		still && main.childElementCount ? 1000 : 150
	);
	try {
		let found;
		try {
			found = await load(parse(location.hash));
			if (mine === turn) await place(found, mine);
		} catch (error) {
			// A list from a cache may name what is gone: once more, with lists as they are now.
			if (!isGone(error) || mine !== turn) throw error;
			forgetUnversioned();
			await place(await load(parse(location.hash)), mine);
		}
	} catch (error) {
		if (mine === turn) fail(error);
	} finally {
		clearTimeout(slow);
	}
	if (mine === turn) main.dataset.shown = location.hash;
	if (mine === turn && !still) {
		scrollTo(0, 0);
		main.querySelector("h1")?.focus({ preventScroll: true });
	}
}

async function place(found, mine) {
	const shown = await page(found);
	if (mine !== turn) return;
	course = found;
	document.title = `${shown.title} – memora`;
	document.body.dataset.view = found.view;
	if (shown.colour) document.body.style.setProperty("--subject", shown.colour);
	else document.body.style.removeProperty("--subject");
	main.replaceChildren(...shown.main.flat(Infinity).filter(Boolean));
	aside.replaceChildren();
	aside.hidden = !shown.aside;
	if (shown.aside) {
		const wide = matchMedia("(min-width: 64rem)").matches;
		aside.append(h("details", { open: wide }, h("summary", {}, icon("list"), t("contents")), shown.aside));
		const here = aside.querySelector('[aria-current="page"]');
		if (wide && here) aside.scrollTop = here.offsetTop - aside.clientHeight / 2;
	}
	announcer.textContent = shown.title;
	bar();
}

// Storages that may not be listed answer 403 for what is not there.
const isGone = (error) => error instanceof ReadError && (error.status === 404 || error.status === 403);

function fail(error) {
	const gone = isGone(error);
	const words = gone ? t("gone") : t("offline");
	const hint = gone
		? t("goneHint")
		: t("offlineHint", { url: error.url ?? base, status: error.status || (error.url ? t("noAnswer") : error.message) });
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
				h("button", { type: "button", onclick: () => (forgetUnversioned(), show()) }, t("retry")),
				h("a.button.quiet", { href: "#/" }, t("toPlans"))
			)
		)
	);
	if (!(error instanceof ReadError)) console.error(error);
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
	footer.replaceChildren(h("p", {}, t("source", { base: "" }), h("bdi", {}, h("code", {}, base))));
	bar();
}

function skip(event) {
	event.preventDefault();
	main.querySelector("h1")?.focus();
}

// Made anew whenever something in it changes; a menu that is open stays so, with the focus where it was.
function bar() {
	const open = header.querySelector(".menu-panel:popover-open");
	const { name, value } = document.activeElement;
	const inPlan = course.view !== "plans";
	header.replaceChildren(
		h("a.brand", { href: "#/", title: t("allPlans") }, h("img", { src: "../images/memora.svg", alt: "", width: "28", height: "28" }), h("span", {}, "memora")),
		inPlan ? h("a.bar-plan", { href: link(course.plan.plan_id) }, bdi(course.plan.title)) : h("span"),
		h(
			"div.bar-end",
			{},
			inPlan
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
		const { open } = await import("./search.js?v=baa3a32e");
		open(course);
	} catch (error) {
		fail(error);
	}
}

function shortcut(event) {
	const typing = event.target.closest?.("input, textarea, select, dialog, video, [popover]");
	if (event.defaultPrevented || event.altKey) return;
	if ((event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing)) {
		if (course.view === "plans" || document.querySelector("dialog[open]")) return;
		event.preventDefault();
		search();
	} else if (!typing && !event.ctrlKey && !event.metaKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
		if (event.target.closest("pre")) return;
		const forward = (event.key === "ArrowRight") === (direction() === "ltr");
		main.querySelector(forward ? "a.neighbour.next" : "a.neighbour.previous")?.click();
	}
}

start();
