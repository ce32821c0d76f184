// The course page: a subject as one outline, or the editors' home. What it does is in memora/public/js/course.
frappe.pages["memora-course"].on_page_load = function (wrapper) {
	const page = frappe.ui.make_app_page({ parent: wrapper, title: __("Courses"), single_column: true });
	wrapper.disable_scroll_to_top = true; // the outline scrolls to where one was
	wrapper.course = frappe
		.require(["memora_course.bundle.css", "memora_course.bundle.js"])
		.then(() => new memora.course.CoursePage(page));
};

frappe.pages["memora-course"].on_page_show = function (wrapper) {
	const [, subject = "", row = ""] = frappe.get_route();
	wrapper.course.then((course) => course.show(subject, row));
};
