// What an action does beyond the documents in hand, by title, before it is done: what becomes live, what becomes readable
// without paying, what is deleted or goes back to what it was. `ask` is what `memora.api.course` and `memora.api.history` answer
// instead of doing it.
frappe.provide("memora.publishing");

const { html, put } = memora.publishing;

// Resolves to `ask.agreed` if the user goes on, and to null otherwise. Another `title` and `label` of the button may be said.
memora.publishing.confirm = function (ask, said = {}) {
	const groups = groups_of(ask);
	return new Promise((resolve) => {
		let agreed = null;
		const dialog = new frappe.ui.Dialog({
			title: said.title || ((ask.deletes || []).length ? __("Delete all of this?") : __("What changes for learners")),
			fields: [{ fieldname: "body", fieldtype: "HTML" }],
			primary_action_label: said.label || ((ask.deletes || []).length ? __("Delete") : __("Go On")),
			primary_action() {
				agreed = ask.agreed;
				dialog.hide();
			},
			secondary_action_label: __("Cancel"),
			secondary_action: () => dialog.hide(),
		});
		dialog.$wrapper.addClass("memora-consequences");
		if ((ask.deletes || []).length) dialog.get_primary_btn().addClass("btn-danger");
		dialog.onhide = () => {
			dialog.$wrapper.remove();
			resolve(agreed);
		};
		const kept = "kept_days" in ask ? html`<p>${memora.publishing.kept_words()}</p>` : "";
		put(dialog.get_field("body").$wrapper, [...groups.map(group_html), kept]);
		dialog.$wrapper.one("shown.bs.modal", () => dialog.get_primary_btn().trigger("focus"));
		dialog.show();
	});
};

// Calls `call(agreed)`, which returns a promise of an answer, and asks the user as often as the server asks. Resolves to
// the answer once it is done, and to null if the user did not go on.
memora.publishing.agreed = async function (call, said = {}) {
	let answer = await call("");
	while (answer && answer.ask) {
		const agreed = await memora.publishing.confirm(answer.ask, said);
		if (agreed === null) return null;
		answer = await call(agreed);
	}
	return answer;
};

function groups_of(ask) {
	const counts = ask.counts || {};
	const group = (key, look, title) => {
		const titles = ask[key] || [];
		const count = Math.max(counts[key] || 0, titles.length);
		return count ? { titles, count, look, title: title(count) } : null;
	};
	return [
		group("deletes", "danger", (count) => __("Deleted: {0}", [count])),
		group("free", "danger", (count) => __("Paid lessons that could be read without paying: {0}", [count])),
		group("live", "info", (count) => __("Becomes live: {0}", [count])),
		group("missing", "warning", (count) => __("Files that are gone, and do not come back: {0}", [count])),
		group("changes", "info", () => (ask.is_published ? __("This changes. Learners get it with the next run:") : __("This changes:"))),
	].filter(Boolean);
}

function group_html({ titles, count, look, title }) {
	const rows = titles.map((each) => html`<li><bdi>${each.title || each}</bdi></li>`);
	if (count > titles.length) rows.push(html`<li>${__("and {0} more", [count - titles.length])}</li>`);
	return html`<div class="alert alert-${look}"><b>${title}</b><ul class="memora-plain-list">${rows}</ul></div>`;
}
