// The trash, from each list's menu and from the course page: what was deleted, brought back in one click. Frappe shows its own
// to System Managers only.
frappe.provide("memora");

const API = "memora.api.trash.";
const { ago, ask, fill, html, join, message_of, put } = memora.publishing;

// `of` may have a doctype or a subject that the trash is looked at for; `restored` is called after each that came back.
memora.show_trash = function (of = {}, restored = () => {}) {
	new Trash(of, restored).show();
};

memora.offer_trash = function (list) {
	if (!frappe.model.can_delete(list.doctype)) return;
	list.page.add_menu_item(__("Trash"), () => memora.show_trash({ doctype: list.doctype }, () => list.refresh()));
};

class Trash {
	constructor(of, restored) {
		this.of = of;
		this.restored = restored;
		this.dialog = new frappe.ui.Dialog({
			title: of.doctype ? __("Trash: {0}", [__(of.doctype)]) : __("Trash"),
			size: "large",
			fields: [
				{ fieldname: "text", fieldtype: "Data", label: __("Title") },
				{ fieldname: "rows", fieldtype: "HTML" },
			],
		});
		this.$rows = this.dialog.get_field("rows").$wrapper;
		this.dialog.get_field("text").$input.on("input", frappe.utils.debounce(() => this.load(), 300));
		this.$rows.on("click", "[data-trash]", ({ currentTarget }) => this.act($(currentTarget)));
	}

	show() {
		this.dialog.show();
		this.load();
	}

	// The answer to what was asked before is late.
	async load(start = 0) {
		const text = this.dialog.get_value("text") || "";
		const asked = (this.asked = {});
		try {
			const answer = await ask(`${API}entries`, { ...this.of, text, start }, { quiet: true });
			if (asked !== this.asked) return;
			this.rows = start ? [...this.rows, ...answer.rows] : answer.rows;
			this.draw(answer);
		} catch (error) {
			if (asked === this.asked) put(this.$rows, html`<div class="alert alert-danger" role="alert">${message_of(error)}</div>`);
		}
	}

	draw({ next, can_remove }) {
		const rows = this.rows.length
			? html`<ul class="memora-deleted">${this.rows.map((row, place) => row_html(row, place, can_remove))}</ul>`
			: html`<p class="text-muted memora-pad">${__("Nothing was deleted.")}</p>`;
		put(this.$rows, [
			html`<p class="text-muted">${__("What is deleted comes back as drafts, with its files.")}</p>`,
			rows,
			next ? html`<button type="button" class="btn btn-default btn-sm" data-trash="more" data-next="${next}">${__("Show More")}</button>` : "",
			this.of.subject ? html`<button type="button" class="btn btn-link btn-sm" data-trash="all">${__("Of All Courses")}</button>` : "",
		]);
	}

	act($button) {
		const { trash: what, place, next } = $button.data();
		const row = this.rows[place];
		return {
			restore: () => this.restore(row, $button),
			remove: () => this.remove(row),
			more: () => this.load(next),
			all: () => {
				this.of = {};
				return this.load();
			},
		}[what]();
	}

	async restore(row, $button, also = 0) {
		try {
			const answer = await ask(`${API}restore`, { name: row.name, also }, { post: true, button: $button });
			if (answer.also) return this.offer_also(row, answer.also, $button);
			frappe.show_alert({ message: String(restored_html(row, answer)), indicator: "green" }, 10);
			this.restored(answer);
		} catch {
			// Frappe has shown what is in the way
		}
		return this.load();
	}

	// What a row was in is in the trash, too.
	offer_also(row, needed, $button) {
		const named = needed.map((each) => html`<li>${called(each)}</li>`);
		const said = html`<p>${fill(__("{0} needs what it was in, which is in the trash, too. Restore both?"), html`<b><bdi>${row.title}</bdi></b>`)}</p><ul>${named}</ul>`;
		frappe.confirm(String(said), () => this.restore(row, $button, 1));
	}

	remove(row) {
		const said = fill(__("Delete {0} permanently? Nobody can bring it back."), called(row));
		frappe.confirm(String(said), () =>
			ask(`${API}remove`, { name: row.name }, { post: true })
				.catch(() => {})
				.then(() => this.load())
		);
	}
}

const called = ({ doctype, title, below }) =>
	html`${__(doctype)} “<bdi>${title}</bdi>”${below ? html` ${__("with {0} below it", [below])}` : ""}`;

function restored_html(row, { doctype, name, subject }) {
	const parts = subject ? ["memora-course", subject, ...(name === subject ? [] : [name])] : null;
	const address = parts ? frappe.router.make_url(parts) : frappe.utils.get_form_link(doctype, name);
	return html`${__("Restored:")} <a href="${address}"><bdi>${row.title}</bdi></a>`;
}

function row_html(row, place, can_remove) {
	const mark = frappe.utils.is_rtl() ? " ‹ " : " › ";
	const way = join(row.titles_above.map((each) => html`<bdi>${each}</bdi>`), mark);
	const until = row.kept_until ? fill(__("until {0}"), frappe.datetime.str_to_user(row.kept_until.slice(0, 10))) : "";
	const facts = [
		row.below ? __("with {0} below it", [row.below]) : "",
		html`<bdi>${row.deleted_by}</bdi>`,
		ago(row.deleted_at),
		until,
	];
	return html`<li>
		<span class="memora-deleted-title"><span class="text-muted">${__(row.doctype)}</span> <bdi>${row.title}</bdi></span>
		<span class="text-muted memora-deleted-facts">${row.titles_above.length ? html`${way}<br>` : ""}${join(facts, " · ")}${
		row.gone ? html`<br>${fill(__("What it was in is gone, too: {0}"), html`<bdi>${row.gone}</bdi>`)}` : ""
	}</span>
		${row.can_restore ? html`<button type="button" class="btn btn-default btn-xs" data-trash="restore" data-place="${place}">${__("Restore")}</button>` : ""}
		${can_remove ? html`<button type="button" class="btn btn-link btn-xs text-danger" data-trash="remove" data-place="${place}">${__("Delete Permanently")}</button>` : ""}
	</li>`;
}

// Frappe's own questions before a deletion say "permanently"; of what comes to the trash they say so.
const KINDS = [...Object.keys(memora.publishing.PARENT_FIELDS), "Memora Academic Plan", "Memora Season", "Memora Grade", "Memora Stream"];

memora.publishing.kept_words = function () {
	const days = frappe.boot.memora_trash_days;
	if (!days) return __("It can be restored from the trash.");
	const until = frappe.datetime.str_to_user(frappe.datetime.add_days(frappe.datetime.nowdate(), days));
	return __("It can be restored from the trash until {0}.", [until]);
};

// Runs what asks one question of Frappe's, with a question of ours in its place.
function asking(question, run) {
	const { confirm } = frappe;
	frappe.confirm = (_message, ...rest) => confirm.call(frappe, String(html`${question} ${memora.publishing.kept_words()}`), ...rest);
	try {
		return run();
	} finally {
		frappe.confirm = confirm;
	}
}

const { delete_doc } = frappe.model;
frappe.model.delete_doc = function (doctype, docname, ...rest) {
	const run = () => delete_doc.call(this, doctype, docname, ...rest);
	if (!KINDS.includes(doctype)) return run();
	const title = frappe.model.get_value(doctype, docname, "title") || docname;
	return asking(__("Delete “{0}”?", [title]), run);
};

const { ListView } = frappe.views;
const { get_actions_menu_items } = ListView.prototype;
ListView.prototype.get_actions_menu_items = function () {
	const items = get_actions_menu_items.call(this);
	if (!KINDS.includes(this.doctype)) return items;
	const label = __("Delete", null, "Button in list view actions menu");
	for (const item of items.filter((each) => each.label === label)) {
		const { action } = item;
		item.action = () => asking(__("Delete: {0}?", [this.get_checked_items(true).length]), action);
	}
	return items;
};
