// The address of a file, with a button beside it that uploads one of this computer and writes its address there. A file can
// also be dropped on it.
import { h, icon, takes_files } from "./dom";
import { ACCEPT, UploadError } from "./upload";

export class UploadLine {
	input;
	send;
	wait;

	// `input` is what the address is typed into; send(file, {on_progress}) → its address; wait(promise) is told of each upload.
	constructor(input, { kind, send, wait }) {
		Object.assign(this, { input, send, wait });
		// Not on the page: the button opens it.
		this.files = h("input", { type: "file", accept: ACCEPT[kind], onchange: () => this.take(this.files.files) });
		this.words = h("span", {}, __("Upload"));
		this.said = h("div.memora-stage-upload-said", { role: "alert" });
		this.button = h("button.btn.btn-default.btn-sm", { type: "button", onclick: () => this.files.click() }, icon("upload"), this.words);
		this.element = h(
			"div.memora-stage-file",
			takes_files((files) => this.take(files)),
			input.element,
			this.button,
			this.said
		);
	}

	take(files) {
		const file = files?.[0];
		if (file && !this.button.disabled) this.wait(this.upload(file));
	}

	// Rejects when the file has not come: who saves meanwhile would save without it.
	async upload(file) {
		this.button.disabled = true;
		this.said.textContent = "";
		try {
			const on_progress = (part) => (this.words.textContent = `${Math.floor(part * 100)} %`);
			this.write(await this.send(file, { on_progress }));
		} catch (error) {
			const words = error?.name === "UploadError" ? error.message : __("The file could not be uploaded.");
			this.said.textContent = words; // here, since Frappe's alerts are behind dialogs
			throw new UploadError(words);
		} finally {
			this.button.disabled = false;
			this.words.textContent = __("Upload");
			this.files.value = "";
		}
	}

	write(address) {
		this.input.element.value = address;
		this.input.element.dispatchEvent(new Event("input", { bubbles: true }));
	}

	focus() {
		this.input.focus();
	}

	destroy() {
		this.input.destroy();
	}
}
