// A store in memory: what the gate reads from where no disk and no network matters. An object with `next` is replaced by that
// once it has been looked at; one with `fails` cannot be read, and reading one with `breaks` ends amid its bytes, both with the
// errors that fetch has.

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
	const read = (path) => {
		const object = Object.hasOwn(objects, path) ? objects[path] : null;
		if (object?.fails) throw new TypeError(`fetch failed: ${path}`);
		return object;
	};
	return {
		reads: 0,
		async head(path) {
			this.reads++;
			const object = read(path);
			if (object?.next) objects[path] = object.next;
			return object && described(object);
		},
		async get(path, { range, etag } = {}) {
			this.reads++;
			const object = read(path);
			if (!object || (etag && object.etag !== etag)) return null;
			const bytes = Buffer.from(object.body);
			const part = range ? bytes.subarray(range.offset, range.offset + range.length) : bytes;
			return { ...described(object), body: object.breaks ? brokenOff(part) : new Blob([part]).stream() };
		},
	};
}

function brokenOff(bytes) {
	return new ReadableStream({
		pull(controller) {
			if (controller.sent) return controller.error(new TypeError("terminated"));
			controller.sent = true;
			controller.enqueue(new Uint8Array(bytes.subarray(0, bytes.length / 2)));
		},
	});
}
