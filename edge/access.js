// Who may read a guarded file. What is not said clearly is closed.
//
// - A lesson and its files: by the metadata of the very object that is read.
// - A film: by the object `access/{sha256 of its path}`, else by that of its folder; the first that is found decides, and is
//   kept for a minute.
//
// The same rules in Python: tests/contract/gate/twin.py.

import { hex } from "./hex.js";
import { NoJson, isObject, readJson } from "./json.js";
import { filmAndFolders, percent } from "./paths.js";

/**
 * @typedef {{level: "open" | "authenticated" | "paid" | "closed" | "missing", ways: string[][]}} Access
 *   `ways` are lists of items, each as `required-items` has them: encoded. Who has all of one list may read.
 * @typedef {import("./stores/store.js").Store} Store
 */

const LONGEST_ITEM = 100; // characters, encoded
const LARGEST_ACCESS = 65_536; // bytes
const MOST_FOLDERS = 16;
const KEEP_ACCESS = 60; // seconds; a film that is sold from now on is open for so long
const MOST_KEPT = 10_000; // films and folders
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** @type {Access} */
const CLOSED = { level: "closed", ways: [] };

/** @type {Access} The access of an object that is not there. */
export const MISSING = { level: "missing", ways: [] };

/**
 * The access that metadata, or an access object, names. `site` is the hash of the site's key.
 * @param {Record<string, unknown>} named
 * @param {string} site
 * @param {unknown} ways lists of items, encoded: one of them must be owned
 * @returns {Access}
 */
function accessOf(named, site, ways) {
	if (named.site !== site) return CLOSED;
	switch (named["access-level"]) {
		case "public":
		case "free_preview":
			return { level: "open", ways: [] };
		case "authenticated":
			return { level: "authenticated", ways: [] };
		case "paid":
			return areWays(ways) ? { level: "paid", ways } : CLOSED;
		default:
			return CLOSED;
	}
}

/**
 * @param {unknown} ways
 * @returns {ways is string[][]}
 */
function areWays(ways) {
	return Array.isArray(ways) && ways.length > 0 && ways.every(areItems);
}

/**
 * @param {unknown} items
 * @returns {items is string[]}
 */
function areItems(items) {
	return Array.isArray(items) && items.length > 0 && items.every((item) => typeof item === "string" && item !== "");
}

/**
 * @param {Record<string, string>} metadata
 * @param {string} site
 */
export function accessOfObject(metadata, site) {
	return accessOf(metadata, site, [metadata["required-items"]?.split(",")]);
}

/**
 * What tells the access of films. What has been read is kept for a minute: a film of 100 pieces would cost 300 reads more.
 * @param {Store} store
 * @param {string} site
 * @param {() => number} now
 */
export function filmAccess(store, site, now) {
	/** @type {Map<string, {access: Access | null, read: number}>} by the path of a film or folder; null where there is none */
	const known = new Map();

	/** @param {string} path */
	async function accessAt(path) {
		const kept = known.get(path);
		if (kept && Math.abs(now() - kept.read) < KEEP_ACCESS) return kept.access;
		const read = now();
		const found = await store.get(`access/${hex(await digest(path))}`);
		const access = found && (await accessOfDocument(found, site));
		if (known.size >= MOST_KEPT) known.clear();
		known.set(path, { access, read });
		return access;
	}

	/**
	 * @param {{key: string, folder: string}} place
	 * @returns {Promise<Access>}
	 */
	return async function accessOf(place) {
		const paths = filmAndFolders(place);
		if (paths.length > MOST_FOLDERS + 1) return CLOSED;
		for (const path of paths) {
			const access = await accessAt(path);
			if (access) return access;
		}
		return CLOSED;
	};
}

/**
 * A document that is broken is closed. A store that breaks off throws, so that nothing is kept of it.
 * @param {import("./stores/store.js").Opened} found
 * @param {string} site
 */
async function accessOfDocument(found, site) {
	let document;
	try {
		document = await readJson(found, LARGEST_ACCESS);
	} catch (error) {
		if (error instanceof NoJson) return CLOSED;
		throw error;
	}
	return isObject(document) ? accessOf(document, site, waysOf(document)) : CLOSED;
}

/**
 * A film that several lessons name is open to who may read any of them. What says both could be read in two ways.
 * @param {Record<string, unknown>} document
 */
function waysOf(document) {
	if (!("any-of" in document)) return [document["required-items"]];
	return "required-items" in document ? null : document["any-of"];
}

/**
 * Whether who holds these item codes may read: all of those that are asked for in one of the ways.
 * @param {Access} access
 * @param {string[]} held codes as they are
 */
export async function allows(access, held) {
	if (access.level === "authenticated") return true;
	const encoded = new Set(await Promise.all(held.map(encodedItem)));
	return access.ways.some((items) => items.every((item) => encoded.has(item)));
}

/**
 * An item's code as `required-items` has it (docs/contract.md, "Access").
 * @param {string} code
 */
export async function encodedItem(code) {
	const encoded = code.replace(/[^A-Za-z0-9\-_.]/gu, percent);
	return encoded.length > LONGEST_ITEM ? `~${base32(await digest(code)).slice(0, 26)}` : encoded;
}

/** @param {string} text */
async function digest(text) {
	return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** @param {Uint8Array} bytes */
function base32(bytes) {
	let bits = "";
	for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
	return (bits.match(/.{5}/g) ?? []).map((five) => BASE32[parseInt(five, 2)]).join("");
}
