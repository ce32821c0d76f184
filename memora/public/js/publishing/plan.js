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
});

frappe.ui.form.on("Memora Plan Override", {
	target_doctype(frm, doctype, name) {
		frappe.model.set_value(doctype, name, "target_name", "");
	},
});
