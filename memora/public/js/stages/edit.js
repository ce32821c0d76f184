// The dialog that holds the editor of a stage.
import { h } from "./dom";
import { Editor } from "./editor";
import { drop, fresh_name, keep, kept, leave, mark, moment } from "./kept";
import { uploads_to } from "./upload";

const LESSON = "Memora Lesson";

// Opens the editor. `stage` is {name, title, type, config}, with the config as it is stored. on_save(stage) gets it when it
// is done, with the config as it was where it was not edited; a promise of it that is refused keeps the editor open, and so
// does an answer {changed: stage}, what someone else has made of the stage meanwhile. What is typed is kept in the browser
// for the lesson and `kept_as`, or the stage's name, until it is saved; with `keeps` until whoever saves the lesson drops it.
// another() opens a new stage beside one that is kept. on_gone() is called when the editor has closed.
export async function edit(options) {
	const { lesson, stage, can_write = true } = options;
	const id = options.kept_as || stage.name || fresh_name();
	const typed = lesson && can_write ? await kept(lesson, id) : null;
	const is_saved = typed && mark(typed) === mark(stage); // by a page that was left before it could forget it
	if (is_saved) drop(lesson, id);
	return new StageDialog({ ...options, can_write, id, typed: is_saved ? null : typed });
}

class StageDialog {
	can_write;
	another;
	id;
	is_published;
	keeps;
	lesson;
	lesson_title;
	on_gone;
	on_save;
	save_label;
	stage;
	upload_to;

	/** @param {Record<string, any>} options */
	constructor({ lesson = "", upload_to = lesson, lesson_title = "", stage, id, typed, dir = null, can_write, is_published = false, keeps = false, save_label = "", on_save = (_) => {}, on_gone = () => {}, another = null }) {
		Object.assign(this, { another, can_write, id, is_published, keeps, lesson, lesson_title, on_gone, on_save, stage, upload_to, save_label: save_label || __("Done") });
		this.dir = dir;
		this.status = h("span.memora-stage-status", { role: "status" });
		this.held = document.activeElement;
		this.keep_soon = frappe.utils.debounce(() => this.keep_now(), 300);
		this.leaves = () => document.visibilityState === "hidden" && this.keep_now();
		document.addEventListener("visibilitychange", this.leaves);
		this.goes = () => this.leave_now();
		window.addEventListener("pagehide", this.goes);
		this.make_editor(typed);
		this.build(lesson_title);
	}

	make_editor(typed) {
		this.editor?.destroy();
		this.editor?.element.remove();
		this.editor = new Editor({
			stage: this.stage,
			typed,
			dir: this.dir,
			read_only: !this.can_write,
			upload: uploads_to(LESSON, this.upload_to),
			on_change: () => this.on_edit(),
		});
		this.dialog?.modal_body.append(this.editor.element);
		if (typed) this.tell_kept(typed);
	}

	build(lesson_title) {
		const dialog = new frappe.ui.Dialog({
			title: memora.publishing.esc(lesson_title ? __("Stage of “{0}”", [lesson_title]) : __("Stage")),
			size: "extra-large",
			static: true,
			...(this.can_write ? { primary_action_label: this.save_label, primary_action: () => this.done() } : {}),
		});
		this.dialog = dialog;
		dialog.$wrapper.addClass("memora-stage-dialog");
		// In place of fields, so that its two sides can fill the dialog's height.
		dialog.$body.hide();
		dialog.modal_body.append(this.editor.element);
		dialog.footer.removeClass("hide").prepend(this.status);
		// Frappe's Escape and the sign in the corner come here, too.
		dialog.cancel = () => this.leave();
		dialog.get_close_btn().show().removeAttr("data-dismiss").attr("aria-label", __("Close")).off("click").on("click", () => this.leave());
		dialog.$wrapper.on("keydown", (event) => this.on_key(event.originalEvent));
		dialog.$wrapper.one("shown.bs.modal", () => this.editor.focus());
		dialog.onhide = () => this.gone();
		dialog.show();
	}

	on_key(event) {
		if (event.key === "Escape" && !event.isComposing && !event.defaultPrevented) {
			event.stopPropagation();
			this.leave();
		}
		if (event.key === "Tab" && !event.defaultPrevented) this.turn(event);
		if (event.key === "Enter" && !event.defaultPrevented && (event.ctrlKey || event.metaKey) && this.can_write) {
			event.preventDefault();
			event.stopPropagation();
			this.done();
		}
	}

	// Tab goes round in the dialog: what is behind it is not to be reached while it is open.
	turn(event) {
		const all = [...this.dialog.$wrapper[0].querySelectorAll("a[href], button, input, select, textarea, summary, iframe, [contenteditable=true]")];
		const reached = all.filter((each) => each.tabIndex >= 0 && !each.disabled && each.offsetParent);
		const ends = [reached[0], reached[reached.length - 1]];
		const [to, from] = event.shiftKey ? [ends[1], ends[0]] : ends;
		if (document.activeElement !== from) return;
		event.preventDefault();
		to.focus();
	}

	on_edit() {
		this.say("");
		this.keep_soon();
	}

	// What is typed, for when the page goes before it is saved.
	async keep_now() {
		if (!this.lesson || !this.can_write || this.is_gone) return;
		if (!this.editor.is_changed) await drop(this.lesson, this.id);
		else await keep(...this.typed());
	}

	// The same for a page that goes in this moment.
	leave_now() {
		if (this.lesson && this.can_write && !this.is_gone && this.editor.is_changed) leave(...this.typed());
	}

	typed() {
		return [this.lesson, this.id, this.editor.value(), mark(this.stage), this.lesson_title];
	}

	// What was typed before the page went is here again.
	tell_kept(typed) {
		const words = __("You typed this at {0}, and it is not saved yet.", [moment(typed)]);
		const is_older = typed.before !== mark(this.stage);
		const button = (label, onclick) => h("button.btn.btn-default.btn-xs", { type: "button", onclick }, label);
		const back = button(this.stage.name ? __("Discard It, Show What Is Saved") : __("Discard It"), () => this.go_back());
		const beside = this.another && button(__("Keep It, Begin Another"), () => this.begin_another());
		const more = is_older ? ` ${__("The stage was changed meanwhile; what you save replaces that.")}` : "";
		this.editor.form_side.prepend(h("div.memora-stage-kept", { role: "status" }, h("span", {}, words, more), h("span", {}, back, beside && [" ", beside])));
	}

	async begin_another() {
		await this.keep_now();
		this.is_gone = true;
		this.dialog.hide();
		this.another();
	}

	go_back() {
		drop(this.lesson, this.id);
		this.make_editor(null);
		this.editor.focus();
	}

	say(text, look = "") {
		this.status.textContent = text;
		this.status.className = `memora-stage-status ${look}`;
	}

	// What keeps it from being done: "" if nothing does.
	missing() {
		if (!this.editor.title.trim()) {
			this.editor.title_input.focus();
			return __("Give the stage a title.");
		}
		if (!this.editor.type) return __("Choose what kind of stage it is.");
		if (this.editor.broken_text !== null && this.editor.value().config !== this.stage.config) {
			this.editor.raw.open();
			return __("Correct the JSON first.");
		}
		return "";
	}

	async done() {
		if (this.is_busy) return;
		const { editor } = this;
		this.is_busy = true;
		try {
			await editor.form?.ready();
			const missing = this.missing();
			if (missing) return this.say(missing, "is-bad");
			editor.tell_all();
			if (await this.is_held()) return null;
			editor.element.inert = true; // what would be typed now would not be saved
			const answer = await this.on_save(editor.value());
			if (answer?.changed) return this.ask_about(answer.changed);
			this.close();
		} catch (error) {
			this.say(error?.name === "UploadError" ? error.message : memora.publishing.text_of(error), "is-bad");
		} finally {
			editor.element.inert = false;
			this.is_busy = false;
		}
		return null;
	}

	// Where the lesson is yet to be saved, what was typed is kept until then.
	close() {
		this.is_gone = true;
		if (this.keeps && this.editor.is_changed) keep(...this.typed());
		else if (this.lesson) drop(this.lesson, this.id);
		this.dialog.hide();
	}

	// In a published lesson what learners could not use is said first.
	async is_held() {
		const { editor } = this;
		if (!this.is_published || !editor.is_changed) return false;
		const findings = await editor.check();
		if (!(findings || []).some(({ severity }) => severity === "broken")) return false;
		this.say(__("Learners could not use this, so a published lesson cannot have it."), "is-bad");
		editor.element.querySelector(".memora-stage-finding.is-broken")?.scrollIntoView({ block: "center" });
		return true;
	}

	ask(title, words, primary, secondary) {
		const dialog = new frappe.ui.Dialog({
			title,
			fields: [{ fieldname: "body", fieldtype: "HTML" }],
			primary_action_label: primary.label,
			primary_action: () => {
				dialog.hide();
				primary.run();
			},
			secondary_action_label: secondary.label,
			secondary_action: () => {
				dialog.hide();
				secondary.run();
			},
		});
		dialog.onhide = () => setTimeout(() => dialog.$wrapper.remove(), 500);
		dialog.get_field("body").$wrapper.append(h("p", {}, words));
		dialog.show();
	}

	// Someone else has changed the stage since it was opened.
	ask_about(theirs) {
		this.ask(
			__("Changed Meanwhile"),
			__("Someone else has changed this stage since you opened it. What you typed is still here."),
			{
				label: __("Replace Theirs with Mine"),
				run: () => {
					this.on_seen(theirs);
					this.done();
				},
			},
			{ label: __("Look at Theirs"), run: () => edit({ stage: theirs, can_write: false }) }
		);
	}

	on_seen({ seen }) {
		this.stage = this.editor.stage = { ...this.stage, seen };
	}

	// Closes it, and asks if something would be lost.
	leave() {
		if (this.is_busy) return null;
		if (!this.can_write || !this.editor.is_changed) return this.close();
		return this.ask(
			__("Leave this stage?"),
			__("You have typed something that is not saved yet."),
			{ label: this.save_label, run: () => this.done() },
			{
				label: __("Discard What I Typed"),
				run: () => {
					this.is_gone = true;
					if (this.lesson) drop(this.lesson, this.id);
					this.dialog.hide();
				},
			}
		);
	}

	gone() {
		document.removeEventListener("visibilitychange", this.leaves);
		window.removeEventListener("pagehide", this.goes);
		this.is_gone = true;
		this.on_gone();
		this.editor.destroy();
		setTimeout(() => this.dialog.$wrapper.remove(), 500);
		if (this.held instanceof HTMLElement && this.held.isConnected) this.held.focus();
	}
}
