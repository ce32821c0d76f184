"""Each check of the gate is needed: without it, something that is tried here goes wrong.

A mutant is the gate's code with one text in it replaced, which takes one check out. A check that is added gets a mutant here."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memora.services.access_gate.rules import guarded
from memora.services.cdn_export.model.published_file import listed_items
from tests.contract.gate import stores
from tests.contract.gate.conftest import EDGE, JobError, Runner
from tests.contract.gate.scenarios import NOW, SCENARIOS
from tests.contract.gate.school import (
	CASES,
	CONFIG,
	bucket,
	minted,
	objects_of,
	public_keys,
	request_of,
	wrong,
)
from tests.contract.gate.test_over_time import CONFIGS
from tests.contract.gate.test_same_rule import KEY_FILES, PAID, statuses_by_key_file

MUTANTS: list[tuple[str, str, str]] = [
	# The path
	("paths.js", "if (!pathname.startsWith(base) || pathname.length > MAX_PATHNAME) return nothing;", ""),
	("paths.js", " || pathname.length > MAX_PATHNAME", ""),
	("paths.js", r"const TOKEN = /^~[^.]*\.[^.]*\.[^.]*$/", r"const TOKEN = /^~/"),
	("paths.js", "key === null || (NEVER.test(key) && key !== KEYS)", "key === null"),
	("paths.js", "(access|memora|gate)", "(memora|gate)"),
	("paths.js", "(access|memora|gate)", "(access|gate)"),
	("paths.js", "(access|memora|gate)", "(access|memora)"),
	("paths.js", "(\\/|$)|^~/", "(\\/|$)/"),
	("paths.js", "const LESSON = /^(plans\\/[^/]+\\/)?lessons", "const LESSON = /^lessons"),
	("paths.js", "const LESSON = /^(plans", "const LESSON = /^(-"),
	("paths.js", "if (LESSON.test(key)) return", "if (false) return"),
	("paths.js", 'kind: folder ? "film" : "public"', 'kind: "public"'),
	("paths.js", "key === folder || (folder", "(folder"),
	("paths.js", 'folder.endsWith("/") && key.startsWith(folder))', "key.startsWith(folder))"),
	("paths.js", "other.length - one.length", "one.length - other.length"),
	("paths.js", "if (above.length < folder.length) break;", ""),
	("paths.js", "key = decodeURIComponent(given);", "key = unescape(given);"),
	("paths.js", "UNFIT.test(key) || ", ""),
	("paths.js", "/[%\\\\\\u0000", "/[\\\\\\u0000"),
	("paths.js", "/[%\\\\\\u0000-\\u001f", "/[%\\u0000-\\u001f"),
	("paths.js", "\\u0000-\\u001f", ""),
	("paths.js", "\\u007f-\\u009f", ""),
	("paths.js", " || new TextEncoder().encode(key).length > MAX_KEY_BYTES", ""),
	("paths.js", "new TextEncoder().encode(key).length > MAX_KEY_BYTES", "key.length > MAX_KEY_BYTES"),
	("paths.js", 'part === "" || part.startsWith(".")', 'part === ""'),
	("paths.js", 'part === "" || part.startsWith(".")', 'part.startsWith(".")'),
	("paths.js", "return encoded(key) === canonical(given) ? key : null;", "return key;"),
	# The access
	("access.js", "if (named.site !== site) return CLOSED;", ""),
	(
		"access.js",
		"default:\n\t\t\treturn CLOSED;",
		'default:\n\t\t\treturn { level: "authenticated", ways: [] };',
	),
	("access.js", "default:\n\t\t\treturn CLOSED;", 'default:\n\t\t\treturn { level: "open", ways: [] };'),
	(
		"access.js",
		'return areWays(ways) ? { level: "paid", ways } : CLOSED;',
		'return { level: "paid", ways: ways ?? [] };',
	),
	("access.js", "items.length > 0 && ", ""),
	("access.js", 'typeof item === "string" && item !== ""', 'typeof item === "string"'),
	("access.js", "if (paths.length > MOST_FOLDERS + 1) return CLOSED;", ""),
	(
		"access.js",
		"if (access) return access;",
		'if (access && access.level !== "closed") return access;',
	),
	("access.js", "for (const path of paths)", "for (const path of paths.reverse())"),
	("access.js", "for (const path of paths)", "for (const path of paths.slice(0, 1))"),
	(
		"access.js",
		"\t\treturn CLOSED;\n\t};\n}",
		'\t\treturn { level: "authenticated", ways: [] };\n\t};\n}',
	),
	("access.js", "if (kept && Math.abs(now() - kept.read) < KEEP_ACCESS) return", "if (kept) return"),
	("access.js", "if (kept && Math.abs(now() - kept.read) < KEEP_ACCESS) return", "if (false) return"),
	("access.js", "known.set(path, { access, read });", "if (access) known.set(path, { access, read });"),
	("access.js", "isObject(document) ? accessOf", "true ? accessOf"),
	("access.js", 'if (access.level === "authenticated") return true;', ""),
	("access.js", "items.every((item) => encoded", "items.some((item) => encoded"),
	("access.js", "access.ways.some(", "access.ways.every("),
	("access.js", "ways.length > 0 && ", ""),
	("access.js", " && ways.every(areItems)", " && ways.some(areItems)"),
	(
		"access.js",
		'return "required-items" in document ? null : document["any-of"];',
		'return document["any-of"];',
	),
	("access.js", "encoded.length > LONGEST_ITEM", "false"),
	("access.js", "const LONGEST_ITEM = 100", "const LONGEST_ITEM = 99"),
	("access.js", "held.map(encodedItem)", "held"),
	("json.js", "if (found.size > largest) {", "if (false) {"),
	("json.js", "fatal: true, ignoreBOM: true", "fatal: true"),
	("access.js", "if (error instanceof NoJson) return CLOSED;", "return CLOSED;"),
	("access.js", "if (error instanceof NoJson) return CLOSED;", ""),
	# The token
	("tokens.js", "token.length > form.bytes || ", ""),
	("tokens.js", "HEADER = { bytes: 4096", "HEADER = { bytes: 8192"),
	("tokens.js", "PATH = { bytes: 2048", "PATH = { bytes: 4096"),
	("tokens.js", 'seconds: 4 * 3600, use: "player"', 'seconds: 24 * 3600, use: "player"'),
	("tokens.js", " || parts.length !== 3", ""),
	("tokens.js", 'alg !== "EdDSA" || ', ""),
	("tokens.js", 'typeof kid !== "string" || (typ', "(typ"),
	("tokens.js", ' || (typ !== undefined && typ !== "JWT")', ""),
	("tokens.js", "if (!Object.keys(header).every((name) => HEADER_NAMES.has(name))) invalid();", ""),
	("tokens.js", "(key.nbf !== undefined && now < key.nbf - SKEW) || ", ""),
	("tokens.js", " || (key.exp !== undefined && now >= key.exp + SKEW)", ""),
	("tokens.js", 'if (!(await crypto.subtle.verify("Ed25519", key.key, signature, signed))) invalid();', ""),
	(
		"tokens.js",
		'const signed = new TextEncoder().encode(token.slice(0, token.lastIndexOf(".")));',
		'const signed = new TextEncoder().encode(token.split(".")[1]);',
	),
	("tokens.js", "iss !== site || ", ""),
	("tokens.js", "use !== form.use || ", ""),
	("tokens.js", " || aud !== undefined", ""),
	("tokens.js", "!isTime(iat) || ", ""),
	("tokens.js", "!isTime(exp) || ", ""),
	("tokens.js", " || (nbf !== undefined && !isTime(nbf))", ""),
	("tokens.js", "exp <= iat || ", ""),
	("tokens.js", " || exp - iat > form.seconds", ""),
	("tokens.js", "!Array.isArray(items) || ", ""),
	("tokens.js", 'typeof item === "string" && isWellFormed(item)', "isWellFormed(String(item))"),
	("tokens.js", " && isWellFormed(item)", ""),
	("tokens.js", 'if (now >= exp + SKEW) throw new TokenError("token_expired");', ""),
	("tokens.js", "now >= exp + SKEW", "now >= exp"),
	("tokens.js", "iat > now + SKEW || ", ""),
	("tokens.js", "iat > now + SKEW", "iat > now"),
	("tokens.js", " || (nbf !== undefined && nbf > now + SKEW)", ""),
	("tokens.js", "const SKEW = 60", "const SKEW = 61"),
	("tokens.js", "const SKEW = 60", "const SKEW = 59"),
	("tokens.js", "return isObject(value) ? value : invalid();", "return value;"),
	("tokens.js", "!/^[A-Za-z0-9_-]+$/.test(text) || ", ""),
	("tokens.js", "if (again !== text) invalid();", ""),
	("tokens.js", "keys && !isOlder(KEEP_KEYS) ? keys : await refresh()", "keys ? keys : await refresh()"),
	("tokens.js", "keys && !isOlder(KEEP_KEYS) ? keys : await refresh()", "await refresh()"),
	("tokens.js", "if (!known.has(kid) && isOlder(ASK_AGAIN)) known = await refresh();", ""),
	("tokens.js", "if (!known.has(kid) && isOlder(ASK_AGAIN)) known", "if (!known.has(kid)) known"),
	("tokens.js", "		keys = null;\n", ""),
	("tokens.js", "if (!found) throw new KeysError(`${KEYS} is missing`);", "if (!found) return new Map();"),
	("tokens.js", "error instanceof NoJson ? broken(error) : error", "broken(error)"),
	("tokens.js", "error instanceof NoJson ? broken(error) : error", "error"),
	("tokens.js", "document.version !== undefined && document.version !== KEYS_VERSION", "false"),
	("tokens.js", "document.version !== undefined && ", ""),
	("tokens.js", "document.version !== KEYS_VERSION", "document.version != KEYS_VERSION"),
	("tokens.js", 'jwk.kty === "OKP" && ', ""),
	("tokens.js", ' && jwk.crv === "Ed25519"', ""),
	("tokens.js", 'if (d !== undefined) throw new TypeError("it holds a private key");', ""),
	("tokens.js", " || others.has(kid)", ""),
	("tokens.js", "if (time !== undefined && !isTime(time)) throw", "if (false) throw"),
	# The order, and what is answered
	("gate.js", 'if (request.method !== "GET" && request.method !== "HEAD") {', "if (false) {"),
	("gate.js", 'if (place.kind === "nothing") throw new Refusal(404, "not_found");', ""),
	(
		"gate.js",
		"const isOpen = await authorize(task, await filmAccessOf(place));",
		"const isOpen = true;",
	),
	("gate.js", 'if (place.kind !== "public") await authorize(task, MISSING);', ""),
	(
		"gate.js",
		"return deliver(task, (found) => authorize(task, accessOfObject(found.metadata, site)));",
		"return deliver(task, async () => false);",
	),
	(
		"gate.js",
		"const answer = await send(task, found, await check(found));",
		"const answer = await send(task, found, true);\n\t\t\tawait check(found);",
	),
	(
		"gate.js",
		"const answer = await send(task, found, await check(found));",
		'const isFresh = request.headers.has("If-None-Match") && (await send(task, found, false));\n\t\t\tif (isFresh && isFresh.status === 304) return isFresh;\n\t\t\tconst answer = await send(task, found, await check(found));',
	),
	(
		"gate.js",
		"const answer = await send(task, found, await check(found));",
		'if (request.headers.has("Range")) await send(task, found, false);\n\t\t\tconst answer = await send(task, found, await check(found));',
	),
	("gate.js", "etag: found.etag, ", ""),
	("gate.js", "tries < TRIES", "tries < 1"),
	("gate.js", "tries < TRIES", "tries < 99"),
	(
		"gate.js",
		'if (access.level === "open") return true;',
		'if (access.level === "open" && !place.token) return true;',
	),
	("gate.js", "place.token ?? bearer(request)", "bearer(request) ?? place.token"),
	("gate.js", "place.token ?? bearer(request)", "place.token"),
	("gate.js", "place.token ?? bearer(request)", "bearer(request)"),
	("gate.js", "place.token === null ? HEADER : PATH", "HEADER"),
	("gate.js", "place.token === null ? HEADER : PATH", "PATH"),
	("gate.js", 'if (access.level === "missing") throw new Refusal(404, "not_found");', ""),
	("gate.js", "if (!(await allows(access, held))) throw", "if (false) throw"),
	("gate.js", "/^bearer(?: +(.*))?$/i", "/^(?:bearer +)?(.*)$/i"),
	("gate.js", "/^bearer(?: +(.*))?$/i", "/^bearer(?: +(.*))?$/"),
	("gate.js", "if (error instanceof TokenError) return", "if (false) return"),
	("gate.js", "error instanceof KeysError ?", "false ?"),
	(
		"gate.js",
		'request.method === "HEAD" ? new Response(null, response)',
		"false ? new Response(null, response)",
	),
	("gate.js", 'if (request.method === "HEAD") return new Response(null, { headers: described });', ""),
	("gate.js", "!/^[0-9a-f]{32}$/.test(site)", "false"),
	("gate.js", '!base.startsWith("/") || ', ""),
	("gate.js", ' || !base.endsWith("/")', ""),
	("gate.js", "(\\/|\\.[A-Za-z0-9]{2,5})$/", "/"),
	("gate.js", "/^[^/].*(", "/^.*("),
	("gate.js", " && !OWN_FOLDERS.test(folder)", ""),
	("gate.js", 'origins !== "*" && !Array.isArray(origins)', "false"),
	("answers.js", 'headers.set("Cache-Control", "no-store");', ""),
	(
		"answers.js",
		'else headers.set("Cache-Control", privately(found.cacheControl));',
		'else headers.set("Cache-Control", found.cacheControl);',
	),
	("answers.js", 'if (hasPathToken) headers.set("Cache-Control", "private, no-store");\n\telse ', ""),
	("answers.js", 'if (hasPathToken) headers.set("Referrer-Policy", "no-referrer");', ""),
	("answers.js", 'if (!isOpen || hasPathToken) headers.set("CDN-Cache-Control", "no-store");', ""),
	("answers.js", "!isOpen || hasPathToken", "!isOpen"),
	("answers.js", "!isOpen || hasPathToken", "hasPathToken"),
	("answers.js", "Math.min(Number(age[1]), LONGEST_PRIVATE)", "Number(age[1])"),
	("answers.js", "Math.min(Number(age[1]), LONGEST_PRIVATE)", "LONGEST_PRIVATE"),
	("answers.js", 'if (/no-store/i.test(stored)) return "private, no-store";', ""),
	("answers.js", " || /no-cache/i.test(stored)", ""),
	("answers.js", 'isGuarded ? "Origin, Authorization" : "Origin"', '"Origin"'),
	("answers.js", '"X-Content-Type-Options": "nosniff", ', ""),
	("answers.js", ', "X-Memora-Gate": VERSION', ""),
	("answers.js", "origin && origins.includes(origin)", "origin"),
	("answers.js", 'if (origins === "*") headers.set("Access-Control-Allow-Origin", "*");\n\telse ', ""),
	("answers.js", 'headers.set("Content-Security-Policy", POLICY);', ";"),
	("answers.js", " || found.size === 0", ""),
	("answers.js", ' || request.method !== "GET"', ""),
	("answers.js", " || !isStillThat(request, found)", ""),
	("answers.js", 'if (last !== "" && Number(last) < Number(first)) return null;', ""),
	("answers.js", "if (first >= found.size) throw", "if (false) throw"),
	("answers.js", '.replace(/^W\\//, "")', ""),
	("answers.js", 'known.trim() === "*" || ', ""),
	(
		"answers.js",
		"found.modified !== null && wholeSeconds(found.modified) <= since",
		"found.modified !== null && found.modified.getTime() < since",
	),
	# The stores
	("stores/folder.js", "if ((await realpath(location)) !== location) return null;", ""),
	(
		"stores/folder.js",
		"const etag = notes.length ? (digests.get(stamp) ?? (await digestOf(file))) : stamp;",
		"const etag = notes[0]?.etag ?? stamp;",
	),
	("stores/folder.js", "notes.find((kept) => kept.etag === etag) ?? {}", "notes[0] ?? {}"),
	("stores/folder.js", "note.before ? [note, note.before] : [note]", "[note]"),
	("stores/folder.js", "if (!status.isFile()) {", "if (false) {"),
	("stores/folder.js", "error instanceof SyntaxError || ", ""),
	("stores/s3.js", ', cache: "no-store"', ""),
	("stores/s3.js", ', redirect: "manual"', ""),
	("stores/s3.js", '...(etag && { "if-match": `"${etag}"` }),', ""),
	("stores/s3.js", "if (range && response.status !== 206) throw", "if (false) throw"),
	("stores/s3.js", "response.status === 404 || response.status === 412", "response.status >= 400"),
	("stores/s3.js", "encoded(`${settings.bucket}/${path}`)", "encodeURI(`${settings.bucket}/${path}`)"),
	("paths.js", "return escape === character ? ", "return false ? "),
	("stores/r2.js", ", ...(etag && { onlyIf: { etagMatches: etag } })", ""),
	("stores/r2.js", "...(range && { range }), ", ""),
	("stores/r2.js", "object?.body ? {", "object ? {"),
	("server.js", '400, { "X-Memora-Gate": VERSION }', "400"),
	("server.js", 'if (!target.startsWith("/")) return', "if (false) return"),
]


@pytest.fixture(scope="module")
def asked() -> Iterator[Runner]:
	runner = Runner("node")
	yield runner
	runner.close()


_NOW = int(time.time())
_TABLE = [request_of(case) for case in CASES]
_BUCKET = bucket()
_PATHS = [
	*(
		"/lessons/a.json",
		"/files/lessons/a.json",
		"lessons/a.json",
		"/~a.b.c",
		"/~a.b.c/",
		"/~a.b",
		"/~a.b/lessons/a",
	),
	f"/~a.b.{'c' * 8200}/lessons/a.json",
	*(f"/lessons/{'x' * length}" for length in (1016, 1017, 8183, 8184)),
	*(f"/lessons/{'%D8%AF' * many}" for many in (508, 509)),
	*(
		"/a%25b",
		"/a\\b",
		"/a%5Cb",
		"/a%00b",
		"/a%1Fb",
		"/a%7Fb",
		"/a%C2%9Fb",
		"/a\x01b",
		"/a/./b",
		"/./a",
		"/a//b",
		"/%61",
	),
	*(
		"/%F4%90%80%80",
		"/%ED%A0%80",
		"/%C0%AF",
		"/%",
		"/\ud800",
		"/a%2Fb",
		"/a%2eb",
		"/intro.mp4",
		"/intro.mp4/a",
		"/videos",
	),
]


def _goes_wrong(asked: Runner, edge: str) -> bool:
	"""Whether anything that is tried here differs from what must be."""
	return any(
		check(asked, edge)
		for check in (
			_paths_differ,
			_items_differ,
			_clocks_differ,
			_table_differs,
			_scenarios_differ,
			_key_files_differ,
			_configurations_differ,
			stores.wrong_of_s3,
			stores.wrong_of_r2,
			stores.wrong_of_server,
			stores.wrong_of_folder,
		)
	)


def _table_differs(asked: Runner, edge: str) -> bool:
	store = {"kind": "memory", "objects": _BUCKET}
	answers = asked.ask(store=store, config=CONFIG, now=_NOW, steps=_TABLE, edge=edge)["answers"]
	return any(wrong(case, answer) for case, answer in zip(CASES, answers, strict=True))


def _scenarios_differ(asked: Runner, edge: str) -> bool:
	return any(scenario.wrong(asked.ask(**scenario.job(), edge=edge)) for scenario in SCENARIOS.values())


def _key_files_differ(asked: Runner, edge: str) -> bool:
	return any(statuses_by_key_file(asked, name, edge) != wanted for name, (_, wanted) in KEY_FILES.items())


def _configurations_differ(asked: Runner, edge: str) -> bool:
	return any(
		bool(asked.ask(op="config", config={**CONFIG, **change}, edge=edge)["refused"]) != bool(says)
		for change, says in CONFIGS
	)


def _items_differ(asked: Runner, edge: str) -> bool:
	codes = ["A" * 99, "A" * 100, "A" * 101, "صنف", "~a!'()*"]
	return asked.ask(op="items", codes=codes, edge=edge)["items"] != [listed_items([code]) for code in codes]


def _clocks_differ(asked: Runner, edge: str) -> bool:
	objects = PAID | objects_of({"gate/keys.json": {"body": public_keys(one={}).decode()}})
	steps: list[dict[str, Any]] = [
		{
			"path": "/lessons/paid.json",
			"headers": {"Authorization": f"Bearer {minted(['PHYSICS'], at=at, now=NOW)}"},
		}
		for at in (-3659, -3660, 60, 61)
	]
	store = {"kind": "memory", "objects": objects}
	answers = asked.ask(store=store, config=CONFIG, now=NOW, steps=steps, edge=edge)["answers"]
	return [answer["status"] for answer in answers] != [200, 401, 200, 401]


def _paths_differ(asked: Runner, edge: str) -> bool:
	folders = CONFIG["video_folders"]
	found = asked.ask(op="places", paths=_PATHS, base="/", video_folders=folders, edge=edge)["places"]
	wanted = [guarded.place_of(path, "/", folders) for path in _PATHS]
	return [place["kind"] for place in found] != [place.kind for place in wanted]


def test_the_whole_gate_goes_right(asked: Runner) -> None:
	assert not _goes_wrong(asked, str(EDGE))


@pytest.mark.parametrize("number", range(len(MUTANTS)), ids=lambda number: f"{number}-{MUTANTS[number][0]}")
def test_without_a_check_something_goes_wrong(asked: Runner, tmp_path: Path, number: int) -> None:
	file, text, instead = MUTANTS[number]
	edge = tmp_path / "edge"
	shutil.copytree(EDGE, edge)
	code = (edge / file).read_text()
	assert code.count(text) == 1, "the text of this mutant is not there, or more than once"
	(edge / file).write_text(code.replace(text, instead))
	assert asked.ask(op="load", file=file, edge=str(edge))["loaded"], "what is not code misses no check"
	assert not asked.ask(op="config", config=CONFIG, edge=str(edge))["refused"], "this mutant does not start"
	assert _is_caught(asked, str(edge)), f"none misses {text!r}"


def _is_caught(asked: Runner, edge: str) -> bool:
	try:
		return _goes_wrong(asked, edge)
	except JobError:  # the gate threw, where it must answer
		return True
