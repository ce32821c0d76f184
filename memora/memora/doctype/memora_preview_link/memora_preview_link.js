frappe.ui.form.on("Memora Preview Link", {
	refresh(frm) {
		if (!memora.publishing.link_works(frm.doc)) return;
		frm.add_custom_button(__("Revoke"), () => memora.publishing.revoke_link(frm.docname).then(() => frm.reload_doc()));
	},
});
