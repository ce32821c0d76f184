// The gate as a server of Node 20 or later, for whoever has another CDN in front: node edge/server.js config.json
//
// The file has what `gate` takes (site, video_folders, origins, base), `port` and `host`, and either `folder` ({"root", "meta"})
// or `s3` ({"endpoint", "region", "bucket"}), whose key comes from MEMORA_GATE_ACCESS_KEY and MEMORA_GATE_SECRET_KEY.
// No request is logged, since its path may hold a token: only what cannot be read, by the path of its object.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";

import { VERSION } from "./answers.js";
import { gate } from "./gate.js";
import { folderStore } from "./stores/folder.js";
import { s3Store } from "./stores/s3.js";

/**
 * What `http.createServer` calls, made of a handler of requests.
 * @param {(request: Request) => Promise<Response>} answer
 * @returns {import("node:http").RequestListener}
 */
export function listener(answer) {
	return async (incoming, outgoing) => {
		const target = incoming.url ?? "";
		try {
			// A target that is a whole address, or `*`, names no file here.
			if (!target.startsWith("/")) return void outgoing.writeHead(400, { "X-Memora-Gate": VERSION }).end();
			const headers = new Headers();
			for (const [name, values] of Object.entries(incoming.headersDistinct)) {
				for (const value of values ?? []) headers.append(name, value);
			}
			const response = await answer(new Request(`http://gate.invalid${target}`, { method: incoming.method ?? "GET", headers }));
			outgoing.writeHead(response.status, Object.fromEntries(response.headers));
			if (!response.body) return void outgoing.end();
			await pipeline(Readable.fromWeb(/** @type {any} */ (response.body)), outgoing);
		} catch {
			// The client has gone, or the store broke off amid the file: the client must see that it has not got all of it.
			outgoing.destroy();
		}
	};
}

/** @param {Record<string, any>} config */
function storeOf({ folder, s3 }) {
	if (folder) return folderStore(folder);
	const { MEMORA_GATE_ACCESS_KEY: accessKey, MEMORA_GATE_SECRET_KEY: secretKey } = process.env;
	if (!s3 || !accessKey || !secretKey) {
		throw new TypeError("folder, or s3 with MEMORA_GATE_ACCESS_KEY and MEMORA_GATE_SECRET_KEY, is needed");
	}
	return s3Store({ ...s3, accessKey, secretKey });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const config = JSON.parse(readFileSync(process.argv[2], "utf8"));
	const server = createServer(listener(gate({ store: storeOf(config), config })));
	server.listen(config.port ?? 8080, config.host ?? "127.0.0.1", () => {
		const address = server.address();
		console.log(`memora's gate listens on ${typeof address === "object" ? address?.port : address}`);
	});
}
