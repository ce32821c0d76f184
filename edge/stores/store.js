// What the gate reads from: the types that every store has. No code.

/**
 * What is known of an object. `etag` has no quotes. `metadata` is as it was written, with lower-case names.
 * @typedef {{
 *   etag: string, size: number, modified: Date | null, contentType: string, cacheControl: string,
 *   metadata: Record<string, string>,
 * }} Found
 * @typedef {Found & {body: ReadableStream<Uint8Array>}} Opened
 * @typedef {{offset: number, length: number}} Range
 */

/**
 * A store of whole objects under paths. What `get` returns belongs together: body and metadata are of one object.
 * Null means that there is no such object. Whatever else fails throws.
 * @typedef {object} Store
 * @property {(path: string) => Promise<Found | null>} head
 * @property {(path: string, options?: {range?: Range, etag?: string}) => Promise<Opened | null>} get
 *   With `etag` null also means that the object is another one by now. `size` is always that of the whole object.
 */

export {};
