// A failed attempt is not submitted; its status says more than "Draft" would.
frappe.listview_settings["CDN Sync Log"] = { has_indicator_for_draft: true };
