// One list for all that is published or a draft; hooks.py names the DocTypes that load it. A row's
// publication status follows from the server, for DocTypes that are published by themselves.
for (const doctype of [
	"Memora Subject",
	"Memora Track",
	"Memora Unit",
	"Memora Topic",
	"Memora Lesson",
	"Memora Academic Plan",
	"Memora Season",
]) {
	frappe.listview_settings[doctype] = {
		add_fields: ["is_published"],
		// A hash, which is in the address of each form.
		hide_name_column: true,
		hide_name_filter: true,
		get_indicator: (doc) =>
			doc.is_published
				? [__("Published"), "green", "is_published,=,1"]
				: [__("Draft"), "gray", "is_published,=,0"],
		onload(list) {
			memora.offer_trash(list);
			memora.publishing.offer_course_page(list);
			memora.publishing.filter_within(list);
		},
		refresh: doctype === "Memora Season" ? null : (list) => memora.publishing.show_states(list),
	};
}
for (const doctype of ["Memora Grade", "Memora Stream"]) {
	frappe.listview_settings[doctype] = { onload: (list) => memora.offer_trash(list) };
}
