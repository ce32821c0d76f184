// What is pasted or dropped and too long for rich text: it becomes the text's source, whose beginning is shown.
import { LONGEST } from "../long_text";
import { clean } from "./clean";
import { inert } from "./safe";
import { write } from "./write";

const CLEANED = 1_000_000; // letters of HTML that a browser cleans in a moment

// An empty line begins a paragraph.
function paragraphs(text) {
	const { body } = inert("");
	for (const part of text.split(/(?:\r?\n){2,}/).filter((each) => each.trim())) {
		const paragraph = body.appendChild(body.ownerDocument.createElement("p"));
		part.trim()
			.split(/\r?\n/)
			.forEach((line, place) => paragraph.append(...(place ? [body.ownerDocument.createElement("br")] : []), line));
		body.append("\n");
	}
	return body_of(body.outerHTML);
}

function html_of(data) {
	const html = data.getData("text/html");
	const text = data.getData("text/plain");
	if (html && (html.length <= CLEANED || !text)) return body_of(html.length <= CLEANED ? clean(html) : html);
	return paragraphs(text); // without its looks: that would take too long
}

const body_of = (html) => html.replace(/^[^]*?<body[^>]*>|<\/body>[^]*$/gi, "").trim();

// The whole text with what is pasted between `from` and `to`; "" if the editor can take it.
export function with_long(doc, data, from, to = from) {
	const length = Math.max(data?.getData("text/html").length || 0, data?.getData("text/plain").length || 0);
	if (length + doc.content.size <= LONGEST) return "";
	const parts = [write(doc.cut(0, from)), html_of(data), write(doc.cut(to))];
	return parts.filter(Boolean).join("\n");
}
