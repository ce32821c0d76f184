// The toolbar's signs: paths in a square of 24, or letters.
const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
	undo: "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
	redo: "m15 14 5-5-5-5m5 5H10a6 6 0 0 0 0 12h3",
	link: "M10 14a5 5 0 0 0 7 0l3-3a5 5 0 0 0-7-7l-1 1m2 5a5 5 0 0 0-7 0l-3 3a5 5 0 0 0 7 7l1-1",
	bullets: "M9 6h12M9 12h12M9 18h12M4 6h.01M4 12h.01M4 18h.01",
	numbers: "M10 6h11M10 12h11M10 18h11M4 4l1-1v5M3.5 14h3l-3 5h3",
	quote: "M5 17c2-1 3-3 3-6H4V6h6v5c0 4-2 6-4 7m9-1c2-1 3-3 3-6h-4V6h6v5c0 4-2 6-4 7",
	indent: "M3 5h18M11 10h10M11 14h10M3 19h18M3 9l4 3-4 3",
	outdent: "M3 5h18M11 10h10M11 14h10M3 19h18M7 9l-4 3 4 3",
	table: "M3 4h18v16H3zM3 10h18M3 15h18M9 4v16M15 4v16",
	picture: "M3 4h18v16H3zM3 17l5-5 4 4 3-3 6 5M9 9h.01",
	code: "m8 7-5 5 5 5m8-10 5 5-5 5M14 5l-4 14",
	rule: "M3 12h18M5 6h14M5 18h14",
	ltr: "M4 4v12M12 4v12M12 4H8a3 3 0 0 0 0 6h4M4 20h15m-3-3 3 3-3 3",
	rtl: "M12 4v12M19 4v12M19 4h-7a3 3 0 0 0 0 6h7M20 20H5m3-3-3 3 3 3",
	clear: "M6 5h13M12 5l-2 8M4 20h9m3-6 5 5m0-5-5 5",
	language: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3 3 4 6 4 9s-1 6-4 9c-3-3-4-6-4-9s1-6 4-9z",
};

export function icon(name) {
	if (!PATHS[name]) {
		const letters = document.createElement("span");
		letters.dataset.sign = name; // drawn by the style sheet: it is no word of the button's name
		return letters;
	}
	const svg = document.createElementNS(SVG, "svg");
	const path = document.createElementNS(SVG, "path");
	svg.setAttribute("viewBox", "0 0 24 24");
	svg.setAttribute("aria-hidden", "true");
	path.setAttribute("d", PATHS[name]);
	svg.append(path);
	return svg;
}
