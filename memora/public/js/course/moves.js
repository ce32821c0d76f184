// Where a row goes, by keys, by dragging or by choosing a place: between the neighbours that are seen there.
import { above, read, text_of, words } from "./kinds";

const { html, put } = memora.publishing;

export class Moves {
	constructor(view) {
		this.view = view;
	}

	// Moves a row behind `after` below `parent`. What is seen follows at once, and goes back where it is refused.
	async to(name, parent, after) {
		const { view } = this;
		const { outline } = view;
		const row = outline.row(name);
		const was = { parent: row.parent, after: outline.previous(name) };
		if (was.parent === parent && was.after === after) return null;
		outline.place(name, parent, after);
		const args = { doctype: row.doctype, name, parent, after, before: outline.next(name) };
		view.draw();
		const answer = await view.change_rows([name], "move", args, true);
		if (!answer) {
			if (outline.row(name)) outline.place(name, was.parent, was.after);
			view.draw();
			return null;
		}
		if (answer.undo) view.undo.push(__("Moved: {0}", [row.title]), answer.undo.method, answer.undo.args);
		view.say(this.told(name));
		return answer;
	}

	told(name) {
		const { outline } = this.view;
		const siblings = outline.siblings(name);
		const row = outline.row(name);
		if (!row) return "";
		const parent = outline.row(row.parent);
		return __("{0} is number {1} of {2} in {3}.", [row.title, siblings.indexOf(name) + 1, siblings.length, parent ? parent.title : ""]);
	}

	// Several rows, one behind the other: whether all went. The first that is refused ends it.
	async many(names, parent, after) {
		for (const name of names) {
			const row = this.view.outline.row(name);
			if (row.parent === parent && this.view.outline.previous(name) === after) after = name;
			else if (await this.to(name, parent, after)) after = name;
			else return false;
		}
		return true;
	}

	// One place up or down; beyond the first or the last sibling, into the parent before or after.
	async by(name, step) {
		const { view } = this;
		const { outline } = view;
		const row = outline.row(name);
		if (!this.may(row)) return;
		const siblings = outline.siblings(name);
		const at = siblings.indexOf(name) + step;
		if (at >= 0 && at < siblings.length) {
			const after = step > 0 ? siblings[at] : siblings[at - 1] || "";
			await this.to(name, row.parent, after);
		} else {
			const parent = await this.beside(row.parent, step);
			if (!parent) return view.say(step > 0 ? __("This is the last place.") : __("This is the first place."), true);
			await view.unfold(parent);
			await this.to(name, parent, step > 0 ? "" : outline.children(parent).slice(-1)[0] || "");
		}
		view.tree.focus(name);
	}

	may(row) {
		return row && !row.is_new && row.can_write && row.parent && !this.view.outline.found;
	}

	// The next row of the same kind in the whole outline, or the one before; "" at its end.
	async beside(name, step) {
		const { view } = this;
		const { outline } = view;
		const row = outline.row(name);
		if (!row || !row.parent) return "";
		const siblings = outline.siblings(name);
		const near = siblings[siblings.indexOf(name) + step];
		if (near) return near;
		for (let parent = await this.beside(row.parent, step); parent; parent = await this.beside(parent, step)) {
			await view.unfold(parent);
			const children = outline.children(parent);
			if (children.length) return step > 0 ? children[0] : children[children.length - 1];
		}
		return "";
	}

	// Why a row of this kind cannot be put there; "" where it can.
	refusal(kind, parent) {
		const { outline } = this.view;
		const row = outline.row(parent);
		if (!row || row.doctype !== above(kind)) return words(kind).place;
		return row.can_write && !row.is_new ? "" : __("You may not change this.");
	}

	// "Move to": for what is far away, and where dragging is hard.
	choose(names) {
		const rows = names.map((name) => this.view.outline.row(name));
		const [{ doctype: kind, title }] = rows;
		if (rows.some((row) => row.doctype !== kind)) {
			this.view.say(__("Move rows of one kind at a time."), true, "orange");
			return;
		}
		const dialog = new frappe.ui.Dialog({
			title: rows.length > 1 ? __("Move {0} rows to", [rows.length]) : __("Move “{0}” to", [memora.publishing.esc(title)]),
			fields: [
				{ fieldname: "text", fieldtype: "Data", label: __("Search") },
				{ fieldname: "is_first", fieldtype: "Check", label: __("Before what is there") },
				{ fieldname: "places", fieldtype: "HTML" },
			],
		});
		dialog.$wrapper.addClass("memora-move-dialog");
		const $places = dialog.get_field("places").$wrapper;
		const load = () => this.offer($places, above(kind), () => String(dialog.get_field("text").$input.val() || "").trim());
		dialog.get_field("text").$input.on("input", frappe.utils.debounce(load, 250));
		$places.on("click", "[data-place]", ({ currentTarget }) => {
			dialog.hide();
			this.into(names, currentTarget.dataset.place, Boolean(dialog.get_value("is_first")));
		});
		dialog.show();
		load();
	}

	// Rows of the kind that match what is typed; an answer to what was typed before is late.
	async offer($places, kind, typed) {
		const text = typed();
		try {
			const { rows, left_off } = await read("find", { subject: this.view.outline.subject, text, kind });
			if (typed() === text) put($places, places_html(rows.filter((row) => row.can_write), left_off, text));
		} catch (error) {
			if (typed() === text) put($places, html`<div class="alert alert-danger" role="alert">${text_of(error)}</div>`);
		}
	}

	// Rows go to the start or the end of what is in a parent.
	async into(names, parent, is_first) {
		const { view } = this;
		const { outline } = view;
		await view.open_path(parent);
		outline.unfold(parent);
		await view.refresh();
		if (!outline.row(parent)) return;
		const others = outline.children(parent).filter((name) => !names.includes(name));
		await this.many(names, parent, is_first ? "" : others.pop() || "");
		view.tree.focus(names[0]);
	}
}

function places_html(places, left_off, text) {
	if (!places.length) {
		const none = text ? __("Nothing that you may change is called that.") : __("There is no other place for it yet.");
		return html`<p class="text-muted memora-pad">${none}</p>`;
	}
	const more = left_off
		? html`<p class="text-muted memora-pad">${__("{0} more are not shown. Search by title to find them.", [left_off])}</p>`
		: "";
	return html`<ul class="memora-plain-list memora-places">${places.map(
		(row) => html`<li><button type="button" class="btn btn-default btn-sm" data-place="${row.name}"><bdi>${row.title}</bdi>${
			row.path_titles && row.path_titles.length ? html` <span class="text-muted">${row.path_titles.join(" › ")}</span>` : ""
		}</button></li>`
	)}</ul>${more}`;
}
