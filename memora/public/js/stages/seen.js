// The stage as learners see it, beside its fields.
import { h, icon } from "./dom";
import { StageFrame } from "./frame";

const LARGEST = 1_000_000; // letters that go to the frame while someone types

export class Seen {
	constructor({ dir }) {
		this.note = h("p.memora-stage-unseen");
		this.place = h("div.memora-stage-frame-place");
		const title = __("As learners see it");
		this.element = h("aside.memora-stage-seen", { "aria-label": title }, h("div.memora-stage-seen-title", {}, icon("eye"), title), this.note, this.place);
		this.options = {
			lang: frappe.boot.lang === "ar" ? "ar" : "en",
			dir: dir || "",
			theme: document.documentElement.dataset.theme === "dark" ? "dark" : "light",
			title,
		};
		this.draw_soon = frappe.utils.debounce(() => this.draw(), 150);
		this.say(__("It is shown here while you type."));
	}

	say(text) {
		this.note.textContent = text;
		this.note.hidden = !text;
		this.place.hidden = Boolean(text);
	}

	// `config` is the stage's JSON, null where it is none.
	show(stage) {
		this.stage = stage;
		this.draw_soon();
	}

	draw() {
		if (this.is_gone) return;
		const { title, type, config } = this.stage;
		if (config === null) return this.say(__("It is shown here again once the JSON is correct."));
		if (config.length > LARGEST) return this.say(__("It is too large to be shown while you type. Save it, and use Preview as Learner."));
		this.say("");
		this.frame = this.frame || new StageFrame(this.place, this.options);
		this.frame.show({ title, type, config: JSON.parse(config || "{}") });
	}

	destroy() {
		this.is_gone = true;
		this.frame?.destroy();
	}
}
