// A course is put into a plan without leaving it: one that is there, or a new one, with its season, grade and stream by
// their titles, which are made where they are new.
import { keep, kept } from "./kept";
import { PLAN, text_of } from "./kinds";

const TERMS = { season: "Memora Season", grade: "Memora Grade", stream: "Memora Stream" };
const REMEMBERED = "memora-course-plan";

const insert = (doc) => memora.publishing.ask("frappe.client.insert", { doc }, { post: true, quiet: true });

export async function put_into_plan(view) {
	const { outline } = view;
	const listed = outline.plans.map(({ name }) => name);
	const [terms, plans] = await Promise.all([
		Promise.all(Object.values(TERMS).map((doctype) => named_by_title(doctype))),
		frappe.db.get_list(PLAN, { fields: ["name", "title"], order_by: "title", limit: 500 }),
	]);
	const open = plans.filter(({ name }) => !listed.includes(name));
	const dialog = new frappe.ui.Dialog({
		title: __("Put “{0}” into a Plan", [memora.publishing.esc(outline.root.title)]),
		fields: fields(open, terms.map((names) => [...names.keys()])),
		primary_action_label: __("Put into the Plan"),
		primary_action: (values) => save(view, dialog, values, { open, terms }),
	});
	dialog.$wrapper.addClass("memora-plan-dialog");
	propose_title(dialog, view, plans.map(({ title }) => memora.publishing.typed(title)));
	dialog.show();
}

// The names of these by their titles as people typed them.
async function named_by_title(doctype) {
	const rows = await frappe.db.get_list(doctype, { fields: ["name", "title"], order_by: "title", limit: 500 });
	return new Map(rows.map(({ name, title }) => [memora.publishing.typed(title), name]));
}

function fields(open, titles) {
	const last = kept(REMEMBERED) || {};
	const is_new = (doc) => doc.which === "new";
	const term = (fieldname, label, place) => ({
		fieldname,
		label,
		fieldtype: "Autocomplete",
		options: titles[place],
		ignore_validation: 1,
		default: titles[place].includes(last[fieldname]) ? last[fieldname] : titles[place].length === 1 ? titles[place][0] : "",
		depends_on: is_new,
	});
	return [
		{
			fieldname: "which",
			fieldtype: "Select",
			label: __("Plan"),
			default: "new",
			options: [
				{ value: "new", label: __("A new plan") },
				...open.map(({ name, title }) => ({ value: name, label: memora.publishing.typed(title) })),
			],
		},
		term("season", __("Season"), 0),
		term("grade", __("Grade"), 1),
		term("stream", __("Stream"), 2),
		{ fieldname: "title", fieldtype: "Data", label: __("Title of the plan"), depends_on: is_new },
		{
			fieldname: "is_published",
			fieldtype: "Check",
			label: __("Publish the plan"),
			description: __("Then learners of this plan see what is published of the course."),
			depends_on: is_new,
		},
		{ fieldname: "error", fieldtype: "HTML" },
	];
}

// What a field shows. Frappe takes some of it over a moment later.
const typed_in = (dialog, name) => String(dialog.get_field(name).$input.val() || "").trim();

// The title follows what was chosen, until another one is typed.
function propose_title(dialog, view, taken) {
	let proposed = "";
	const propose = () => {
		if (typed_in(dialog, "title") !== proposed) return;
		proposed = ["grade", "stream", "season"].map((name) => typed_in(dialog, name)).filter(Boolean).join(" · ");
		if (taken.includes(proposed)) proposed = `${memora.publishing.typed(view.outline.root.title)} · ${proposed}`;
		dialog.set_value("title", proposed);
	};
	for (const name of Object.keys(TERMS)) {
		const field = dialog.get_field(name);
		field.df.onchange = propose;
		field.$input.on("change blur awesomplete-selectcomplete", () => setTimeout(propose));
	}
	propose();
}

async function save(view, dialog, values, { open, terms }) {
	const { html, put } = memora.publishing;
	const $error = dialog.get_field("error").$wrapper;
	for (const name of [...Object.keys(TERMS), "title"]) values[name] = typed_in(dialog, name);
	if (values.which === "new" && [...Object.keys(TERMS), "title"].some((name) => !values[name])) {
		return put($error, html`<div class="alert alert-warning" role="alert">${__("Fill in season, grade, stream and title.")}</div>`);
	}
	dialog.disable_primary_action();
	try {
		const plan = values.which === "new" ? await make(view, values, terms) : await extend(view, values.which);
		const { title } = values.which === "new" ? values : open.find(({ name }) => name === values.which);
		dialog.hide();
		view.outline.plan = plan;
		view.say(__("The course is in the plan {0} now.", [memora.publishing.typed(title)]), true, "green");
		await view.refresh();
	} catch (error) {
		put($error, html`<div class="alert alert-danger" role="alert">${text_of(error)}</div>`);
		dialog.enable_primary_action();
	}
}

async function make(view, values, known) {
	const terms = {};
	for (const [place, [field, doctype]] of Object.entries(TERMS).entries()) {
		const title = values[field];
		// A new one where there is none of this title; what was made stays known if the plan is refused.
		if (!known[place].has(title)) known[place].set(title, (await insert({ doctype, title })).name);
		terms[field] = known[place].get(title);
	}
	const plan = await insert({
		doctype: PLAN,
		title: values.title,
		is_published: values.is_published ? 1 : 0,
		...terms,
		subjects: [{ subject: view.outline.subject }],
	});
	keep(REMEMBERED, { season: values.season, grade: values.grade, stream: values.stream });
	return plan.name;
}

async function extend(view, name) {
	const doc = await frappe.db.get_doc(PLAN, name);
	doc.subjects.push({ subject: view.outline.subject });
	await memora.publishing.ask("frappe.client.save", { doc }, { post: true, quiet: true });
	return name;
}
