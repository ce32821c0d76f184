// JSON of the bucket and of tokens: UTF-8 without a byte order mark.

/**
 * The value that these bytes are. Throws TypeError or SyntaxError where they are no JSON.
 * @param {BufferSource} bytes
 */
export function jsonOf(bytes) {
	return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
}

/**
 * The value in an object of the bucket. Throws TypeError or SyntaxError where it is too large or no JSON.
 * @param {import("./stores/store.js").Opened} found
 * @param {number} largest in bytes
 */
export async function readJson(found, largest) {
	if (found.size > largest) {
		await found.body.cancel();
		throw new TypeError(`it is larger than ${largest} bytes`);
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
