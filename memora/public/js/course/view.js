// The outline of one subject: its parts, and what they share.
import { Actions } from "./actions";
import { Bar } from "./bar";
import { Clipboard } from "./clipboard";
import { Drag } from "./drag";
import { course_link, remember_row, remembered_row } from "./home";
import { Keyboard } from "./keyboard";
import { change, LESSON, read, text_of } from "./kinds";
import { Live } from "./live";
import { Menu } from "./menu";
import { Moves } from "./moves";
import { Outline } from "./outline";
import { Queue } from "./queue";
import { Search } from "./search";
import { Selection } from "./selection";
import { Stages } from "./stages";
import { texts_html } from "./text_search";
import { Titles } from "./titles";
import { Tree } from "./tree";
import { Undo } from "./undo";

const { html, message_of, put } = memora.publishing;

export class View {
	constructor(page, subject) {
		this.page = page;
		this.outline = new Outline(subject);
		this.queue = new Queue();
		this.errors = new Map(); // what was refused, by row
		this.again = new Map(); // how to try that again
		this.pending = new Map(); // how many changes of a row are under way
		this.is_seen = false; // what is hidden, or was left, starts nothing and names nothing
		this.element = $('<div class="memora-course"></div>')[0];
		this.live = new Live(this);
		this.undo = new Undo(this);
		this.titles = new Titles(this);
		this.drag = new Drag(this);
		this.moves = new Moves(this);
		this.actions = new Actions(this);
		this.menu = new Menu(this);
		this.clipboard = new Clipboard(this);
		this.search = new Search(this);
		this.selection = new Selection(this);
		this.bar = new Bar(this);
		this.stages = new Stages(this);
		this.tree = new Tree(this);
		this.keyboard = new Keyboard(this);
		this.draw_soon = frappe.utils.debounce(() => this.draw(), 30);
		this.refresh_soon = frappe.utils.debounce(() => this.refresh(), 250);
		this.build();
	}

	build() {
		this.$body = $('<div class="memora-outline"></div>').append(this.tree.element);
		this.$empty = $('<div class="memora-outline-empty"></div>').appendTo(this.$body);
		this.$texts = $('<section class="memora-panel"></section>').attr("aria-label", __("In the texts of lessons")).hide();
		this.$texts.on("click", "[data-found]", (event) => this.on_found(event)).appendTo(this.$body);
		this.$said = $('<div class="sr-only" role="status" aria-live="polite"></div>');
		this.$waits = $('<div class="memora-course-waits"></div>');
		put(this.$waits, Array(5).fill(html`<div class="memora-skeleton is-row"></div>`));
		this.bar.$element.appendTo(this.element);
		$(this.element).append(this.$waits, this.$body.hide(), this.selection.$element, this.$said);
		const $tree = $(this.tree.element);
		this.titles.bind($tree);
		$tree.on("click", (event) => this.on_click(event));
		$tree.on("dblclick", ".memora-title", (event) => this.on_double_click(event));
		$tree.on("contextmenu", ".memora-row", (event) => this.on_context(event));
		$tree.on("focusin", "li[role=treeitem]", (event) => {
			if (event.target !== event.currentTarget) return;
			this.tree.current = event.target.dataset.name;
			this.tree.reach(this.tree.current);
		});
	}

	// Reads the outline and keeps it true from now on. `row` is brought into sight.
	async show(row = "") {
		this.is_seen = true;
		this.keyboard.start();
		try {
			if (row) await this.open_path(row);
			await this.refresh(true);
		} catch (error) {
			return this.fail_whole(error, row);
		}
		if (!this.is_seen) return null;
		this.$waits.remove();
		this.$body.show();
		this.live.start();
		this.stages.look();
		const { outline } = this;
		if (row && outline.row(row)) return this.tree.focus(row);
		if (!outline.children(outline.subject).length && outline.root.can_write) return this.titles.add(outline.subject);
		return this.tree.focus(outline.row(this.remembered()) ? this.remembered() : outline.subject);
	}

	hide() {
		this.is_seen = false;
		this.live.stop();
		this.keyboard.stop();
		this.menu.close();
	}

	fail_whole(error, row) {
		put(
			this.$waits,
			html`<div class="alert alert-danger" role="alert">${message_of(error)} <button type="button" class="btn btn-default btn-xs" data-again>${__(
				"Try Again"
			)}</button></div>`
		);
		this.$waits.find("[data-again]").on("click", () => this.show(row));
	}

	// Out of what lies over the outline: first the choice of rows, then the search.
	escape() {
		if (this.outline.chosen.size) return this.selection.clear();
		if (this.search.is_active) return this.bar.clear();
		return null;
	}

	// What the row is below is opened, so that it is seen.
	async open_path(name) {
		const found = await read("place", { name }).catch(() => null);
		for (const parent of (found ? found.path : []).slice(0, -1)) this.outline.unfold(parent);
	}

	// Asks for all that is open. Who asks meanwhile gets the same promise, and an answer that is at least as new.
	refresh(is_first = false) {
		this.is_stale = true;
		if (!this.reading) {
			this.reading = this.read(is_first).finally(() => {
				this.reading = null;
			});
		}
		return this.reading;
	}

	async read(is_first) {
		try {
			while (this.is_stale) {
				this.is_stale = false;
				await this.take();
			}
		} catch (error) {
			if (is_first) throw error;
			this.bar.fail(text_of(error));
			return;
		}
		this.bar.fail("");
		this.draw();
		this.live.ask_again();
	}

	// An answer from before a change of one's own, or while something is dragged, is not taken.
	async take() {
		await this.queue.idle();
		const { outline } = this;
		const { count } = this.queue;
		const open = outline.wanted();
		const answer = await read("outline", { subject: outline.subject, open, plan: outline.plan });
		const found = this.search.is_active ? await this.search.ask() : null;
		if (this.drag.is_dragging) return;
		if (count !== this.queue.count || String(open) !== String(outline.wanted())) {
			this.is_stale = true;
			return;
		}
		outline.apply(answer);
		outline.found = found;
	}

	draw() {
		if (this.drag.is_dragging || !this.is_seen) return;
		this.tree.draw();
		put(this.$empty, this.tree.empty_html());
		this.draw_texts();
		this.bar.draw();
		this.selection.draw();
	}

	draw_texts() {
		const texts = this.outline.found && this.search.texts;
		this.$texts.toggle(Boolean(texts));
		const address = ({ subject, name }) => course_link(subject, name);
		if (!texts) return;
		const content = html`<h4>${__("In the texts of lessons")}</h4>${texts_html(texts, address)}`;
		if (this.shown_texts === String(content)) return;
		this.shown_texts = String(content);
		const held = this.$texts.find(":focus").attr("data-found");
		put(this.$texts, content);
		if (held) this.$texts.find("[data-found]").filter((_, link) => link.dataset.found === held).trigger("focus");
	}

	// A lesson of this course is shown in its place; with Ctrl it opens in a tab of its own, as links do.
	on_found(event) {
		if (event.ctrlKey || event.metaKey || event.shiftKey) return;
		event.preventDefault();
		const { found } = event.currentTarget.dataset;
		this.reveal(found).catch((error) => this.bar.fail(text_of(error)));
	}

	async reveal(name) {
		await this.bar.clear();
		await this.open_path(name);
		await this.refresh();
		this.tree.focus(name);
	}

	async unfold(name) {
		const { outline } = this;
		outline.unfold(name);
		const row = outline.row(name);
		if (!row || outline.branches.has(name)) return this.draw();
		if (!row.children || row.is_new) outline.branches.set(name, []);
		else await this.refresh();
		return this.draw();
	}

	fold(name) {
		if (name === this.outline.subject) return;
		this.titles.close_draft(true);
		this.outline.fold(name);
		this.draw();
	}

	toggle(name) {
		return this.outline.is_open(name) ? this.fold(name) : this.unfold(name);
	}

	// Everything is opened, level by level.
	async unfold_all() {
		const { outline } = this;
		for (let depth = 0; depth < 3; depth++) {
			const inner = outline.visible().filter((name) => outline.row(name).children && outline.row(name).doctype !== LESSON);
			// As if the first had been opened last: it comes first where not all fits.
			outline.open = new Set([...outline.open, ...inner.reverse()].filter((name, at, all) => all.lastIndexOf(name) === at));
			outline.remember();
			await this.refresh();
		}
	}

	fold_all() {
		this.outline.open = new Set([this.outline.subject]);
		this.outline.remember();
		this.draw();
		this.tree.focus(this.outline.subject);
	}

	// A change of rows that are seen: they are marked until it is through, and say what was refused.
	async change_rows(names, method, args, agreed = false) {
		for (const name of names) {
			this.pending.set(name, (this.pending.get(name) || 0) + 1);
			this.errors.delete(name);
		}
		this.draw();
		try {
			return await this.queue.add(() => {
				const named = this.titles.with_names(args);
				return agreed ? this.actions.agreed(method, named) : change(method, named);
			});
		} catch (error) {
			this.fail(names[0], text_of(error));
			return null;
		} finally {
			for (const name of names) this.settle(name);
			this.draw();
			this.refresh_soon();
		}
	}

	settle(name) {
		const left = this.pending.get(name) - 1;
		if (left) this.pending.set(name, left);
		else this.pending.delete(name);
	}

	fail(name, text) {
		this.errors.set(name, { text });
		this.draw();
	}

	// Says something to those who listen, and with `aloud` to those who see.
	say(text, aloud = false, indicator = "blue") {
		this.$said.text(text);
		if (aloud) frappe.show_alert({ message: memora.publishing.esc(text), indicator });
	}

	remember(name) {
		remember_row({ subject: this.outline.subject, name });
	}

	remembered() {
		const last = remembered_row();
		return last && last.subject === this.outline.subject ? last.name : "";
	}

	on_click(event) {
		if (this.drag.has_just_ended()) return event.preventDefault();
		const node = event.target.closest("li[role=treeitem]");
		const target = event.target.closest("[data-action]");
		const item = event.target.closest("li");
		const chooses = event.shiftKey || event.ctrlKey || event.metaKey;
		if (target && !(chooses && target.matches(".memora-title"))) {
			const name = node ? node.dataset.name : item.dataset.parent;
			const parent = item.dataset.parent;
			return this.actions.act(target.dataset.action, parent || name, target, event);
		}
		if (!node || event.target.closest("input")) return;
		const { name } = node.dataset;
		if (chooses) {
			event.preventDefault();
			if (event.shiftKey) this.selection.to(name);
			else this.selection.toggle(name);
			return this.tree.focus(name);
		}
		this.tree.focus(name);
		if (event.target.closest("a.memora-title")) return;
		const row = this.outline.row(name);
		if (event.target.closest(".memora-title") && row.children && !this.outline.found) this.toggle(name);
	}

	on_double_click(event) {
		if (!event.currentTarget.matches("a, [data-action]")) this.titles.rename(event.currentTarget.closest("li").dataset.name);
	}

	on_context(event) {
		if (event.target.closest("input[type=text], a") || window.getSelection().toString()) return;
		event.preventDefault();
		const { name } = event.currentTarget.parentElement.dataset;
		if (!name) return;
		this.tree.focus(name);
		this.menu.open(name, { x: event.clientX, y: event.clientY });
	}
}
