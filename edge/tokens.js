// Tokens: JSON Web Tokens signed with Ed25519, and the public keys that they are checked with.
//
// - The header is exactly `{"alg": "EdDSA", "kid": …}`, with or without `"typ": "JWT"`. Keys come from the bucket alone.
// - Claims: `iss` is the hash of the site's key; `iat` and `exp`, at most 24 hours apart; `nbf` if there is one; `items`.
// - A token for players (`"use": "player"`) is taken in the path alone, is shorter and ends sooner. Others never are.
// - If a name is twice in one object, the last counts. Claims that the gate does not know are left alone, but for
//   `aud`: such a token is meant for somebody else.
//
// The same rules in Python: memora/services/access_gate/rules/tokens.py.

import { NoJson, isObject, jsonOf, readJson } from "./json.js";
import { KEYS } from "./paths.js";

/**
 * @typedef {{bytes: number, seconds: number, use: string | undefined}} Form
 * @typedef {{key: CryptoKey, nbf: number | undefined, exp: number | undefined}} Key
 */

/** @type {Form} In the header `Authorization`. */
export const HEADER = { bytes: 4096, seconds: 24 * 3600, use: undefined };
/** @type {Form} In the path. */
export const PATH = { bytes: 2048, seconds: 4 * 3600, use: "player" };

const SKEW = 60; // seconds that two clocks may differ by
const KEEP_KEYS = 60; // seconds; a key that is taken back is good for so long
const ASK_AGAIN = 5; // seconds between two looks for a key that is not known
const KEYS_VERSION = 1; // of the file's format; a file that names none has this one
const LARGEST_KEYS = 16_384; // bytes
const SIGNATURE_BYTES = 64;
const HEADER_NAMES = new Set(["alg", "kid", "typ"]);

/** A token that is not accepted: `reason` is token_invalid, token_expired or token_early. */
export class TokenError extends Error {
	/** @param {string} reason */
	constructor(reason) {
		super(reason);
		this.reason = reason;
	}
}

/** There are no usable keys, so that no token can be checked. */
export class KeysError extends Error {}

/**
 * The item codes that a token says its holder owns. Throws TokenError, and KeysError where there are no keys.
 * @param {string} token
 * @param {{form: Form, site: string, now: number, keys: ReturnType<typeof keyring>}} options
 * @returns {Promise<string[]>}
 */
export async function itemsOf(token, { form, site, now, keys }) {
	const [header, claims, signature] = partsOf(token, form);
	const { alg, kid, typ } = header;
	if (alg !== "EdDSA" || typeof kid !== "string" || (typ !== undefined && typ !== "JWT")) invalid();
	if (!Object.keys(header).every((name) => HEADER_NAMES.has(name))) invalid();
	const key = await keys.find(/** @type {string} */ (kid));
	if (!key || (key.nbf !== undefined && now < key.nbf - SKEW) || (key.exp !== undefined && now >= key.exp + SKEW)) {
		return invalid();
	}
	// Cloudflare's runtime throws at a signature of another length.
	if (signature.length !== SIGNATURE_BYTES) invalid();
	const signed = new TextEncoder().encode(token.slice(0, token.lastIndexOf(".")));
	if (!(await crypto.subtle.verify("Ed25519", key.key, signature, signed))) invalid();
	return checkedItems(claims, { form, site, now });
}

/**
 * @param {Record<string, unknown>} claims
 * @param {{form: Form, site: string, now: number}} options
 */
function checkedItems(claims, { form, site, now }) {
	const { iss, iat, exp, nbf, aud, use, items } = claims;
	if (iss !== site || use !== form.use || aud !== undefined) invalid();
	if (!isTime(iat) || !isTime(exp) || (nbf !== undefined && !isTime(nbf))) return invalid();
	if (exp <= iat || exp - iat > form.seconds) invalid();
	if (!Array.isArray(items) || !items.every((item) => typeof item === "string" && isWellFormed(item))) return invalid();
	if (now >= exp + SKEW) throw new TokenError("token_expired");
	if (iat > now + SKEW || (nbf !== undefined && nbf > now + SKEW)) throw new TokenError("token_early");
	return /** @type {string[]} */ (items);
}

/**
 * @param {string} token
 * @param {Form} form
 * @returns {[Record<string, unknown>, Record<string, unknown>, Uint8Array<ArrayBuffer>]}
 */
function partsOf(token, form) {
	const parts = token.split(".");
	if (token.length > form.bytes || parts.length !== 3) invalid();
	const [header, claims, signature] = parts.map(decoded);
	return [objectOf(header), objectOf(claims), signature];
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
function objectOf(bytes) {
	let value;
	try {
		value = jsonOf(bytes);
	} catch {
		return invalid();
	}
	return isObject(value) ? value : invalid();
}

/**
 * The bytes of a base64url text that is written in the one way that there is: no padding, no other sign, no bit too much.
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
function decoded(text) {
	if (!/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) invalid();
	const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
	const again = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
	if (again !== text) invalid();
	return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/**
 * @param {unknown} value
 * @returns {value is number}
 */
function isTime(value) {
	return Number.isSafeInteger(value);
}

/** @param {string} text */
function isWellFormed(text) {
	return !/[\ud800-\udfff]/u.test(text);
}

/** @returns {never} */
function invalid() {
	throw new TokenError("token_invalid");
}

/**
 * The public keys of the bucket's `gate/keys.json`, kept for a minute. A key that is not known is looked for at once, but
 * not more often than every five seconds, so that forged tokens cannot make the gate read without end. While there are no keys
 * each token makes it look once, so that it opens as soon as they are back.
 * @param {import("./stores/store.js").Store} store
 * @param {() => number} now
 */
export function keyring(store, now) {
	/** @type {Map<string, Key> | null} */
	let keys = null;
	let asked = -Infinity;

	/** @param {number} seconds */
	const isOlder = (seconds) => Math.abs(now() - asked) >= seconds;

	async function refresh() {
		asked = now();
		// No promise is kept for others to wait on: a Worker must not wait for what another request has begun.
		keys = null;
		return (keys = await readKeys(store));
	}

	return {
		/** @param {string} kid */
		async find(kid) {
			let known = keys && !isOlder(KEEP_KEYS) ? keys : await refresh();
			if (!known.has(kid) && isOlder(ASK_AGAIN)) known = await refresh();
			return known.get(kid);
		},
	};
}

/**
 * Throws KeysError where the file is missing or broken, and whatever the store throws where it cannot be read.
 * @param {import("./stores/store.js").Store} store
 * @returns {Promise<Map<string, Key>>}
 */
async function readKeys(store) {
	const found = await store.get(KEYS);
	if (!found) throw new KeysError(`${KEYS} is missing`);
	let document;
	try {
		document = await readJson(found, LARGEST_KEYS);
	} catch (error) {
		throw error instanceof NoJson ? broken(error) : error;
	}
	/** @type {Map<string, Key>} */
	const keys = new Map();
	try {
		if (document.version !== undefined && document.version !== KEYS_VERSION) throw new TypeError("its version is not known");
		for (const jwk of document.keys) {
			if (jwk.kty === "OKP" && jwk.crv === "Ed25519") keys.set(...(await keyOf(jwk, keys)));
		}
	} catch (error) {
		throw broken(error);
	}
	return keys;
}

/** @param {unknown} error */
function broken(error) {
	return new KeysError(`${KEYS} is broken: ${error instanceof Error ? error.message : error}`);
}

/**
 * @param {Record<string, unknown>} jwk
 * @param {Map<string, Key>} others
 * @returns {Promise<[string, Key]>}
 */
async function keyOf({ kid, x, d, nbf, exp }, others) {
	if (d !== undefined) throw new TypeError("it holds a private key");
	if (typeof kid !== "string" || typeof x !== "string" || others.has(kid)) throw new TypeError("a kid is no name, or is there twice");
	for (const time of [nbf, exp]) {
		if (time !== undefined && !isTime(time)) throw new TypeError("a time is no number");
	}
	const key = await crypto.subtle.importKey("raw", decoded(x), "Ed25519", false, ["verify"]);
	return [kid, /** @type {Key} */ ({ key, nbf, exp })];
}
