// Several rows at once, and the bar that says what can be done to them.
import { above, icon, LESSON, STAGE, SUBJECT } from "./kinds";

const { html, put } = memora.publishing;

export class Selection {
	constructor(view) {
		this.view = view;
		this.anchor = "";
		this.$element = $('<div class="memora-chosen-bar" role="toolbar"></div>').attr("aria-label", __("Selected rows")).hide();
		this.$element.on("click", "[data-act]", ({ currentTarget }) => this.act(currentTarget.dataset.act));
	}

	toggle(name) {
		const { chosen } = this.view.outline;
		if (!chosen.delete(name)) chosen.add(name);
		this.anchor = name;
		this.view.draw();
		this.view.say(__("Selected: {0}", [chosen.size]));
	}

	// From the row that was chosen last to this one.
	to(name) {
		const { outline, tree } = this.view;
		const names = outline.visible();
		const [from, to] = [names.indexOf(this.anchor || tree.current), names.indexOf(name)].sort((one, other) => one - other);
		if (from < 0) return this.toggle(name);
		if (!this.anchor) this.anchor = tree.current;
		for (const each of names.slice(from, to + 1)) if (each !== outline.subject) outline.chosen.add(each);
		this.view.draw();
	}

	all() {
		const { outline } = this.view;
		for (const name of outline.visible()) if (name !== outline.subject) outline.chosen.add(name);
		this.view.draw();
	}

	clear() {
		this.view.outline.chosen.clear();
		this.anchor = "";
		this.view.draw();
	}

	draw() {
		const { chosen } = this.view.outline;
		this.$element.toggle(chosen.size > 0);
		const rows = [...chosen].map((name) => this.view.outline.row(name)).filter(Boolean);
		const key = JSON.stringify([rows.length, rows.map((row) => [row.doctype, row.can_write, row.is_published, row.is_free_preview])]);
		if (!rows.length || key === this.key) return;
		this.key = key;
		put(this.$element, this.bar_html(rows));
	}

	bar_html(rows) {
		const may = rows.every((row) => row.can_write || row.doctype === STAGE);
		const are_stages = rows.some((row) => row.doctype === STAGE);
		const is_one_kind = new Set(rows.map((row) => row.doctype)).size === 1;
		const act = (name, label, look = "") =>
			html`<button type="button" class="btn btn-default btn-sm ${look}" data-act="${name}">${label}</button>`;
		const acts = [];
		if (may && !are_stages) {
			if (rows.some((row) => !row.is_published)) acts.push(act("publish", __("Publish")));
			if (rows.some((row) => row.doctype !== LESSON && row.children)) acts.push(act("publish_below", __("Publish with All Below")));
			if (rows.some((row) => row.is_published)) acts.push(act("unpublish", __("Unpublish")));
			if (rows.some((row) => !row.is_free_preview)) acts.push(act("free", __("Make Free Preview")));
			else acts.push(act("not_free", __("End Free Preview")));
			if (is_one_kind && above(rows[0].doctype) !== SUBJECT) acts.push(act("move", __("Move to …")));
			acts.push(act("duplicate", __("Duplicate")));
		}
		if (is_one_kind) acts.push(act("copy", __("Copy")));
		if (may && (!are_stages || is_one_kind)) acts.push(act("delete", __("Delete …"), "is-bad"));
		return html`<b class="memora-chosen-count">${__("Selected: {0}", [rows.length])}</b>
			<span class="memora-chosen-acts">${acts}</span>
			<button type="button" class="memora-tool" data-act="clear" aria-label="${__("Select nothing")}" title="${__("Select nothing")}">${icon("close")}</button>`;
	}

	act(what) {
		const { actions, clipboard, moves, outline } = this.view;
		const names = outline.visible().filter((name) => outline.chosen.has(name));
		const acts = {
			publish: () => actions.publish(names, 1),
			publish_below: () => actions.publish(names, 1, 1),
			unpublish: () => actions.publish(names, 0),
			free: () => actions.free(names, 1),
			not_free: () => actions.free(names, 0),
			move: () => moves.choose(names),
			duplicate: () => actions.duplicate(names),
			copy: () => clipboard.copy(names),
			delete: () => actions.delete(names),
			clear: () => this.clear(),
		};
		return acts[what]();
	}
}
