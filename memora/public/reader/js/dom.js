// Elements without markup: text is always text, whatever an editor typed.

const SVG = "http://www.w3.org/2000/svg";

// h("a.card", { href, onclick }, "text", element, null …)
export function h(selector, properties = {}, ...children) {
	const [tag, ...classes] = selector.split(".");
	const element = document.createElement(tag);
	if (classes.length) element.className = classes.join(" ");
	for (const [name, value] of Object.entries(properties)) {
		if (value === null || value === undefined || value === false) continue;
		if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
		else if (name.startsWith("--")) element.style.setProperty(name, value);
		else element.setAttribute(name, value === true ? "" : value);
	}
	element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
	return element;
}

// A title in its own direction, which need not be the page's.
export const bdi = (text) => h("bdi", {}, text);

const ICONS = {
	arrow: "M5 12h14M13 6l6 6-6 6",
	check: "M5 12.5l4.5 4.5L19 7.5",
	close: "M6 6l12 12M18 6L6 18",
	code: "M8 7l-5 5 5 5M16 7l5 5-5 5",
	gift: "M4 11h16v9H4zM3 7h18v4H3zM12 7v13M12 7c-5 0-5-5-2-4 1.500.5 2 4 2 4zm0 0c5 0 5-5 2-4-1.500.5-2 4-2 4z",
	list: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
	lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 017 0v3",
	moon: "M20 14.500A8.500 8.500 0 119.500 4a7 7 0 0010.500 10.500z",
	out: "M13 5h6v6M19 5l-9 9M9 6H5v13h13v-4",
	person: "M12 12a4 4 0 100-8 4 4 0 000 8zM4.500 20c1-4 4-6 7.500-6s6.500 2 7.500 6",
	play: "M8 5.500v13l11-6.500z",
	question: "M9 9a3 3 0 115 2.200c-1.300 1-2 1.500-2 3M12 18h.01",
	search: "M11 18a7 7 0 100-14 7 7 0 000 14zM20 20l-4-4",
	text: "M5 6h14M5 11h14M5 16h9",
	warning: "M12 4l9 16H3zM12 10v4M12 17h.01",
};

export function icon(name) {
	const svg = document.createElementNS(SVG, "svg");
	svg.setAttribute("viewBox", "0 0 24 24");
	svg.setAttribute("aria-hidden", "true");
	svg.setAttribute("class", `icon icon-${name}`);
	const path = document.createElementNS(SVG, "path");
	path.setAttribute("d", ICONS[name]);
	svg.append(path);
	return svg;
}
