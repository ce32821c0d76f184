// A failed attempt is not submitted; its status says more than "Draft" would.
frappe.listview_settings["CDN Sync Log"] = {
	has_indicator_for_draft: true,
	hide_name_column: true,
	formatters: {
		changed_by: (users) =>
			frappe.utils.escape_html(
				(users || "")
					.split(", ")
					.map((user) => frappe.user.full_name(user))
					.join(", ")
			),
	},
};
