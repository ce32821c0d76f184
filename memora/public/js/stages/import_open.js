// Opens the dialog that brings questions from elsewhere into a lesson, which is loaded when it is wanted.
frappe.provide("memora.stages");

const BUNDLES = ["memora_question_import.bundle.css", "memora_question_import.bundle.js"];
const LESSON = "Memora Lesson";

const { esc, typed } = memora.publishing;

// memora.stages.import_questions({lesson, title, is_live, after}): into a lesson, behind its stage `after` or as its last.
// Resolves to what the server answered once they are in, and to null where one thinks better of it. However often it is
// asked for, as by a double click, one dialog opens.
let is_open = false;
memora.stages.import_questions = async function (options) {
	if (is_open) return null;
	is_open = true;
	try {
		await new Promise((done) => frappe.require(BUNDLES, done));
		return await memora.stages.import_loaded(options);
	} finally {
		is_open = false;
	}
};

async function import_into(frm) {
	if (frm.is_dirty()) {
		const is_agreed = await new Promise((resolve) =>
			frappe.confirm(
				__("The lesson has changes that are not saved. Save it, then import questions?"),
				() => resolve(true),
				() => resolve(false)
			)
		);
		if (!is_agreed) return;
		await frm.save();
		if (frm.is_dirty()) return; // what was refused is said
	}
	const { name, title, is_published } = frm.doc;
	const answer = await memora.stages.import_questions({ lesson: name, title: typed(title), is_live: Boolean(is_published) });
	if (!answer) return;
	if (frm.docname === name) await frm.reload_doc();
	frappe.show_alert({ message: esc(__("Questions that came in: {0}", [answer.rows.length])), indicator: "green" });
}

frappe.ui.form.on(LESSON, {
	refresh(frm) {
		const { grid } = frm.fields_dict.stages;
		if (!frm.memora_import) {
			frm.memora_import = grid.add_custom_button(__("Import Questions …"), () => import_into(frm));
		}
		frm.memora_import.toggle(grid.is_editable() && !frm.is_new());
	},
});
