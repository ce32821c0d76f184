// Which links work, and a button that takes one back at once.
const { link_works } = memora.publishing;

let shown = null;

frappe.listview_settings["Memora Preview Link"] = {
	add_fields: ["revoked", "ends"],
	hide_name_column: true,
	get_indicator(doc) {
		if (doc.revoked) return [__("Revoked"), "red", "revoked,is,set"];
		const now = frappe.datetime.now_datetime();
		return link_works(doc) ? [__("Works"), "green", `revoked,is,not set|ends,>,${now}`] : [__("Ended"), "gray", `revoked,is,not set|ends,<=,${now}`];
	},
	onload: (list) => (shown = list),
	button: {
		show: link_works,
		get_label: () => __("Revoke"),
		get_description: () => __("The link stops working at once."),
		action: (doc) =>
			memora.publishing.revoke_link(doc.name).then((is_revoked) => {
				if (!is_revoked) return;
				doc.revoked = frappe.datetime.now_datetime();
				shown.render_list(); // a list that has just been asked for is not asked for again
			}),
	},
};
