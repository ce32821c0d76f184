// The history's rows and comparisons as HTML.
const { ago, fill, html, join, pill } = memora.publishing;

const UNDER_WAY = ["waiting", "building", "failed", "dead", "held"];

// Rows from `entries`; `answer` is the last one, with the first one's status.
export function rows_html(rows, answer) {
	if (!rows.length && !answer.more) return html`<p class="text-muted memora-pad">${__("No change is recorded yet. From now on each is.")}</p>`;
	const newest = rows[0];
	return html`
		<ul class="memora-history">${rows.map((row) => row_html(row, answer, row === newest))}</ul>
		${answer.more ? html`<p><button type="button" class="btn btn-default btn-sm" data-more>${__("Show Older")}</button></p>` : ""}
		<p class="text-muted">${__("Changes are kept for 180 days, or for as long as Log Settings say.")}</p>`;
}

function row_html(row, answer, is_newest) {
	if (row.is_first) {
		return html`<li><div class="memora-history-said">${__("As it was before that")}</div>${back_html(row, answer)}</li>`;
	}
	const said = html`
		<span class="memora-history-words"><bdi>${join(row.words, " · ")}</bdi></span>
		<span class="text-muted"><bdi>${row.by}</bdi> · ${ago(row.at)}</span>
		${live_html(row, answer, is_newest)}`;
	return html`
		<li>
			${
				row.has_changes
					? html`<details class="memora-history-said" data-entry="${row.entry}"><summary>${said}</summary><div class="memora-history-changes"></div></details>`
					: html`<div class="memora-history-said">${said}</div>`
			}
			${is_newest && !row.state ? html`<span class="memora-history-now">${__("As it is now")}</span>` : back_html(row, answer)}
		</li>`;
}

function back_html(row, answer) {
	if (!row.can_go_back || !answer.can_write) return "";
	return html`<button type="button" class="btn btn-default btn-xs" data-state="${row.state}">${__("Go Back to This")}</button>`;
}

function live_html(row, { status }, is_newest) {
	if (row.live) {
		const text = fill(__("Live since {0}"), ago(row.live.since));
		return html`<span class="indicator-pill green" title="${__("Version {0} of its file", [row.live.version])}"><span>${text}</span></span>`;
	}
	if (row.run) {
		return html`<span class="text-muted" title="${__("The first run after this change")}">· ${fill(__("Went out {0}"), ago(row.run))}</span>`;
	}
	if (!is_newest || !status) return "";
	return pill(status.color, UNDER_WAY.includes(status.state) ? __("Not live yet") : status.label);
}

// What one change has changed; a stage comes back alone by its button.
export function parts_html(parts, entry, can_write) {
	if (!parts.length) return html`<p class="text-muted">${__("Nothing of this can be shown.")}</p>`;
	return parts.map(
		(part) => html`
			<section>
				<div class="memora-history-part">
					<b><bdi>${part.title}</bdi></b> <span class="text-muted">${part.what}</span>
					${
						part.row && can_write
							? html`<button type="button" class="btn btn-default btn-xs" data-entry="${entry}" data-row="${part.row}">${__("Bring This Stage Back")}</button>`
							: ""
					}
				</div>
				${lines_html(part)}
			</section>`
	);
}

function lines_html(part) {
	if (part.is_too_large) return html`<p class="text-muted">${__("This is too large to be compared here.")}</p>`;
	if (!part.rows.length) return "";
	const cell = (side, row) => {
		const mark = row.kind === "same" || !row[side] ? "" : side === "live" ? "−" : "+";
		return html`<td class="memora-json-mark" aria-hidden="true">${mark}</td><td class="memora-json-${side}" dir="auto">${row[side]}</td>`;
	};
	const line = (row) =>
		row.kind === "folded"
			? html`<tr><td colspan="4" class="text-muted">${__("… {0} equal lines …", [row.live])}</td></tr>`
			: html`<tr class="is-${row.kind}">${cell("live", row)}${cell("planned", row)}</tr>`;
	return html`
		<div class="memora-json memora-history-lines" tabindex="0">
			<table>
				<colgroup><col class="memora-json-mark"><col><col class="memora-json-mark"><col></colgroup>
				<thead><tr><th colspan="2">${__("Before")}</th><th colspan="2">${__("After")}</th></tr></thead>
				<tbody>${part.rows.map(line)}</tbody>
			</table>
			${part.left_off ? html`<p class="text-muted">${__("{0} more lines are not shown.", [part.left_off])}</p>` : ""}
		</div>`;
}
