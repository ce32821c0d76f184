// What is above the outline: search and filters, the plan through whose eyes one looks, and what is done to the whole.
import { show_keys } from "./help";
import { icon } from "./kinds";
import { put_into_plan } from "./plan";

const { html, put } = memora.publishing;

const WAITS = ["waiting", "failed"];

export class Bar {
	constructor(view) {
		this.view = view;
		this.error = "";
		this.$element = $('<div class="memora-course-bar"></div>');
		this.$element.on("click", "[data-bar]", ({ currentTarget }) => this.act(currentTarget.dataset.bar));
		this.$element.on("change", "[data-plan]", ({ currentTarget }) => this.see_through(currentTarget.value));
		const search = frappe.utils.debounce((text) => this.view.search.set({ text }), 250);
		this.$element.on("input", "[data-find]", ({ currentTarget }) => search(currentTarget.value));
		this.$element.on("keydown", "[data-find]", (event) => this.on_search_key(event));
		this.build();
	}

	build() {
		const home = frappe.utils.is_rtl() ? "›" : "‹";
		put(
			this.$element,
			html`
			<div class="memora-bar-line">
				<button type="button" class="btn btn-default btn-sm" data-bar="home">${home} ${__("All Courses")}</button>
				<span class="memora-bar-search">${icon("search")}<input type="search" class="form-control input-sm" data-find
					placeholder="${__("Search by title")}" aria-label="${__("Search by title")}"></span>
				<span class="memora-bar-filters" role="group" aria-label="${__("Show only")}"></span>
			</div>
			<div class="memora-bar-line">
				<span class="memora-bar-plan"></span>
				<span class="memora-bar-acts"></span>
			</div>
			<div class="memora-bar-note"></div>`
		);
		this.parts = {};
	}

	// Only what differs is drawn again.
	part(name, content) {
		const key = String(content);
		if (this.parts[name] === key) return;
		this.parts[name] = key;
		const $part = this.$element.find(`.memora-bar-${name}`);
		const held = $part.find(":focus").attr("data-bar");
		put($part, content);
		if (held) $part.find(`[data-bar="${held}"]`).trigger("focus");
	}

	draw() {
		const { outline, page } = this.view;
		if (!outline.root) return;
		const title = memora.publishing.typed(outline.root.title);
		// The heading is HTML to Frappe, which takes the tab's title from it unless it gets one.
		page.set_title(memora.publishing.esc(title), null, false, title);
		page.$title_area.find(".title-text").attr("title", title);
		this.part("filters", this.filters());
		this.part("plan", this.plan());
		this.part("acts", this.acts());
		this.part("note", this.note());
	}

	filters() {
		const { only } = this.view.search;
		return [
			["drafts", __("Drafts")],
			["failing", __("Failing")],
			["waiting", __("Waiting")],
			["paid", __("Paid")],
		].map(
			([name, label]) =>
				html`<button type="button" class="btn btn-default btn-sm" data-bar="only ${name}" aria-pressed="${String(
					only === name
				)}">${label}</button>`
		);
	}

	plan() {
		const { plans, plan } = this.view.outline;
		if (!plans.length) return html`<span class="text-muted">${__("No plan lists this course yet, so no learner sees it.")}</span>`;
		const option = (name, title) => html`<option value="${name}" ${name === plan ? "selected" : ""}>${title}</option>`;
		return html`<label class="memora-bar-label">${__("As it is in")} <select class="form-control input-sm" data-plan>
			${option("", __("the course itself"))}${plans.map(({ name, title }) => option(name, title))}</select></label>`;
	}

	acts() {
		const { outline, undo } = this.view;
		const act = (name, label, look = "btn-default", title = "") =>
			html`<button type="button" class="btn ${look} btn-sm" data-bar="${name}" title="${title}">${label}</button>`;
		const may = outline.root.can_write;
		const waits = [...outline.states.values()].some((state) => WAITS.includes(state.state));
		return [
			undo.last ? act("undo", html`${icon("undo")} ${__("Undo")}`, "btn-default", undo.last.said) : "",
			act("unfold", __("Expand All")),
			act("fold", __("Collapse All")),
			may ? act("plan", outline.plans.length ? __("Put into Another Plan") : __("Put into a Plan"), outline.plans.length ? "btn-default" : "btn-primary-light") : "",
			act("preview", html`${icon("eye")} ${__("Preview as Learner")}`),
			act("share", __("Share Preview")),
			outline.states.get(outline.subject)?.state === "live" ? act("learner", __("View as Learner")) : "",
			may ? act("publish", __("Publish All"), "btn-primary-light", __("Makes the course and all below it public, drafts too, and starts a run.")) : "",
			waits ? act("now", __("Publish Now"), "btn-primary", __("Starts a run for what waits. Drafts stay drafts.")) : "",
			may ? act("trash", html`${icon("trash")} ${__("Trash")}`) : "",
			act("keys", icon("keys"), "btn-default memora-keys-button", __("Keys")),
		];
	}

	note() {
		const { search, outline } = this.view;
		if (this.error) {
			return html`<div class="alert alert-danger" role="alert"><bdi>${this.error}</bdi> <button type="button" class="btn btn-default btn-xs" data-bar="refresh">${__(
				"Try Again"
			)}</button></div>`;
		}
		if (!outline.found && outline.missing) {
			return html`<p class="text-muted memora-bar-found">${__(
				"More is open than is shown at once: {0} rows are missing. Collapse something, or search.",
				[outline.missing]
			)}</p>`;
		}
		if (!search.is_active || !outline.found) return "";
		const more = search.left_off ? __("{0} more are not shown.", [search.left_off]) : "";
		return html`<p class="text-muted memora-bar-found" role="status">${__("Found: {0}", [outline.found.size])} ${more}
			<button type="button" class="btn btn-link btn-xs" data-bar="clear">${__("Show the Whole Outline")}</button></p>`;
	}

	fail(text) {
		if (this.error === text) return;
		this.error = text;
		this.draw();
	}

	focus_search() {
		this.$element.find("[data-find]").trigger("focus").trigger("select");
	}

	on_search_key(event) {
		if (!["Escape", "ArrowDown", "Enter"].includes(event.key)) return;
		event.preventDefault();
		event.stopPropagation();
		if (event.key === "Escape") this.clear();
		const { tree } = this.view;
		tree.focus(tree.current);
	}

	clear() {
		this.$element.find("[data-find]").val("");
		return this.view.search.clear();
	}

	see_through(plan) {
		this.view.outline.plan = plan;
		return this.view.refresh();
	}

	act(what) {
		const { actions, outline, search, undo } = this.view;
		const [name, value] = what.split(" ");
		const acts = {
			home: () => frappe.set_route("memora-course"),
			only: () => search.set({ only: search.only === value ? "" : value }),
			clear: () => this.clear(),
			undo: () => undo.run(),
			unfold: () => this.view.unfold_all(),
			fold: () => this.view.fold_all(),
			plan: () => put_into_plan(this.view),
			preview: () => actions.preview(outline.subject),
			share: () => actions.share(outline.subject),
			publish: () => actions.publish_all(),
			learner: () => actions.view_as_learner(),
			now: () => actions.publish_now(),
			trash: () => actions.show_trash(),
			keys: () => show_keys(),
			refresh: () => this.view.refresh(),
		};
		return acts[name]();
	}
}
