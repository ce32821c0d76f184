// A document's history: a button on each form of content and plans, and a dialog that is loaded when it is wanted.
frappe.provide("memora.history");

const BUNDLES = ["memora_history.bundle.css", "memora_history.bundle.js"];
const KINDS = [...Object.keys(memora.publishing.PARENT_FIELDS), "Memora Academic Plan"];

const { typed } = memora.publishing;

// memora.history.show({doctype, name, title, is_dirty, on_change}): is_dirty() says whether a form of it has changes that are not
// saved, on_change() is called when it has gone back.
memora.history.show = async function (options) {
	await new Promise((done) => frappe.require(BUNDLES, done));
	return memora.history.show_loaded(options);
};

const may_see = () => Boolean((frappe.boot.page_info || {})["memora-course"]);

for (const doctype of KINDS) {
	frappe.ui.form.on(doctype, {
		refresh(frm) {
			if (frm.is_new() || !may_see()) return;
			frm.add_custom_button(__("History"), () => {
				const { name, title } = frm.doc;
				const on_change = () => frm.docname === name && frm.reload_doc();
				return memora.history.show({ doctype, name, title: typed(title), is_dirty: () => frm.is_dirty(), on_change });
			});
		},
	});
}
