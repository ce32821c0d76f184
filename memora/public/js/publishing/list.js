// Lists say how each row stands. The rows are there at once with what they hold; the state follows.
frappe.provide("memora.publishing");

const AT_ONCE = 500; // for as many one call is answered

memora.publishing.show_states = function (list) {
	const names = (list.data || []).map((doc) => doc.name);
	if (list.view_name !== "List") return;
	for (let start = 0; start < names.length; start += AT_ONCE) ask_for(list, names.slice(start, start + AT_ONCE));
};

function ask_for(list, names) {
	memora.publishing
		.ask("list_states", { doctype: list.doctype, names: JSON.stringify(names) }, { post: true, quiet: true })
		.then((states) => {
			for (const row of list.$result.find(".list-row-container")) {
				const state = states[name_of($(row).find(".list-row-checkbox").attr("data-name") || "")];
				if (state) paint($(row), state);
			}
		})
		.catch(() => {}); // the list is of use without
}

// Frappe has names there as escape() or encodeURIComponent() writes them.
function name_of(written) {
	try {
		return decodeURIComponent(written);
	} catch {
		return unescape(written);
	}
}

function paint($row, state) {
	$row.find(".indicator-pill.filterable").each((_, pill) => {
		pill.className = `indicator-pill ${state.color} filterable ellipsis memora-state`;
		pill.title = state.text;
		$(pill).find(".ellipsis").text(` ${state.label}`);
	});
	$row.find(".list-row-activity .indicator, .level-item .indicator").each((_, dot) => {
		dot.className = `indicator ${state.color}`;
		dot.title = state.label;
	});
}
