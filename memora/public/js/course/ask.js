// A question as a promise. What an action does beyond the rows in hand is asked by memora.publishing.agreed.
const { esc } = memora.publishing;

// One line of text; null where one thinks better of it.
export const asked_text = (title, label, value = "", description = "") =>
	new Promise((resolve) => {
		let given = null;
		const dialog = new frappe.ui.Dialog({
			title: esc(title),
			fields: [{ fieldname: "text", fieldtype: "Data", label, default: value, description }],
			primary_action_label: __("Save"),
			primary_action({ text }) {
				given = (text || "").trim();
				dialog.hide();
			},
		});
		dialog.$wrapper.on("hidden.bs.modal", () => resolve(given));
		dialog.show();
	});
