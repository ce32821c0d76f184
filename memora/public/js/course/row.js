// How one row of the outline looks. Everything that it shows is in the row, its status and a few flags.
import { below, can_be_typed, icon, LESSON, slug, STAGE, SUBJECT, words } from "./kinds";

const { html, level, pill } = memora.publishing;

const LEVEL_ICONS = { public: "globe", authenticated: "person", paid: "lock", free_preview: "gift" };

// States whose reason is read in the row itself.
const TELLING = ["failed", "dead", "held", "remains", "waiting", "leaving"];

export function row_html(row, flags) {
	const { is_open, is_flat, is_chosen, is_unsaved, state, error, renaming } = flags;
	return html`
		${fold_html(row, is_open, is_flat)}
		<input type="checkbox" class="memora-choose" tabindex="-1" data-action="choose" ${is_chosen ? "checked" : ""}
			aria-label="${__("Select")}">
		<div class="memora-row-head">
			<div class="memora-row-line">${renaming ? title_input(row) : title_html(row)}${notes_html(row)}${is_unsaved ? unsaved_html(row) : ""}</div>
			${is_flat && row.path ? path_html(row) : ""}
			${state && TELLING.includes(state.state) ? html`<div class="memora-row-why"><bdi>${state.text}</bdi></div>` : ""}
		</div>
		${row.doctype === STAGE ? html`<span></span>` : level_html(row)}
		${row.doctype === STAGE ? html`<span></span>` : html`<span class="memora-row-state">${state_html(row, state)}</span>`}
		${row.is_new ? html`<span></span>` : tools_html(row)}
		${error ? error_html(error) : ""}`;
}

function fold_html(row, is_open, is_flat) {
	if (is_flat || row.doctype === SUBJECT || !row.children) return html`<span class="memora-fold is-empty"></span>`;
	return html`<button type="button" class="memora-fold ${is_open ? "is-open" : ""}" tabindex="-1" data-action="fold"
		aria-label="${is_open ? __("Collapse") : __("Expand")}">${icon("chevron")}</button>`;
}

// A lesson's title leads to its form, a stage's to its editor; the others are opened and closed by theirs.
function title_html(row) {
	const title = row.plan_title || row.title;
	if (row.doctype === STAGE && !row.is_new) {
		return html`<span class="memora-title" data-action="open"><bdi>${title}</bdi></span>`;
	}
	if (row.doctype !== LESSON || row.is_new) return html`<span class="memora-title"><bdi>${title}</bdi></span>`;
	const address = frappe.utils.get_form_link(row.doctype, row.name);
	return html`<a class="memora-title" href="${address}" tabindex="-1" draggable="false"><bdi>${title}</bdi></a>`;
}

const title_input = (row) =>
	html`<input type="text" class="memora-title-input form-control" maxlength="140" value="${row.title}" dir="auto"
		aria-label="${__("Title")}" data-rename>`;

function notes_html(row) {
	const notes = [];
	if (row.doctype === STAGE) notes.push(html`<span class="memora-note">${__(row.type)}</span>`);
	else if (row.children) notes.push(html`<span class="memora-note">${words(below(row.doctype)).count(row.children)}</span>`);
	if (row.plan_title && row.plan_title !== row.title) {
		notes.push(html`<span class="memora-note is-plan" title="${__("Its title elsewhere")}"><bdi>${row.title}</bdi></span>`);
	}
	const { action } = row.override || {};
	if (action) notes.push(html`<span class="memora-note is-plan">${in_plan(action)}</span>`);
	else if (row.hidden) notes.push(html`<span class="memora-note is-plan">${icon("hidden")} ${__("hidden with what is above")}</span>`);
	return notes;
}

// This browser keeps what was typed; the editor has it again.
const unsaved_html = (row) =>
	html`<span class="memora-note is-unsaved" title="${
		row.doctype === STAGE ? __("Open the stage to save it or discard it.") : __("Add a stage to this lesson to go on with it.")
	}">${__("Typed and not saved")}</span>`;

const in_plan = (action) =>
	({
		Hide: html`${icon("hidden")} ${__("hidden in this plan")}`,
		Rename: __("renamed in this plan"),
		"Set Free": __("free in this plan"),
		"Set Sold Separately": __("sold separately in this plan"),
	}[action] || "");

function path_html(row) {
	const mark = frappe.utils.is_rtl() ? " ‹ " : " › ";
	const titles = row.path_titles || [];
	return titles.length
		? html`<button type="button" class="memora-path" tabindex="-1" data-action="reveal" title="${__("Show in the outline")}">${memora.publishing.join(
				titles.map((title) => html`<bdi>${title}</bdi>`),
				mark
		  )}</button>`
		: "";
}

function level_html(row) {
	if (!row.level) return html`<span class="memora-row-level"></span>`;
	const item = row.level === "paid" && row.required_item ? row.required_item : "";
	return html`<span class="memora-row-level is-${row.level}" title="${item}">${icon(LEVEL_ICONS[row.level])}<span>${level(
		row.level
	)}</span></span>`;
}

function state_html(row, state) {
	if (row.is_new) return html`<span class="memora-note">${__("Saving …")}</span>`;
	if (state) return html`<span title="${state.text}">${pill(state.color, state.label)}</span>`;
	return row.is_published ? html`<span class="memora-row-unknown"></span>` : pill("gray", __("Draft"));
}

function tools_html(row) {
	const tool = (action, name, label) =>
		html`<button type="button" class="memora-tool is-${action}" tabindex="-1" data-action="${action}" aria-label="${label}"
			title="${label}">${icon(name)}</button>`;
	const kind = below(row.doctype);
	const adds = row.can_write && can_be_typed(kind) ? tool("add_below", "add", words(kind).add) : "";
	const previews = row.doctype !== STAGE ? tool("preview", "eye", __("Preview as Learner")) : "";
	return html`<span class="memora-tools">${row.can_write ? tool("rename", "pencil", __("Edit Title")) : ""}${previews}${adds}
		<button type="button" class="memora-tool is-menu" tabindex="-1" data-action="menu" aria-haspopup="menu"
			aria-label="${__("Menu of {0}", [row.title])}">${icon("more")}</button></span>`;
}

function error_html({ text, retry }) {
	return html`<div class="memora-row-error" role="alert"><bdi>${text}</bdi>
		${retry ? html`<button type="button" class="btn btn-default btn-xs" data-action="retry">${__("Try Again")}</button>` : ""}
		<button type="button" class="btn btn-default btn-xs" data-action="dismiss">${retry ? __("Discard") : __("Close")}</button></div>`;
}

// Where a new title is typed.
export function draft_html(kind, is_first) {
	const { first, title } = words(kind);
	return html`<div class="memora-row"><span class="memora-fold is-empty"></span>
		<div class="memora-row-head"><input type="text" class="memora-title-input form-control" maxlength="140" dir="auto"
			placeholder="${is_first ? first : title}" aria-label="${title}" data-draft>
		<div class="memora-draft-hint" aria-live="polite"></div></div></div>`;
}

// The last line of an open branch: adds to it, and is where something is dropped into an empty one.
export function adder_html(kind) {
	const { add } = words(kind);
	return html`<button type="button" class="memora-adder" tabindex="-1" data-action="add_last">${icon("add")} ${add}</button>`;
}

export const node_class = (row) => `memora-node is-${slug(row.doctype)}`;
