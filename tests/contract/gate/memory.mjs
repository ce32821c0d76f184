// A store in memory: what the gate reads from where no disk and no network matters.

/** @param {Record<string, {body: string, metadata?: object, cacheControl?: string, contentType?: string}>} objects */
export function memoryStore(objects) {
	const described = (object) => ({
		etag: object.etag,
		size: Buffer.byteLength(object.body),
		modified: new Date(1_769_300_000_000),
		contentType: object.contentType ?? "application/json; charset=utf-8",
		cacheControl: object.cacheControl ?? "",
		metadata: object.metadata ?? {},
	});
	return {
		reads: 0,
		async head(path) {
			this.reads++;
			return Object.hasOwn(objects, path) ? described(objects[path]) : null;
		},
		async get(path, { range, etag } = {}) {
			this.reads++;
			const object = Object.hasOwn(objects, path) ? objects[path] : null;
			if (!object || (etag && object.etag !== etag)) return null;
			const bytes = Buffer.from(object.body);
			const part = range ? bytes.subarray(range.offset, range.offset + range.length) : bytes;
			return { ...described(object), body: new Blob([part]).stream() };
		},
	};
}
