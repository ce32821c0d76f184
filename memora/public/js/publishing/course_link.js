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

// The Desk's own search (Ctrl+G) offers to look into the texts of lessons, too.
const { AwesomeBar } = frappe.search || {};
if (AwesomeBar) {
	const { make_global_search } = AwesomeBar.prototype;
	AwesomeBar.prototype.make_global_search = function (text) {
		make_global_search.call(this, text);
		if (text.trim().length < 2 || text.startsWith("#") || !may_see()) return;
		const said = __("Find “{0}” in lessons", [text]);
		this.options.push({
			label: memora.publishing.esc(said),
			value: said,
			match: text,
			index: 40,
			default: "Lessons",
			onclick() {
				frappe.route_options = { find: text };
				const [page, subject] = frappe.get_route();
				if (page !== "memora-course" || subject) return frappe.set_route("memora-course");
				return frappe.pages[page].on_page_show(frappe.pages[page]); // one is there, and a route to it leads nowhere
			},
		});
	};
}

// What it finds of content is called by its title, and says where it is: Frappe 15 would show names, which are hashes.
const { utils } = frappe.search || {};
if (utils) {
	const { get_global_results } = utils;
	utils.get_global_results = function (...args) {
		const found = new Map();
		const { call } = frappe;
		frappe.call = (options, ...rest) => {
			const callback = (answer) => {
				for (const row of answer.message || []) if (KINDS.includes(row.doctype)) found.set(row.name, row);
				return options.callback(answer);
			};
			return call.call(frappe, { ...options, callback }, ...rest);
		};
		try {
			return get_global_results.apply(this, args).then((sets) => {
				for (const { title, results } of sets) if (KINDS.includes(title)) results.forEach((result) => name_it(result, found));
				return sets;
			});
		} finally {
			frappe.call = call;
		}
	};
}

// Frappe 15 takes both for HTML. Later versions escape the title, and show the fields in columns.
function name_it(result, found) {
	const { title, way } = found.get(result.route[2]) || {};
	if (!title) return;
	const { esc } = memora.publishing;
	result.label = "_global_raw_content" in result ? title : esc(title);
	result.description = [esc(way), result.description].filter(Boolean).join(" · ");
}

memora.publishing.offer_course_page = function (list) {
	if (KINDS.includes(list.doctype) && may_see()) {
		list.page.add_inner_button(__("Course Page"), () => frappe.set_route("memora-course"));
	}
};
