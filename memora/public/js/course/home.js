// The editors' home: courses, what one was at last, drafts, and what fails or waits.
import { keep, kept } from "./kept";
import { search_texts, texts_html } from "./text_search";
import { change, icon, read, SUBJECT, text_of, words } from "./kinds";

const { ago, html, message_of, pill, put } = memora.publishing;

const REMEMBERED_ROW = "memora-course-row";

// Where one was last, in any course.
export const remembered_row = () => kept(REMEMBERED_ROW);

export const remember_row = (row) => keep(REMEMBERED_ROW, row);

export class Home {
	constructor(page) {
		this.page = page;
		this.element = $('<div class="memora-home"></div>')[0];
		this.$element = $(this.element);
		this.$element.on("input", "[data-text-search]", frappe.utils.debounce(() => this.search(), 250));
		this.$element.on("click", "[data-home]", ({ currentTarget }) => this.act(currentTarget.dataset.home));
		this.$element.on("keydown", "[data-new-course]", (event) => this.on_key(event));
		put(this.$element, Array(3).fill(html`<div class="memora-skeleton"></div>`));
	}

	async show() {
		this.page.set_title(__("Courses"));
		try {
			this.data = await read("home");
		} catch (error) {
			return put(
				this.$element,
				html`<div class="alert alert-danger" role="alert">${message_of(error)} <button type="button" class="btn btn-default btn-xs" data-home="again">${__(
					"Try Again"
				)}</button></div>`
			);
		}
		this.draw();
		this.take_question();
	}

	hide() {}

	draw() {
		const { subjects, recent, drafts, attention, can_create } = this.data;
		const can_delete = frappe.model.can_delete(SUBJECT);
		put(this.$element, [
			html`<section class="memora-panel memora-text-search"><input type="search" class="form-control" data-text-search dir="auto"
				placeholder="${__("Find a lesson by a word in it")}" aria-label="${__("Find a lesson by a word in it")}">
				<div role="status" data-texts></div></section>`,
			html`<section class="memora-panel memora-courses"><div class="memora-home-head"><h4>${__("Courses")}</h4>
				${can_delete ? html`<button type="button" class="btn btn-default btn-sm" data-home="trash">${icon("trash")} ${__("Trash")}</button>` : ""}</div>
				${subjects.length ? html`<ul class="memora-cards">${subjects.map((row) => this.course(row))}</ul>` : this.empty(can_create)}
				${can_create ? this.maker() : ""}</section>`,
			html`<div class="memora-home-lists">
				${this.list(__("Continue where you were"), recent, __("What you edit comes here."), this.last())}
				${this.list(__("Failing or waiting"), attention, __("Nothing fails, and nothing waits."))}
				${this.list(__("My drafts"), drafts, __("You have no drafts."))}
			</div>`,
		]);
		if (!subjects.length) this.$element.find("[data-new-course]").trigger("focus");
	}

	// Lessons of all courses, as one types; an answer to what was typed before is late.
	async search() {
		const $input = this.$element.find("[data-text-search]");
		const $texts = this.$element.find("[data-texts]");
		const text = $input.val();
		try {
			const answer = await search_texts(text);
			if ($input.val() !== text) return;
			put($texts, answer ? texts_html(answer, ({ subject, name }) => course_link(subject, name)) : "");
		} catch (error) {
			if ($input.val() === text) put($texts, html`<div class="alert alert-danger" role="alert">${text_of(error)}</div>`);
		}
	}

	// What was searched elsewhere in the Desk.
	take_question() {
		const { find } = frappe.route_options || {};
		if (!find) return;
		frappe.route_options = null;
		this.$element.find("[data-text-search]").val(find).trigger("focus");
		this.search();
	}

	empty(can_create) {
		return html`<div class="memora-empty"><b>${__("There is no course yet.")}</b><br>${
			can_create ? __("Type the first course's title, and press Enter.") : __("An editor makes the first one.")
		}</div>`;
	}

	maker() {
		return html`<div class="memora-maker">${icon("add")}<input type="text" class="form-control" data-new-course maxlength="140" dir="auto"
			placeholder="${__("New course: type its title")}" aria-label="${words(SUBJECT).title}">
			<button type="button" class="btn btn-primary-light btn-sm" data-home="make">${__("New Course")}</button></div>
			<div class="memora-maker-error" role="alert"></div>`;
	}

	course({ name, title, lessons, drafts }) {
		return html`<li><a class="memora-card" href="${course_link(name)}"><b><bdi>${title}</bdi></b>
			<span class="text-muted">${__("Lessons: {0}", [lessons])}${drafts ? html` · ${__("Drafts: {0}", [drafts])}` : ""}</span></a></li>`;
	}

	// The row that one was at last, in this browser.
	last() {
		const last = remembered_row();
		const course = last && this.data.subjects.find(({ name }) => name === last.subject);
		return course
			? html`<p><a class="btn btn-primary-light btn-sm" href="${course_link(last.subject, last.name)}">${__("Go back to")} <bdi>${course.title}</bdi></a></p>`
			: "";
	}

	list(title, rows, none, before = "") {
		const found = rows || [];
		return html`<section class="memora-panel"><h4>${title}</h4>${before}${
			found.length ? html`<ul class="memora-home-rows">${found.map((row) => this.row(row))}</ul>` : html`<p class="text-muted">${none}</p>`
		}</section>`;
	}

	row(row) {
		const mark = frappe.utils.is_rtl() ? " ‹ " : " › ";
		const path = row.path_titles || [];
		const state = row.state && row.state.label ? pill(row.state.color, row.state.label) : "";
		const address = row.subject ? course_link(row.subject, row.name) : frappe.utils.get_form_link(row.doctype, row.name);
		return html`<li><a href="${address}"><bdi>${row.title}</bdi></a> ${state}
			<span class="text-muted memora-home-path">${memora.publishing.join(path.map((each) => html`<bdi>${each}</bdi>`), mark)}${
				row.modified ? html` · ${ago(row.modified)}` : ""
			}</span>${row.text ? html`<span class="text-muted memora-home-path"><bdi>${row.text}</bdi></span>` : ""}</li>`;
	}

	on_key(event) {
		if (event.key !== "Enter" || event.originalEvent.isComposing) return;
		event.preventDefault();
		this.make();
	}

	async make() {
		const $input = this.$element.find("[data-new-course]");
		const title = $input.val().trim();
		if (!title) return $input.trigger("focus");
		$input.prop("disabled", true);
		try {
			const row = await change("add", { doctype: SUBJECT, parent: "", title });
			frappe.set_route("memora-course", row.name);
		} catch (error) {
			put(this.$element.find(".memora-maker-error"), html`<span class="text-danger">${text_of(error)}</span>`);
			$input.prop("disabled", false).trigger("focus");
		}
	}

	act(what) {
		return { make: () => this.make(), again: () => this.show(), trash: () => memora.show_trash({}, () => this.show()) }[what]();
	}
}

// The address of a course, of one row in it.
export function course_link(subject, row = "") {
	const parts = ["memora-course", subject, ...(row && row !== subject ? [row] : [])];
	return frappe.router.make_url(parts);
}

