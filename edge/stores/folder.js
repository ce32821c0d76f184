// The store of a Local Directory, for Node: the folder that memora publishes to, with what it notes of each file beside it
// (memora/services/cdn_export/storage/local.py).
//
// - A note belongs to the bytes that it was written for: memora writes it before the file takes its name, so a file may have
//   the note of the next one for a moment. Its ETag, the MD5 of the bytes, tells. A file without a note has no metadata.
// - A path leads to the file that is called exactly so: no symbolic link, and no other case where the disk knows none.

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, readFile, realpath } from "node:fs/promises";
import path from "node:path";

/**
 * @typedef {import("node:fs/promises").FileHandle} FileHandle
 * @typedef {{etag?: string, content_type?: string, cache_control?: string, metadata?: Record<string, string>, before?: Note}} Note
 */

const NOT_THERE = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EISDIR", "ENAMETOOLONG", "EINVAL"]);
const MOST_DIGESTS = 10_000;
const PIECE = 65_536; // bytes

/** The types of films, whose files have no note: whoever puts them there is not memora. */
const TYPES = new Map(
	Object.entries({
		".json": "application/json; charset=utf-8",
		".m3u8": "application/vnd.apple.mpegurl",
		".m4a": "audio/mp4",
		".m4s": "video/iso.segment",
		".mp3": "audio/mpeg",
		".mp4": "video/mp4",
		".mpd": "application/dash+xml",
		".ts": "video/mp2t",
		".vtt": "text/vtt; charset=utf-8",
		".webm": "video/webm",
	}),
);

/**
 * @param {{root: string, meta?: string}} folders `meta` is where the notes are: beside the root unless it is given
 * @returns {import("./store.js").Store}
 */
export function folderStore({ root, meta = `${root}.meta` }) {
	/** @type {Map<string, string>} */
	const digests = new Map();

	/**
	 * What `use` makes of an open file. The handle is closed unless `use` keeps it.
	 * @template T
	 * @param {string} name
	 * @param {(file: FileHandle, found: import("./store.js").Found) => Promise<T>} use
	 */
	async function withFile(name, use) {
		let file;
		try {
			const location = path.join(await realpath(root), name);
			if ((await realpath(location)) !== location) return null;
			file = await open(location, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
			const status = await file.stat({ bigint: true });
			if (!status.isFile()) {
				await file.close();
				return null;
			}
			return await use(file, await describe(name, file, status));
		} catch (error) {
			await file?.close();
			if (NOT_THERE.has(/** @type {{code: string}} */ (error).code)) return null;
			throw error;
		}
	}

	/**
	 * @param {string} name
	 * @param {FileHandle} file
	 * @param {import("node:fs").BigIntStats} status
	 */
	async function describe(name, file, status) {
		const stamp = `${status.ino}-${status.size}-${status.mtimeNs}`;
		const notes = await notesOf(name);
		const etag = notes.length ? (digests.get(stamp) ?? (await digestOf(file))) : stamp;
		if (digests.size >= MOST_DIGESTS) digests.clear();
		if (notes.length) digests.set(stamp, etag);
		const note = notes.find((kept) => kept.etag === etag) ?? {};
		return {
			etag,
			size: Number(status.size),
			modified: status.mtime,
			contentType: note.content_type || TYPES.get(path.extname(name)) || "",
			cacheControl: note.cache_control ?? "",
			metadata: note.metadata ?? {},
		};
	}

	/**
	 * @param {string} name
	 * @returns {Promise<Note[]>}
	 */
	async function notesOf(name) {
		try {
			const note = JSON.parse(await readFile(path.join(meta, "objects", name), "utf8"));
			return note.before ? [note, note.before] : [note];
		} catch (error) {
			if (error instanceof SyntaxError || NOT_THERE.has(/** @type {{code: string}} */ (error).code)) return [];
			throw error;
		}
	}

	return {
		head: (name) =>
			withFile(name, async (file, found) => {
				await file.close();
				return found;
			}),
		get: (name, { range, etag } = {}) =>
			withFile(name, async (file, found) => {
				if (etag && etag !== found.etag) {
					await file.close();
					return null;
				}
				return { ...found, body: bodyOf(file, found.size, range) };
			}),
	};
}

/**
 * The bytes, read as they are asked for. The file is closed at their end, or when the reader has enough.
 * @param {FileHandle} file
 * @param {number} size
 * @param {import("./store.js").Range} [range]
 * @returns {ReadableStream<Uint8Array>}
 */
function bodyOf(file, size, range) {
	let { offset, length: left } = range ?? { offset: 0, length: size };

	/** @param {ReadableStreamDefaultController<Uint8Array>} controller */
	async function pull(controller) {
		const piece = new Uint8Array(Math.min(left, PIECE));
		try {
			const { bytesRead } = await file.read(piece, 0, piece.length, offset);
			if (!bytesRead && left) throw new Error("a file has become shorter while it was read");
			offset += bytesRead;
			left -= bytesRead;
			if (bytesRead) controller.enqueue(piece.subarray(0, bytesRead));
		} catch (error) {
			await file.close();
			throw error;
		}
		if (left) return;
		await file.close();
		controller.close();
	}

	return new ReadableStream({ pull, cancel: () => file.close() }, { highWaterMark: 0 });
}

/** @param {FileHandle} file */
async function digestOf(file) {
	const digest = createHash("md5");
	for await (const piece of file.createReadStream({ start: 0, autoClose: false })) digest.update(piece);
	return digest.digest("hex");
}
