// LaTeX in texts: where it is, and how KaTeX draws it. Imports nothing, so the Desk uses it, too.

// What is longer, defines commands of its own, or leads anywhere is not drawn: it could take minutes, or hide what it is.
export const LONGEST = 3000;
// What follows the last of them in one text stays as it was typed.
const MOST = 20_000;
const DEFINES = /\\(?:[egx]?def|let|futurelet|global|long|(?:re|provide)?newcommand|providecommand)(?![a-z])/i;
const OPTIONS = {
	throwOnError: true,
	strict: "ignore",
	maxExpand: 5000,
	maxSize: 20,
	output: "htmlAndMathml",
	trust: ({ command }) => {
		throw new Error(`${command} is not drawn`);
	},
};
// Marks that only turn the direction of plain text.
const UNSEEN = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
// Letters that KaTeX does not know the height of, such as Arabic ones.
const TALL =
	/[\u0530-\u1cff\u2e80-\ud7ff\uf900-\ufdff\ufe70-\ufefc](?:[\u0300-\u036f\u0530-\u1cff\u2e80-\ud7ff\uf900-\ufdff\ufe70-\ufefc]|\u200c|\u200d)*/g;
const STRUT = "\\rule[-0.4em]{0em}{1.3em}";
const ENDS = { "(": ")", "[": "]" };

// A text in its pieces: strings, and formulas { source, display, typed }. It takes time by the text's length, whatever it holds.
export function pieces(text) {
	const found = [];
	let end = 0;
	const none = { "(": false, "[": false };
	for (let at = text.indexOf("\\"); at >= 0 && found.length < 2 * MOST; at = text.indexOf("\\", at)) {
		const sign = text[at + 1];
		if (!(sign in ENDS) || none[sign]) {
			at += sign in ENDS ? 2 : 1;
			continue;
		}
		const close = closing(text, at + 2, sign);
		if (close === undefined) none[sign] = true;
		const source = close > 0 ? text.slice(at + 2, close) : "";
		if (!source.trim()) {
			at += 2;
			continue;
		}
		if (at > end) found.push(text.slice(end, at));
		found.push({ source, display: sign === "[", typed: text.slice(at, close + 2) });
		at = end = close + 2;
	}
	if (end < text.length) found.push(text.slice(end));
	return found;
}

// Where a formula ends: before its own end there is no other beginning of the kind (-1), and a "\\" is a line's end.
function closing(text, from, sign) {
	for (let at = text.indexOf("\\", from); at >= 0; at = text.indexOf("\\", at + 2)) {
		if (text[at + 1] === ENDS[sign]) return at;
		if (text[at + 1] === sign) return -1;
	}
	return undefined;
}

// The element of a formula, whole under a policy that allows no inline styles. An error says why it cannot be drawn.
export function drawn(katex, source, display) {
	const typed = source.replace(UNSEEN, "").trim();
	if (typed.length > LONGEST) throw new Error(`longer than ${LONGEST} characters`);
	if (DEFINES.test(typed)) throw new Error("a formula defines no commands");
	const element = made(katex, typed, display);
	for (const annotation of element.querySelectorAll("annotation")) annotation.textContent = typed;
	return element;
}

function made(katex, typed, display) {
	const options = { ...OPTIONS, displayMode: display };
	const supported = typed.replace(TALL, `{${STRUT}$&}`);
	if (supported === typed) return built(katex.__renderToDomTree(typed, options));
	const { warn } = console;
	console.warn = () => {}; // of each of these letters
	try {
		return built(katex.__renderToDomTree(supported, options));
	} catch {
		return built(katex.__renderToDomTree(typed, options)); // where no group may be: in a name, say
	} finally {
		console.warn = warn;
	}
}

// KaTeX writes the widths of its arrows and roots into style attributes, which the policy refuses: they would miss without
// a word. As properties they are allowed.
function built(tree) {
	const styles = [];
	const parts = [tree];
	for (let part = parts.pop(); part; part = parts.pop()) {
		parts.push(...(part.children ?? []));
		if (!part.attributes?.style) continue;
		const { style, ...others } = part.attributes;
		styles.push(style);
		part.attributes = { ...others, "data-style": String(styles.length - 1) };
	}
	const element = tree.toNode();
	for (const styled of element.querySelectorAll("[data-style]")) {
		styled.style.cssText = styles[Number(styled.dataset.style)];
		styled.removeAttribute("data-style");
	}
	return element;
}
