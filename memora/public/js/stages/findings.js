// What the check says about a stage, beside the field that it is about.
import { h, icon } from "./dom";
import { NAMES } from "./types";

const API = "memora.api.stages.check";
const LARGEST = 1_000_000; // letters that are sent while someone types

// What is wrong with a stage: [{path, severity, text, about}]. null where it is too large to ask while one types.
export const check = (type, config) =>
	String(config ?? "").length > LARGEST
		? Promise.resolve(null)
		: memora.publishing.ask(API, { stage: JSON.stringify({ type, config }) }, { post: true, quiet: true });

// The check names keys as JSON has them; a form has names for them.
const named = (text) =>
	/^"[^"]*"(?: #\d+)*(?:[ ,]+"[^"]*"(?: #\d+)*)*$/.test(text)
		? text.replace(/"([^"]*)"(?: #(\d+))?/g, (whole, key, place) =>
				Object.hasOwn(NAMES, key) ? `“${NAMES[key]()}”${place ? ` ${place}` : ""}` : whole
		  )
		: text;

const filled = ({ text, about }, name = named) => {
	const said = text.replace(/\{(\d+)\}/g, (_, place) => name(about[Number(place)] ?? ""));
	return said.charAt(0).toUpperCase() + said.slice(1);
};

// A finding as one line. `is_raw`: with the keys as the JSON has them.
export const line = (finding, is_raw = false) =>
	h(
		`div.memora-stage-finding.is-${finding.severity}`,
		{},
		icon(finding.severity === "broken" ? "broken" : "warning"),
		h("span", { dir: "auto" }, filled(finding, is_raw ? (text) => text : named))
	);

// Puts findings beside the fields of a form, the others into `rest`; `is_told(key)` says whether a field shows them.
export function show(findings, form, rest, is_told) {
	for (const slot of form.element.querySelectorAll(".memora-stage-findings")) slot.replaceChildren();
	rest.replaceChildren();
	for (const finding of findings) {
		const [key] = finding.path;
		if (!is_told(key)) continue;
		const field = key === undefined ? null : form.field_of(key);
		(field ? field.slot_of(finding.path) : rest).append(line(finding));
	}
}
