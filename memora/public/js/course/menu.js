// The menu of a row: all that the keys do, for mouse, touch and screen readers.
import { above, below, can_be_typed, LESSON, STAGE, SUBJECT, words } from "./kinds";

const { html, put } = memora.publishing;

export class Menu {
	constructor(view) {
		this.view = view;
		this.$menu = null;
	}

	get is_open() {
		return Boolean(this.$menu);
	}

	// `at` is a point, or the button that it opens under.
	open(name, at) {
		this.close();
		const row = this.view.outline.row(name);
		if (!row) return;
		this.view.tree.focus(name);
		this.name = name;
		this.entries = this.entries_of(row).filter(Boolean);
		this.$menu = $('<div class="memora-menu" role="menu" tabindex="-1"></div>')
			.attr("aria-label", __("Menu of {0}", [row.title]))
			.appendTo(document.body);
		put(this.$menu, this.entries.map(entry_html));
		this.place(at);
		this.$menu.on("click", "[role=menuitem]", ({ currentTarget }) => this.pick(Number(currentTarget.dataset.place)));
		this.$menu.on("keydown", (event) => this.on_key(event));
		this.$menu.find("[role=menuitem]").first().trigger("focus");
		this.on_away = (event) => !this.$menu[0].contains(event.target) && this.close();
		document.addEventListener("pointerdown", this.on_away); // it opens after one: with a click or the context menu
	}

	place(at) {
		const { offsetWidth: width, offsetHeight: height } = this.$menu[0];
		let { x, y } = at;
		if (at.under) {
			const box = at.under.getBoundingClientRect();
			x = frappe.utils.is_rtl() ? box.left : box.right - width;
			y = box.bottom + 4;
			if (y + height > window.innerHeight) y = Math.max(8, box.top - height - 4);
		}
		this.$menu.css({
			left: Math.max(8, Math.min(x, window.innerWidth - width - 8)),
			top: Math.max(8, Math.min(y, window.innerHeight - height - 8)),
		});
	}

	close(focus = false) {
		if (!this.$menu) return;
		document.removeEventListener("pointerdown", this.on_away);
		this.$menu.remove();
		this.$menu = null;
		if (focus) this.view.tree.focus(this.name);
	}

	pick(place) {
		const entry = this.entries[place];
		this.close(true);
		entry.run();
	}

	on_key(event) {
		event.stopPropagation();
		const items = this.$menu.find("[role=menuitem]").get();
		const at = items.indexOf(document.activeElement);
		const go = (to) => items[(to + items.length) % items.length].focus();
		const keys = {
			ArrowDown: () => go(at + 1),
			ArrowUp: () => go(at - 1),
			Home: () => go(0),
			End: () => go(-1),
			Escape: () => this.close(true),
			Tab: () => this.close(true),
			Enter: () => at >= 0 && items[at].click(),
			" ": () => at >= 0 && items[at].click(),
		};
		if (!keys[event.key]) return;
		event.preventDefault();
		keys[event.key]();
	}

	entries_of(row) {
		const { actions, clipboard, moves, outline, search, selection, titles } = this.view;
		const { name } = row;
		const these = actions.these(name);
		const is_many = these.length > 1;
		const is_stage = row.doctype === STAGE;
		const kind = below(row.doctype);
		const form = { label: is_stage ? __("Open the Lesson's Form") : __("Open Form"), key: is_stage ? "" : "Enter", run: () => actions.open_form(name) };
		const edit = is_stage ? { label: row.can_write ? __("Edit Stage") : __("Open Stage"), key: "Enter", run: () => actions.open(name) } : null;
		const look = is_stage ? null : { label: __("Preview as Learner"), key: "P", run: () => actions.preview(name) };
		const share = is_stage ? null : { label: __("Share Preview"), run: () => actions.share(name) };
		const history = { label: is_stage ? __("History of the Lesson") : __("History"), run: () => actions.history(name) };
		const reveal = outline.found ? { label: __("Show in the Outline"), run: () => search.reveal(name) } : null;
		if (!row.can_write) return [edit, form, look, share, history, reveal, this.copy(these)];
		const is_placed = row.doctype !== SUBJECT && !outline.found;
		return [
			edit,
			form,
			look,
			share,
			history,
			reveal,
			LINE,
			can_be_typed(kind) && !outline.found ? { label: words(kind).add, run: () => titles.add(name) } : null,
			can_be_typed(row.doctype) && is_placed
				? { label: __("Add Another Below This"), key: "N", run: () => titles.add(row.parent, name) }
				: null,
			row.doctype === LESSON ? { label: __("Import Questions …"), run: () => actions.import_questions(name) } : null,
			{ label: __("Edit Title"), key: "F2", run: () => titles.rename(name) },
			...(is_stage ? [] : this.publishing(row, these)),
			LINE,
			is_placed ? { label: __("Move Up"), key: "Alt ↑", run: () => moves.by(name, -1) } : null,
			is_placed ? { label: __("Move Down"), key: "Alt ↓", run: () => moves.by(name, 1) } : null,
			is_placed && above(row.doctype) !== SUBJECT && !is_stage ? { label: __("Move to …"), run: () => moves.choose(these) } : null,
			this.copy(these),
			clipboard.fits(row) ? { label: __("Paste"), key: "Ctrl V", run: () => clipboard.paste(name) } : null,
			is_stage ? null : { label: __("Duplicate"), key: "Ctrl D", run: () => actions.duplicate(these) },
			!is_stage && row.children && row.doctype !== LESSON
				? { label: __("Duplicate with All Below"), run: () => actions.duplicate(these, 1) }
				: null,
			is_many ? null : { label: __("Select"), key: __("Space"), run: () => selection.toggle(name) },
			...(is_stage ? [] : this.in_plan(row)),
			LINE,
			this.deletion(row, these, is_many),
		];
	}

	copy(these) {
		return { label: __("Copy"), key: "Ctrl C", run: () => this.view.clipboard.copy(these) };
	}

	deletion(row, these, is_many) {
		const has_more = !is_many && row.doctype !== LESSON && row.children;
		const label = has_more ? __("Delete with All Below …") : __("Delete …");
		return { label, key: __("Del"), is_bad: true, run: () => this.view.actions.delete(these) };
	}

	publishing(row, these) {
		const { actions } = this.view;
		const has_below = row.doctype !== LESSON && row.children;
		return [
			LINE,
			row.is_published
				? { label: __("Unpublish"), run: () => actions.publish(these, 0) }
				: { label: __("Publish"), run: () => actions.publish(these, 1) },
			has_below ? { label: __("Publish with All Below"), run: () => actions.publish(these, 1, 1) } : null,
			this.is_below_drafts(row) ? { label: __("Publish with What Is Above"), run: () => actions.make_live(row.name) } : null,
			row.is_free_preview
				? { label: __("End Free Preview"), run: () => actions.free(these, 0) }
				: { label: __("Make Free Preview"), run: () => actions.free(these, 1) },
		];
	}

	// In a search only the row itself is known.
	is_below_drafts({ parent, is_published }) {
		const { outline } = this.view;
		if (outline.found) return Boolean(parent) && !is_published;
		for (let row = outline.row(parent); row; row = outline.row(row.parent)) if (!row.is_published) return true;
		return false;
	}

	in_plan(row) {
		const { actions, outline } = this.view;
		if (!outline.plan) return [];
		const override = (label, action) => ({ label, run: () => actions.override(row.name, action) });
		const has_any = row.override || (row.plan_title && row.plan_title !== row.title);
		return [
			{ title: __("In this plan") },
			override(__("Hide"), "Hide"),
			override(__("Rename …"), "Rename"),
			override(__("Make Free"), "Set Free"),
			override(__("Sell Separately …"), "Set Sold Separately"),
			has_any ? override(__("As Everywhere Else"), "") : null,
		];
	}
}

const LINE = { is_line: true };

function entry_html(entry, place, all) {
	if (entry.is_line) {
		const is_last = place === all.length - 1 || all[place + 1].is_line;
		return place === 0 || is_last ? "" : html`<div class="memora-menu-line" role="separator"></div>`;
	}
	if (entry.title) return html`<div class="memora-menu-title" role="presentation">${entry.title}</div>`;
	return html`<button type="button" role="menuitem" tabindex="-1" class="${entry.is_bad ? "is-bad" : ""}" data-place="${place}">
		<span>${entry.label}</span>${entry.key ? html`<kbd dir="ltr">${entry.key}</kbd>` : ""}</button>`;
}

