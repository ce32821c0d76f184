// A link for somebody without an account to the preview of a document: made here, shown once, taken back (memora.api.preview_links).
const { ago, ask, fill, html, message_of, put } = memora.publishing;

const API = "memora.api.preview_links.";

class ShareDialog {
	constructor({ doctype, name, title, plan = "" }) {
		this.doctype = doctype;
		this.name = name;
		this.plan = plan;
		this.dialog = new frappe.ui.Dialog({
			title: __("Share Preview"),
			fields: [
				{ fieldname: "said", fieldtype: "HTML" },
				{
					fieldname: "days",
					fieldtype: "Select",
					label: __("Works for"),
					options: [
						{ value: "1", label: __("One day") },
						{ value: "7", label: __("One week") },
						{ value: "14", label: __("Two weeks") },
						{ value: "30", label: __("30 days") },
					],
					default: "7",
				},
				{
					fieldname: "drafts",
					fieldtype: "Check",
					label: __("With drafts and what is hidden"),
					default: 1,
				},
				{ fieldname: "made", fieldtype: "HTML" },
				{ fieldname: "links", fieldtype: "HTML" },
			],
			primary_action_label: __("Make Link"),
			primary_action: (values) => this.make(values),
		});
		this.$made = this.part("made");
		this.$links = this.part("links");
		const said = __("Whoever has the link sees this as a learner would, what is paid too, without an account. It shows what you may see, as it is saved then.");
		put(this.part("said"), html`<p><b><bdi>${title}</bdi></b></p><p class="text-muted">${said}</p>`);
		this.$made.on("click", "[data-copy]", () => this.copy());
		this.$links.on("click", "[data-revoke]", ({ currentTarget }) => this.revoke($(currentTarget)));
		this.dialog.show();
		this.load();
	}

	part(fieldname) {
		return this.dialog.get_field(fieldname).$wrapper;
	}

	load() {
		const { doctype, name } = this;
		return ask(`${API}of_document`, { doctype, name }, { quiet: true })
			.then(({ links, may_make }) => {
				put(this.$links, links_html(links));
				for (const field of ["days", "drafts"]) this.dialog.set_df_property(field, "hidden", may_make ? 0 : 1);
				this.dialog.get_primary_btn().toggle(may_make);
				if (!may_make) {
					put(this.$made, html`<p class="text-muted">${__("You can make no link here: your role may not share this, or CDN Settings allow no preview links.")}</p>`);
				}
			})
			.catch((error) => put(this.$links, html`<div class="alert alert-danger">${message_of(error)}</div>`));
	}

	make({ days, drafts }) {
		const { doctype, name, plan } = this;
		return ask(`${API}make`, { doctype, name, plan, days, drafts: drafts ? 1 : 0 }, { post: true, button: this.dialog.get_primary_btn() })
			.then(({ path }) => {
				put(
					this.$made,
					html`<label class="control-label" for="memora-preview-link">${__("The link. Copy it now: it is not shown again.")}</label>
					<div class="memora-preview-link"><input id="memora-preview-link" class="form-control" dir="ltr" readonly value="${location.origin + path}">
					<button type="button" class="btn btn-default btn-sm" data-copy>${__("Copy")}</button></div>`
				);
				this.$made.find("input").trigger("focus").trigger("select");
			})
			.catch(() => {}) // Frappe has said why
			.then(() => this.load());
	}

	copy() {
		const $input = this.$made.find("input").trigger("select");
		frappe.utils.copy_to_clipboard($input.val());
	}

	revoke($button) {
		return revoke_link($button.data("revoke"), $button).then(() => this.load());
	}
}

function links_html(links) {
	if (!links.length) return "";
	const rows = links.map(
		(link) => html`
			<li>
				<span class="memora-preview-links-of"><bdi>${frappe.user.full_name(link.maker)}</bdi> · ${fill(__("until {0}"), date(link.ends))} ·
				<span class="text-muted">${link.last_used ? fill(__("last used {0}"), ago(link.last_used)) : __("not used yet")}${
					link.shows_drafts ? "" : html` · ${__("without drafts")}`
				}</span></span>
				<button type="button" class="btn btn-default btn-xs" data-revoke="${link.name}">${__("Revoke")}</button>
			</li>`
	);
	return html`<h6 class="memora-preview-links-title">${__("Links that work")}</h6><ul class="memora-preview-links">${rows}</ul>`;
}

const date = (moment) => html`<time datetime="${moment.replace(" ", "T")}">${frappe.datetime.str_to_user(moment)}</time>`;

const link_works = ({ revoked, ends }) => !revoked && ends > frappe.datetime.now_datetime();

// Take a link back, and say whether it is; what is in the way, Frappe has said.
const revoke_link = (name, button) =>
	ask(`${API}revoke`, { name }, { post: true, button })
		.then(() => frappe.show_alert({ message: __("The link does not work any more."), indicator: "green" }))
		.then(
			() => true,
			() => false
		);

Object.assign(memora.publishing, { share_preview: (given) => new ShareDialog(given), link_works, revoke_link });

// The preview's own button leads to the form, which then asks.
for (const doctype of [...Object.keys(memora.publishing.PARENT_FIELDS), "Memora Academic Plan"]) {
	frappe.ui.form.on(doctype, {
		refresh({ doc }) {
			const query = new URLSearchParams(location.search);
			if (doc.__islocal || !query.has("share_preview")) return;
			const plan = query.get("share_preview");
			history.replaceState(history.state, "", location.pathname);
			memora.publishing.share_preview({ doctype, name: doc.name, title: memora.publishing.typed(doc.title), plan });
		},
	});
}
