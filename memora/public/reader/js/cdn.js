// The published files: where they are, and each read by the URL that files give, once a visit.

import { handed, isShared } from "./state.js?v=6016eab5";

const LIST = "/api/method/memora.api.reader.bases";
const OWN_FILE = /^(?:\.\/)?(?:media|(?:plans\/[^/?#]+\/)?lessons\/[^/?#]+)\/[0-9a-f]{64}\.[a-z0-9]+(?:[?#]|$)/;
// Lessons, and their own files.
const LESSONS = /^(?:plans\/[^/]+\/)?lessons\//;
// A host with something behind it, or one that says so: as people write addresses without https://.
const WEB_ADDRESS = /^(?:(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}(?::\d+)?\/|www\.[^/\s]+\.\p{L}{2,}(?:[:/?#]|$))/iu;
const LOCAL = /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/;

// Those that the page itself names, the default first.
/** @type {NodeListOf<HTMLMetaElement>} */
const metas = document.querySelectorAll('meta[name="memora-base"]');
const written = [...metas].map((meta) => folder(meta.content));
const query = new URLSearchParams(location.search);

// Where the page that shows a stage being written finds the site's own files, by the address that editors see; else "".
/** @type {HTMLMetaElement | null} */
const siteFiles = document.querySelector('meta[name="memora-files"]');

// The editors' preview, which drafts the files instead (preview.js); else null.
/** @type {typeof import("./preview.js?v=8eb6544f") | null} */
export const preview = query.has("preview") || isShared ? await import("./preview.js?v=8eb6544f") : null;
const asked = preview ? await preview.begin() : query.get("base");
const wanted = asked ? folder(asked) : written[0];

// The base that was asked for, where it is none of the site's; else "".
export const refused = !asked || preview || (wanted && (await isOurs(wanted))) ? "" : asked;
export const base = refused ? written[0] : wanted;

// A gate that guards lessons, once it has refused one, or where the address brings a token for it; else null.
/** @type {typeof import("./gate.js?v=6c30e013") | null} */
export let gate = null;
if (handed && !preview && !refused) await withGate();

const known = new Map();

// A document that is gone, or cannot be read: `status` is that of the answer, 0 when there was none.
export class ReadError extends Error {
	constructor(url, status, why = "") {
		super(`${url}: ${status || "no answer"}`);
		this.url = url;
		this.why = why;
		this.status = status;
	}

	// Storages that may not be listed answer 403 for what is not there.
	get isGone() {
		return this.status === 404 || this.status === 403;
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

// Drop what carries no version, so that it is asked for again: what it lists may have changed. Drafts may all have.
export function forgetUnversioned() {
	for (const url of known.keys()) if (preview || !isVersioned(url)) known.delete(url);
}

// What an address in published content means, or "": http(s), or a published file by its path under the base.
// Anything else without a scheme means nothing here. It never becomes a link into the CDN.
export function address(value) {
	const link = typeof value === "string" ? value.replace(/^[\s\p{Cf}]+|[\s\p{Cf}]+$/gu, "") : "";
	try {
		if (/^https?:/i.test(link)) return new URL(link).href;
		if (/^\/\/[^/\\]/.test(link) || WEB_ADDRESS.test(link)) return new URL(`https://${link.replace(/^\/\//, "")}`).href;
		if (siteFiles && link.startsWith(siteFiles.content)) return siteFile(link);
		return OWN_FILE.test(link) ? new URL((preview ?? gate)?.file(link) ?? link, base).href : "";
	} catch {
		return "";
	}
}

function siteFile(link) {
	const url = new URL(link, location.origin);
	return url.origin === location.origin && url.pathname.startsWith(siteFiles.content) ? url.href : "";
}

const isVersioned = (url) => url.includes("?v=");

// What has no version is asked for past the browser's cache: the server says whether it is still the same.
async function fetchJson(url, anew) {
	const cache = anew ? "reload" : isVersioned(url) ? "default" : "no-cache";
	let answer;
	try {
		answer = await (preview ? preview.ask(url) : published(new URL(url, base), cache));
	} catch {
		throw new ReadError(url, 0);
	}
	if (!answer.ok) throw new ReadError(url, answer.status, await (preview?.why(answer) ?? gate?.reason(answer)));
	try {
		return preview ? preview.take(url, await answer.json()) : await answer.json();
	} catch {
		throw new ReadError(url, answer.status);
	}
}

// What a gate may guard is asked for as all else, until it refuses something.
async function published(url, cache) {
	const isGuarded = url.href.startsWith(base) && LESSONS.test(url.href.slice(base.length));
	if (gate && isGuarded) return gate.ask(url, cache);
	const answer = await fetch(url, { credentials: "omit", cache });
	const isRefused = isGuarded && (answer.status === 401 || answer.status === 403) && answer.headers.has("WWW-Authenticate");
	return isRefused ? (await withGate()).ask(url, cache, answer) : answer;
}

async function withGate() {
	const loaded = await import("./gate.js?v=6c30e013");
	if (!gate) loaded.begin(base, LESSONS);
	return (gate = loaded);
}

// A base as it is compared: absolute, with a slash at its end. "" if it is no http(s) address.
function folder(value) {
	try {
		const url = new URL(value, location.href);
		if (url.protocol !== "https:" && url.protocol !== "http:") return "";
		return url.origin + url.pathname.replace(/\/*$/, "/");
	} catch {
		return "";
	}
}

// The page's own host, what the page or the site lists, and while developing any server of this machine.
async function isOurs(place) {
	const { origin, hostname } = new URL(place);
	if (origin === location.origin || written.includes(place)) return true;
	if (LOCAL.test(hostname) && LOCAL.test(location.hostname)) return true;
	try {
		const answer = await fetch(LIST, { credentials: "omit" });
		return answer.ok && (await answer.json()).message.map(folder).includes(place);
	} catch {
		return false; // a copy elsewhere has no site to ask
	}
}
