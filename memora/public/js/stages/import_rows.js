// The rows of what would come in, as HTML: each question with its choices, and what is to say of it.
const { html } = memora.publishing;

const KINDS = {
	one: () => __("One choice"),
	several: () => __("Several choices"),
	true_false: () => __("True or false"),
	short: () => __("Short answer"),
	number: () => __("Number"),
};

const BESIDE = {
	hint: () => __("with a hint"),
	explanation: () => __("with an explanation"),
	shuffle: () => __("shuffled"),
};

export function row_html(row, is_chosen, group_before) {
	const id = `memora-import-${row.place}`;
	const can = row.can_come_in;
	const kind = KINDS[row.kind];
	return html`${row.group && row.group !== group_before ? html`<li class="memora-import-group"><bdi>${row.group}</bdi></li>` : ""}
	<li class="memora-import-row${can ? "" : " is-refused"}" data-place="${row.place}">
		<input type="checkbox" id="${id}" ${is_chosen ? html`checked` : ""} ${can ? "" : html`disabled`} aria-describedby="${id}-said">
		<div>
			<label for="${id}"><bdi>${row.title}</bdi></label>
			<span class="text-muted">${[__("line {0}", [row.line]), kind && kind(), ...beside(row)].filter(Boolean).join(" · ")}</span>
			${asked_html(row)} ${choices_html(row)} ${answers_html(row)}
			<ul class="memora-import-said" id="${id}-said">${row.findings.map(finding_html)}</ul>
			${row.config ? html`<button type="button" class="btn btn-default btn-xs" data-see="${row.place}" aria-expanded="false">${__("See as Learners Do")}</button>` : ""}
		</div>
	</li>`;
}

export const notes_html = (notes) => html`<ul class="memora-import-said">${notes.map(finding_html)}</ul>`;

const beside = (row) => (row.has || []).filter((key) => BESIDE[key]).map((key) => BESIDE[key]());

const asked_html = ({ question, title }) => (question && question !== title ? html`<p dir="auto">${question}</p>` : "");

function choices_html({ choices, more_choices }) {
	if (!choices || !choices.length) return "";
	return html`<ul class="memora-import-choices">${choices.map(
		({ text, is_right }) =>
			html`<li class="${is_right ? "is-right" : ""}"><bdi>${text}</bdi>${is_right ? html` <span class="sr-only">${__("(right)")}</span>` : ""}</li>`
	)}${more_choices ? html`<li class="text-muted">${__("and {0} more", [more_choices])}</li>` : ""}</ul>`;
}

function answers_html({ answers, tolerance, unit, kind }) {
	if (!answers || !answers.length) return "";
	const near = kind === "number" && tolerance ? html` <bdi>± ${tolerance}</bdi>` : "";
	return html`<ul class="memora-import-choices">${answers.map(
		(text) => html`<li class="is-right"><bdi>${text}</bdi>${near}${unit ? html` <bdi>${unit}</bdi>` : ""}</li>`
	)}</ul>`;
}

const finding_html = ({ severity, text }) =>
	html`<li class="is-${severity}"><b>${severity === "broken" ? __("Stays out:") : __("Note:")}</b> <span dir="auto">${text}</span></li>`;
