// A text as HTML: what can't be edited as rich text, or what someone wants to see as it is.
import { catch_long, put_into, words as too_long } from "../long_text";

export class SourceView {
	constructor({ html, problems, label, on_change }) {
		this.dom = document.createElement("div");
		this.dom.className = "memora-rt-source";
		this.bar = document.createElement("div");
		this.bar.className = "memora-rt-bar";
		this.message = document.createElement("span");
		this.message.setAttribute("role", "status");
		this.button = document.createElement("button");
		Object.assign(this.button, { type: "button", className: "btn btn-default btn-xs" });
		this.button.addEventListener("click", () => this.on_rich());
		this.bar.append(this.message, this.button);
		this.field = document.createElement("textarea");
		Object.assign(this.field, { className: "form-control", rows: 14, spellcheck: false, dir: "ltr" });
		this.field.setAttribute("aria-label", `${label} (HTML)`);
		this.field.addEventListener("input", on_change);
		catch_long(this.field, (text) => {
			this.show(text, ["long"]);
			on_change();
		});
		this.dom.append(this.bar, this.field);
		this.show(html, problems);
		this.on_rich = () => {};
	}

	show(html, problems) {
		this.get_html = put_into(this.field, html, problems.includes("long"));
		this.say(problems);
	}

	// A way back to what was there before.
	offer_back(run) {
		const back = document.createElement("button");
		Object.assign(back, { type: "button", className: "btn btn-default btn-xs", textContent: __("Take It Back") });
		back.addEventListener("click", run);
		this.bar.append(back);
		back.focus();
	}

	// Why it is not rich text.
	say(problems) {
		this.message.textContent = problems.length ? this.words(problems) : "";
		this.button.textContent = problems.length
			? __("Edit as rich text anyway (shows what would change)")
			: __("Edit as rich text");
		this.button.hidden = problems.includes("long");
	}

	words(problems) {
		if (problems.includes("long")) return too_long();
		const named = problems.filter((problem) => problem !== "…").slice(0, 8);
		if (!named.length) return __("This text is shown as HTML: as rich text it would not be given back as it is.");
		return __("This text is shown as HTML: as rich text it would lose {0}", [named.join(" · ")]);
	}

	focus() {
		this.field.focus();
	}
}
