// All that keeps a document from being live, below its form's line, and the button that fixes what an editor may fix of it.
const { esc, html } = memora.publishing;

// A text with a link to the document or the place of the Desk where it is fixed: around the title where the text names it,
// behind the text otherwise.
memora.publishing.linked = function (text, at) {
	if (!at || !(at.name || at.route)) return text;
	const url = at.route ? frappe.router.make_url([at.route]) : frappe.utils.get_form_link(at.doctype, at.name);
	const quoted = at.title && [`“${at.title}”`, `«${at.title}»`].find((title) => text.includes(title));
	if (!quoted) return html`${text} <a href="${url}">${at.title || label_of(at.route)}</a>`;
	const start = text.indexOf(quoted) + 1;
	const end = start + at.title.length;
	return html`${text.slice(0, start)}<a href="${url}">${at.title}</a>${text.slice(end)}`;
};

const label_of = (route) =>
	({
		"memora-academic-plan": __("Academic Plans"),
		"cdn-export-dashboard": __("CDN Export Dashboard"),
		"cdn-settings": __("CDN Settings"),
	}[route]);

// One reason is said by the line itself.
memora.publishing.reasons_html = function (reasons) {
	if (reasons.length < 2) return "";
	const rows = reasons.map((reason) => html`<li>${memora.publishing.linked(reason.text, reason)}</li>`);
	return html`<div class="memora-status-reasons">${__("What is in the way:")}<ul class="memora-plain-list">${rows}</ul></div>`;
};

// Publishes the form's document with all drafts above it, after asking where more becomes live or free by that.
memora.publishing.make_live = async function (frm, drafts, button) {
	if (frm.is_dirty()) await frm.save();
	const { doctype, docname } = frm;
	const done = await memora.publishing.agreed((agreed) =>
		memora.publishing.ask("memora.api.course.make_live", { doctype, name: docname, agreed }, { post: true, button })
	);
	if (!done) return;
	frappe.show_alert({ message: esc(said(drafts)), indicator: "green" });
	if (frm.docname === docname) await frm.reload_doc();
};

function said(drafts) {
	const [first, ...others] = drafts.map((node) => node.title);
	return others.length ? __("Published: {0} and {1} above it", [first, others.length]) : __("Published: {0}", [first]);
}
