// The stages in a lesson's form: a row opens the editor of stages, and takes what was typed there; the lesson is saved as
// always.
import "./open";

const LESSON = "Memora Lesson";
const STAGE = "Memora Lesson Stage";

const { typed } = memora.publishing;

// Opening a row of the table opens our editor, not Frappe's form with its box for JSON.
function teach(grid) {
	const [row] = grid.grid_rows || [];
	if (!row) return;
	const rows = Object.getPrototypeOf(row);
	if (Object.hasOwn(rows, "memora_toggle_view")) return;
	rows.memora_toggle_view = rows.toggle_view;
	rows.toggle_view = function (show, callback) {
		if (this.grid.doctype !== STAGE || !this.frm || show === false || !this.doc) return this.memora_toggle_view(show, callback);
		open_row(this.frm, this.doc);
		callback?.();
		return this;
	};
}

function open_row(frm, { doctype, name }) {
	const row = frappe.get_doc(doctype, name);
	return memora.stages.edit({
		lesson: frm.doc.name,
		lesson_title: typed(frm.doc.title),
		stage: { name, title: typed(row.title), type: row.type, config: row.config },
		can_write: frm.fields_dict.stages.grid.is_editable(),
		is_live: Boolean(frm.doc.is_published),
		on_save: (stage) => take(frm, row, stage),
	});
}

// Into the row goes only what differs.
async function take(frm, row, { title, type, config }) {
	const values = {};
	if (title !== typed(row.title)) values.title = title;
	if (type !== row.type) values.type = type;
	if (config !== row.config) values.config = config;
	if (!Object.keys(values).length) return;
	await frappe.model.set_value(row.doctype, row.name, values);
	frm.refresh_field("stages");
}

function add(frm) {
	const stage = { name: "", title: "", type: "", config: null };
	return memora.stages.edit({
		lesson: frm.doc.name,
		lesson_title: typed(frm.doc.title),
		stage,
		is_live: Boolean(frm.doc.is_published),
		on_save: (made) => {
			const { title, type, config } = made;
			frm.add_child("stages", { title, type, config });
			frm.refresh_field("stages");
			frm.dirty();
		},
	});
}

frappe.ui.form.on(LESSON, {
	setup(frm) {
		const { grid } = frm.fields_dict.stages;
		const refresh = grid.refresh.bind(grid);
		grid.refresh = function (...args) {
			const answer = refresh(...args);
			teach(grid);
			return answer;
		};
	},
	refresh(frm) {
		const { grid } = frm.fields_dict.stages;
		teach(grid);
		if (!frm.memora_add_stage) {
			frm.memora_add_stage = grid.add_custom_button(__("Add Stage"), () => add(frm));
		}
		frm.memora_add_stage.toggle(grid.is_editable());
	},
});
