// All keys of the outline, over it.
const { html, put } = memora.publishing;

const KEYS = () => [
	[
		__("Go"),
		[
			["↑ ↓", __("The row above or below")],
			[frappe.utils.is_rtl() ? "← →" : "→ ←", __("Expand or collapse; into it or out of it")],
			["Home End", __("The first or last row")],
			["*", __("Expand all beside this")],
			["/", __("Search by title")],
			["Enter", __("Open the form")],
			["P", __("Preview as Learner")],
		],
	],
	[
		__("Write"),
		[
			["N  +  Insert", __("A new row below this one")],
			["Enter", __("In a new title: save it, and type the next")],
			["Tab", __("In a new title: a level down")],
			["Shift Tab", __("In a new title: a level up")],
			["F2", __("Edit the title")],
			["Esc", __("Leave the title")],
		],
	],
	[
		__("Change"),
		[
			["Alt ↑  Alt ↓", __("Move the row, also into the next parent")],
			["Space", __("Select, or no more")],
			["Shift ↑  Shift ↓", __("Select on")],
			["Ctrl C  Ctrl X  Ctrl V", __("Copy, cut, paste")],
			["Ctrl D", __("Duplicate")],
			["Delete", __("Delete; asks first")],
			["Ctrl Z", __("Undo")],
			["Shift F10", __("The row's menu")],
		],
	],
];

export function show_keys() {
	const dialog = new frappe.ui.Dialog({
		title: __("Keys of the Outline"),
		size: "large",
		fields: [{ fieldname: "body", fieldtype: "HTML" }],
	});
	const group = ([title, keys]) => html`<section><h5>${title}</h5><dl>${keys.map(
		([key, text]) => html`<div><dt dir="ltr">${key.split("  ").map((each) => html`<kbd>${each}</kbd> `)}</dt><dd>${text}</dd></div>`
	)}</dl></section>`;
	dialog.$wrapper.addClass("memora-keys-dialog");
	put(dialog.get_field("body").$wrapper, html`<div class="memora-keys">${KEYS().map(group)}</div>`);
	dialog.show();
}
