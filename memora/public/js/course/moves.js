// Where a row goes, by keys, by dragging or by choosing a place: between the neighbours that are seen there.
import { above, KINDS, STAGE, read, words } from "./kinds";

const { html, put } = memora.publishing;

export class Moves {
	constructor(view) {
		this.view = view;
	}

	// Moves a row behind `after` below `parent`. What is seen follows at once, and goes back where it is refused.
	async to(name, parent, after) {
		const { outline, view } = this.parts();
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

	parts() {
		return { outline: this.view.outline, view: this.view };
	}

	told(name) {
		const { outline } = this.view;
		const siblings = outline.siblings(name);
		const row = outline.row(name);
		if (!row) return "";
		const parent = outline.row(row.parent);
		return __("{0} is number {1} of {2} in {3}.", [row.title, siblings.indexOf(name) + 1, siblings.length, parent ? parent.title : ""]);
	}

	// Several rows, one behind the other. The first that is refused ends it.
	async many(names, parent, after) {
		for (const name of names) {
			const row = this.view.outline.row(name);
			if (row.parent === parent && this.view.outline.previous(name) === after) after = name;
			else if (await this.to(name, parent, after)) after = name;
			else return;
		}
	}

	// One place up or down; beyond the first or the last sibling, into the parent before or after.
	async by(name, step) {
		const { outline, view } = this.parts();
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
		const { outline, view } = this.parts();
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
		const { outline, view } = this.parts();
		const rows = names.map((name) => outline.row(name));
		const kind = rows[0].doctype;
		if (rows.some((row) => row.doctype !== kind)) return view.say(__("Move rows of one kind at a time."), true, "orange");
		const wanted = above(kind);
		const dialog = new frappe.ui.Dialog({
			title: rows.length > 1 ? __("Move {0} rows to", [rows.length]) : __("Move “{0}” to", [memora.publishing.esc(rows[0].title)]),
			fields: [
				{ fieldname: "text", fieldtype: "Data", label: __("Search") },
				{ fieldname: "places", fieldtype: "HTML" },
			],
		});
		dialog.$wrapper.addClass("memora-move-dialog");
		const $places = dialog.get_field("places").$wrapper;
		const load = async () => {
			const found = (await read("find", { subject: outline.subject, text: dialog.get_value("text") || "" })).rows;
			const places = found.filter((row) => row.doctype === wanted && row.can_write);
			put($places, places_html(places, wanted));
		};
		dialog.get_field("text").$input.on("input", frappe.utils.debounce(load, 250));
		$places.on("click", "[data-place]", async ({ currentTarget }) => {
			dialog.hide();
			const parent = currentTarget.dataset.place;
			await view.open_path(parent);
			outline.unfold(parent);
			await view.refresh();
			await this.many(names, parent, outline.children(parent).filter((name) => !names.includes(name)).slice(-1)[0] || "");
			view.tree.focus(names[0]);
		});
		dialog.show();
		load().catch((error) => put($places, memora.publishing.message_of(error)));
	}
}

function places_html(places, wanted) {
	if (!places.length) return html`<p class="text-muted memora-pad">${words(KINDS[KINDS.indexOf(wanted) + 1] || STAGE).place}</p>`;
	return html`<ul class="memora-plain-list memora-places">${places.map(
		(row) => html`<li><button type="button" class="btn btn-default btn-sm" data-place="${row.name}"><bdi>${row.title}</bdi>${
			row.path_titles && row.path_titles.length ? html` <span class="text-muted">${row.path_titles.join(" › ")}</span>` : ""
		}</button></li>`
	)}</ul>`;
}
