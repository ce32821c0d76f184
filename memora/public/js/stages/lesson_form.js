// The stages in a lesson's form: a row opens the editor of stages, and takes what was typed there; the lesson is saved as
// always.
import { all_of, drop, fresh_name, mark, moment } from "./kept";
import "./open";

const LESSON = "Memora Lesson";
const STAGE = "Memora Lesson Stage";

const { html, put, typed } = memora.publishing;

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

// What a lesson is called in the browser's store of what was typed; one that is not saved yet has no name.
const kept_as = ({ doc }) => (doc.__islocal ? "new" : doc.name);

function open_row(frm, { doctype, name }) {
	const row = frappe.get_doc(doctype, name);
	return edit(frm, {
		stage: { name, title: typed(row.title), type: row.type, config: row.config },
		kept_as: row.__memora_kept,
		on_save: (stage) => take(frm, row, stage, row.__memora_kept || name),
	});
}

function edit(frm, options) {
	return memora.stages.edit({
		lesson: kept_as(frm),
		upload_to: frm.doc.name,
		lesson_title: typed(frm.doc.title),
		can_write: frm.fields_dict.stages.grid.is_editable(),
		is_published: Boolean(frm.doc.is_published),
		keeps: true,
		...options,
	});
}

// Into the row goes only what differs.
async function take(frm, row, { title, type, config }, id) {
	const values = {};
	if (title !== typed(row.title)) values.title = title;
	if (type !== row.type) values.type = type;
	if (config !== row.config) values.config = config;
	if (!Object.keys(values).length) return;
	taken(frm).add(id);
	await frappe.model.set_value(row.doctype, row.name, values);
	frm.refresh_field("stages");
}

// What this form has of what is kept in the browser: a save of the lesson is the end of that, and of nothing else that was
// typed in another tab or on the course page.
const taken = (frm) => (frm.memora_taken = frm.memora_taken || new Set());

// `id` is what the new stage is kept as in the browser.
function add(frm, id = fresh_name()) {
	return edit(frm, {
		stage: { name: "", title: "", type: "", config: null },
		kept_as: id,
		on_save({ title, type, config }) {
			taken(frm).add(id);
			frm.add_child("stages", { title, type, config, __memora_kept: id });
			frm.refresh_field("stages");
			frm.dirty();
		},
	});
}

// What was typed in a form that was left without being saved is offered again.
async function offer(frm) {
	const place = $(frm.fields_dict.stages.wrapper);
	place.find(".memora-stages-kept").remove();
	if (frm.is_dirty() && !frm.is_new()) return;
	const lesson = kept_as(frm);
	const found = await unsaved(frm, lesson);
	if (!found.length || lesson !== kept_as(frm)) return;
	place.find(".memora-stages-kept").remove(); // of another answer
	const $box = $('<div class="memora-stages-kept"></div>').prependTo(place);
	const of = (one) => (frm.is_new() && one.of && one.of !== typed(frm.doc.title) ? one.of : ""); // of another new lesson
	put($box, html`<b>${__("Typed and not saved")}</b><ul>${found.map((one, place) => kept_html(one, place, of(one)))}</ul>`);
	$box.on("click", "[data-kept]", async ({ currentTarget }) => {
		const { stage } = found[Number(currentTarget.dataset.kept)];
		if (currentTarget.dataset.act === "drop") await drop(lesson, stage);
		else await take_up(frm, stage);
		$(currentTarget).closest("li").remove();
		if (!$box.find("li").length) $box.remove();
	});
}

// What was typed and is not in the form. The rest was saved, by a page that was left before it could forget it.
async function unsaved(frm, lesson) {
	const saved = new Set((frm.doc.stages || []).map((row) => mark({ ...row, title: typed(row.title) })));
	const all = await all_of(lesson);
	for (const one of all) if (saved.has(mark(one))) drop(lesson, one.stage);
	return all.filter((one) => !saved.has(mark(one)));
}

const kept_html = (one, place, lesson) => html`<li><bdi>${one.title || __("Untitled")}</bdi>
	<span class="text-muted">${lesson ? html`${__("in the new lesson")} <bdi>“${lesson}”</bdi> · ` : ""}${moment(one)}</span>
	<button type="button" class="btn btn-default btn-xs" data-kept="${place}">${__("Open")}</button>
	<button type="button" class="btn btn-link btn-xs" data-kept="${place}" data-act="drop">${__("Discard")}</button></li>`;

function take_up(frm, stage) {
	const row = (frm.doc.stages || []).find((one) => one.name === stage);
	return row ? open_row(frm, row) : add(frm, stage);
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
		offer(frm);
	},
	before_save(frm) {
		frm.memora_kept_as = kept_as(frm);
	},
	async after_save(frm) {
		await Promise.all([...taken(frm)].map((id) => drop(frm.memora_kept_as, id)));
		taken(frm).clear();
		offer(frm);
	},
});
