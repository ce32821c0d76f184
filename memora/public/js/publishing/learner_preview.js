// A document as learners would see it, with its drafts: the reader, which the site itself gives the files (docs/reader.md).
frappe.provide("memora.publishing");

const READER = "/assets/memora/reader/index.html";

// The address of the preview of a document, in a plan that lists it: without one the site chooses.
memora.publishing.preview_url = function (doctype, name, plan = "") {
	const query = new URLSearchParams({ preview: `${doctype}:${name}` });
	if (plan) query.set("plan", plan);
	query.set("lang", frappe.boot.lang === "ar" ? "ar" : "en");
	return `${READER}?${query}`;
};

// A form that is open shows more than the preview, which reads what is saved.
$(document).on("click", ".memora-learner-preview", () => {
	if (typeof cur_frm === "object" && cur_frm && cur_frm.is_dirty()) {
		frappe.show_alert({ message: __("The preview shows what is saved."), indicator: "orange" });
	}
});
