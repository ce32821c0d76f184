// Questions from elsewhere into a lesson: paste or choose a file, see what would come in, choose of it.
import { takes_files } from "./dom";
import { StageFrame } from "./frame";
import { notes_html, row_html } from "./import_rows";
import { download, LONGEST_SHOWN, text_of_file } from "./import_source";

const { ask, esc, html, message_of, put } = memora.publishing;

const API = "memora.api.question_import";
const AT_ONCE = 100; // rows that are drawn at once

export class ImportDialog {
	constructor({ lesson, title = "", is_live = false, after = "" }) {
		this.lesson = lesson;
		this.after = after;
		this.text = ""; // of a file, or too long for the box
		this.shown_of = null; // what was read
		this.rows = [];
		this.notes = [];
		this.found_form = "";
		this.most = 0;
		this.answer = null;
		this.chosen = new Set();
		this.drawn = 0;
		this.asked = 0; // the last reading: an answer to an earlier one is late
		this.frames = new Map();
		this.read_soon = frappe.utils.debounce(() => this.read(), 400);
		this.dialog = new frappe.ui.Dialog({
			title: title ? __("Import Questions into {0}", [esc(title)]) : __("Import Questions"),
			size: "extra-large",
			fields: [{ fieldname: "body", fieldtype: "HTML" }],
			primary_action_label: __("Import"),
			primary_action: () => this.add(),
		});
		this.dialog.$wrapper.addClass("memora-import");
		this.$body = this.dialog.get_field("body").$wrapper;
		put(this.$body, body_html(is_live));
		this.bind();
	}

	$(part) {
		return this.$body.find(`[data-part=${part}]`);
	}

	// Resolves to the server's answer, or to null.
	show() {
		return new Promise((resolve) => {
			this.answer = this.adding = null;
			this.dialog.onhide = () => {
				this.frames.forEach((frame) => frame.destroy());
				this.asked += 1;
				setTimeout(() => this.dialog.$wrapper.remove(), 500); // after Bootstrap has faded it out
				// Who closes it while the questions come in hears of them, too.
				Promise.resolve(this.adding).then(() => resolve(this.answer));
			};
			this.dialog.$wrapper.one("shown.bs.modal", () => this.$("text").trigger("focus"));
			this.dialog.get_close_btn().attr("aria-label", __("Close"));
			this.dialog.show();
			this.draw();
		});
	}

	bind() {
		const { $body } = this;
		$body.on("input", "[data-part=text]", () => this.read_soon());
		$body.on("paste", "[data-part=text]", ({ originalEvent }) => this.on_paste(originalEvent));
		$body.on("keydown", (event) => {
			if (event.key === "Enter") event.stopPropagation(); // no key of Frappe's dialog
		});
		$body.on("change", "[data-part=file]", ({ target }) => this.take_file(target.files[0]));
		$body.on("change", "[data-part=form]", () => this.read());
		$body.on("click", "[data-act]", ({ currentTarget }) => this[currentTarget.dataset.act]());
		$body.on("click", "[data-see]", ({ currentTarget }) => this.see(currentTarget));
		$body.on("change", "[data-place] input", ({ target }) => this.choose(Number($(target).closest("[data-place]").attr("data-place")), target.checked));
		$body.on("change", "[data-part=all]", ({ target }) => this.choose_all(target.checked));
		$body.on("change", "[data-part=only]", () => this.draw());
		const { ondragover, ondrop } = takes_files(([file]) => this.take_file(file));
		$body.on("dragover", ({ originalEvent }) => ondragover(originalEvent));
		$body.on("drop", ({ originalEvent }) => ondrop(originalEvent));
	}

	// A long text would freeze the box.
	on_paste(event) {
		const text = event.clipboardData ? event.clipboardData.getData("text/plain") : "";
		if (text.length <= LONGEST_SHOWN) return;
		event.preventDefault();
		this.hold(text, __("Pasted: {0} characters", [text.length]));
	}

	async take_file(file) {
		if (!file) return;
		try {
			const { text, note } = await text_of_file(file);
			this.hold(text, [file.name, note].filter(Boolean).join(" · "));
		} catch (error) {
			this.fail(error);
		}
	}

	hold(text, said) {
		this.text = text;
		this.$("text").val("").prop("disabled", true);
		put(
			this.$("held").removeClass("hidden"),
			html`<bdi>${said}</bdi> <button type="button" class="btn btn-default btn-xs" data-act="let_go">${__("Take Another Text")}</button>`
		);
		this.read();
	}

	let_go() {
		this.text = "";
		this.$("held").addClass("hidden");
		this.$("file").val("");
		this.$("text").prop("disabled", false).trigger("focus");
		this.read();
	}

	given() {
		return { text: this.text || String(this.$("text").val()), form: String(this.$("form").val()) };
	}

	async read() {
		const given = this.given();
		const asked = ++this.asked;
		if (!given.text.trim()) return this.take({ rows: [], notes: [], form: "", most: 0 });
		this.$("count").text(__("Reading …"));
		try {
			const found = await ask(`${API}.read`, { given: JSON.stringify(given) }, { post: true, quiet: true });
			if (asked === this.asked) this.take(found, given);
		} catch (error) {
			if (asked === this.asked) this.fail(error);
		}
	}

	take({ rows, notes, form, most }, given = null) {
		this.shown_of = given;
		this.rows = rows;
		this.notes = notes;
		this.found_form = form;
		this.most = most;
		this.chosen = new Set(this.possible().slice(0, most));
		this.draw();
	}

	possible() {
		return this.rows.filter((row) => row.can_come_in).map((row) => row.place);
	}

	fail(error) {
		this.take({ rows: [], notes: [], form: "", most: 0 });
		put(this.$("failed").removeClass("hidden"), error instanceof Error ? error.message : message_of(error));
	}

	draw() {
		const { rows } = this;
		const [possible, refused] = [this.possible().length, rows.length - this.possible().length];
		this.$("failed").addClass("hidden");
		this.$("found").toggleClass("hidden", !rows.length && !this.notes.length);
		this.$("rows-bar").toggleClass("hidden", !rows.length);
		this.$("count").text(this.counted(possible, refused));
		put(this.$("form-found"), this.found_form ? { gift: __("Read as GIFT."), spreadsheet: __("Read as a table.") }[this.found_form] : "");
		put(this.$("notes"), notes_html(this.notes));
		this.frames.forEach((frame) => frame.destroy());
		this.frames.clear();
		this.$("rows").empty();
		this.drawn = 0;
		this.more();
		this.count();
	}

	counted(possible, refused) {
		if (!this.rows.length) return this.given().text.trim() && !this.notes.length ? __("No question was found.") : "";
		const parts = [__("Questions found: {0}", [this.rows.length]), __("can come in: {0}", [possible])];
		return [...parts, ...(refused ? [__("stay out: {0}", [refused])] : [])].join(" · ");
	}

	listed() {
		const is_only = this.$("only").prop("checked");
		return is_only ? this.rows.filter((row) => row.findings.length) : this.rows;
	}

	more() {
		const listed = this.listed();
		const next = listed.slice(this.drawn, this.drawn + AT_ONCE);
		const $part = $("<div></div>");
		put(
			$part,
			next.map((row, place) => row_html(row, this.chosen.has(row.place), (listed[this.drawn + place - 1] || {}).group))
		);
		this.$("rows").append($part.children());
		this.drawn += next.length;
		const left = listed.length - this.drawn;
		this.$("more").toggleClass("hidden", !left).text(__("Show {0} more", [Math.min(left, AT_ONCE)]));
	}

	choose(place, is_chosen) {
		if (is_chosen) this.chosen.add(place);
		else this.chosen.delete(place);
		this.count();
	}

	choose_all(is_chosen) {
		this.chosen = new Set(is_chosen ? this.possible().slice(0, this.most) : []);
		this.$("rows").find("[data-place]").each((_, row) => {
			$(row).find("input").prop("checked", this.chosen.has(Number(row.dataset.place)));
		});
		this.count();
	}

	count() {
		const number = this.chosen.size;
		const possible = this.possible().length;
		const $button = this.dialog.get_primary_btn();
		$button.prop("disabled", Boolean(this.adding) || !number || number > this.most).text(number ? __("Import ({0})", [number]) : __("Import"));
		this.$("all").prop({ checked: number > 0 && number >= Math.min(possible, this.most), indeterminate: number > 0 && number < possible });
		const is_much = possible > this.most && this.rows.length;
		this.$("most").toggleClass("hidden", !is_much).text(is_much ? __("At most {0} questions come in at once.", [this.most]) : "");
	}

	// A question as learners will see it, below its row.
	see(button) {
		const place = Number(button.dataset.see);
		const row = this.rows.find((each) => each.place === place);
		const frame = this.frames.get(place);
		button.setAttribute("aria-expanded", String(!frame));
		if (frame) {
			frame.destroy();
			this.frames.delete(place);
			return;
		}
		const lang = frappe.boot.lang === "ar" ? "ar" : "en";
		const made = new StageFrame(button.parentElement, { lang, title: __("As learners see it: {0}", [row.title]) });
		made.show({ title: row.title, type: "Question", config: row.config });
		this.frames.set(place, made);
	}

	async copy_template() {
		const { pasted } = await this.templates();
		await frappe.utils.copy_to_clipboard(pasted);
	}

	async download_template() {
		const { exported } = await this.templates();
		download(__("questions.csv"), exported);
	}

	templates() {
		return ask(`${API}.templates`, {}, { quiet: true });
	}

	// Once, however often it is asked for meanwhile.
	add() {
		this.adding =
			this.adding ||
			this.send().finally(() => {
				this.adding = null;
				this.count();
			});
		return this.adding;
	}

	// What comes in is what was shown: a text that was typed since is read first.
	async send() {
		const given = this.given();
		const { shown_of } = this;
		if (!shown_of || given.text !== shown_of.text || given.form !== shown_of.form) return this.read();
		const { lesson, after } = this;
		const rows = JSON.stringify([...this.chosen].sort((one, other) => one - other));
		this.dialog.get_primary_btn().prop("disabled", true);
		try {
			this.answer = await ask(`${API}.add`, { lesson, given: JSON.stringify(given), rows, after }, { post: true, quiet: true });
			this.dialog.hide();
		} catch (error) {
			put(this.$("failed").removeClass("hidden"), message_of(error));
		}
	}
}

const body_html = (is_live) => html`
	<p>${__("Copy cells of a spreadsheet and paste them here, with a first row that names the columns. Or paste questions in GIFT, which Moodle exports.")}
		<button type="button" class="btn btn-default btn-xs" data-act="copy_template">${__("Copy Template")}</button>
		<button type="button" class="btn btn-default btn-xs" data-act="download_template">${__("Download Template")}</button></p>
	${is_live ? html`<p class="alert alert-warning">${__("This lesson is published: learners get these questions with the next run.")}</p>` : ""}
	<textarea class="form-control" rows="7" dir="auto" data-part="text" spellcheck="false" aria-label="${__("Questions")}"></textarea>
	<p class="memora-import-held hidden" data-part="held"></p>
	<div class="memora-import-from">
		<label>${__("Or a file")} <input type="file" class="form-control" data-part="file" accept=".csv,.tsv,.txt,.gift,text/*"></label>
		<label>${__("Read it as")} <select class="form-control" data-part="form">
			<option value="">${__("What it looks like")}</option>
			<option value="spreadsheet">${__("Table")}</option>
			<option value="gift">${__("GIFT")}</option>
		</select></label>
	</div>
	<p class="alert alert-danger hidden" role="alert" dir="auto" data-part="failed"></p>
	<p class="memora-import-count" role="status"><b data-part="count"></b> <span class="text-muted" data-part="form-found"></span></p>
	<section class="hidden" data-part="found" aria-label="${__("What would come in")}">
		<div data-part="notes"></div>
		<div class="memora-import-bar" data-part="rows-bar">
			<label><input type="checkbox" data-part="all"> ${__("All that can come in")}</label>
			<label><input type="checkbox" data-part="only"> ${__("Only those with something to look at")}</label>
			<span class="text-muted hidden" data-part="most"></span>
		</div>
		<ul class="memora-import-rows" data-part="rows"></ul>
		<button type="button" class="btn btn-default btn-sm hidden" data-part="more" data-act="more"></button>
	</section>`;
