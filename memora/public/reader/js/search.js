// Search within the browser: the plan's index, and of its shards only those that a query needs.

import { h, bdi, icon } from "./dom.js?v=459e199b";
import { forgetUnversioned, read } from "./cdn.js?v=1813956c";
import { link, load } from "./course.js?v=b9f200e3";
import { fold, isEnough, matches, words } from "./fold.js?v=041cf001";
import { t } from "./i18n.js?v=f2e1dbaa";

const ENOUGH = 20;
const SHOWN = 50;
const PAUSE = 150;

let dialog;

// Open the search of the plan that a course is in. Within a subject it begins there.
export function open(course) {
	dialog?.remove();
	const search = new Search(course);
	dialog = search.dialog;
	document.body.append(dialog);
	dialog.showModal();
	search.input.focus();
}

class Search {
	constructor(course) {
		this.course = course;
		this.turn = 0;
		this.input = h("input", {
			type: "search",
			id: "query",
			autocomplete: "off",
			spellcheck: "false",
			dir: "auto",
			placeholder: t("searchIn"),
			"aria-label": t("searchIn"),
			"aria-controls": "results",
			oninput: () => {
				clearTimeout(this.timer);
				this.timer = setTimeout(() => this.run(), PAUSE);
			},
		});
		this.status = h("p.search-status", { role: "status" }, t("searchHint"));
		this.results = h("ul.results", { id: "results" });
		this.rest = h("button.quiet", { type: "button", hidden: true, onclick: () => this.run(true) }, t("searchRest"));
		this.dialog = h(
			"dialog.search",
			{
				"aria-label": t("search"),
				onclick: (event) => event.target === this.dialog && this.dialog.close(),
				onclose: () => this.dialog.remove(),
				onkeydown: (event) => this.move(event),
			},
			h(
				"div.search-box",
				{},
				h(
					"div.search-line",
					{},
					icon("search"),
					this.input,
					h("button.icon-button", { type: "button", "aria-label": t("close"), onclick: () => this.dialog.close() }, icon("close"))
				),
				course.subject ? this.scopes() : null,
				this.status,
				this.results,
				this.rest
			)
		);
	}

	scopes() {
		const choice = (value, label) =>
			h(
				"label.chip",
				{},
				h("input", { type: "radio", name: "scope", value, checked: value === "subject", onchange: () => this.run() }),
				h("span", {}, label)
			);
		return h("div.chips", {}, choice("subject", bdi(this.course.subject.title)), choice("plan", t("whereWhole")));
	}

	get subjectOnly() {
		return this.dialog.querySelector('input[name="scope"]:checked')?.value === "subject";
	}

	// Look through the shards one after the other until there are enough results, or through all.
	async run(all = false) {
		const query = this.input.value.trim();
		const sought = words(query);
		const turn = ++this.turn;
		this.rest.hidden = true;
		try {
			if (!isEnough(sought)) this.show([], t("searchHint"), sought);
			else await this.look(sought, query, turn, all);
		} catch (error) {
			if (turn !== this.turn) return;
			try {
				// A list from a cache may name what is gone: once more, with lists as they are now.
				if (!error.isGone) throw error;
				forgetUnversioned();
				this.course = { ...this.course, ...(await load([this.course.plan.plan_id])), subject: this.course.subject };
				await this.look(sought, query, turn, all);
			} catch {
				if (turn === this.turn) this.show([], t("offline"), sought);
			}
		}
		if (turn === this.turn) this.results.dataset.query = query;
	}

	async look(sought, query, turn, all) {
		const found = [];
		const sources = await this.sources(sought);
		const looked = new Set();
		for (const [place, source] of sources.entries()) {
			if (turn !== this.turn) return;
			found.push(...ranked(await source.entries(), sought));
			looked.add(source.subject);
			const left = sources.slice(place + 1).some((other) => !looked.has(other.subject));
			if (!all && left && found.length >= ENOUGH) {
				this.rest.hidden = false;
				break;
			}
		}
		if (turn !== this.turn) return;
		found.sort((a, b) => b.score - a.score);
		let said = found.length ? t("searchFound", { n: found.length }) : t("searchNothing", { query });
		if (!this.rest.hidden) {
			const subjects = new Set(sources.map((source) => source.subject));
			said += ` ${t("searchPart", { done: looked.size, all: subjects.size })}`;
		}
		this.show(found, said, sought);
	}

	// Where to look, the likeliest first: this subject, then those that the query names, then the others.
	async sources(sought) {
		const { manifest, subject } = this.course;
		/** @type {import("../../contract/memora").SearchIndex} */
		const index = await read(manifest.search_index_url);
		if ("entries" in index) {
			const entries = this.subjectOnly
				? index.entries.filter((entry) => entry.subject_id === subject.id)
				: index.entries;
			return [{ subject: "", entries: async () => entries }];
		}
		const likely = (shard) => {
			if (shard.subject_id === subject?.id) return 0;
			const name = fold(shard.subject_name);
			return sought.some((word) => name.includes(word)) ? 1 : 2;
		};
		return index.shards
			.filter((shard) => !this.subjectOnly || shard.subject_id === subject.id)
			.sort((a, b) => likely(a) - likely(b))
			.map((shard) => ({ subject: shard.subject_id, entries: async () => (await read(shard.url)).entries }));
	}

	show(found, said, sought) {
		this.status.textContent = said;
		this.results.replaceChildren(...found.slice(0, SHOWN).map(({ entry }) => this.result(entry, sought)));
	}

	result(entry, sought) {
		return h(
			"li",
			{},
			h(
				"a.result",
				{
					href: link(this.course.plan.plan_id, entry.subject_id, entry.unit_id, entry.lesson_id),
					onclick: () => this.dialog.close(),
				},
				h("strong", {}, marked(entry.lesson_name, sought)),
				h(
					"span.result-path",
					{},
					[entry.subject_name, entry.unit_name, entry.topic_name].flatMap((name, place) => [
						place ? " · " : "",
						marked(name, sought),
					])
				)
			)
		);
	}

	// Up and down between the line and the results; Escape closes, where the line alone would be emptied first.
	move(event) {
		if (event.key === "Escape") {
			event.preventDefault();
			this.dialog.close();
		}
		if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
		const stops = [this.input, ...this.results.querySelectorAll("a")];
		const place = stops.indexOf(document.activeElement);
		const next = stops[place + (event.key === "ArrowDown" ? 1 : -1)];
		if (place >= 0 && next) {
			event.preventDefault();
			next.focus();
		}
	}
}

// The entries that contain every word, with how well they fit.
function ranked(entries, sought) {
	return entries.flatMap((entry) => {
		const name = ` ${words(entry.lesson_name).join(" ")}`;
		const around = ` ${words(`${entry.topic_name} ${entry.unit_name} ${entry.subject_name}`).join(" ")}`;
		let score = name.startsWith(` ${sought.join(" ")}`) ? 5 : 0;
		for (const word of sought) {
			if (name.includes(` ${word}`)) score += 4;
			else if (name.includes(word)) score += 3;
			else if (around.includes(` ${word}`)) score += 2;
			else if (around.includes(word)) score += 1;
			else return [];
		}
		return [{ entry, score }];
	});
}

function marked(name, sought) {
	const text = name.normalize("NFC");
	const parts = [];
	let from = 0;
	for (const [start, end] of matches(text, sought)) {
		parts.push(text.slice(from, start), h("mark", {}, text.slice(start, end)));
		from = end;
	}
	return h("bdi", {}, ...parts, text.slice(from));
}
