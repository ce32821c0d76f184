// What was deleted is brought back from its list's menu: Frappe shows it to System Managers only.
frappe.provide("memora");

const API = "memora.api.deleted.";
const { ago, html, put } = memora.publishing;

memora.offer_deleted = function (list) {
	if (frappe.model.can_create(list.doctype)) list.page.add_menu_item(__("Restore Deleted"), () => show(list));
};

function show(list) {
	const dialog = new frappe.ui.Dialog({
		title: __("Deleted: {0}", [__(list.doctype)]),
		fields: [
			{ fieldname: "text", fieldtype: "Data", label: __("Title") },
			{ fieldname: "rows", fieldtype: "HTML" },
		],
	});
	const $rows = dialog.get_field("rows").$wrapper;
	let wanted = "";

	function load() {
		const text = (wanted = dialog.get_value("text") || "");
		return memora.publishing
			.ask(`${API}list_deleted`, { doctype: list.doctype, text }, { quiet: true })
			.then((found) => text === wanted && put($rows, rows_html(found)))
			.catch((error) => put($rows, html`<div class="alert alert-danger">${memora.publishing.message_of(error)}</div>`));
	}

	dialog.get_field("text").$input.on("input", frappe.utils.debounce(load, 300));
	$rows.on("click", "[data-deleted]", ({ currentTarget: target }) =>
		memora.publishing
			.ask(`${API}restore`, { name: target.dataset.deleted }, { post: true, button: $(target) })
			.then(() => {
				frappe.show_alert({ message: __("Restored"), indicator: "green" });
				list.refresh();
			})
			.catch(() => {}) // Frappe has shown what is in the way
			.then(load)
	);
	dialog.show();
	load();
}

function rows_html(found) {
	if (!found.length) return html`<p class="text-muted memora-pad">${__("Nothing was deleted.")}</p>`;
	const rows = found.map(
		(row) => html`
			<li>
				<bdi class="memora-deleted-title">${row.title}</bdi>
				<span class="text-muted">${row.below ? html`${__("with {0} below it", [row.below])} · ` : ""}<bdi>${row.deleted_by}</bdi> · ${ago(row.deleted_at)}</span>
				<button type="button" class="btn btn-default btn-xs" data-deleted="${row.name}">${__("Restore")}</button>
			</li>`
	);
	return html`<ul class="memora-deleted">${rows}</ul>`;
}
