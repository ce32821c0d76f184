// The forms of content tell the server where their document was when it was loaded: in which parent, at which Sort Order.
// What is sent back as it was loaded moves nothing, if the document has been moved on the course page meanwhile.
const PARENT_FIELDS = {
	"Memora Subject": "",
	"Memora Track": "parent_subject",
	"Memora Unit": "parent_track",
	"Memora Topic": "parent_unit",
	"Memora Lesson": "parent_topic",
};

for (const [doctype, field] of Object.entries(PARENT_FIELDS)) {
	frappe.ui.form.on(doctype, {
		// After loading and after each save, but also when someone comes back to a form that is being edited.
		refresh({ doc }) {
			if (doc.__islocal || doc.__unsaved) return;
			doc.__memora_place = { parent: (field && doc[field]) || "", sort_order: doc.sort_order };
		},
	});
}
