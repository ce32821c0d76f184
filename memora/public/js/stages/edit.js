// The dialog that holds the editor of a stage.
import { h } from "./dom";
import { Editor } from "./editor";
import { uploads_to } from "./upload";

// Opens the editor. `stage` is {name, title, type, config}, with the config as it is stored. on_save(stage) gets it when it
// is done, with the config as it was where it was not edited; a promise of it that is refused keeps the editor open.
export function edit(options) {
	return new StageDialog({ upload: uploads_to("Memora Lesson", options.lesson), ...options });
}

class StageDialog {
	can_write;
	is_live;
	on_close;
	on_save;
	save_label;

	/** @param {Record<string, any>} options */
	constructor({ lesson_title = "", stage, typed = null, dir = null, can_write = true, is_live = false, save_label = "", upload, on_save = () => {}, on_change = () => {}, on_close = () => {} }) {
		Object.assign(this, { can_write, is_live, on_save, on_close, save_label: save_label || __("Done") });
		this.editor = new Editor({ stage, typed, dir, read_only: !can_write, upload, on_change: () => this.on_edit(on_change) });
		this.status = h("span.memora-stage-status", { role: "status" });
		this.held = document.activeElement;
		this.build(lesson_title);
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
		if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && this.can_write) {
			event.preventDefault();
			event.stopPropagation();
			this.done();
		}
	}

	on_edit(on_change) {
		this.say("");
		this.anyway = false;
		this.dialog?.get_primary_btn().text(this.save_label);
		on_change(this.editor);
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
		if (this.editor.broken_text !== null && this.editor.value().config !== this.editor.stage.config) {
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
			await this.on_save(editor.value());
			this.is_done = true;
			this.dialog.hide();
		} catch (error) {
			this.say(this.reason(error), "is-bad");
		} finally {
			this.is_busy = false;
		}
		return null;
	}

	// In a published lesson what learners could not use is said first.
	async is_held() {
		const { editor } = this;
		if (!this.is_live || this.anyway || !editor.is_changed) return false;
		const findings = await editor.check();
		if (!(findings || []).some(({ severity }) => severity === "broken")) return false;
		this.say(__("Learners could not use this, so a published lesson cannot have it."), "is-bad");
		editor.element.querySelector(".memora-stage-finding.is-broken")?.scrollIntoView({ block: "center" });
		return true;
	}

	reason(error) {
		return frappe.utils.html2text(String(memora.publishing.message_of(error))).trim();
	}

	// Closes it, and asks if something would be lost.
	leave() {
		if (!this.can_write || !this.editor.is_changed) return this.dialog.hide();
		const dialog = new frappe.ui.Dialog({
			title: __("Leave this stage?"),
			fields: [{ fieldname: "body", fieldtype: "HTML" }],
			primary_action_label: this.save_label,
			primary_action: () => {
				dialog.hide();
				this.done();
			},
			secondary_action_label: __("Discard What I Typed"),
			secondary_action: () => {
				dialog.hide();
				this.is_discarded = true;
				this.dialog.hide();
			},
		});
		dialog.onhide = () => setTimeout(() => dialog.$wrapper.remove(), 500);
		dialog.get_field("body").$wrapper.append(h("p", {}, __("You have typed something that is not saved yet.")));
		return dialog.show();
	}

	gone() {
		this.on_close({ is_done: Boolean(this.is_done), is_discarded: Boolean(this.is_discarded) });
		this.editor.destroy();
		setTimeout(() => this.dialog.$wrapper.remove(), 500);
		if (this.held instanceof HTMLElement && this.held.isConnected) this.held.focus();
	}
}
