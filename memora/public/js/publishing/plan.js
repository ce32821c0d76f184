// A plan's overrides are chosen among its own content, by title.
frappe.ui.form.on("Memora Academic Plan", {
	setup(frm) {
		frm.set_query("target_name", "overrides", (doc) => ({
			query: "memora.api.publishing.search_targets",
			filters: { subjects: (doc.subjects || []).map((row) => row.subject).filter(Boolean) },
		}));
		frm.set_query("subject", "subjects", (doc) => ({
			filters: [["name", "not in", (doc.subjects || []).map((row) => row.subject).filter(Boolean)]],
		}));
	},

	// What the pickers say instead of their filters, which are hashes.
	refresh(frm) {
		const say = (table, fieldname, text) =>
			frm.fields_dict[table].grid.update_docfield_property(fieldname, "filter_description", text);
		say("overrides", "target_name", __("Only what the plan's subjects hold"));
		say("subjects", "subject", __("Only subjects that the plan does not list yet"));
	},
});

// If rows are numbered, a new one comes last; without numbers rows keep their order.
frappe.ui.form.on("Memora Plan Subject", {
	subjects_add(frm, doctype, name) {
		const last = Math.max(...frm.doc.subjects.map((row) => cint(row.sort_order)));
		if (last > 0) frappe.model.set_value(doctype, name, "sort_order", last + 1);
	},
});

frappe.ui.form.on("Memora Plan Override", {
	target_doctype(frm, doctype, name) {
		frappe.model.set_value(doctype, name, "target_name", "");
	},
});
