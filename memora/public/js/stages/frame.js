// A stage as learners see it, while it is written: the reader's own page (memora/public/reader/stage.html) in a frame. The page
// is of the site's origin, since modules load in no other; its policy is what keeps apart what was typed and the Desk.

const PAGE = "/assets/memora/reader/stage.html";
const LEAST = 80;

export class StageFrame {
	// Put the frame into an element. `dir` is the page's direction where it is not its language's; `title` says what the frame
	// is to those who listen.
	constructor(element, { lang = "en", dir = "", theme = "auto", title = "" } = {}) {
		const version = /** @type {any} */ (window)._version_number ?? "";
		this.frame = document.createElement("iframe");
		this.frame.className = "memora-stage-frame";
		this.frame.title = title;
		this.frame.src = `${PAGE}?${new URLSearchParams({ lang, dir, theme, v: version })}`;
		Object.assign(this.frame.style, { border: "0", width: "100%", height: `${LEAST}px`, colorScheme: "auto" });
		this.is_ready = false;
		this.is_drawing = false;
		this.stage = null; // the last one that was given
		this.is_shown = true; // whether the frame has been given it
		this.listen = (event) => this.hear(event);
		window.addEventListener("message", this.listen);
		element.append(this.frame);
	}

	// Show a stage: at once, or when the frame has drawn the one before. What comes meanwhile is left out, but the last.
	show({ title, type, config }) {
		this.stage = { title, type, config };
		this.is_shown = false;
		this.send();
	}

	destroy() {
		window.removeEventListener("message", this.listen);
		this.frame.remove();
	}

	send() {
		if (!this.is_ready || this.is_drawing || this.is_shown) return;
		this.is_drawing = true;
		this.is_shown = true;
		this.frame.contentWindow.postMessage({ memora: "stage", ...this.stage }, location.origin);
	}

	hear({ origin, source, data }) {
		if (origin !== location.origin || source !== this.frame.contentWindow) return;
		if (data?.memora === "height") this.frame.style.height = `${Math.max(LEAST, Number(data.height) || 0)}px`;
		if (data?.memora === "ready") {
			this.is_ready = true; // again after it was loaded again, with nothing in it
			this.is_drawing = false;
			this.is_shown = !this.stage;
			this.send();
		}
		if (data?.memora === "shown") {
			this.is_drawing = false;
			this.send();
		}
	}
}
