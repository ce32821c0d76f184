// The gate: answers each request for a published file, or refuses it.
//
// The order is fixed, and each step needs the one before: the path; whether it is guarded; the access of the object; the
// token; only then conditions and ranges. So an answer 304 or 416 tells a stranger nothing. Nothing is put into a cache, and
// none is asked. docs/gate.md has the rule in words; tests/contract/gate holds this, and the same rule in Python, to one
// table of cases.

import { MISSING, accessOfObject, allows, filmAccess } from "./access.js";
import {
	Refusal,
	commonHeaders,
	describe,
	hasConditions,
	isUnchanged,
	preflight,
	rangeOf,
	unauthorized,
} from "./answers.js";
import { placeOf } from "./paths.js";
import { HEADER, KeysError, PATH, TokenError, itemsOf, keyring } from "./tokens.js";

/**
 * @typedef {import("./access.js").Access} Access
 * @typedef {import("./paths.js").Place} Place
 * @typedef {import("./stores/store.js").Found} Found
 * @typedef {import("./stores/store.js").Opened} Opened
 * @typedef {import("./stores/store.js").Store} Store
 * @typedef {{site: string, video_folders?: string[], origins?: "*" | string[], base?: string}} Config
 *   `site` is the hash of the site's key. `video_folders` are those of CDN Settings. `origins` may read from a browser.
 *   `base` is the path in front of every file.
 */

const TRIES = 3; // for a file that is replaced while it is read
const OWN_FOLDERS = /^(access|connection-test|gate|lessons|media|memora|plans|schemas|units)(\/|$)/;

/**
 * The handler of one site's files. Throws TypeError where the configuration cannot be meant.
 * @param {{store: Store, config: Config, now?: () => number}} options `now` is in seconds
 * @returns {(request: Request) => Promise<Response>}
 */
export function gate({ store, config, now = () => Date.now() / 1000 }) {
	const settings = settingsOf(config);
	const keys = keyring(store, now);
	const filmAccessOf = filmAccess(store, settings.site, now);

	return async function answer(request) {
		const place = placeOf(new URL(request.url).pathname, settings);
		const isGuarded = place.kind === "lesson" || place.kind === "film";
		const headers = commonHeaders(request, settings, { isGuarded, hasPathToken: place.token !== null });
		try {
			if (request.method === "OPTIONS") return preflight(headers);
			if (request.method !== "GET" && request.method !== "HEAD") {
				throw new Refusal(405, "method_not_allowed", { Allow: "GET, HEAD, OPTIONS" });
			}
			if (place.kind === "nothing") throw new Refusal(404, "not_found");
			return await serve({ request, place, headers, store, site: settings.site, keys, now, filmAccessOf });
		} catch (error) {
			return withoutBody(request, refusalOf(error).answer(headers));
		}
	};
}

/** @param {Config} config */
function settingsOf({ site, video_folders: videoFolders = ["videos/"], origins = "*", base = "/" }) {
	if (!/^[0-9a-f]{32}$/.test(site)) throw new TypeError("site must be the hash of the site's key: 32 hex digits");
	if (!base.startsWith("/") || !base.endsWith("/")) throw new TypeError("base must begin and end with a slash");
	if (!Array.isArray(videoFolders) || !videoFolders.every(mayHoldFilms)) {
		throw new TypeError("video_folders must be folders of the bucket that end with a slash, or files, and none of memora's own");
	}
	if (origins !== "*" && !Array.isArray(origins)) throw new TypeError('origins must be "*" or a list of origins');
	return { site, videoFolders, origins, base };
}

/** A folder without its slash would be taken for a file, and the films in it for public. @param {string} folder */
function mayHoldFilms(folder) {
	return /^[^/].*(\/|\.[A-Za-z0-9]{2,5})$/.test(folder) && !OWN_FOLDERS.test(folder);
}

/**
 * @typedef {{
 *   request: Request, place: Place, headers: Headers, store: Store, site: string, now: () => number,
 *   keys: ReturnType<typeof keyring>, filmAccessOf: ReturnType<typeof filmAccess>,
 * }} Task
 * @param {Task} task
 */
async function serve(task) {
	const { place, site, filmAccessOf } = task;
	if (place.kind === "public") return deliver(task, async () => true);
	if (place.kind === "lesson") return deliver(task, (found) => authorize(task, accessOfObject(found.metadata, site)));
	const isOpen = await authorize(task, await filmAccessOf(place));
	return deliver(task, async () => isOpen);
}

/**
 * The file, once its access is known and met. What decides and what is sent are of one object: with a condition the object
 * is looked at first and then read under its ETag, and all of it is done again where it has been replaced between.
 * @param {Task} task
 * @param {(found: Found) => Promise<boolean>} check whether it is open to anyone; throws a Refusal where it is closed
 */
async function deliver(task, check) {
	const { request, place, store } = task;
	const isLook = request.method === "HEAD" || hasConditions(request);
	for (let tries = 0; tries < TRIES; tries++) {
		const found = isLook ? await store.head(place.key) : await store.get(place.key);
		if (!found) {
			if (place.kind !== "public") await authorize(task, MISSING);
			throw new Refusal(404, "not_found");
		}
		try {
			const answer = await send(task, found, await check(found));
			if (answer) return answer;
		} catch (error) {
			await bodyOf(found)?.cancel();
			throw error;
		}
	}
	throw new Refusal(503, "store_unavailable", { "Retry-After": "5" });
}

/**
 * @param {Task} task
 * @param {Found} found
 * @param {boolean} isOpen
 * @returns {Promise<Response | null>} null where the object has been replaced meanwhile
 */
async function send({ request, place, headers, store }, found, isOpen) {
	const described = new Headers(headers);
	describe(described, found, { isOpen, hasPathToken: place.token !== null });
	if (isUnchanged(request, found)) {
		described.delete("Content-Type");
		return new Response(null, { status: 304, headers: described });
	}
	const range = rangeOf(request, found);
	described.set("Content-Length", String(range ? range.length : found.size));
	if (request.method === "HEAD") return new Response(null, { headers: described });
	if (range) described.set("Content-Range", `bytes ${range.offset}-${range.offset + range.length - 1}/${found.size}`);
	const body = bodyOf(found) ?? (await store.get(place.key, { etag: found.etag, ...(range && { range }) }))?.body;
	return body ? new Response(body, { status: range ? 206 : 200, headers: described }) : null;
}

/** @param {Found | Opened} found */
function bodyOf(found) {
	return "body" in found ? found.body : undefined;
}

/**
 * Whether what has this access is open to anyone. Throws a Refusal unless this request may read it, too. What is not there is
 * 401 to strangers.
 * @param {Task} task
 * @param {Access} access
 */
async function authorize({ request, place, site, keys, now }, access) {
	if (access.level === "open") return true;
	const token = place.token ?? bearer(request);
	if (token === null) throw unauthorized(401, "token_required");
	const form = place.token === null ? HEADER : PATH;
	const held = await itemsOf(token, { form, site, now: now(), keys });
	if (access.level === "missing") throw new Refusal(404, "not_found");
	if (!(await allows(access, held))) throw unauthorized(403, access.level === "paid" ? "item_required" : "closed");
	return false;
}

/** @param {Request} request */
function bearer(request) {
	const given = /^bearer(?: +(.*))?$/i.exec(request.headers.get("Authorization") ?? "");
	return given ? (given[1] ?? "") : null;
}

/**
 * What fails is logged: where that was an object, by its path, which has no token any more.
 * @param {unknown} error
 */
function refusalOf(error) {
	if (error instanceof Refusal) return error;
	if (error instanceof TokenError) return unauthorized(401, /** @type {"token_invalid"} */ (error.reason));
	const why = error instanceof KeysError ? "keys_unavailable" : "store_unavailable";
	console.error(`memora's gate: ${error instanceof Error ? error.message : error}`);
	return new Refusal(503, why, { "Retry-After": "5" });
}

/**
 * @param {Request} request
 * @param {Response} response
 */
function withoutBody(request, response) {
	return request.method === "HEAD" ? new Response(null, response) : response;
}
