// Keeps the page true: what others change appears within seconds, without a socket server too, and the publication status
// is asked for of the rows that are on the screen.
import { read, STAGE } from "./kinds";

const EVERY = 3000;
const MOST = 100; // names in one question
const BUSY = ["waiting", "building", "leaving", "failed", "remains"];

export class Live {
	constructor(view) {
		this.view = view;
		this.shown = new Set();
		this.old = new Set(); // whose status may have changed since
		this.eye = new IntersectionObserver((entries) => this.on_seen(entries), { rootMargin: "100px" });
		this.ask_soon = frappe.utils.debounce(() => this.ask(), 150);
	}

	watch_row(node) {
		this.eye.observe(node.firstElementChild);
	}

	leave_row(node) {
		this.eye.unobserve(node.firstElementChild);
		this.shown.delete(node.dataset.name);
	}

	// A row that was on the screen before it had its name is asked for by that.
	rename(old, name) {
		if (!this.shown.delete(old)) return;
		this.shown.add(name);
		this.ask_soon();
	}

	on_seen(entries) {
		for (const { target, isIntersecting } of entries) {
			const name = target.parentElement && target.parentElement.dataset.name;
			if (!name) continue;
			if (isIntersecting) this.shown.add(name);
			else this.shown.delete(name);
		}
		this.ask_soon();
	}

	start() {
		this.stop();
		this.timer = setInterval(() => this.look(), EVERY);
		this.watch = memora.publishing.watch({
			element: this.view.element,
			refresh: () => this.ask_again(),
			busy: () => this.names().some((name) => BUSY.includes((this.view.outline.states.get(name) || {}).state)),
		});
	}

	stop() {
		clearInterval(this.timer);
		if (this.watch) this.watch.stop();
	}

	names() {
		return [...this.shown];
	}

	async look() {
		const { view } = this;
		const is_seen = document.visibilityState === "visible" && $(view.element).is(":visible");
		if (!is_seen || view.queue.waiting || view.reading || this.is_looking) return;
		this.is_looking = true;
		try {
			if ((await read("stamp", { subject: view.outline.subject })) !== view.outline.stamp) await view.refresh();
		} catch {
			// the next look may be answered
		} finally {
			this.is_looking = false;
		}
	}

	// After something changed, all that is on the screen is asked for again.
	ask_again() {
		for (const name of this.view.outline.states.keys()) this.old.add(name);
		return this.ask();
	}

	async ask() {
		const { outline } = this.view;
		const wanted = {};
		for (const name of this.shown) {
			const row = outline.row(name);
			if (!row || row.is_new || row.doctype === STAGE) continue;
			if (outline.states.has(name) && !this.old.has(name)) continue;
			(wanted[row.doctype] = wanted[row.doctype] || []).push(name);
		}
		await Promise.all(Object.entries(wanted).map(([doctype, names]) => this.ask_kind(doctype, names.slice(0, MOST))));
	}

	async ask_kind(doctype, names) {
		const { outline } = this.view;
		for (const name of names) this.old.delete(name);
		try {
			const args = { doctype, names: JSON.stringify(names) };
			const states = await memora.publishing.ask("list_states", args, { post: true, quiet: true });
			for (const name of names) if (states[name]) outline.states.set(name, states[name]);
			this.view.draw_soon();
			if (Object.keys(states).length && Object.keys(states).length < names.length) this.ask_soon();
		} catch {
			// the outline is of use without
		}
	}
}
