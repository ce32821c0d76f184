frappe.pages["cdn-export-dashboard"].on_page_load = function (wrapper) {
	const page = frappe.ui.make_app_page({ parent: wrapper, title: __("CDN Export Dashboard"), single_column: true });
	wrapper.dashboard = new ExportDashboard(page);
};

frappe.pages["cdn-export-dashboard"].on_page_show = function (wrapper) {
	wrapper.dashboard && wrapper.dashboard.show();
};

const BUSY = ["waiting", "building", "failed", "remains"];

class ExportDashboard {
	constructor(page) {
		this.page = page;
		this.$body = $('<div class="memora-dashboard" aria-live="polite"></div>').appendTo(page.main);
		this.$body.on("click", "[data-action]", (event) => this.act(event.currentTarget));
		this.wanted = { text: "", state: "", start: 0 };
		const later = frappe.utils.debounce(() => this.watch.now(), 300);
		this.$body.on("input", "[data-search]", (event) => {
			this.wanted = { ...this.wanted, text: event.currentTarget.value, start: 0 };
			later();
		});
		page.set_primary_action(__("Refresh"), () => this.watch.now(), "refresh");
		page.add_inner_button(__("CDN Settings"), () => frappe.set_route("cdn-settings"));
		page.add_inner_button(__("Sync Log"), () => frappe.set_route("List", "CDN Sync Log"));
		const { html, put } = memora.publishing;
		put(this.$body, Array(4).fill(html`<div class="memora-skeleton"></div>`));
	}

	show() {
		this.watch && this.watch.stop();
		this.watch = memora.publishing.watch({
			element: this.$body[0],
			refresh: () => this.refresh(),
			busy: () => this.data && BUSY.some((state) => this.data.counts[state]),
		});
	}

	refresh() {
		const { wanted } = this;
		return memora.publishing
			.ask("memora.api.cdn_admin.get_dashboard", wanted, { quiet: true })
			.then((data) => {
				if (wanted !== this.wanted) return; // another search is on its way
				this.data = data;
				this.render();
			})
			.catch((error) => this.fail(error));
	}

	fail(error) {
		const { html, message_of, put } = memora.publishing;
		const note = html`<div class="alert alert-danger" role="alert">${message_of(error)} <button type="button" class="btn btn-default btn-xs" data-action="refresh">${__(
			"Try Again"
		)}</button></div>`;
		if (!this.parts) return put(this.$body, note);
		this.$body.find("> .alert-danger").remove();
		this.$body.prepend(String(note));
	}

	// Only what differs is drawn again: the chart does not flicker, and focus stays where it is.
	render() {
		if (!this.parts) {
			const names = ["warnings", "tiles", "causes", "search", "rows", "chart", "runs"];
			const { html, put } = memora.publishing;
			put(this.$body, names.map((name) => html`<div data-part="${name}"></div>`));
			this.parts = {};
		}
		this.$body.find("> .alert-danger").remove();
		this.put("warnings", this.warnings());
		this.put("tiles", this.tiles());
		this.put("causes", this.causes());
		this.put("search", this.search(), String(this.data.total > 0));
		this.put("rows", this.rows());
		this.put("runs", this.runs());
		if (this.put("chart", this.chart_frame(), JSON.stringify(this.data.days))) this.draw_charts();
	}

	put(part, content, key = String(content)) {
		if (this.parts[part] === key) return false;
		this.parts[part] = key;
		const $part = this.$body.find(`[data-part=${part}]`);
		const focus = $part.find("button:focus").attr("data-key");
		memora.publishing.put($part, content).toggle(Boolean(String(content)));
		if (focus) $part.find(`button[data-key="${CSS.escape(focus)}"]`).trigger("focus");
		return true;
	}

	warnings() {
		const { html, join } = memora.publishing;
		return join(
			this.data.health.warnings.map(
				(warning) =>
					html`<div class="alert alert-warning" role="status"><b>${warning.message}</b> ${warning.fix}${
						warning.take_over
							? html` <button type="button" class="btn btn-default btn-xs" data-action="take_over" data-key="take_over">${__(
									"Take Over"
							  )}</button>`
							: ""
					}</div>`
			),
			""
		);
	}

	tiles() {
		const { ago, until, html, fill, join } = memora.publishing;
		const { counts, health, oldest_waiting_since: oldest } = this.data;
		// A tile shows its rows alone, and all again.
		const tile = (state, label, bad) => html`
			<button type="button" class="memora-tile ${bad ? "is-bad" : ""}" data-action="filter" data-state="${state}"
				data-key="tile ${state}" aria-pressed="${String(this.wanted.state === state)}">
				<span class="memora-tile-number">${counts[state]}</span><span class="memora-tile-label">${label}</span>
			</button>`;
		const wait = oldest
			? fill(__("oldest change {0}"), ago(oldest))
			: __("no change waits");
		const runs = [
			health.last_batch_at ? fill(__("Last batch {0}"), ago(health.last_batch_at)) : __("No batch has run yet"),
			health.next_run ? __("next {0}", [until(health.next_run, health.now)]) : "",
			health.workers === null ? "" : __("workers listening: {0}", [health.workers]),
			wait,
			health.metadata
				? __("metadata: {0} of {1} files", [health.metadata.renewed, health.metadata.files])
				: "",
			memora.publishing.purged(health.purges),
		];
		return html`
			<div class="memora-tiles">
				${tile("live", __("Live and up to date"))}
				${tile("waiting", __("Waiting"))}
				${tile("building", __("Being published"))}
				${tile("held", __("Waiting for Approval"), counts.held)}
				${counts.remains ? tile("remains", __("Still on the CDN"), true) : ""}
				${tile("failed", __("Failing, tried again"), counts.failed)}
				${tile("dead", __("Dead letters"), counts.dead)}
			</div>
			<div class="text-muted">${join(runs, " · ")}</div>`;
	}

	// One cause that keeps many is said once.
	causes() {
		const { html } = memora.publishing;
		const { causes, counts } = this.data;
		const retry =
			counts.dead > 1
				? html`<button type="button" class="btn btn-primary-light btn-xs" data-action="retry_all" data-key="retry_all">${__(
						"Retry All"
				  )}</button>`
				: "";
		if (!causes.length && !retry) return "";
		const said = causes.map(
			({ cause, count }) => html`<li><bdi>${cause}</bdi> <b>${__("{0} wait for this", [count])}</b></li>`
		);
		return html`<div class="alert alert-danger"><ul class="memora-plain-list">${said}</ul>${retry}</div>`;
	}

	search() {
		if (!this.data.total) return "";
		const { html } = memora.publishing;
		return html`<input type="search" class="form-control input-sm" data-search aria-label="${__("Search Plans")}" placeholder="${__(
			"Search by title or cause"
		)}" value="${this.wanted.text}">`;
	}

	rows() {
		const { html } = memora.publishing;
		const { rows, found, total, start, page } = this.data;
		const head = html`<h4>${__("Plans")}</h4>`;
		if (!total) {
			return html`<section class="memora-panel">${head}<div class="memora-empty"><b>${__(
				"Nothing has been published yet."
			)}</b><br>${__("Publish an Academic Plan, and it appears here with its next run.")}<br><br>
				<button type="button" class="btn btn-default btn-sm" data-action="plans">${__("Academic Plans")}</button></div></section>`;
		}
		const turn = (to, label) =>
			html`<button type="button" class="btn btn-default btn-xs" data-action="turn" data-start="${to}" data-key="${label}">${label}</button>`;
		const pages =
			found > page
				? html`<p class="text-muted">${__("{0} to {1} of {2}", [start + 1, start + rows.length, found])}
					${start > 0 ? turn(start - page, __("Previous")) : ""}
					${start + page < found ? turn(start + page, __("Next")) : ""}</p>`
				: "";
		const none = html`<div class="memora-empty">${__("Nothing of this kind.")}</div>`;
		const list = html`<ul class="memora-rows">${rows.map((row) => this.row(row))}</ul>`;
		return html`<section class="memora-panel">${head}${rows.length ? list : none}${pages}</section>`;
	}

	row(row) {
		const { html, pill } = memora.publishing;
		const doctype = row.type === "plan" ? "Memora Academic Plan" : "Memora Subject";
		const name = html`<bdi>${row.title}</bdi>`;
		let title = html`<span class="text-muted">${name} (${__("deleted")})</span>`;
		if (row.exists && ["plan", "subject"].includes(row.type)) title = html`<a href="${frappe.utils.get_form_link(doctype, row.name)}">${name}</a>`;
		else if (!["plan", "subject"].includes(row.type)) title = name;
		const kinds = { subject: __("shared subject"), removal: __("files to remove from the CDN") };
		const kind = kinds[row.type] ? html` <span class="text-muted">${kinds[row.type]}</span>` : "";
		return html`
			<li>
				<span class="memora-row-title">${title}${kind}</span>
				${pill(row.color, row.state_label)}
				<span class="memora-row-text">${this.row_text(row)}</span>
				<span class="memora-row-buttons">${this.row_buttons(row)}</span>
			</li>`;
	}

	row_text(row) {
		const { ago, until, html, fill, join } = memora.publishing;
		const parts = [];
		if (row.reason && ["failed", "dead", "held", "remains"].includes(row.state)) parts.push(html`<bdi>${row.reason}</bdi>`);
		if (row.next_try) parts.push(__("next try {0}", [until(row.next_try, this.data.health.now)]));
		if (row.waiting_since) parts.push(fill(__("waiting since {0}"), ago(row.waiting_since)));
		if (row.live_since) parts.push(fill(__("live version from {0}"), ago(row.live_since)));
		if (row.last_success_at) parts.push(fill(__("last run {0}"), ago(row.last_success_at)));
		const { progress } = row;
		if (!progress) return join(parts, " · ");
		const share = Math.round((100 * progress.done) / Math.max(1, progress.total));
		parts.unshift(__("{0} of {1} files", [progress.done, progress.total]));
		return html`${join(parts, " · ")}
			<div class="memora-progress" role="progressbar" aria-valuenow="${share}" aria-valuemin="0" aria-valuemax="100"><i style="width: ${share}%"></i></div>`;
	}

	row_buttons(row) {
		const { html } = memora.publishing;
		const button = (action, label, look = "btn-default") =>
			html`<button type="button" class="btn ${look} btn-xs" data-action="${action}" data-label="${row.label}"
				data-name="${row.name}" data-title="${row.title}" data-key="${action} ${row.label}">${label}</button>`;
		const buttons = [];
		if (row.state === "dead") {
			buttons.push(button("retry", __("Retry"), "btn-primary-light"), button("clear", __("Dismiss")));
		}
		if (row.state === "held") buttons.push(button("approve", __("Approve"), "btn-primary-light"));
		if (row.type === "plan" && row.exists) {
			if (row.state === "held") buttons.push(button("preview", __("Preview Changes")));
			if (row.state !== "building") buttons.push(button("rebuild", __("Rebuild")));
		}
		return buttons;
	}

	chart_frame() {
		const { html } = memora.publishing;
		const any = this.data.days.some((day) => day.succeeded || day.failed);
		const body = any
			? html`<div class="memora-charts">${this.charts().map(
					({ title }, place) =>
						html`<figure><figcaption>${title}</figcaption><div data-chart="${place}" dir="ltr"></div></figure>`
			  )}</div>`
			: html`<div class="memora-empty">${__("No run in the last two weeks.")}</div>`;
		return html`<section class="memora-panel"><h4>${__("Runs of the last two weeks")}</h4>${body}</section>`;
	}

	// A chart each: files come in thousands, failures in ones.
	charts() {
		return [
			{ title: __("Files uploaded"), key: "uploaded", type: "bar", color: "#2490ef" },
			{ title: __("Failed runs"), key: "failed", type: "bar", color: "#e24c4c" },
			{ title: __("Seconds a run"), key: "seconds", type: "line", color: "#7c68d5" },
		];
	}

	draw_charts() {
		const { days } = this.data;
		const labels = days.map(({ day }) => String(frappe.datetime.str_to_obj(day).getDate()));
		for (const [place, { title, key, type, color }] of this.charts().entries()) {
			const frame = this.$body.find(`[data-chart=${place}]`)[0];
			if (!frame) return;
			new frappe.Chart(frame, {
				type,
				height: 150,
				colors: [color],
				axisOptions: { xIsSeries: 1, xAxisMode: "tick", shortenYAxisNumbers: 1 },
				lineOptions: { hideDots: 1, regionFill: 1 },
				barOptions: { spaceRatio: 0.3 },
				animate: 0,
				data: { labels, datasets: [{ name: title, values: days.map((day) => day[key]) }] },
			});
		}
	}

	runs() {
		const { ago, html, pill } = memora.publishing;
		const { runs } = this.data;
		if (!runs.length) return "";
		const looks = { Success: "green", Failed: "orange", "Dead Letter": "red" };
		const rows = runs.map(
			(run) => html`
				<li>
					<span class="memora-row-title"><a href="${frappe.utils.get_form_link("CDN Sync Log", run.name)}">${run.plan_title || run.plan_id}</a></span>
					${pill(looks[run.status] || "gray", __(run.status))}
					<span class="memora-row-text"><bdi>${
						run.error_message ||
						__("{0} uploaded, {1} removed, {2} unchanged", [
							run.files_uploaded,
							run.files_deleted,
							run.files_unchanged,
						])
					}</bdi>${run.cause && html`<br><bdi class="memora-run-cause">${run.cause}</bdi>`}</span>
					<span class="memora-row-buttons text-muted">${ago(run.completed_at)}</span>
				</li>`
		);
		return html`<section class="memora-panel"><h4>${__("Latest runs")}</h4><ul class="memora-rows">${rows}</ul></section>`;
	}

	show_only(what) {
		this.wanted = { ...this.wanted, start: 0, ...what };
		this.watch.now();
	}

	act(target) {
		const { html, fill } = memora.publishing;
		const { action, label, name, title } = target.dataset;
		const ask = (question) => String(fill(question, html`<b>${title}</b>`));
		const call = (method, plan_id = label) =>
			memora.publishing
				.ask(method, { plan_id }, { post: true, button: $(target) })
				.then((answer) => {
					frappe.show_alert({ message: (answer && answer.message) || __("Done"), indicator: "blue" });
					target.blur();
				})
				.catch(() => {})
				.then(() => this.watch.now());
		const actions = {
			refresh: () => this.watch.now(),
			plans: () => frappe.set_route("List", "Memora Academic Plan"),
			filter: () => this.show_only({ state: this.wanted.state === target.dataset.state ? "" : target.dataset.state }),
			turn: () => this.show_only({ start: Number(target.dataset.start) }),
			retry_all: () => call("memora.api.cdn_admin.retry_all"),
			retry: () => call("memora.api.cdn_admin.retry_dead_letter"),
			clear: () =>
				frappe.confirm(
					label.startsWith("removal:")
						? ask(__("Dismiss this? The files of {0} stay on the CDN until they can be removed, which is tried every hour."))
						: ask(__("Dismiss this? What is live of {0} stays until its content changes again.")),
					() => call("memora.api.cdn_admin.clear_dead_letter")
				),
			take_over: () =>
				frappe.confirm(
					__(
						"Take the bucket or folder over? Everything is published there again, and no other site may go on publishing there."
					),
					() => call("memora.api.cdn_admin.take_over", "")
				),
			rebuild: () => call("memora.api.cdn_admin.rebuild_plan", name),
			approve: () =>
				frappe.confirm(ask(__("Let through all that is held of {0}?")), () => call("memora.api.cdn_admin.approve_held")),
			preview: () => memora.publishing.show_preview(name, title),
		};
		actions[action]();
	}
}
