// View JSON: a document's file as it is live and as the next run would write it, side by side.
const { esc, typed, html, fill, join, put } = memora.publishing;

// With `more` plans than these, which are shown to choose from, any is searched for.
memora.publishing.show_json = function (doctype, name, title, plans, more = false) {
	const dialog = new frappe.ui.Dialog({
		title: __("JSON of {0}", [esc(typed(title) || name)]),
		size: "extra-large",
		fields: [
			{
				fieldname: "plan",
				label: __("Plan"),
				...(more
					? {
							fieldtype: "Link",
							options: "Memora Academic Plan",
							get_query: () => ({ query: "memora.api.publishing.search_plans", filters: { doctype, name } }),
					  }
					: {
							fieldtype: "Select",
							options: plans.map((plan) => ({ value: plan.plan, label: esc(plan.title) })),
					  }),
				default: plans[0].plan,
				hidden: plans.length < 2,
				change: () => load(),
			},
			...(plans.length < 2 ? [] : [{ fieldtype: "Column Break" }]),
			{
				fieldname: "view",
				fieldtype: "Select",
				label: __("Show"),
				options: [
					{ value: "all", label: __("Everything") },
					{ value: "changes", label: __("Only differences") },
					{ value: "bytes", label: __("The exact bytes") },
				],
				default: "all",
				change: () => render(),
			},
			{ fieldtype: "Section Break" },
			{ fieldname: "body", fieldtype: "HTML" },
		],
	});
	dialog.$wrapper.addClass("memora-json-dialog");
	const $body = dialog.get_field("body").$wrapper;
	let answer = null;

	function load() {
		const plan = dialog.get_value("plan") || plans[0].plan;
		answer = null;
		put($body, html`<p class="text-muted memora-pad">${__("Making it as the next run would …")}</p>`);
		memora.publishing
			.ask("view_json", { doctype, name, plan }, { quiet: true })
			.then((found) => {
				answer = found;
				render();
			})
			.catch((error) => put($body, failure(error)));
	}

	function render() {
		if (!answer) return;
		const view = dialog.get_value("view");
		put(
			$body,
			html`
			${answer.problem && html`<div class="alert alert-warning">${answer.problem}</div>`}
			<p class="memora-json-summary">${summary(answer)}</p>
			${view === "bytes" ? bytes(answer) : rows(answer, view === "changes")}
			${answer.is_too_large ? downloads(doctype, name, dialog.get_value("plan") || plans[0].plan, answer) : ""}`
		);
	}

	dialog.show();
	load();
	return dialog;
};

function summary(answer) {
	const path = html`<code dir="ltr">${answer.path}</code>`;
	const link = answer.url
		? html` <a href="${answer.url}" target="_blank" rel="noopener">${__("Open on CDN")}</a>`
		: "";
	const changed = answer.differing;
	let text = changed ? __("Lines that differ: {0}.", [changed]) : __("The next run changes nothing here.");
	if (answer.is_too_large) text = __("This file is too large to be compared here.");
	if (!answer.is_live && !answer.is_planned) text = __("This plan does not show it, so it has no file.");
	else if (!answer.is_live) text = __("Not on the CDN yet; the next run writes it.");
	else if (!answer.is_planned) text = __("The next run takes it off the CDN.");
	const moved =
		answer.is_live && answer.live_path !== answer.path
			? html` ${fill(__("Live at {0} until then."), html`<code dir="ltr">${answer.live_path}</code>`)}`
			: "";
	return html`${path} · ${text}${moved}${link}`;
}

// In a right-to-left Desk the JSON still runs from the left: live first.
function rows(answer, only_changes) {
	const shown = answer.rows.filter((row) => !only_changes || !["same", "folded"].includes(row.kind));
	if (!shown.length) return "";
	const folded = (row) =>
		html`<tr><td colspan="4" class="text-muted">${__("… {0} equal lines …", [row.live])}</td></tr>`;
	const cell = (side, row) => {
		const text = row[side];
		const mark = row.kind === "same" || !text ? "" : side === "live" ? "−" : "+";
		return html`<td class="memora-json-mark" aria-hidden="true">${mark}</td><td class="memora-json-${side}">${text}</td>`;
	};
	return html`
		<div class="memora-json" dir="ltr" tabindex="0">
			<table>
				<colgroup><col class="memora-json-mark"><col><col class="memora-json-mark"><col></colgroup>
				<thead><tr><th colspan="2">${__("Live")}</th><th colspan="2">${__("After the next run")}</th></tr></thead>
				<tbody>${shown.map((row) =>
					row.kind === "folded"
						? folded(row)
						: html`<tr class="is-${row.kind}">${cell("live", row)}${cell("planned", row)}</tr>`
				)}</tbody>
			</table>
			${answer.left_off ? html`<p class="text-muted">${__("{0} more lines are not shown.", [answer.left_off])}</p>` : ""}
		</div>`;
}

function bytes(answer) {
	const block = (title, text) =>
		text == null ? "" : html`<h5>${title}</h5><pre class="memora-bytes" dir="ltr" tabindex="0">${text}</pre>`;
	return [block(__("Live"), answer.live), block(__("After the next run"), answer.planned)];
}

// What is too large to be shown.
function downloads(doctype, name, plan, answer) {
	const link = (side, label) => {
		const query = new URLSearchParams({ doctype, name, plan, side });
		return html`<a class="btn btn-default btn-sm" href="/api/method/memora.api.publishing.download_json?${query}">${label}</a>`;
	};
	return html`<p>${answer.is_live ? link("live", __("Download What Is Live")) : ""}
		${answer.is_planned ? link("planned", __("Download What Is Planned")) : ""}</p>`;
}

function failure(error) {
	return html`<div class="alert alert-danger" role="alert">${memora.publishing.message_of(error)}</div>`;
}

// What the server said went wrong, as text for a page of ours.
memora.publishing.message_of = function (error) {
	try {
		const messages = JSON.parse((error.responseJSON || error)._server_messages || "[]").map((item) => JSON.parse(item));
		const lines = messages.flatMap((item) => String(item.message).split(/<br *\/?>/));
		if (lines.length) return join(lines.map((line) => frappe.utils.html2text(line)), html`<br>`);
	} catch {
		// not an answer of Frappe's
	}
	return __("The server did not answer. Try again in a moment.");
};
