// Lists show each row's publication status. The rows are there at once; their status follows.
frappe.provide("memora.publishing");

memora.publishing.show_states = function (list) {
	if (list.view_name === "List") ask_for(list, (list.data || []).map((doc) => doc.name));
};

// One call is answered for the first of them, as many as do not keep the server long; the rest is asked for after.
function ask_for(list, names) {
	if (!names.length) return;
	memora.publishing
		.ask("list_states", { doctype: list.doctype, names: JSON.stringify(names) }, { post: true, quiet: true })
		.then((states) => {
			for (const row of list.$result.find(".list-row-container")) {
				const state = states[name_of($(row).find(".list-row-checkbox").attr("data-name") || "")];
				if (state) paint($(row), state);
			}
			const rest = names.filter((name) => !(name in states));
			if (rest.length < names.length) ask_for(list, rest);
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
