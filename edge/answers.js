// What goes back to the client: headers of each answer, refusals, conditions and ranges.
//
// - A refusal is small JSON with `error` and a sentence, and `no-store`.
// - What is guarded and not open is `private`, whatever the object says, and no shared cache may keep it.
// - What comes by a path with a token is kept by no cache at all, and its address is told to no other host.

/**
 * @typedef {import("./stores/store.js").Found} Found
 * @typedef {import("./stores/store.js").Range} Range
 * @typedef {{origins: "*" | string[]}} CorsSettings
 */

/** Which version of the rule this gate has: raised when it learns what an older one closes or leaves alone (docs/gate.md). */
export const VERSION = "1";

const LONGEST_PRIVATE = 3600; // seconds for which a learner's own browser may keep what is guarded
const PREFLIGHT_SECONDS = 86_400; // browsers keep it for less: Chromium for two hours
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

const MESSAGES = {
	token_required: "This file needs a token.",
	token_invalid: "The token is not accepted.",
	token_expired: "The token has expired. Get a new one.",
	token_early: "The token is not valid yet. Compare the clocks.",
	item_required: "The token does not hold every item that this file asks for.",
	closed: "This file is closed: it names no access that the gate knows.",
	not_found: "There is no such file.",
	method_not_allowed: "Only GET and HEAD are answered.",
	range_not_satisfiable: "The file ends before this range.",
	keys_unavailable: "Tokens cannot be checked now: the gate has no usable public keys.",
	store_unavailable: "The file cannot be read now. Try again.",
};

/** An answer other than the file. Thrown where it is decided. */
export class Refusal extends Error {
	/**
	 * @param {number} status
	 * @param {keyof typeof MESSAGES} error
	 * @param {Record<string, string>} [headers]
	 */
	constructor(status, error, headers = {}) {
		super(error);
		this.status = status;
		this.error = error;
		this.headers = headers;
	}

	/** @param {Headers} headers those that each answer has */
	answer(headers) {
		for (const [name, value] of Object.entries(this.headers)) headers.set(name, value);
		headers.set("Cache-Control", "no-store");
		headers.set("Content-Type", "application/json; charset=utf-8");
		return new Response(JSON.stringify({ error: this.error, message: MESSAGES[this.error] }), {
			status: this.status,
			headers,
		});
	}
}

/**
 * 401, or 403 where a token is good and not enough (RFC 6750). Who sent no token is told no error.
 * @param {number} status
 * @param {keyof typeof MESSAGES} error
 */
export function unauthorized(status, error) {
	const code = { token_required: "", item_required: "insufficient_scope", closed: "insufficient_scope" }[String(error)];
	const detail = code === "" ? "" : `, error="${code ?? "invalid_token"}", error_description="${MESSAGES[error]}"`;
	return new Refusal(status, error, { "WWW-Authenticate": `Bearer realm="memora"${detail}` });
}

/**
 * The headers of each answer, refusals too.
 * @param {Request} request
 * @param {CorsSettings} settings
 * @param {{isGuarded: boolean, hasPathToken: boolean}} place
 */
export function commonHeaders(request, { origins }, { isGuarded, hasPathToken }) {
	const headers = new Headers({ "X-Content-Type-Options": "nosniff", "X-Memora-Gate": VERSION });
	const origin = request.headers.get("Origin");
	if (origins === "*") headers.set("Access-Control-Allow-Origin", "*");
	else if (origin && origins.includes(origin)) headers.set("Access-Control-Allow-Origin", origin);
	headers.set("Access-Control-Expose-Headers", "Accept-Ranges, Content-Length, Content-Range, ETag, Last-Modified, WWW-Authenticate");
	headers.set("Vary", isGuarded ? "Origin, Authorization" : "Origin");
	if (hasPathToken) headers.set("Referrer-Policy", "no-referrer");
	return headers;
}

/** @param {Headers} headers */
export function preflight(headers) {
	headers.set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
	headers.set("Access-Control-Allow-Headers", "Authorization, Range, If-None-Match, If-Modified-Since, If-Range");
	headers.set("Access-Control-Max-Age", String(PREFLIGHT_SECONDS));
	return new Response(null, { status: 204, headers });
}

/**
 * Put the file's own headers to the others.
 * @param {Headers} headers
 * @param {Found} found
 * @param {{isOpen: boolean, hasPathToken: boolean}} place
 */
export function describe(headers, found, { isOpen, hasPathToken }) {
	headers.set("ETag", `"${found.etag}"`);
	headers.set("Accept-Ranges", "bytes");
	headers.set("Content-Type", found.contentType || "application/octet-stream");
	if (found.modified) headers.set("Last-Modified", found.modified.toUTCString());
	// Opened by itself, no file of ours runs anything. A browser shows no PDF that is in a sandbox.
	if (found.contentType !== "application/pdf") headers.set("Content-Security-Policy", POLICY);
	if (hasPathToken) headers.set("Cache-Control", "private, no-store");
	else if (isOpen) headers.set("Cache-Control", found.cacheControl || "public, max-age=300");
	else headers.set("Cache-Control", privately(found.cacheControl));
	if (!isOpen || hasPathToken) headers.set("CDN-Cache-Control", "no-store");
}

/** @param {string} stored */
function privately(stored) {
	const age = /(?:^|[\s,])max-age=(\d+)/i.exec(stored);
	if (/no-store/i.test(stored)) return "private, no-store";
	if (!age || /no-cache/i.test(stored)) return "private, no-cache";
	return `private, max-age=${Math.min(Number(age[1]), LONGEST_PRIVATE)}`;
}

/** Whether a request asks for a part, or only for what it does not have yet. */
const CONDITIONS = ["Range", "If-None-Match", "If-Modified-Since"];

/** @param {Request} request */
export function hasConditions(request) {
	return CONDITIONS.some((name) => request.headers.has(name));
}

/**
 * Whether the client has this very file already.
 * @param {Request} request
 * @param {Found} found
 */
export function isUnchanged(request, found) {
	const known = request.headers.get("If-None-Match");
	if (known !== null) return known.trim() === "*" || known.split(",").some((etag) => etag.trim().replace(/^W\//, "") === `"${found.etag}"`);
	const since = Date.parse(request.headers.get("If-Modified-Since") ?? "");
	return found.modified !== null && wholeSeconds(found.modified) <= since;
}

/** @param {Date} time */
function wholeSeconds(time) {
	return Math.floor(time.getTime() / 1000) * 1000;
}

/**
 * The part of the file that is asked for; null for all of it. Throws a Refusal, 416, where there is no such part.
 * @param {Request} request
 * @param {Found} found
 * @returns {Range | null}
 */
export function rangeOf(request, found) {
	const asked = /^bytes=(\d*)-(\d*)$/.exec(request.headers.get("Range") ?? "");
	if (!asked || request.method !== "GET" || found.size === 0 || !isStillThat(request, found)) return null;
	const [, first, last] = asked;
	if (first === "" && last === "") return null;
	if (first === "") return slice(found, Math.max(0, found.size - Number(last)), found.size - 1);
	if (last !== "" && Number(last) < Number(first)) return null;
	return slice(found, Number(first), last === "" ? found.size - 1 : Math.min(Number(last), found.size - 1));
}

/**
 * @param {Found} found
 * @param {number} first
 * @param {number} last
 */
function slice(found, first, last) {
	if (first >= found.size) throw new Refusal(416, "range_not_satisfiable", { "Content-Range": `bytes */${found.size}` });
	return { offset: first, length: last - first + 1 };
}

/**
 * Whether a part fits what the client has (`If-Range`).
 * @param {Request} request
 * @param {Found} found
 */
function isStillThat(request, found) {
	const known = request.headers.get("If-Range");
	if (known === null || known === `"${found.etag}"`) return true;
	return found.modified !== null && Date.parse(known) === wholeSeconds(found.modified);
}
