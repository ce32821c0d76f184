// The store of any S3 server: GET and HEAD, signed with AWS Signature Version 4. The key needs s3:GetObject, and
// s3:ListBucket: without it S3 answers 403 for an object that is not there, and the gate 503.

import { hex } from "../hex.js";
import { encoded } from "../paths.js";

/**
 * @typedef {import("./store.js").Opened} Opened
 * @typedef {{endpoint: string, region: string, bucket: string, accessKey: string, secretKey: string}} S3Settings
 */

const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"; // the SHA-256 of no bytes
const encoder = new TextEncoder();

/**
 * @param {S3Settings} settings
 * @param {{fetch?: typeof fetch, now?: () => Date}} [options]
 * @returns {import("./store.js").Store}
 */
export function s3Store(settings, { fetch: send = fetch, now = () => new Date() } = {}) {
	/**
	 * @param {string} method
	 * @param {string} path
	 * @param {Record<string, string>} headers
	 */
	async function ask(method, path, headers) {
		const url = new URL(`${settings.endpoint.replace(/\/$/, "")}/${encoded(`${settings.bucket}/${path}`)}`);
		const signed = await signedHeaders(settings, method, url, headers, now());
		// A CDN that this runs in must not keep what only some may read: objects may say `public`.
		const response = await send(url, { method, headers: signed, cache: "no-store", redirect: "manual" });
		if (response.status === 200 || response.status === 206) return response;
		await response.body?.cancel();
		if (response.status === 404 || response.status === 412) return null;
		throw new Error(`S3 answered ${response.status} to ${method} ${path}`);
	}

	return {
		async head(path) {
			const response = await ask("HEAD", path, {});
			return response && described(response);
		},
		async get(path, { range, etag } = {}) {
			const response = await ask("GET", path, {
				...(range && { range: `bytes=${range.offset}-${range.offset + range.length - 1}` }),
				...(etag && { "if-match": `"${etag}"` }),
			});
			if (!response) return null;
			if (range && response.status !== 206) throw new Error(`S3 answered all of ${path} where a range was asked for`);
			return { ...described(response), body: response.body ?? new Blob([]).stream() };
		},
	};
}

/**
 * @param {Response} response
 * @returns {import("./store.js").Found}
 */
function described({ headers }) {
	/** @type {Record<string, string>} */
	const metadata = {};
	for (const [name, value] of headers) {
		if (name.startsWith("x-amz-meta-")) metadata[name.slice("x-amz-meta-".length)] = value;
	}
	const modified = headers.get("last-modified");
	const total = headers.get("content-range")?.split("/")[1];
	return {
		etag: (headers.get("etag") ?? "").replace(/^W\//, "").replaceAll('"', ""),
		size: Number(total ?? headers.get("content-length")),
		modified: modified ? new Date(modified) : null,
		contentType: headers.get("content-type") ?? "",
		cacheControl: headers.get("cache-control") ?? "",
		metadata,
	};
}

/**
 * @param {S3Settings} settings
 * @param {string} method
 * @param {URL} url
 * @param {Record<string, string>} headers
 * @param {Date} time
 * @returns {Promise<Record<string, string>>}
 */
async function signedHeaders({ region, accessKey, secretKey }, method, url, headers, time) {
	const stamp = time.toISOString().replace(/[-:]|\.\d+/g, "");
	const scope = `${stamp.slice(0, 8)}/${region}/s3/aws4_request`;
	const sent = { ...headers, "x-amz-content-sha256": EMPTY, "x-amz-date": stamp };
	const all = Object.entries({ ...sent, host: url.host }).sort(([one], [other]) => (one < other ? -1 : 1));
	const names = all.map(([name]) => name).join(";");
	const canonical = [method, url.pathname, "", ...all.map(([name, value]) => `${name}:${value}`), "", names, EMPTY];
	const digest = await crypto.subtle.digest("SHA-256", encoder.encode(canonical.join("\n")));
	const text = ["AWS4-HMAC-SHA256", stamp, scope, hex(digest)].join("\n");
	/** @type {BufferSource} */
	let key = encoder.encode(`AWS4${secretKey}`);
	for (const part of scope.split("/")) key = await hmac(key, part);
	const signature = hex(await hmac(key, text));
	const credential = `Credential=${accessKey}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
	return { ...sent, "accept-encoding": "identity", authorization: `AWS4-HMAC-SHA256 ${credential}` };
}

/**
 * @param {BufferSource} key
 * @param {string} text
 */
async function hmac(key, text) {
	const made = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
	return crypto.subtle.sign("HMAC", made, encoder.encode(text));
}
