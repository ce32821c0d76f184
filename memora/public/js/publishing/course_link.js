// From each form and list of content to the course page.
const KINDS = Object.keys(memora.publishing.PARENT_FIELDS);

for (const doctype of KINDS) {
	frappe.ui.form.on(doctype, {
		refresh(frm) {
			if (!frm.is_new() && may_see()) frm.add_custom_button(__("Show in Course"), () => show(frm.doc));
		},
	});
}

const may_see = () => Boolean((frappe.boot.page_info || {})["memora-course"]);

// The page opens where the document is.
function show({ doctype, name }) {
	return memora.publishing.ask("memora.api.outline.place", { doctype, name }).then(({ subject, path }) => {
		if (!subject) return frappe.show_alert({ message: __("What is above this is gone."), indicator: "orange" });
		frappe.set_route("memora-course", subject, ...path.slice(-1));
	});
}

memora.publishing.offer_course_page = function (list) {
	if (KINDS.includes(list.doctype) && may_see()) {
		list.page.add_inner_button(__("Course Page"), () => frappe.set_route("memora-course"));
	}
};
