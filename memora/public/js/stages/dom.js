// Elements of the Desk made by hand: a text is a text, never HTML.

// h("label.form-label", {for: id}, "Title"): attributes, `on…` functions that listen, children; null and false are nothing.
/** @returns {any} */
export function h(what, attributes = {}, ...children) {
	const [tag, ...classes] = what.split(".");
	const element = document.createElement(tag);
	if (classes.length) element.className = classes.join(" ");
	for (const [name, value] of Object.entries(attributes)) {
		if (typeof value === "function") element.addEventListener(name.slice(2), value);
		else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
	}
	element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
	return element;
}

const PATHS = {
	add: "M8 3v10M3 8h10",
	up: "M8 13V3M4 7l4-4 4 4",
	down: "M8 3v10M4 9l4 4 4-4",
	remove: "M4 4l8 8M12 4l-8 8",
	warning: "M8 2.5L14.5 13.5h-13zM8 6.5v3M8 11.5v.01",
	broken: "M8 14A6 6 0 108 2a6 6 0 000 12M8 5v3.5M8 11v.01",
	check: "M3.5 8.5l3 3 6-7",
	eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 10a2 2 0 100-4 2 2 0 000 4",
	sum: "M12 4.5V3H4l4.5 5L4 13h8v-1.5",
	upload: "M8 11V3M5 6l3-3 3 3M3 13h10",
	Video: "M2 3.5h12v9H2zM6.7 6v4l3.3-2z",
	Text: "M3 4h10M3 7h10M3 10h10M3 13h6",
	Question: "M8 14A6 6 0 108 2a6 6 0 000 12M6.3 6.3c.3-2 3.5-1.8 3.4.1 0 1.1-1.7 1.4-1.7 2.6M8 11.3v.01",
	Interactive: "M5.5 5L2.5 8l3 3M10.5 5l3 3-3 3M9 3.5L7 12.5",
};

export function icon(name) {
	const space = "http://www.w3.org/2000/svg";
	const svg = document.createElementNS(space, "svg");
	svg.setAttribute("viewBox", "0 0 16 16");
	svg.setAttribute("class", `memora-icon is-${name}`);
	svg.setAttribute("aria-hidden", "true");
	const path = document.createElementNS(space, "path");
	path.setAttribute("d", PATHS[name]);
	svg.append(path);
	return svg;
}

// A button that shows only a sign; what it does is its name.
export const sign_button = (name, label, onclick, attributes = {}) =>
	h("button.memora-stage-sign", { type: "button", "aria-label": label, title: label, onclick, ...attributes }, icon(name));

// What an element listens to that takes files which are dropped on it: h("div", takes_files(take)). A text that is dropped is
// the browser's to put in.
export function takes_files(take) {
	const has_files = ({ dataTransfer }) => Boolean(dataTransfer && [...dataTransfer.types].includes("Files"));
	return {
		ondragover(event) {
			if (has_files(event)) event.preventDefault();
		},
		ondrop(event) {
			if (!has_files(event)) return;
			event.preventDefault();
			take(event.dataTransfer.files);
		},
	};
}

let made = 0;
export const fresh_id = () => `memora-stage-${++made}`;
