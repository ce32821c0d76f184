// Lists say how each row stands. The rows are there at once with what they hold; the state follows in one call.
frappe.provide("memora.publishing");

memora.publishing.show_states = function (list) {
	const names = (list.data || []).map((doc) => doc.name);
	if (!names.length || list.view_name !== "List") return;
	memora.publishing
		.ask("list_states", { doctype: list.doctype, names: JSON.stringify(names) }, { post: true, quiet: true })
		.then((states) => {
			for (const row of list.$result.find(".list-row-container")) {
				const name = $(row).find(".list-row-checkbox").attr("data-name");
				const state = states[name === undefined ? undefined : decodeURIComponent(name)] || states[name];
				if (state) paint($(row), state);
			}
		})
		.catch(() => {}); // the list is of use without
};

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
