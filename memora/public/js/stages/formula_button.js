// A button that puts a formula into a plain text, at its cursor: \( … \), or \[ … \] on a line of its own.
import { sign_button } from "./dom";

const FORMULA = /\\\(([^]+?)\\\)|\\\[([^]+?)\\\]/g;

// `area` is what the text is typed into.
export const formula_button = (area) => sign_button("sum", __("Formula"), () => open(area), { "data-formula": true });

async function open(area) {
	const place = formula_at(area.value, area.selectionStart, area.selectionEnd);
	await new Promise((loaded) => frappe.require("memora_rich_text.bundle.js", loaded));
	memora.rich_text.ask_formula(area, place.known, ({ source, display }) => {
		area.setRangeText(display ? `\\[${source}\\]` : `\\(${source}\\)`, place.start, place.end, "end");
		area.dispatchEvent(new Event("input", { bubbles: true }));
	});
}

// The formula that the cursor is in, to be edited; else where a new one goes.
function formula_at(text, start, end) {
	for (const { 0: whole, 1: inline, 2: display, index } of text.matchAll(FORMULA)) {
		const after = index + whole.length;
		const is_within = (start > index && end < after) || (start === index && end === after);
		if (is_within) return { start: index, end: after, known: { source: inline ?? display, display: display !== undefined } };
	}
	return { start, end, known: undefined };
}
