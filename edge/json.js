// JSON of the bucket and of tokens: UTF-8 without a byte order mark.

/** Bytes that are no JSON, or too many. Not a store that fails: what that has cannot be told. */
export class NoJson extends Error {}

/**
 * The value that these bytes are. Throws NoJson where they are no JSON.
 * @param {BufferSource} bytes
 */
export function jsonOf(bytes) {
	try {
		return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
	} catch (error) {
		throw new NoJson(error instanceof Error ? error.message : String(error));
	}
}

/**
 * The value in an object of the bucket. Throws NoJson where it is too large or no JSON, and whatever the store throws where
 * it breaks off.
 * @param {import("./stores/store.js").Opened} found
 * @param {number} largest in bytes
 */
export async function readJson(found, largest) {
	if (found.size > largest) {
		await found.body.cancel();
		throw new NoJson(`it is larger than ${largest} bytes`);
	}
	return jsonOf(await new Response(found.body).arrayBuffer());
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isObject(value) {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
