// What was found in the texts of lessons: where each lesson is, and what is around the word.
import { read } from "./kinds";

const { html, join } = memora.publishing;

const ONE_LETTER = /^\p{sc=Latin}$|^\p{sc=Arabic}$|^\d$/u; // finds too much; a word of Chinese may be one character

// Asks for lessons with these words; null where nothing is asked.
export async function search_texts(typed, subject = "") {
	const text = typed.trim();
	return text && !ONE_LETTER.test(text) ? read("search", { text, subject }) : null;
}

// The lessons of an answer; `address_of(row)` is where each leads to.
export function texts_html({ rows, more }, address_of) {
	if (!rows.length) return html`<p class="text-muted">${__("No lesson has these words in its texts.")}</p>`;
	return html`<ul class="memora-home-rows memora-found-texts">${rows.map((row) => row_html(row, address_of(row)))}</ul>
		${more ? html`<p class="text-muted">${__("There are more. Type another word.")}</p>` : ""}`;
}

function row_html({ name, title, path_titles, stage, excerpt }, address) {
	const mark = frappe.utils.is_rtl() ? " ‹ " : " › ";
	const way = join(path_titles.map((each) => html`<bdi>${each}</bdi>`), mark);
	return html`<li><a href="${address}" data-found="${name}"><bdi>${title}</bdi></a>
		<span class="text-muted memora-home-path">${way}</span>
		${excerpt.length ? html`<p class="memora-excerpt" dir="auto">${stage ? html`<b>${stage}</b> · ` : ""}… ${excerpt.map(piece_html)} …</p>` : ""}</li>`;
}

const piece_html = ([piece, is_hit]) => (is_hit ? html`<mark>${piece}</mark> ` : html`${piece} `);
