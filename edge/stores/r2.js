// The store of a Cloudflare Worker: its R2 bucket, by the binding. It is read directly: no cache is between.

/**
 * @typedef {import("./store.js").Found} Found
 * @typedef {{
 *   etag: string, size: number, uploaded: Date, httpMetadata?: {contentType?: string, cacheControl?: string},
 *   customMetadata?: Record<string, string>, body?: ReadableStream<Uint8Array>,
 * }} R2Object
 * @typedef {{
 *   head: (key: string) => Promise<R2Object | null>,
 *   get: (key: string, options?: object) => Promise<R2Object | null>,
 * }} R2Bucket
 */

/**
 * @param {R2Bucket} bucket
 * @returns {import("./store.js").Store}
 */
export function r2Store(bucket) {
	return {
		async head(path) {
			const object = await bucket.head(path);
			return object && described(object);
		},
		async get(path, { range, etag } = {}) {
			const options = { ...(range && { range }), ...(etag && { onlyIf: { etagMatches: etag } }) };
			const object = await bucket.get(path, options);
			// Where the condition is not met there is an object without a body.
			return object?.body ? { ...described(object), body: object.body } : null;
		},
	};
}

/**
 * @param {R2Object} object
 * @returns {Found}
 */
function described({ etag, size, uploaded, httpMetadata, customMetadata }) {
	return {
		etag,
		size,
		modified: uploaded,
		contentType: httpMetadata?.contentType ?? "",
		cacheControl: httpMetadata?.cacheControl ?? "",
		metadata: customMetadata ?? {},
	};
}
