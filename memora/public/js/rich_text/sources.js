// A text as it was opened: what has not been edited is given back byte by byte.
import { LONGEST } from "../long_text";
import { BLOCKS, VOID } from "./elements";
import { read } from "./read";
import { write, written } from "./write";

const SPACES = " \t\n\f\r";
const TAG = /<(\/?)([a-z][^\s/>]*)(?:"[^"]*"|'[^']*'|[^'">])*>/gi;

// → { doc, sources, problems }. `sources` is there when the text can be edited without a loss.
export function open(html) {
	if (html.length > LONGEST) return { problems: ["long"] };
	const { doc, problems } = read(html);
	if (problems.length) return { doc, problems };
	try {
		doc.check();
		const again = read(write(doc));
		if (again.problems.length || !again.doc.eq(doc)) return { doc, problems: ["…"] };
	} catch {
		return { problems: ["…"] };
	}
	return { doc, problems, sources: new Sources(html, doc) };
}

export class Sources {
	// What is written for each block that is as it was opened, and what was before it.
	#nodes = new Map();
	#texts = new Map();
	#between = "\n";
	#start = "";
	#end = "";

	constructor(html, doc) {
		this.html = html;
		this.doc = doc;
		const parts = doc && blocks_of(html, doc);
		if (!parts) return;
		const canonical = written(doc);
		parts.blocks.forEach((part, place) => {
			const known = { ...part, place };
			this.#nodes.set(doc.child(place), known);
			if (!this.#texts.has(canonical[place])) this.#texts.set(canonical[place], known);
		});
		this.#start = parts.blocks[0]?.before ?? "";
		this.#end = parts.end;
		if (parts.blocks.length > 1) this.#between = parts.blocks[1].before;
	}

	write(doc) {
		if (this.doc && doc.eq(this.doc)) return this.html;
		if (!write(doc)) return "";
		let html = this.#start;
		let last = null;
		const canonical = written(doc);
		doc.forEach((node, _, place) => {
			const known = this.#nodes.get(node) ?? this.#texts.get(canonical[place]);
			if (place) html += known && last && known.place === last.place + 1 ? known.before : this.#between;
			html += known?.source ?? canonical[place];
			last = known ?? null;
		});
		return html + this.#end;
	}
}

// The text cut into its blocks: each with what is before it. null where it does not come out even.
function blocks_of(html, doc) {
	const cut = cuts(html);
	if (!cut || cut.blocks.length !== doc.childCount) return null;
	const is_same = ({ source }, place) => {
		const { doc: alone, problems } = read(source);
		return !problems.length && alone.childCount === 1 && alone.firstChild.eq(doc.child(place));
	};
	return cut.blocks.every(is_same) ? cut : null;
}

function cuts(html) {
	const blocks = [];
	let before = 0; // where white space before the next block starts
	let start = 0;
	let depth = 0;
	const take = (from, to) => {
		while (from < to && SPACES.includes(html[from])) from++;
		while (from < to && SPACES.includes(html[to - 1])) to--;
		if (from === to) return;
		blocks.push({ before: html.slice(before, from), source: html.slice(from, to) });
		before = to;
	};
	let within = false; // a block, rather than text between blocks
	for (const { 0: whole, 1: slash, 2: name, index } of html.matchAll(TAG)) {
		const tag = name.toLowerCase();
		const is_block = BLOCKS.has(tag);
		if (!depth && !slash && is_block) {
			take(start, index);
			start = index;
			within = true;
		}
		if (!VOID.has(tag)) depth += slash ? -1 : 1;
		if (depth < 0) return null;
		if (!depth && within) {
			take(start, index + whole.length);
			start = index + whole.length;
			within = false;
		}
	}
	if (depth) return null;
	take(start, html.length);
	return { blocks, end: html.slice(before) };
}
