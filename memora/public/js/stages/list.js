// Rows that are added, removed and put in order, by mouse and by keyboard: Enter adds one below, Alt+↑ and Alt+↓ move one,
// Backspace in an empty one removes it.
import { h, icon, sign_button } from "./dom";

// make(value, row) → {parts: elements, focus(), is_empty()}: what a row is made of. on_change() is called after each change.
export class List {
	is_fixed; // no row is added or removed
	make;
	on_change;
	one;
	read_only;
	/** @type {any[]} */
	rows = [];

	/** @param {Record<string, any>} options */
	constructor({ values, make, add_label, on_change, read_only = false, is_fixed = false, one = "" }) {
		Object.assign(this, { make, on_change, read_only, is_fixed, one });
		this.said = h("span.sr-only", { role: "status" });
		this.list = h("ol.memora-stage-rows", { onkeydown: (event) => this.on_key(event) });
		this.adder = h("button.memora-stage-add", { type: "button", onclick: () => this.add(undefined).focus() }, icon("add"), ` ${add_label}`);
		this.element = h("div", {}, this.list, read_only || is_fixed ? null : this.adder, this.said);
		for (const value of values) this.insert(value, this.rows.length);
		this.number();
	}

	insert(value, at) {
		const row = { element: h("li.memora-stage-row") };
		Object.assign(row, this.make(value, row));
		row.problem = h("div.memora-stage-findings");
		const act = (name, label, run) => sign_button(name, label, run, { tabindex: -1 });
		row.tools = h(
			"span.memora-stage-tools",
			{},
			act("up", __("Move up"), () => this.move(row, -1)),
			act("down", __("Move down"), () => this.move(row, 1)),
			this.is_fixed ? null : act("remove", __("Remove"), () => this.remove(row))
		);
		row.element.append(h("div.memora-stage-row-parts", {}, row.parts), this.read_only ? "" : row.tools, row.problem);
		this.rows.splice(at, 0, row);
		this.list.insertBefore(row.element, this.list.children[at] || null);
		return row;
	}

	add(value, after = this.rows[this.rows.length - 1]) {
		const row = this.insert(value, this.rows.indexOf(after) + 1);
		this.changed();
		return row;
	}

	remove(row) {
		const at = this.rows.indexOf(row);
		this.rows.splice(at, 1);
		row.destroy?.();
		row.element.remove();
		const next = this.rows[at] || this.rows[at - 1];
		if (next) next.focus();
		else this.adder.focus();
		this.changed();
		this.said.textContent = __("Removed");
	}

	move(row, by) {
		const at = this.rows.indexOf(row);
		const to = at + by;
		if (to < 0 || to >= this.rows.length) return;
		const held = document.activeElement;
		this.rows.splice(at, 1);
		this.rows.splice(to, 0, row);
		const other = this.list.children[to];
		this.list.insertBefore(row.element, by > 0 ? other.nextElementSibling : other);
		if (held instanceof HTMLElement && row.element.contains(held)) held.focus();
		this.changed();
		this.said.textContent = __("Place {0} of {1}", [to + 1, this.rows.length]);
	}

	changed() {
		this.number();
		this.on_change();
	}

	number() {
		this.rows.forEach((row, place) => {
			row.element.setAttribute("aria-label", `${this.one} ${place + 1}`);
			const [up, down] = row.tools.children;
			up.disabled = place === 0;
			down.disabled = place === this.rows.length - 1;
		});
	}

	focus() {
		if (this.rows[0]) this.rows[0].focus();
		else this.adder.focus();
	}

	// What is typed in a row and not yet told.
	flush() {
		for (const row of this.rows) row.flush?.();
	}

	destroy() {
		for (const row of this.rows) row.destroy?.();
	}

	row_of(element) {
		return this.rows.find((row) => row.element.contains(element));
	}

	on_key(event) {
		const row = this.row_of(event.target);
		if (!row || this.read_only || event.isComposing || event.target.closest(".memora-rt")) return;
		const typed = event.target.matches("input[type=text], textarea:not(.is-code)");
		const keys = event.altKey
			? { ArrowUp: () => this.move(row, -1), ArrowDown: () => this.move(row, 1) }
			: {
					Enter: typed && !event.shiftKey && !event.ctrlKey && !event.metaKey && (() => this.enter(row)),
					Backspace: typed && !event.target.value && row.is_empty() && this.rows.length > 1 && !this.is_fixed && (() => this.remove(row)),
			  };
		if (!keys[event.key]) return;
		event.preventDefault();
		event.stopPropagation();
		keys[event.key]();
	}

	// To the next row if that is still empty, else to a new one.
	enter(row) {
		const next = this.rows[this.rows.indexOf(row) + 1];
		if (next && (next.is_empty() || this.is_fixed)) next.focus();
		else if (!this.is_fixed) this.add(undefined, row).focus();
	}
}
