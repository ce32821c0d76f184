frappe.listview_settings["Memora Season"] = {
	add_fields: ["is_published"],
	get_indicator: (doc) =>
		doc.is_published
			? [__("Published"), "green", "is_published,=,1"]
			: [__("Draft"), "gray", "is_published,=,0"],
};
