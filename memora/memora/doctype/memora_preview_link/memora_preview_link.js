frappe.ui.form.on("Memora Preview Link", {
	refresh(frm) {
		const { revoked, ends } = frm.doc;
		if (revoked || ends <= frappe.datetime.now_datetime()) return;
		frm.add_custom_button(__("Revoke"), () => memora.publishing.revoke_link(frm.docname).then(() => frm.reload_doc()));
	},
});
