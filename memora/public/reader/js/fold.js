// What a person types finds what an editor wrote: letters are compared without case, marks and variants.

const VARIANTS = { "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "ھ": "ه", "ە": "ه", "ٱ": "ا", "ـ": "" };

export function fold(text) {
	return foldedLetters(text)
		.map(([folded]) => folded)
		.join("");
}

// Each letter of a text with what it is compared as: [folded, from, to].
function foldedLetters(text) {
	const letters = [];
	let from = 0;
	for (const letter of text) {
		letters.push([foldLetter(letter), from, from + letter.length]);
		from += letter.length;
	}
	return letters;
}

function foldLetter(letter) {
	const bare = letter.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
	return Array.from(bare, (part) => VARIANTS[part] ?? digit(part)).join("");
}

// Arabic-Indic and Persian digits as 0–9.
function digit(letter) {
	const code = letter.charCodeAt(0);
	if (code >= 0x660 && code <= 0x669) return String(code - 0x660);
	if (code >= 0x6f0 && code <= 0x6f9) return String(code - 0x6f0);
	return letter;
}

export const words = (text) => fold(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);

// Where the words stand in a text: [from, to] in the text itself, in order, none inside another.
export function matches(text, sought) {
	const letters = foldedLetters(text);
	const places = [];
	// One place for each UTF-16 unit, by which indexOf counts: an emoji is two.
	letters.forEach(([folded], index) => folded.split("").forEach(() => places.push(index)));
	const folded = letters.map(([letter]) => letter).join("");
	const found = [];
	for (const word of sought) {
		for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
			let last = places[at + word.length - 1];
			// Marks belong to the letter that they stand on.
			while (letters[last + 1] && letters[last + 1][0] === "") last += 1;
			found.push([letters[places[at]][1], letters[last][2]]);
		}
	}
	found.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
	return found.filter(([from], index) => index === 0 || from >= Math.max(...found.slice(0, index).map(([, to]) => to)));
}
