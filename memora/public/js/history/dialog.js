// Who changed a document, when and what; what each change looked like; and the way back.
import { parts_html, rows_html } from "./shown";

const API = "memora.api.history.";
const { ask, esc, html, message_of, put } = memora.publishing;

export class HistoryDialog {
	/** @param {Record<string, any>} options */
	constructor({ doctype, name, title = "", is_dirty = () => false, on_change = () => {} }) {
		this.doctype = doctype;
		this.name = name;
		this.is_dirty = is_dirty;
		this.on_change = on_change;
		this.rows = [];
		this.answer = null;
		this.build(title);
		this.load();
	}

	build(title) {
		this.dialog = new frappe.ui.Dialog({
			title: __("History of “{0}”", [esc(title || this.name)]),
			size: "extra-large",
			fields: [{ fieldname: "body", fieldtype: "HTML" }],
		});
		this.dialog.$wrapper.addClass("memora-history-dialog");
		this.$body = this.dialog.get_field("body").$wrapper;
		put(this.$body, html`<p class="text-muted memora-pad">${__("Reading …")}</p>`);
		// A details element tells only itself that it was opened.
		this.$body[0].addEventListener("toggle", ({ target }) => target.open && this.open(target), true);
		this.$body.on("click", "[data-state]", ({ currentTarget: { dataset } }) => this.go_back(dataset.state));
		this.$body.on("click", "[data-row]", ({ currentTarget: { dataset } }) => this.go_back(dataset.entry, [dataset.row]));
		this.$body.on("click", "[data-more]", () => this.load(this.answer.more));
		this.dialog.onhide = () => this.dialog.$wrapper.remove();
		this.dialog.show();
	}

	get document() {
		return { doctype: this.doctype, name: this.name };
	}

	async load(before = "") {
		try {
			const answer = await ask(`${API}entries`, { ...this.document, before }, { quiet: true });
			this.rows.push(...answer.rows);
			this.dialog.set_title(__("History of “{0}”", [esc(answer.title)]));
			this.answer = { status: null, ...this.answer, ...answer };
			put(this.$body, rows_html(this.rows, this.answer));
		} catch (error) {
			put(this.$body, html`<div class="alert alert-danger" role="alert">${message_of(error)}</div>`);
		}
	}

	// What a change was, once it is asked for.
	async open(details) {
		const { entry } = details.dataset;
		const $changes = $(details).find(".memora-history-changes");
		if (!entry || $changes.children().length) return;
		put($changes, html`<p class="text-muted">${__("Reading …")}</p>`);
		try {
			const parts = await ask(`${API}changes`, { ...this.document, entry }, { quiet: true });
			put($changes, parts_html(parts, entry, this.answer.can_write));
		} catch (error) {
			put($changes, html`<div class="alert alert-danger" role="alert">${message_of(error)}</div>`);
		}
	}

	async go_back(entry, rows = []) {
		if (this.is_dirty()) {
			frappe.msgprint(__("The form has changes that are not saved. Save them or reload the form, then go back."));
			return;
		}
		const said = { title: rows.length ? __("Bring this stage back?") : __("Go back to this?"), label: __("Go Back") };
		try {
			const call = (agreed) => ask(`${API}go_back`, { ...this.document, entry, agreed, rows }, { post: true });
			const answer = await memora.publishing.agreed(call, said);
			if (!answer) return;
			if (!answer.changed) {
				frappe.show_alert({ message: __("It is so already."), indicator: "blue" });
				return;
			}
			frappe.show_alert({ message: __("It is as it was. What it was until now is in its history."), indicator: "green" });
			this.dialog.hide();
			this.on_change();
		} catch {
			// Frappe has shown what is in the way.
		}
	}
}
