// Whether a typed answer means what the right one means, however a keyboard writes it.

import { digit, fold } from "./fold.js?v=041cf001";

// Each kind of character that keyboards write in several ways, and how it is compared.
const SAME = [
	[/[℃℉\uFB00-\uFDFF\uFE30-\uFEFF\uFF00-\uFFEF₀-₉₊₋]/g, (form) => form.normalize("NFKC")],
	// 10² is not 102.
	[/[⁰¹²³⁴-⁹⁺⁻]+/g, (power) => `^${power.normalize("NFKC")}`],
	[/(\d?)([¼½¾⅐-⅞])/g, (_, whole, part) => `${whole && `${whole} `}${part.normalize("NFKC")}`],
	[/[\p{Cf}\u034F\uFE00-\uFE0Fـ]/gu, ""],
	[/\p{Nd}/gu, digit],
	[/[\u2010-\u2015\u2212➖]/g, "-"],
	[/[\u2018-\u201B\u02BB\u02BC\u2032`´׳]/g, "'"],
	[/[\u201C-\u201F\u2033«»״]/g, '"'],
	[/[⁄∕÷]/g, "/"],
	[/[×·⋅∙∗]/g, "*"],
	[/≤/g, "<="],
	[/≥/g, ">="],
	[/…/g, "..."],
	[/٪/g, "%"],
	[/،/g, ","],
	[/؛/g, ";"],
	[/؟/g, "?"],
	[/[۔。]/g, "."],
	[/\s+/g, " "],
	[/(?:[([{]|(?<=^|[\s=+-])[.,٫])?\d+(?:[.,٫٬]\d+)*/g, numeral],
	[/^ ?([-+]) ?(?=\d)/, (_, sign) => (sign === "-" ? "-" : "")],
	// Who writes "x = 5" means "x=5"; and a sentence may end with its stop, or without.
	[/ ?([=<>+*/^(){}[\],;:?!%]) ?/g, "$1"],
	[/(?<=[^\s.])\.? $|(?<=[^\s.])\.$/, ""],
];
// On a text as it is compared: a sign, then a fraction or a number with its thousands and its power of ten, then the unit.
const NUMBER =
	/^(-?)(?:(?:(\d+) )?(\d+)\/(\d+)|(\d{1,3}(?:[ ']\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)*)(?:(?:e\+?|[x*]10\^)(-?\d+))?)(?: ?([^\d\s].*))?$/i;

// A comma and a space part two numbers.
const PAIR = /\p{Nd}\s*[,،]\s+\p{Nd}/u;

// Typed marks (accents, harakat) have to be those of the answer; they may be left out.
export function isSame(given, answer) {
	const [one, other] = [plain(given), plain(answer)];
	return fold(one) === fold(other) && marksFit(one, other);
}

// Whether a typed number is the right one, or as far from it as it may be at most. Its unit may be typed with it.
export function isNear(given, answer, tolerance = 0, unit = "") {
	if (isSame(given, answer)) return true;
	const rights = Number.isFinite(Number(answer)) ? [Number(answer)] : numbers(answer, "");
	return numbers(given, unit).some((one) => rights.some((right) => isWithin(one, right, tolerance)));
}

// Both are written in decimals, so the last digit of a difference is not to be trusted; with integers it is.
function isWithin(one, right, tolerance) {
	if (!tolerance && Number.isInteger(one) && Number.isInteger(right)) return one === right && Number.isSafeInteger(one);
	return Math.abs(one - right) <= tolerance + 4 * Number.EPSILON * Math.max(Math.abs(one), Math.abs(right));
}

// The case of a unit counts: mW is another one than MW.
const isUnit = (given, unit) => plain(given) === plain(unit);

// What a typed number may be, with this unit before or behind it or without: 1,234 may be one thousand and more, or one and more.
function numbers(typed, unit) {
	if (PAIR.test(typed)) return [];
	let text = plain(typed);
	const [, before, number] = text.match(/^([^\d.,+-]+)(.*\d.*)$/) ?? [];
	if (unit && before && isUnit(before, unit)) text = plain(number);
	const [, sign, whole, part, parts, decimal, power, behind] = text.match(NUMBER) ?? [];
	if (behind && !(unit && isUnit(behind, unit))) return [];
	const values =
		parts === undefined
			? readings(decimal ?? "").map((reading) => Number(`${reading}e${power ?? 0}`))
			: [Number(whole ?? 0) + Number(part) / Number(parts)];
	return values.filter(Number.isFinite).map((value) => (sign ? -value : value));
}

function readings(decimal) {
	const digits = decimal.replace(/[ ']/g, "");
	if (/^[1-9]\d{0,2}[.,]\d{3}$/.test(digits)) return [digits.replace(",", "."), digits.replace(/[.,]/, "")];
	if (/^\d{1,3}(?:,\d{3}){2,}$|^\d{1,3}(?:\.\d{3}){2,}$/.test(digits)) return [digits.replace(/[.,]/g, "")];
	return /^\d+(?:[.,]\d+)?$/.test(digits) ? [digits.replace(",", ".")] : [];
}

// An answer as it is compared; "" if there is nothing in it to type.
export const plain = (text) => SAME.reduce((text, [written, as]) => text.replace(written, as), text.normalize("NFC")).trim();

// A comma is a point, unless the number may as well be a thousand and more, or a pair: 1,234 and (3,5) stay.
function numeral(written) {
	const number = written.replaceAll("٬", "").replaceAll("٫", ".");
	if (/^[([{]|^[1-9]\d{0,2},\d{3}$/.test(number)) return number;
	if (/^\d{1,3}(,\d{3})+\.\d+$/.test(number)) return number.replaceAll(",", "");
	if (/^\d{1,3}(\.\d{3})+,\d+$/.test(number)) return number.replaceAll(".", "").replace(",", ".");
	return (/^\d*,\d+$/.test(number) ? number.replace(",", ".") : number).replace(/^\./, "0.");
}

function marksFit(given, answer) {
	const letters = (text) => text.normalize("NFD").toLowerCase().match(/\P{M}\p{M}*/gu) ?? [];
	const [one, other] = [letters(given), letters(answer)];
	// Hamza and madda are written and left out as one likes.
	const marks = (letter) => Array.from(letter).slice(1).filter((mark) => !/[\u0653-\u0655]/.test(mark));
	return one.length !== other.length || one.every((letter, place) => marks(letter).every((mark) => other[place].includes(mark)));
}
