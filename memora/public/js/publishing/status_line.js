// The line at the top of each content form and the plan's: its publication status, and what one can do about it.
const { ago, until, pill, html, fill, join, put, linked, reasons_html } = memora.publishing;

const PLAN = "Memora Academic Plan";
const KINDS = [...Object.keys(memora.publishing.PARENT_FIELDS), PLAN];
const STARTS_WITHIN = 30000;
const BUSY = ["waiting", "building", "leaving", "failed", "held", "remains"];

class StatusLine {
	constructor(frm) {
		this.frm = frm;
		this.$line = $('<section class="memora-status" aria-live="polite"></section>').attr("aria-label", __("On the CDN"));
		this.$line.on("click", "[data-action]", (event) => this.act(event.currentTarget));
		// Where forms are no cards (Frappe 16 and after), the line is none either.
		const radius = frm.layout.wrapper.find(".form-page").css("border-top-left-radius");
		this.$line.toggleClass("is-flush", parseFloat(radius) === 0);
		this.$way = $('<nav class="memora-way"></nav>').attr("aria-label", __("Where This Is")).hide();
		this.$way.toggleClass("is-flush", parseFloat(radius) === 0);
		frm.layout.wrapper.before(this.$way, this.$line);
	}

	// The form may show another document now: ask again.
	show() {
		this.watch && this.watch.stop();
		const fresh = this.frm.is_new();
		this.$line.toggle(!fresh);
		if (fresh) memora.publishing.show_way(this.$way, []);
		if (fresh) return;
		if (this.name !== this.frm.docname) {
			this.name = this.frm.docname;
			this.status = null;
			this.started = 0;
			put(this.$line, html`<div class="memora-status-main text-muted">${__("Looking at the CDN …")}</div>`);
		}
		this.watch = memora.publishing.watch({
			element: this.$line[0],
			refresh: () => this.refresh(),
			busy: () => this.status && BUSY.includes(this.status.state),
		});
	}

	refresh() {
		const name = this.frm.docname;
		return memora.publishing
			.ask("document_status", { doctype: this.frm.doctype, name }, { quiet: true })
			.then((status) => {
				if (name !== this.frm.docname) return;
				this.status = status;
				this.render();
			})
			.catch(() => {
				if (this.status || name !== this.frm.docname) return;
				put(
					this.$line,
					html`<div class="memora-status-main text-muted">${__("The publication status cannot be read right now.")}</div>`
				);
			});
	}

	render() {
		const open = this.$line.find("details").prop("open");
		const status = this.status;
		const live = status.plans.find((plan) => plan.url);
		const buttons = [];
		memora.publishing.show_way(this.$way, status.line);
		if (status.drafts.length) buttons.push(button("live", __("Make Live"), "btn-primary"));
		if (BUSY.includes(status.state) && status.state !== "held") {
			// Off from the click until the run is over: there is nothing more to start.
			if (status.state !== "waiting" || Date.now() - this.started > STARTS_WITHIN) this.started = 0;
			const runs = status.state === "building" || Boolean(this.started);
			buttons.push(button("publish", __("Publish Now"), "btn-primary-light", runs));
		}
		if (this.is_plan) buttons.push(button("preview", __("Preview Changes")));
		if (status.plans.length) buttons.push(button("json", __("View JSON")));
		const look = "btn btn-default btn-xs";
		const drafted = memora.publishing.preview_url(this.frm.doctype, this.frm.docname);
		buttons.push(away(drafted, __("Preview as Learner"), `${look} memora-learner-preview`), button("share", __("Share Preview")));
		if (live) {
			buttons.push(away(live.url, __("Open on CDN"), look), away(live.reader, __("View as Learner"), look));
		}
		put(
			this.$line,
			html`
			<div class="memora-status-main">
				${pill(status.color, status.label)}
				<span class="memora-status-text">${this.sentence(status)}</span>
				<span class="memora-status-buttons">${buttons}</span>
			</div>
			${reasons_html(status.reasons)}
			${this.is_plan ? "" : plans_html(status, this.frm)}
			${held_html(status.held)}`
		);
		this.$line.find("details").prop("open", open);
		// The indicator beside the title says the same. Frappe's own would know the Published box only.
		if (!this.frm.is_dirty()) this.frm.page.set_indicator(status.label, status.color);
	}

	get is_plan() {
		return this.frm.doctype === PLAN;
	}

	sentence(status) {
		const parts = [];
		const only = status.reasons.length === 1 ? status.reasons[0] : null;
		const is_off = only && only.text === status.obstacle;
		if (status.state === "live") {
			parts.push(live_since(status) || status.text);
		} else {
			parts.push(linked(status.text, is_off ? null : only));
			if (status.next_run) parts.push(until(status.next_run, status.now));
			if (status.next_try) parts.push(__("next try {0}", [until(status.next_try, status.now)]));
			if (status.since) parts.push(fill(__("what is live is from {0}"), ago(status.since)));
		}
		if (status.obstacle && status.reasons.length < 2) parts.push(html`<b>${linked(status.obstacle, is_off ? only : null)}</b>`);
		return join(parts, " · ");
	}

	act(target) {
		const { doctype, docname } = this.frm;
		const action = target.dataset.action;
		if (action === "publish") {
			const go = () =>
				memora.publishing.publish_now(doctype, docname, $(target)).then(() => {
					this.started = Date.now();
					this.watch.now();
				});
			this.frm.is_dirty() ? this.frm.save().then(go) : go();
		} else if (action === "live") {
			memora.publishing.make_live(this.frm, this.status.drafts, $(target)).catch(() => {}); // Frappe has said why
		} else if (action === "json") {
			const { plans, plan_count } = this.status;
			memora.publishing.show_json(doctype, docname, this.frm.doc.title, plans, plan_count > plans.length);
		} else if (action === "preview") {
			memora.publishing.show_preview(docname, this.frm.doc.title);
		} else if (action === "share") {
			memora.publishing.share_preview({ doctype, name: docname, title: memora.publishing.typed(this.frm.doc.title) });
		}
	}
}

const button = (action, label, look = "btn-default", off = false) =>
	html`<button type="button" class="btn ${look} btn-xs" data-action="${action}" ${off ? "disabled" : ""}>${label}</button>`;

const away = (url, label, look = "") => html`<a class="${look}" href="${url}" target="_blank" rel="noopener">${label}</a>`;

// Since when the CDN was seen to show it; where it is not asked, since when it is published.
function live_since({ since, edge_since }) {
	if (edge_since) return fill(__("at the edge since {0}"), ago(edge_since));
	return since ? fill(__("since {0}"), ago(since)) : "";
}

function plans_html({ plans, plan_count }, { doctype, docname }) {
	if (!plans.length) return "";
	const rows = plans.map(
		(plan) => html`
			<li>
				<a href="${frappe.utils.get_form_link(PLAN, plan.plan)}">${plan.title}</a>
				${pill(plan.color, plan.label)}
				<span class="text-muted">${
					(plan.state === "live" && live_since(plan)) || plan.text
				}</span>
				${away(
					memora.publishing.preview_url(doctype, docname, plan.plan),
					__("Preview as Learner"),
					"memora-learner-preview"
				)}
				${plan.url && [away(plan.url, __("Open on CDN")), away(plan.reader, __("View as Learner"))]}
			</li>`
	);
	const more = plan_count - plans.length;
	if (more > 0) rows.push(html`<li class="text-muted">${__("and {0} more", [more])}</li>`);
	const title = plan_count === 1 ? __("In one plan: {0}", [plans[0].title]) : __("In {0} plans", [plan_count]);
	return html`<details class="memora-status-plans"><summary>${title}</summary><ul>${rows}</ul></details>`;
}

function held_html(reasons) {
	return reasons.map(
		(reason) =>
			html`<div class="memora-status-held">${pill("purple", __("Waiting for Approval"))} ${reason} · ${__(
				"An admin can approve it on the dashboard."
			)}</div>`
	);
}

for (const doctype of KINDS) {
	frappe.ui.form.on(doctype, {
		refresh(frm) {
			frm.memora_status = frm.memora_status || new StatusLine(frm);
			frm.memora_status.show();
		},
	});
}
