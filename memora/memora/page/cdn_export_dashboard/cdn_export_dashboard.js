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
		this.$body.html('<div class="memora-skeleton"></div>'.repeat(4));
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
			.ask("get_dashboard", wanted, { quiet: true })
			.then((data) => {
				if (wanted !== this.wanted) return; // another search is on its way
				this.data = data;
				this.render();
			})
			.catch((error) => this.fail(error));
	}

	fail(error) {
		const text = memora.publishing.message_of(error);
		const note = `<div class="alert alert-danger" role="alert">${text} <button type="button" class="btn btn-default btn-xs" data-action="refresh">${__(
			"Try Again"
		)}</button></div>`;
		if (!this.parts) return this.$body.html(note);
		this.$body.find("> .alert-danger").remove();
		this.$body.prepend(note);
	}

	// Only what differs is drawn again: the chart does not flicker, and focus stays where it is.
	render() {
		if (!this.parts) {
			const names = ["warnings", "tiles", "causes", "search", "rows", "chart", "runs"];
			this.$body.html(names.map((name) => `<div data-part="${name}"></div>`).join(""));
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

	put(part, html, key = html) {
		if (this.parts[part] === key) return false;
		this.parts[part] = key;
		const $part = this.$body.find(`[data-part=${part}]`);
		const focus = $part.find("button:focus").attr("data-key");
		$part.html(html).toggle(Boolean(html));
		if (focus) $part.find(`button[data-key="${CSS.escape(focus)}"]`).trigger("focus");
		return true;
	}

	warnings() {
		const { esc } = memora.publishing;
		return this.data.health.warnings
			.map(
				(warning) =>
					`<div class="alert alert-warning" role="status"><b>${esc(warning.message)}</b> ${esc(warning.fix)}${
						warning.take_over
							? ` <button type="button" class="btn btn-default btn-xs" data-action="take_over" data-key="take_over">${__(
									"Take Over"
							  )}</button>`
							: ""
					}</div>`
			)
			.join("");
	}

	tiles() {
		const { ago, until } = memora.publishing;
		const { counts, health, oldest_waiting_since: oldest } = this.data;
		// A tile shows its rows alone, and all again.
		const tile = (state, label, bad) => `
			<button type="button" class="memora-tile ${bad ? "is-bad" : ""}" data-action="filter" data-state="${state}"
				data-key="tile ${state}" aria-pressed="${this.wanted.state === state}">
				<span class="memora-tile-number">${counts[state]}</span><span class="memora-tile-label">${label}</span>
			</button>`;
		const wait = oldest
			? __("oldest change {0}", [ago(oldest)])
			: __("no change waits");
		const runs = [
			health.last_batch_at ? __("Last batch {0}", [ago(health.last_batch_at)]) : __("No batch has run yet"),
			health.next_run ? __("next {0}", [until(health.next_run, health.now)]) : "",
			health.workers === null ? "" : __("workers listening: {0}", [health.workers]),
			wait,
			health.metadata
				? __("metadata: {0} of {1} files", [health.metadata.renewed, health.metadata.files])
				: "",
		];
		return `
			<div class="memora-tiles">
				${tile("live", __("Live and up to date"))}
				${tile("waiting", __("Waiting"))}
				${tile("building", __("Being published"))}
				${tile("held", __("Waiting for Approval"), counts.held)}
				${counts.remains ? tile("remains", __("Still on the CDN"), true) : ""}
				${tile("failed", __("Failing, tried again"), counts.failed)}
				${tile("dead", __("Dead letters"), counts.dead)}
			</div>
			<div class="text-muted">${runs.filter(Boolean).join(" · ")}</div>`;
	}

	// One cause that keeps many is said once.
	causes() {
		const { esc } = memora.publishing;
		const { causes, counts } = this.data;
		const retry =
			counts.dead > 1
				? `<button type="button" class="btn btn-primary-light btn-xs" data-action="retry_all" data-key="retry_all">${__(
						"Retry All"
				  )}</button>`
				: "";
		if (!causes.length && !retry) return "";
		const said = causes.map(
			({ cause, count }) => `<li><bdi>${esc(cause)}</bdi> <b>${__("{0} wait for this", [count])}</b></li>`
		);
		return `<div class="alert alert-danger"><ul class="memora-plain-list">${said.join("")}</ul>${retry}</div>`;
	}

	search() {
		if (!this.data.total) return "";
		return `<input type="search" class="form-control input-sm" data-search aria-label="${__("Search Plans")}" placeholder="${__(
			"Search by title or cause"
		)}" value="${memora.publishing.esc(this.wanted.text)}">`;
	}

	rows() {
		const { rows, found, total, start, page } = this.data;
		const head = `<h4>${__("Plans")}</h4>`;
		if (!total) {
			return `<section class="memora-panel">${head}<div class="memora-empty"><b>${__(
				"Nothing has been published yet."
			)}</b><br>${__("Publish an Academic Plan, and it appears here with its next run.")}<br><br>
				<button type="button" class="btn btn-default btn-sm" data-action="plans">${__("Academic Plans")}</button></div></section>`;
		}
		const turn = (to, label) =>
			`<button type="button" class="btn btn-default btn-xs" data-action="turn" data-start="${to}" data-key="${label}">${label}</button>`;
		const pages =
			found > page
				? `<p class="text-muted">${__("{0} to {1} of {2}", [start + 1, start + rows.length, found])}
					${start > 0 ? turn(start - page, __("Previous")) : ""}
					${start + page < found ? turn(start + page, __("Next")) : ""}</p>`
				: "";
		const none = `<div class="memora-empty">${__("Nothing of this kind.")}</div>`;
		const list = `<ul class="memora-rows">${rows.map((row) => this.row(row)).join("")}</ul>`;
		return `<section class="memora-panel">${head}${rows.length ? list : none}${pages}</section>`;
	}

	row(row) {
		const { esc, pill } = memora.publishing;
		const doctype = row.type === "plan" ? "Memora Academic Plan" : "Memora Subject";
		const name = `<bdi>${esc(row.title)}</bdi>`;
		let title = `<span class="text-muted">${name} (${__("deleted")})</span>`;
		if (row.exists && ["plan", "subject"].includes(row.type)) title = `<a href="${frappe.utils.get_form_link(doctype, row.name)}">${name}</a>`;
		else if (!["plan", "subject"].includes(row.type)) title = name;
		const kinds = { subject: __("shared subject"), removal: __("files to remove from the CDN") };
		const kind = kinds[row.type] ? ` <span class="text-muted">${kinds[row.type]}</span>` : "";
		return `
			<li>
				<span class="memora-row-title">${title}${kind}</span>
				${pill(row.color, row.state_label)}
				<span class="memora-row-text">${this.row_text(row)}</span>
				<span class="memora-row-buttons">${this.row_buttons(row)}</span>
			</li>`;
	}

	row_text(row) {
		const { esc, ago, until } = memora.publishing;
		const parts = [];
		if (row.reason && ["failed", "dead", "held", "remains"].includes(row.state)) parts.push(`<bdi>${esc(row.reason)}</bdi>`);
		if (row.next_try) parts.push(__("next try {0}", [until(row.next_try, this.data.health.now)]));
		if (row.waiting_since) parts.push(__("waiting since {0}", [ago(row.waiting_since)]));
		if (row.live_since) parts.push(__("live version from {0}", [ago(row.live_since)]));
		if (row.last_success_at) parts.push(__("last run {0}", [ago(row.last_success_at)]));
		const { progress } = row;
		if (!progress) return parts.join(" · ");
		const share = Math.round((100 * progress.done) / Math.max(1, progress.total));
		parts.unshift(__("{0} of {1} files", [progress.done, progress.total]));
		return `${parts.join(" · ")}
			<div class="memora-progress" role="progressbar" aria-valuenow="${share}" aria-valuemin="0" aria-valuemax="100"><i style="width: ${share}%"></i></div>`;
	}

	row_buttons(row) {
		const { esc } = memora.publishing;
		const button = (action, label, look = "btn-default") =>
			`<button type="button" class="btn ${look} btn-xs" data-action="${action}" data-label="${esc(row.label)}"
				data-name="${esc(row.name)}" data-title="${esc(row.title)}" data-key="${action} ${esc(row.label)}">${label}</button>`;
		const buttons = [];
		if (row.state === "dead") {
			buttons.push(button("retry", __("Retry"), "btn-primary-light"), button("clear", __("Dismiss")));
		}
		if (row.state === "held") buttons.push(button("approve", __("Approve"), "btn-primary-light"));
		if (row.type === "plan" && row.exists) {
			if (row.state === "held") buttons.push(button("preview", __("Preview Changes")));
			if (row.state !== "building") buttons.push(button("rebuild", __("Rebuild")));
		}
		return buttons.join("");
	}

	chart_frame() {
		const any = this.data.days.some((day) => day.succeeded || day.failed);
		const body = any
			? `<div class="memora-charts">${this.charts()
					.map(({ title }, place) => `<figure><figcaption>${title}</figcaption><div data-chart="${place}" dir="ltr"></div></figure>`)
					.join("")}</div>`
			: `<div class="memora-empty">${__("No run in the last two weeks.")}</div>`;
		return `<section class="memora-panel"><h4>${__("Runs of the last two weeks")}</h4>${body}</section>`;
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
		const { esc, ago, pill } = memora.publishing;
		const { runs } = this.data;
		if (!runs.length) return "";
		const looks = { Success: "green", Failed: "orange", "Dead Letter": "red" };
		const rows = runs.map(
			(run) => `
				<li>
					<span class="memora-row-title"><a href="${frappe.utils.get_form_link("CDN Sync Log", run.name)}">${esc(
				run.plan_title || run.plan_id
			)}</a></span>
					${pill(looks[run.status] || "gray", __(run.status))}
					<span class="memora-row-text"><bdi>${esc(
						run.error_message ||
							__("{0} uploaded, {1} removed, {2} unchanged", [
								run.files_uploaded,
								run.files_deleted,
								run.files_unchanged,
							])
					)}</bdi>${run.cause ? `<br><bdi class="memora-run-cause">${esc(run.cause)}</bdi>` : ""}</span>
					<span class="memora-row-buttons text-muted">${ago(run.completed_at)}</span>
				</li>`
		);
		return `<section class="memora-panel"><h4>${__("Latest runs")}</h4><ul class="memora-rows">${rows.join(
			""
		)}</ul></section>`;
	}

	show_only(what) {
		this.wanted = { ...this.wanted, start: 0, ...what };
		this.watch.now();
	}

	act(target) {
		const { action, label, name, title } = target.dataset;
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
			retry_all: () => call("retry_all"),
			retry: () => call("memora.api.cdn_admin.retry_dead_letter"),
			clear: () =>
				frappe.confirm(
					label.startsWith("removal:")
						? __("Dismiss this? The files of {0} stay on the CDN until they can be removed, which is tried every hour.", [`<b>${memora.publishing.esc(title)}</b>`])
						: __("Give up publishing {0}? What is live stays until its content changes again.", [`<b>${memora.publishing.esc(title)}</b>`]),
					() => call("memora.api.cdn_admin.clear_dead_letter")
				),
			take_over: () =>
				frappe.confirm(
					__(
						"Take the bucket or folder over? Everything is published there again, and nobody else must go on publishing there."
					),
					() => call("take_over", "")
				),
			rebuild: () => call("memora.api.cdn_admin.rebuild_plan", name),
			approve: () =>
				frappe.confirm(__("Let through all that is held of {0}?", [`<b>${memora.publishing.esc(title)}</b>`]), () => call("approve_held")),
			preview: () => memora.publishing.show_preview(name, title),
		};
		actions[action]();
	}
}
