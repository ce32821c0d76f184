// Opens the editor of a stage, which is loaded when it is wanted.
frappe.provide("memora.stages");

const BUNDLES = ["memora_stages.bundle.css", "memora_stages.bundle.js"];

// memora.stages.edit({lesson, lesson_title, stage: {name, title, type, config}, dir, can_write, is_published, on_save(stage)}): see
// stages/edit.js. Resolves to the dialog once it is there.
memora.stages.edit = async function (options) {
	await new Promise((done) => frappe.require(BUNDLES, done));
	return memora.stages.edit_loaded(options);
};
