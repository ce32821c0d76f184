// A subject's rows as the page knows them: what is where, what is open, what is chosen. Draws nothing.
import { keep, kept } from "./kept";
import { STAGE } from "./kinds";

const REMEMBERED = "memora-course-open:";

export class Outline {
	constructor(subject) {
		this.subject = subject;
		this.rows = new Map();
		this.branches = new Map(); // names of a row's children, in order; only of those that were asked for
		this.open = new Set(kept(REMEMBERED + subject) || []);
		this.chosen = new Set();
		this.states = new Map(); // publication status by name
		this.found = null; // what a search has found, else null
		this.left_off = {};
		this.plans = [];
		this.plan = "";
		this.stamp = "";
	}

	get root() {
		return this.rows.get(this.subject);
	}

	// What the server answered replaces all that was known. Rows that are not there yet stay where they are.
	apply({ subject, branches, plans, stamp, left_off }) {
		const waiting = [...this.rows.values()].filter((row) => row.is_new);
		const places = waiting.map((row) => ({ row, after: this.previous(row.name) }));
		this.rows = new Map([[subject.name, subject]]);
		this.branches = new Map();
		for (const [parent, rows] of Object.entries(branches)) {
			this.branches.set(parent, rows.map((row) => row.name));
			for (const row of rows) this.rows.set(row.name, row);
		}
		for (const row of this.rows.values()) {
			if (row.doctype === STAGE) row.can_write = (this.rows.get(row.parent) || {}).can_write; // its lesson's right
		}
		// What is open and empty has a branch too: a title may be typed there.
		for (const name of this.open) {
			if (this.rows.has(name) && !this.rows.get(name).children) this.branches.set(name, this.children(name));
		}
		for (const { row, after } of places) if (this.rows.has(row.parent)) this.insert(row, after);
		this.plans = plans;
		this.stamp = stamp;
		this.left_off = left_off || {};
		this.open.add(this.subject);
		for (const name of this.chosen) if (!this.row(name)) this.chosen.delete(name);
	}

	row(name) {
		return (this.found && this.found.get(name)) || this.rows.get(name);
	}

	children(name) {
		return this.branches.get(name) || [];
	}

	siblings(name) {
		const row = this.row(name);
		return row ? this.children(row.parent) : [];
	}

	previous(name) {
		const siblings = this.siblings(name);
		return siblings[siblings.indexOf(name) - 1] || "";
	}

	next(name) {
		const siblings = this.siblings(name);
		return siblings[siblings.indexOf(name) + 1] || "";
	}

	// From the subject's child down to the row itself.
	path(name) {
		const path = [];
		for (let row = this.row(name); row && row.name !== this.subject; row = this.row(row.parent)) path.unshift(row);
		return path;
	}

	is_open(name) {
		return this.open.has(name) && this.branches.has(name);
	}

	// Rows from the top down as they are seen.
	visible(from = this.subject) {
		if (this.found) return [...this.found.keys()];
		const seen = [from];
		if (this.is_open(from)) for (const child of this.children(from)) seen.push(...this.visible(child));
		return seen;
	}

	// Of these names, in the order of the outline, those that are below no other of them.
	topmost(names) {
		const wanted = new Set(names);
		const covered = (row) => row && (wanted.has(row.parent) || covered(this.row(row.parent)));
		const order = this.visible();
		return [...wanted]
			.filter((name) => this.row(name) && !covered(this.row(name)))
			.sort((one, other) => order.indexOf(one) - order.indexOf(other));
	}

	insert(row, after) {
		this.rows.set(row.name, row);
		const branch = this.branches.get(row.parent);
		if (!branch) return;
		const place = after ? branch.indexOf(after) + 1 : 0;
		branch.splice(after && !place ? branch.length : place, 0, row.name);
	}

	remove(name) {
		const branch = this.branches.get((this.rows.get(name) || {}).parent);
		if (branch && branch.includes(name)) branch.splice(branch.indexOf(name), 1);
		this.rows.delete(name);
	}

	// Puts a row behind `after` below a parent; at the start without one.
	place(name, parent, after) {
		const row = this.rows.get(name);
		const [from, to] = [this.rows.get(row.parent), this.rows.get(parent)];
		this.remove(name);
		if (from && from !== to) from.children = Math.max(0, from.children - 1);
		if (to && from !== to) to.children += 1;
		this.insert({ ...row, parent }, after);
	}

	// A row that was new has its name now.
	rename(old, row) {
		const branch = this.branches.get(row.parent);
		if (branch && branch.includes(old)) branch[branch.indexOf(old)] = row.name;
		if (this.branches.has(old)) {
			this.branches.set(row.name, this.branches.get(old));
			this.branches.delete(old);
			for (const child of this.children(row.name)) this.rows.get(child).parent = row.name;
		}
		if (this.open.delete(old)) this.open.add(row.name);
		if (this.chosen.delete(old)) this.chosen.add(row.name);
		this.rows.delete(old);
		this.rows.set(row.name, row);
	}

	unfold(name) {
		this.open.delete(name);
		this.open.add(name); // the last of them
		this.remember();
	}

	fold(name) {
		this.open.delete(name);
		this.remember();
	}

	remember() {
		const open = [...this.open].filter((name) => !(this.row(name) || {}).is_new).slice(-500);
		keep(REMEMBERED + this.subject, open);
	}

	// What to ask the server for: what was opened last comes first, with what is above it, since an answer has an end.
	wanted() {
		const names = new Set();
		for (const name of [...this.open].reverse()) {
			for (const row of this.path(name)) if (this.open.has(row.name)) names.add(row.name);
			names.add(name);
		}
		names.delete(this.subject);
		return [...names].filter((name) => !(this.rows.get(name) || {}).is_new);
	}

	// How many rows of what is open are not in the answer.
	get missing() {
		return Object.values(this.left_off).reduce((sum, number) => sum + number, 0);
	}
}
