// The forms of content tell the server where their document was when it was loaded: in which parent, at which Sort Order.
// What is sent back as it was loaded moves nothing, if the document has been moved on the course page meanwhile.
for (const [doctype, field] of Object.entries(memora.publishing.PARENT_FIELDS)) {
	frappe.ui.form.on(doctype, {
		// After loading and after each save, but also when someone comes back to a form that is being edited.
		refresh({ doc }) {
			if (doc.__islocal || doc.__unsaved) return;
			doc.__memora_place = { parent: (field && doc[field]) || "", sort_order: doc.sort_order };
		},
	});
}
