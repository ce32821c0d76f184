// Which object a request asks for, and whether the gate guards it: decided by the path alone. Pure.
//
// - A path is decoded once. If anything about it could be read in two ways, there is no such file.
// - Guarded are `lessons/…`, `plans/*/lessons/…` and the video folders. Everything else is the shop window.
// - `access/…`, `memora/…`, `~…`, names that begin with a dot, and `gate/…` but for `gate/keys.json` are never served.
// - A first segment `~a.b.c` is a token for players, and no part of the object's path. memora's own `~` names have no dots.
//
// The same rules in Python: memora/services/access_gate/rules/guarded.py.

/**
 * @typedef {"nothing" | "public" | "lesson" | "film"} Kind
 * @typedef {{kind: Kind, key: string, token: string | null, folder: string}} Place
 *   `token` is the path's own, `folder` the video folder that a film is in.
 */

const MAX_PATHNAME = 8192;
const MAX_KEY_BYTES = 1024; // S3's own limit, and memora's

// A percent sign would be decoded again by somebody; a backslash is a slash to others; the rest is in no object's path.
// eslint-disable-next-line no-control-regex
const UNFIT = /[%\\\u0000-\u001f\u007f-\u009f\ud800-\udfff\ufffe\uffff]/u;
const TOKEN = /^~[^.]*\.[^.]*\.[^.]*$/;
const NEVER = /^(access|memora|gate)(\/|$)|^~/;
const LESSON = /^(plans\/[^/]+\/)?lessons\//;

export const KEYS = "gate/keys.json";

/**
 * What the path of a request leads to. `pathname` is as `URL` gives it: percent-encoded.
 * @param {string} pathname
 * @param {{base: string, videoFolders: string[]}} settings
 * @returns {Place}
 */
export function placeOf(pathname, { base, videoFolders }) {
	const nothing = /** @type {Place} */ ({ kind: "nothing", key: "", token: null, folder: "" });
	if (!pathname.startsWith(base) || pathname.length > MAX_PATHNAME) return nothing;
	let rest = pathname.slice(base.length);
	const first = rest.split("/", 1)[0];
	let token = null;
	if (TOKEN.test(first)) {
		token = first.slice(1);
		rest = rest.slice(first.length + 1);
	}
	const key = keyOf(rest);
	if (key === null || (NEVER.test(key) && key !== KEYS)) return { ...nothing, token };
	if (LESSON.test(key)) return { kind: "lesson", key, token, folder: "" };
	const folder = videoFolderOf(key, videoFolders);
	return { kind: folder ? "film" : "public", key, token, folder };
}

/**
 * The paths of the access objects' subjects that may decide about a film: itself, then its folders from the deepest up to
 * the video folder. Of a video folder that is a single file, only the file.
 * @param {{key: string, folder: string}} place
 * @returns {string[]}
 */
export function filmAndFolders({ key, folder }) {
	const found = [key];
	for (let end = key.lastIndexOf("/"); end >= 0; end = key.lastIndexOf("/", end - 1)) {
		const above = key.slice(0, end + 1);
		if (above.length < folder.length) break;
		found.push(above);
	}
	return found;
}

/**
 * The object's path, or null where the request's may be read in two ways.
 * @param {string} given
 */
function keyOf(given) {
	let key;
	try {
		key = decodeURIComponent(given);
	} catch {
		return null;
	}
	if (UNFIT.test(key) || new TextEncoder().encode(key).length > MAX_KEY_BYTES) return null;
	if (key.split("/").some((part) => part === "" || part.startsWith("."))) return null;
	// Escapes of letters, digits or slashes are a disguise: no client writes them.
	return encoded(key) === canonical(given) ? key : null;
}

/**
 * An object's path as an address has it: all is escaped but letters, digits, slashes and `-_.~`.
 * @param {string} key
 */
export function encoded(key) {
	return key.replace(/[^A-Za-z0-9\-_.~/]/gu, percent);
}

/** @param {string} given */
function canonical(given) {
	return given
		.replace(/%[0-9a-f]{2}/gi, (escape) => escape.toUpperCase())
		.replace(/[^A-Za-z0-9\-_.~/%]/gu, percent);
}

/** @param {string} character */
export function percent(character) {
	const escape = encodeURIComponent(character);
	return escape === character ? `%${character.charCodeAt(0).toString(16).toUpperCase()}` : escape;
}

/**
 * The innermost of the video folders that the object is in.
 * @param {string} key
 * @param {string[]} folders
 */
function videoFolderOf(key, folders) {
	const around = folders.filter((folder) => key === folder || (folder.endsWith("/") && key.startsWith(folder)));
	return around.sort((one, other) => other.length - one.length)[0] ?? "";
}
