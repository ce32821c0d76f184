// The gate as a Cloudflare Worker. Its bindings: BUCKET, the R2 bucket; SITE, the hash of the site's key; and, if they are not
// the usual ones, VIDEO_FOLDERS (one a line), ORIGINS (with spaces between them, or *) and BASE.

import { gate } from "./gate.js";
import { r2Store } from "./stores/r2.js";

/**
 * @typedef {{
 *   BUCKET: import("./stores/r2.js").R2Bucket, SITE: string, VIDEO_FOLDERS?: string, ORIGINS?: string, BASE?: string,
 * }} Env
 */

/** @type {((request: Request) => Promise<Response>) | undefined} One for all requests of an isolate: it keeps the keys. */
let answer;

/** @param {Env} env */
function made({ BUCKET, SITE, VIDEO_FOLDERS = "videos/", ORIGINS = "*", BASE = "/" }) {
	return gate({
		store: r2Store(BUCKET),
		config: {
			site: SITE,
			video_folders: VIDEO_FOLDERS.split("\n").map((line) => line.trim()).filter(Boolean),
			origins: ORIGINS.trim() === "*" ? "*" : ORIGINS.split(/\s+/).filter(Boolean),
			base: BASE,
		},
	});
}

export default {
	/**
	 * @param {Request} request
	 * @param {Env} env
	 */
	async fetch(request, env) {
		answer ??= made(env);
		return answer(request);
	},
};
