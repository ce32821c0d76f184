// A stage's config: a JSON object. Each part keeps its bytes until someone edits that part.

// What a config must be to have fields: a JSON object in which no key is twice.
export class NoFields extends Error {}

export class Config {
	#first = new Map(); // the parts as they were opened
	#parts; // key → {key, colon, source}
	#head = "{\n  ";
	#between = ",\n  ";
	#tail = "\n}";
	#colon = ": ";

	// Raises SyntaxError where the text is no JSON, and NoFields.
	constructor(text) {
		this.text_before = text;
		const source = String(text ?? "");
		if (source.trim()) this.#read(source);
		this.#parts = new Map(this.#first);
	}

	#read(source) {
		const whole = JSON.parse(source);
		if (whole === null || typeof whole !== "object" || Array.isArray(whole)) throw new NoFields("object");
		const { head, parts, tail } = cut(source);
		for (const part of parts) {
			const key = JSON.parse(part.key);
			if (this.#first.has(key)) throw new NoFields("twice");
			this.#first.set(key, part);
		}
		if (!parts.length) return;
		[this.#head, this.#tail, this.#colon] = [head, tail, parts[0].colon];
		if (parts.length > 1) this.#between = parts[1].between;
		else this.#between = head.includes("\n") ? `,${head.slice(1)}` : /\s$/.test(parts[0].colon) ? ", " : ",";
	}

	get keys() {
		return [...this.#parts.keys()];
	}

	has(key) {
		return this.#parts.has(key);
	}

	get(key) {
		const part = this.#parts.get(key);
		return part ? JSON.parse(part.source) : undefined;
	}

	// How long the text of a part is, without reading it.
	size(key) {
		return this.#parts.get(key)?.source.length ?? 0;
	}

	// Without a value the part goes. What is set back to what it was has its old bytes again.
	set(key, value) {
		if (value === undefined) return this.#parts.delete(key);
		const before = this.#first.get(key);
		const written = JSON.stringify(value);
		if (before && JSON.stringify(JSON.parse(before.source)) === written) return this.#parts.set(key, before);
		const part = before || { key: JSON.stringify(key), colon: this.#colon };
		return this.#parts.set(key, { ...part, source: this.#written(value) });
	}

	// The same, with parts under other names, or without them where a name is "".
	renamed(names) {
		const other = new Config("");
		for (const [key, part] of this.#parts) {
			const name = Object.hasOwn(names, key) ? names[key] : key;
			if (name && !other.has(name)) other.#parts.set(name, { key: JSON.stringify(name), colon: ": ", source: part.source });
		}
		return other;
	}

	#written(value) {
		const indent = this.#between.match(/\n([ \t]+)/)?.[1];
		return indent ? JSON.stringify(value, null, indent).replaceAll("\n", `\n${indent}`) : JSON.stringify(value);
	}

	get text() {
		const order = [...this.#first.keys()].filter((key) => this.#parts.has(key));
		order.push(...this.keys.filter((key) => !this.#first.has(key)));
		const is_as_before = order.length === this.#first.size && order.every((key) => this.#parts.get(key) === this.#first.get(key));
		if (is_as_before) return this.text_before;
		if (!order.length) return "{}";
		const parts = order.map((name) => this.#parts.get(name));
		const written = parts.map(({ between, key, colon, source }, place) => (place ? between ?? this.#between : "") + key + colon + source);
		return this.#head + written.join("") + this.#tail;
	}
}

const space = /[ \t\n\r]*/y;
const skip = (text, at) => {
	space.lastIndex = at;
	space.exec(text);
	return space.lastIndex;
};

// Where the text that begins at a quote ends. By hand: an expression would need a step for each letter of it.
function text_end(text, at) {
	for (let end = text.indexOf('"', at + 1); ; end = text.indexOf('"', end + 1)) {
		let slashes = 0;
		while (text[end - 1 - slashes] === "\\") slashes++;
		if (slashes % 2 === 0) return end + 1;
	}
}

function value_end(text, at) {
	if (text[at] === '"') return text_end(text, at);
	const signs = /["{}[\],]/g;
	let depth = 0;
	for (signs.lastIndex = at; ; ) {
		const { index, 0: sign } = signs.exec(text);
		if (sign === '"') signs.lastIndex = text_end(text, index);
		else if ("{[".includes(sign)) depth++;
		else if (!depth) return trimmed(text, index); // of a number or a word
		else if (sign !== "," && !--depth) return index + 1;
	}
}

function trimmed(text, end) {
	while (" \t\n\r".includes(text[end - 1])) end--;
	return end;
}

// A JSON object, known to be one, in its parts.
function cut(text) {
	const parts = [];
	let between; // a part and the one before it
	let at = skip(text, skip(text, 0) + 1);
	const head = text.slice(0, at);
	let end = at;
	while (text[at] !== "}") {
		const key_end = text_end(text, at);
		const start = skip(text, text.indexOf(":", key_end) + 1);
		end = value_end(text, start);
		parts.push({ between, key: text.slice(at, key_end), colon: text.slice(key_end, start), source: text.slice(start, end) });
		at = skip(text, end);
		if (text[at] !== ",") continue;
		at = skip(text, at + 1);
		between = text.slice(end, at);
	}
	return { head: head.trimStart(), parts, tail: text.slice(end).trimEnd() };
}
