// HTML of ours, made so that a value is text unless it was made here too: no text has to be escaped where it is used.
frappe.provide("memora.publishing");

// A piece of HTML that may go to the page as it is.
class Fragment {
	constructor(text) {
		this.text = text;
	}

	toString() {
		return this.text;
	}
}

// A text as HTML, for what Frappe takes as such: a dialog's title, a message.
const esc = (text) => frappe.utils.escape_html(String(text ?? ""));

function written(value) {
	if (value instanceof Fragment) return value.text;
	if (Array.isArray(value)) return value.map(written).join("");
	return value === false ? "" : esc(value);
}

// html`<b>${title}</b>`: fragments and lists of them stay what they are; null, undefined and false are nothing.
const html = (pieces, ...values) =>
	new Fragment(pieces.map((piece, place) => (place ? written(values[place - 1]) : "") + piece).join(""));

// A translated text with fragments, or texts, in its places: fill(__("since {0}"), ago(moment)).
const fill = (text, ...values) =>
	new Fragment(esc(text).replace(/\{(\d+)\}/g, (_, place) => written(values[Number(place)])));

// What there is of these, with something between.
const join = (values, between) =>
	new Fragment(
		values
			.filter(Boolean)
			.map(written)
			.join(written(between))
	);

// Shows a fragment, or a text, in an element of jQuery's.
const put = ($element, content) => $element.html(written(content));

Object.assign(memora.publishing, { esc, html, fill, join, put });
