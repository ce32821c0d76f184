// Asks the gate, for tests in Python: one job a line of JSON on standard input, one answer a line.
//
// Arguments: the folder of the gate's code, and "node" or "workerd". A job's `steps` are requests, and what happens between
// them: {"put": {path: object or null}} and {"now": seconds}.

import { Agent, createServer, request as httpRequest } from "node:http";
import path from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { webcrypto } from "node:crypto";

import { memoryStore } from "./memory.mjs";

globalThis.crypto ??= webcrypto; // Node 18 has it under another name
let logged = [];
console.error = (...said) => logged.push(said.join(" ")); // refusals that a test provokes

const [, , unchanged, runtime, miniflare] = process.argv;
let edge = unchanged; // a job may name another folder: one in which a check has been taken out
const code = (name) => import(pathToFileURL(path.join(edge, name)).href);

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const asked = (port, step) =>
	new Promise((resolve, reject) => {
		const options = { port, host: "127.0.0.1", path: step.path, method: step.method ?? "GET", headers: step.headers ?? {}, agent };
		const sent = httpRequest(options, (response) => {
			const pieces = [];
			response.on("data", (piece) => pieces.push(piece));
			response.on("error", reject);
			response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces).toString() }));
		});
		sent.on("error", reject);
		sent.end();
	});

async function directly(answer, step) {
	const response = await answer(new Request(`http://gate.invalid${step.path}`, { method: step.method ?? "GET", headers: step.headers ?? {} }));
	return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
}

async function storeOf({ kind, ...settings }) {
	if (kind === "folder") return (await code("stores/folder.js")).folderStore(settings);
	if (kind === "s3") return (await code("stores/s3.js")).s3Store(settings);
	return memoryStore(settings.objects);
}

async function inNode({ store: wanted, config, now, steps, http }) {
	const store = await storeOf(wanted);
	let time = now;
	const { gate } = await code("gate.js");
	const answer = gate({ store, config, ...(now != null && { now: () => time }) });
	let server;
	if (http) {
		const { listener } = await code("server.js");
		server = createServer(listener(answer));
		await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	}
	const answers = [];
	for (const step of steps) {
		if (step.now != null) time = step.now;
		for (const [name, object] of Object.entries(step.put ?? {})) {
			if (object) wanted.objects[name] = object;
			else delete wanted.objects[name];
		}
		if (step.path == null) continue;
		answers.push(server ? await asked(server.address().port, step) : await directly(answer, step));
	}
	server?.close();
	server?.closeAllConnections();
	return { answers, reads: store.reads, logged };
}

const workers = new Map();

async function worker({ config, world = "" }) {
	const name = JSON.stringify([config, world]);
	if (!workers.has(name)) {
		const { Miniflare } = await import(pathToFileURL(miniflare).href);
		workers.set(name, new Miniflare({
			modules: true,
			modulesRoot: edge,
			modulesRules: [{ type: "ESModule", include: ["**/*.js"] }],
			scriptPath: path.join(edge, "worker.js"),
			compatibilityDate: "2026-04-01",
			r2Buckets: ["BUCKET"],
			bindings: {
				SITE: config.site,
				VIDEO_FOLDERS: config.video_folders.join("\n"),
				ORIGINS: config.origins === "*" || !config.origins ? "*" : config.origins.join(" "),
				BASE: config.base ?? "/",
			},
		}));
	}
	return workers.get(name);
}

async function inWorkerd({ store: { objects }, config, world, steps }) {
	const miniflare = await worker({ config, world });
	const { port } = await miniflare.ready;
	const bucket = await miniflare.getR2Bucket("BUCKET");
	const { objects: there } = await bucket.list();
	await bucket.delete(there.map(({ key }) => key).filter((key) => !(key in objects)));
	const put = (changes) => Promise.all(Object.entries(changes).map(([name, object]) => object ? bucket.put(name, object.body, {
		customMetadata: object.metadata ?? {},
		httpMetadata: { contentType: object.contentType ?? "application/json; charset=utf-8", ...(object.cacheControl && { cacheControl: object.cacheControl }) },
	}) : bucket.delete(name)));
	await put(objects);
	const answers = [];
	for (const step of steps) {
		await put(step.put ?? {});
		if (step.path != null) answers.push(await asked(port, step));
	}
	return { answers };
}

async function other({ op, ...job }) {
	if (op === "load") return { loaded: Object.keys(await code(job.file)).length };
	const { placeOf, filmAndFolders } = await code("paths.js");
	const { encodedItem } = await code("access.js");
	if (op === "places") {
		const settings = { base: job.base, videoFolders: job.video_folders };
		return { places: job.paths.map((given) => placeOf(given, settings)).map((place) => ({ ...place, above: filmAndFolders(place) })) };
	}
	if (op === "items") return { items: await Promise.all(job.codes.map(encodedItem)) };
	if (op === "config") {
		const { gate } = await code("gate.js");
		try {
			gate({ store: memoryStore({}), config: job.config });
		} catch (error) {
			return { refused: error.message };
		}
		return { refused: "" };
	}
	if (op === "r2") {
		const sent = [];
		const bucket = { get: async (key, options) => (sent.push({ key, ...options }), job.object) };
		const found = await (await code("stores/r2.js")).r2Store(bucket).get(job.path, job.options);
		return { sent, found };
	}
	if (op === "s3") {
		const sent = [];
		const send = async (url, init) => {
			sent.push({ url: String(url), ...init });
			return new Response(job.status === 200 || job.status === 206 ? "0123456789" : "", { status: job.status, headers: job.headers ?? {} });
		};
		const store = (await code("stores/s3.js")).s3Store(job.settings, { fetch: send, now: () => new Date(job.now * 1000) });
		try {
			const found = await store[job.call](job.path, job.options);
			return { sent, found: found && { ...found, body: found.body && (await new Response(found.body).text()) } };
		} catch (error) {
			return { sent, error: error.message };
		}
	}
	throw new Error(`no such job: ${op}`);
}

for await (const line of createInterface({ input: process.stdin })) {
	const job = JSON.parse(line);
	edge = job.edge ?? unchanged;
	logged = [];
	let answer;
	try {
		answer = job.op ? await other(job) : await (runtime === "workerd" ? inWorkerd(job) : inNode(job));
	} catch (error) {
		answer = { failed: String(error.stack ?? error) };
	}
	process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await Promise.all([...workers.values()].map((each) => each.dispose()));
process.exit();
