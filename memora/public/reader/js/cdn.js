// The published files: read by the URLs that files give, each once a visit.

export const base = chosenBase();

const known = new Map();
let doubted = false;

// A document that is gone, or cannot be read: `status` is that of the answer, 0 when there was none.
export class ReadError extends Error {
	constructor(url, status) {
		super(`${url}: ${status || "no answer"}`);
		this.url = url;
		this.status = status;
	}
}

export function read(url, { anew = false } = {}) {
	if (anew || !known.has(url)) {
		const document = fetchJson(url, anew);
		known.set(url, document);
		document.catch(() => known.delete(url));
	}
	return known.get(url);
}

// Drop what carries no version, so that it is read again, past the browser's cache: what it lists may have changed.
export function forgetUnversioned() {
	doubted = true;
	for (const url of known.keys()) if (!isVersioned(url)) known.delete(url);
}

const isVersioned = (url) => url.includes("?v=");

async function fetchJson(url, anew) {
	const cache = anew ? "reload" : doubted && !isVersioned(url) ? "no-cache" : "default";
	let answer;
	try {
		answer = await fetch(new URL(url, base), { credentials: "omit", cache });
	} catch {
		throw new ReadError(url, 0);
	}
	if (!answer.ok) throw new ReadError(url, answer.status);
	try {
		return await answer.json();
	} catch {
		throw new ReadError(url, answer.status);
	}
}

function chosenBase() {
	const asked = new URLSearchParams(location.search).get("base");
	const written = document.querySelector('meta[name="memora-base"]').content;
	for (const value of [asked, written]) {
		try {
			const url = new URL(value.endsWith("/") ? value : `${value}/`, location.href);
			if (url.protocol === "https:" || url.protocol === "http:") return url.href;
		} catch {
			continue;
		}
	}
	throw new Error("there is no base to read from");
}
