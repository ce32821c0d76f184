// Lists of content are filtered by what is above a document's parent, too: lessons by their subject, track and unit. The
// server says which parents are below what was chosen; Frappe keeps the choice, as one of its own filters.
frappe.provide("memora.publishing");

const KINDS = Object.keys(memora.publishing.PARENT_FIELDS);
const PARENTS = Object.values(memora.publishing.PARENT_FIELDS);
const MARK = "memora_within_";
const NOTHING = "[]";

const fieldname_of = (kind) => MARK + kind.split(" ")[1].toLowerCase();
const label_of = (kind) => ({ Subject: __("Subject"), Track: __("Track"), Unit: __("Unit") }[kind.split(" ")[1]]);

memora.publishing.filter_within = function (list) {
	const depth = KINDS.indexOf(list.doctype);
	if (depth < 1 || list.view_name !== "List" || !list.filter_area) return;
	const parent = PARENTS[depth];
	wait_for_title(list, parent, KINDS[depth - 1]);
	const names = within(list, KINDS.slice(0, depth - 1), parent);
	keep_learners_order(list, parent, names);
};

// A link box that is filled by a name has no value until Frappe knows the title: the list would be asked for without it.
function wait_for_title(list, parent, kind) {
	const { before_refresh } = list;
	const saved = filters_of(list).find(([, fieldname]) => fieldname === parent);
	const is_known = saved ? know_title(kind, saved[3]) : null;
	list.before_refresh = async function () {
		await is_known;
		await know_title(kind, (frappe.route_options || {})[parent]);
		return before_refresh.call(list);
	};
}

async function know_title(kind, name) {
	if (typeof name !== "string" || !name || name.startsWith("[") || frappe.utils.get_link_title(kind, name)) return;
	await frappe.utils.fetch_link_title(kind, name).catch(() => {}); // what is gone has none
}

const filters_of = (list) => {
	const { filters } = list.view_user_settings || {};
	return Array.isArray(filters) ? filters : [];
};

// Adds a link box for each of these kinds. Returns what the list's parents are kept to: an array, or null for all.
function within(list, kinds, parent) {
	let found = null;
	const boxes = kinds.map((kind) => add_box(list, kind, parent));
	if (!boxes.length) return () => found;
	const chosen = () =>
		JSON.stringify(boxes.filter((box) => box.get_value()).map((box) => `${box.df.options}:${box.get_value()}`));

	const { get_filters_for_args, get_search_params, before_refresh, refresh } = list;
	let is_told = false; // whether the filters are for people, who are told what was chosen
	list.get_filters_for_args = function () {
		const filters = get_filters_for_args.call(list);
		if (is_told) return filters;
		const own = filters.filter(([, fieldname]) => !fieldname.startsWith(MARK));
		return found ? [...own, [list.doctype, parent, "in", found]] : own;
	};
	list.get_search_params = function () {
		is_told = true;
		try {
			return get_search_params.call(list);
		} finally {
			is_told = false;
		}
	};
	// An address may name what is chosen. Frappe leaves out what is no field, and clears all boxes for what is.
	list.before_refresh = async function () {
		await ready;
		const asked = take(frappe.route_options, boxes);
		if (asked.length && !Object.keys(frappe.route_options).length) await list.filter_area.clear(false);
		await before_refresh.call(list);
		await choose(list, asked);
	};
	list.refresh = async function (...given) {
		let asked, names;
		do {
			asked = chosen();
			names = asked === NOTHING ? null : await names_within(list.doctype, asked);
		} while (asked !== chosen()); // several boxes can be emptied at once
		found = names;
		return refresh.apply(list, given);
	};

	const kept = filters_of(list).map(([, fieldname, , value]) => [fieldname, value]);
	const ready = choose(list, take(Object.fromEntries(kept), boxes));
	return () => found;
}

function add_box(list, kind, parent) {
	const { page, filter_area } = list;
	const $area = page.page_form.find(".standard-filter-section");
	const look_again = () => (filter_area.debounced_refresh_list_view || filter_area.refresh_list_view.bind(filter_area))();
	const df = { fieldtype: "Link", options: kind, fieldname: fieldname_of(kind), label: label_of(kind), is_filter: 1, condition: "=" };
	const box = page.add_field({ ...df, onchange: look_again, doctype: list.doctype }, $area);
	const own = page.fields_dict[parent];
	if (own) $(box.wrapper).insertBefore(own.wrapper);
	return box;
}

// What is said of these boxes, which is taken out of what says it: pairs of a box and a name.
function take(said, boxes) {
	const pairs = [];
	for (const box of said ? boxes : []) {
		const { fieldname } = box.df;
		if (said[fieldname]) pairs.push([box, said[fieldname]]);
		delete said[fieldname];
	}
	return pairs;
}

// Fills the boxes without another refresh of the list.
async function choose({ filter_area }, pairs) {
	filter_area.trigger_refresh = false;
	for (const [box, name] of pairs) {
		await know_title(box.df.options, name);
		await box.set_value(name);
	}
	filter_area.trigger_refresh = true;
}

function names_within(doctype, within) {
	return memora.publishing
		.ask("memora.api.links.parents_within", { doctype, within })
		.catch(() => []); // Frappe has said why
}

// Below one parent the list is in the learners' order. Who sorts it otherwise keeps that until the parent is another one.
function keep_learners_order(list, parent, names) {
	let before = "";
	const { get_args } = list;
	list.get_args = function () {
		const one = the_parent(list, parent, names());
		if (one && one !== before) sort(list);
		before = one;
		const args = get_args.call(list);
		const table = `\`tab${list.doctype}\``;
		if (new RegExp(`^${table}\\.\`sort_order\` asc`, "i").test(args.order_by)) {
			args.order_by = ["sort_order", "creation", "name"].map((column) => `${table}.\`${column}\` asc`).join(", ");
		}
		return args;
	};
}

function the_parent(list, parent, names) {
	const own = list.get_filters_for_args().find(([, fieldname, condition]) => fieldname === parent && condition === "=");
	if (own) return own[3];
	return names && names.length === 1 ? names[0] : "";
}

function sort(list) {
	const { sort_selector } = list;
	list.sort_by = "sort_order";
	list.sort_order = "asc";
	if (!sort_selector) return;
	if (sort_selector.set_value) return sort_selector.set_value("sort_order", "asc");
	sort_selector.sort_by = "sort_order"; // early v15 has no more than this
	sort_selector.sort_order = "asc";
	sort_selector.wrapper.find(".dropdown-text").text(__(sort_selector.get_label("sort_order")));
	sort_selector.wrapper.find(".btn-order").attr("data-value", "asc");
}
