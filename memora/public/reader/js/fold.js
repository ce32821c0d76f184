// Typed words find an editor's text. Letters become the same only if a script's readers take them for the same: case,
// compatibility forms, digits, marks that are left out in writing (accents of Latin and Greek, harakat, niqqud).
// Marks that are letters (vowel signs of Hindi, Thai or Tamil, dakuten, й) stay.

const VARIANTS = {
	"ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "ھ": "ه", "ە": "ه", "ٱ": "ا", "ـ": "",
	"ς": "σ", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i",
};
const POINTS = /[\u0591-\u05C7\u0610-\u061A\u064B-\u065F\u0670\u06D6-\u06ED\u0711\u0730-\u074A\u08CA-\u08FF\uFE00-\uFE0F]/;
const ACCENTED = /[\p{sc=Latin}\p{sc=Greek}]/u;
const CYRILLIC = /\p{sc=Cyrillic}/u;
// Scripts in which one character says as much as a word or a syllable.
const WHOLE = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}\p{sc=Bopo}\p{sc=Ethi}\p{sc=Yi}]/u;

export function fold(text) {
	return foldedLetters(text.normalize("NFC"))
		.map(([folded]) => folded)
		.join("");
}

export const words = (text) => fold(text).split(/[^\p{L}\p{M}\p{N}]+/u).filter(Boolean);

// Whether words are enough to search for: one letter of an alphabet would find everything.
export const isEnough = (sought) => sought.some((word) => WHOLE.test(word)) || Array.from(sought.join("")).length > 1;

// Each letter of a text with the letters it is compared by: [letters, from, to].
function foldedLetters(text) {
	const letters = [];
	let from = 0;
	let base = "";
	for (const letter of text) {
		let folded = "";
		for (const part of decomposed(letter)) {
			if (/\p{M}/u.test(part)) {
				folded += isLeftOut(part, base) ? "" : part;
			} else if (!/\p{Cf}/u.test(part)) {
				const same = VARIANTS[part] ?? digit(part);
				if (same) base = part;
				folded += same;
			}
		}
		letters.push([folded, from, from + letter.length]);
		from += letter.length;
	}
	return letters;
}

// Syllables of Korean stay whole: one that begins another is not part of it.
const decomposed = (letter) =>
	letter < "\x80"
		? letter.toLowerCase()
		: letter.toLowerCase().normalize(/\p{sc=Hang}/u.test(letter) ? "NFKC" : "NFKD").toLowerCase();

function isLeftOut(mark, base) {
	if (POINTS.test(mark) || ACCENTED.test(base)) return true;
	// Stress, and the dots of ё. Those of й and ї make another letter.
	return CYRILLIC.test(base) && (/[\u0300\u0301]/.test(mark) || (base === "е" && mark === "\u0308"));
}

// Digits of every script as 0–9. Unicode has them in rows of ten, from 0 to 9.
export function digit(letter) {
	if (letter < "\x80" || !/\p{Nd}/u.test(letter)) return letter;
	const code = letter.codePointAt(0);
	let value = 0;
	while (/\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value += 1;
	return String(value % 10);
}

// Where the words are in a text (in NFC): [from, to] in the text itself, in order, none inside another.
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
			// Marks belong to the letter before them.
			while (letters[last + 1] && /^\p{M}*$/u.test(letters[last + 1][0])) last += 1;
			found.push([letters[places[at]][1], letters[last][2]]);
		}
	}
	found.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
	return found.filter(([from], index) => index === 0 || from >= Math.max(...found.slice(0, index).map(([, to]) => to)));
}
