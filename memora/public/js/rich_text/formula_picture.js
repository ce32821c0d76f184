// A formula as learners will see it, while it is typed: drawn by the reader's own code. KaTeX is loaded for the first of them.
import { drawn } from "../../reader/js/tex";

const KATEX = "/assets/memora/node_modules/katex/dist/katex.min";
const VERSION = "?v=0.17.0";

let library;

// An element that shows the formula which `read` gives: { source, display }. Call draw() whenever that has changed.
export function formula_picture(read) {
	const element = document.createElement("div");
	element.className = "memora-rt-picture";
	element.setAttribute("role", "status");
	let last = 0;
	const draw = async () => {
		const turn = ++last;
		const { source, display } = read();
		if (!source.trim()) return element.replaceChildren();
		library ??= loaded();
		const katex = await library;
		if (turn !== last) return; // typed on meanwhile
		element.replaceChildren(katex ? picture(katex, source, display) : __("The picture cannot be loaded."));
	};
	return { element, draw };
}

function picture(katex, source, display) {
	const shown = document.createElement("div");
	try {
		shown.dir = "ltr";
		shown.append(drawn(katex, source, display));
		return shown;
	} catch {
		return __("This cannot be drawn: learners would see it as it is typed here.");
	}
}

async function loaded() {
	try {
		await Promise.all([
			element_loaded("script", { src: `${KATEX}.js${VERSION}` }),
			// As a link: its fonts are named from where it is.
			element_loaded("link", { rel: "stylesheet", href: `${KATEX}.css${VERSION}` }),
		]);
		return globalThis["katex"];
	} catch {
		library = undefined; // the next formula tries again
	}
}

function element_loaded(tag, attributes) {
	return new Promise((done, failed) => {
		const element = Object.assign(document.createElement(tag), attributes, { onload: done, onerror: failed });
		document.head.append(element);
	});
}
