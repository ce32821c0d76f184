// A store in memory: what the gate reads from where no disk and no network matters. An object with `next` is replaced by that
// once it has been looked at; one with `fails` cannot be read.

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
			const object = Object.hasOwn(objects, path) ? objects[path] : null;
			if (object?.fails) throw new Error("the store fails");
			if (object?.next) objects[path] = object.next;
			return object && described(object);
		},
		async get(path, { range, etag } = {}) {
			this.reads++;
			const object = Object.hasOwn(objects, path) ? objects[path] : null;
			if (object?.fails) throw new Error("the store fails");
			if (!object || (etag && object.etag !== etag)) return null;
			const bytes = Buffer.from(object.body);
			const part = range ? bytes.subarray(range.offset, range.offset + range.length) : bytes;
			return { ...described(object), body: new Blob([part]).stream() };
		},
	};
}
