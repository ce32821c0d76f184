"""What happens one after another: owners and strangers at one file, lessons that change, keys that come and go.

Each scenario is a job for the runner with what it must answer. `test_over_time.py` plays them, `test_mutants.py` too, against a
gate in which one check is missing."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from tests.contract.gate.school import CONFIG, OTHER_SITE, film_access, minted, objects_of, public_keys

NOW = 1_796_000_000
BODY = "0123456789"
ETAG = f'"{hashlib.md5(BODY.encode(), usedforsecurity=False).hexdigest()}"'


class Scenario(NamedTuple):
	"""`expected` has for each request its status, and headers that it must have, with 503 also its `error`; `reads` how often the store may be
	asked; `logged` what the gate must log."""

	steps: list[dict[str, Any]]
	expected: list[tuple[int, dict[str, str | None]]]
	objects: dict[str, Any]
	config: dict[str, Any] = CONFIG
	reads: int | None = None
	logged: list[str] | None = None

	def job(self) -> dict[str, Any]:
		"""For the runner."""
		return {
			"store": {"kind": "memory", "objects": self.objects},
			"config": self.config,
			"now": NOW,
			"steps": self.steps,
		}

	def wrong(self, answer: dict[str, Any]) -> list[str]:
		"""In what the runner's answer is not what must be."""
		found = []
		for number, ((status, headers), given) in enumerate(
			zip(self.expected, answer["answers"], strict=True)
		):
			if given["status"] != status:
				found.append(f"request {number}: {given['status']}, not {status}")
			if status >= 400 and BODY in given["body"]:
				found.append(f"request {number}: bytes of the file in a refusal")
			error = json.loads(given["body"])["error"] if given["status"] == 503 else None
			has = {**given["headers"], "error": error}
			for name, value in headers.items():
				if has.get(name) != value:
					found.append(f"request {number}: {name} {has.get(name)!r}, not {value!r}")
		if self.reads is not None and answer["reads"] > self.reads:
			found.append(f"{answer['reads']} reads, not {self.reads}")
		if self.logged is not None and answer["logged"] != self.logged:
			found.append(f"logged {answer['logged']}, not {self.logged}")
		return found


def _lesson(level: str, body: str = BODY) -> dict[str, Any]:
	items = {"items": ["PHYSICS"]} if level == "paid" else {}
	given = {"metadata": {"access-level": level}, "body": body, **items}
	return objects_of({"lessons/a.json": given})["lessons/a.json"]


def _keys(**keys: dict[str, int]) -> dict[str, Any]:
	return objects_of({"gate/keys.json": {"body": public_keys(**keys).decode()}})["gate/keys.json"]


def _bearer(made: str) -> dict[str, str]:
	return {"Authorization": f"Bearer {made}"}


def _owner(now: int | None = NOW, **more: Any) -> dict[str, str]:
	return _bearer(minted(["PHYSICS"], seconds=86_400, now=now, **more))


def ask(headers: dict[str, str] | None = None, path: str = "/lessons/a.json", **more: Any) -> dict[str, Any]:
	return {"path": path, "headers": headers or {}, **more}


def cache_order(now: int | None = NOW) -> Scenario:
	"""An owner reads first: what a stranger is answered afterwards is the same as before, whatever he asks for."""
	owner, lab = _owner(now), _bearer(minted(["LAB"], now=now))
	private = {
		"cache-control": "private, max-age=300",
		"cdn-cache-control": "no-store",
		"vary": "Origin, Authorization",
	}
	closed = {"cache-control": "no-store", "etag": None, "content-range": None, "last-modified": None}
	probes = [
		{},
		{"If-None-Match": ETAG},
		{"If-None-Match": "*"},
		{"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
		{"Range": "bytes=0-1"},
		{"Range": "bytes=99-"},
		{"Range": "bytes=-1", "If-Range": ETAG},
		{"Cache-Control": "only-if-cached"},
	]
	steps, expected = [], []
	for first, status in (
		(owner, 200),
		({**owner, "If-None-Match": ETAG}, 304),
		({**owner, "Range": "bytes=0-3"}, 206),
	):
		steps.append(ask(first))
		expected.append((status, private))
		for probe in probes:
			steps += [
				ask(probe),
				ask({**lab, **probe}),
				ask(probe, method="HEAD"),
				ask(probe, "/lessons/a.json?v=1"),
			]
			expected += [(401, closed), (403, closed), (401, closed), (401, closed)]
	return Scenario(
		steps,
		expected,
		{"lessons/a.json": _lesson("paid"), "gate/keys.json": _keys(one={})},
	)


def _changing() -> Scenario:
	"""From paid to free and back: each request is answered by what is there now."""
	paid, free = {"lessons/a.json": _lesson("paid")}, {"lessons/a.json": _lesson("public")}
	gone = {"lessons/a.json": None}
	steps = [
		ask(),
		{**ask(), "put": free},
		ask({"If-None-Match": ETAG}),
		{**ask(), "put": paid},
		ask({"If-None-Match": ETAG}),
	]
	steps += [ask(_owner()), {**ask(), "put": gone}, ask(_owner()), ask(_bearer(minted(now=NOW)))]
	expected = [(401, {}), (200, {"cache-control": "public, max-age=300"}), (304, {}), (401, {}), (401, {})]
	expected += [(200, {"cache-control": "private, max-age=300"}), (401, {}), (404, {}), (404, {})]
	return Scenario(steps, expected, {**paid, "gate/keys.json": _keys(one={})})


def _replaced(before: str, after: str, headers: dict[str, str], status: int) -> Scenario:
	"""The file is replaced after the gate has looked at it, and before it reads."""
	there = {**_lesson(before, "free for all"), "next": _lesson(after)}
	return Scenario(
		[ask(headers)], [(status, {})], {"lessons/a.json": there, "gate/keys.json": _keys(one={})}
	)


def _never_still() -> Scenario:
	"""A file that is replaced at each look is not answered in parts."""
	there: dict[str, Any] = _lesson("public", "last")
	for number in range(6):
		there = {**_lesson("public", f"body {number}"), "next": there}
	return Scenario([ask({"Range": "bytes=0-1"})], [(503, {"retry-after": "5"})], {"lessons/a.json": there})


def _new_key() -> Scenario:
	"""A new key is found at once, but not sooner than five seconds after the last look."""
	both = {"gate/keys.json": _keys(one={}, two={})}
	two = _owner(signed_by="two")
	steps = [
		ask(_owner()),
		{**ask(two), "put": both},
		{**ask(two), "now": NOW + 4},
		{**ask(two), "now": NOW + 5},
	]
	return Scenario(
		steps,
		[(200, {}), (401, {}), (401, {}), (200, {})],
		{"lessons/a.json": _lesson("paid"), "gate/keys.json": _keys(one={})},
	)


def _revoked_key() -> Scenario:
	"""A key that is taken back is good for a minute at most."""
	only_two = {"gate/keys.json": _keys(two={})}
	steps = [
		ask(_owner()),
		{**ask(_owner()), "put": only_two, "now": NOW + 59},
		{**ask(_owner()), "now": NOW + 60},
	]
	return Scenario(
		[*steps, ask(_owner(signed_by="two"))],
		[(200, {}), (200, {}), (401, {}), (200, {})],
		{"lessons/a.json": _lesson("paid"), "gate/keys.json": _keys(one={})},
	)


def _lost_keys() -> Scenario:
	"""Without usable keys the gate is closed, but for what is open; it opens again when they are back."""
	broken = objects_of({"gate/keys.json": {"body": "{"}})
	steps = [
		ask(_owner()),
		{**ask(_owner()), "put": broken, "now": NOW + 61},
		ask(),
		{**ask(_owner()), "put": {"gate/keys.json": None}},
		ask(path="/lessons/open.json"),
		{**ask(_owner()), "put": {"gate/keys.json": _keys(one={})}},
	]
	expected = [
		(200, {}),
		(503, {"retry-after": "5", "error": "keys_unavailable"}),
		(401, {}),
		(503, {}),
		(200, {}),
		(200, {}),
	]
	objects = {"lessons/a.json": _lesson("paid"), "lessons/open.json": _lesson("public")}
	return Scenario(steps, expected, {**objects, "gate/keys.json": _keys(one={})})


def _forged(seconds: int, reads: int) -> Scenario:
	"""Forged tokens make the gate look for keys once in five seconds, not each time."""
	steps = [
		{**ask(_owner(header={"kid": f"forged {number}"})), "now": NOW + number * seconds / 20}
		for number in range(20)
	]
	objects = {"lessons/a.json": _lesson("paid"), "gate/keys.json": _keys(one={})}
	return Scenario(steps, [(401, {})] * 20, objects, reads=20 + reads)


def _forged_without_keys() -> Scenario:
	"""While there are no keys each token makes the gate look once."""
	steps = [ask(_owner(header={"kid": f"forged {number}"})) for number in range(20)]
	unavailable: dict[str, str | None] = {"error": "keys_unavailable"}
	return Scenario(steps, [(503, unavailable)] * 20, {"lessons/a.json": _lesson("paid")}, reads=20 + 20)


def _film() -> Scenario:
	"""A film's access is read again after a minute: its own object first, then its folder's."""
	film = objects_of({"videos/f/a.mp4": {"body": BODY, "content_type": "video/mp4"}})
	paid = {"access-level": "paid", "required-items": ["PHYSICS"]}
	folder = film_access({"videos/f/": {"access-level": "public"}})
	foreign = film_access({"videos/f/": {"access-level": "public", "site": OTHER_SITE}})
	own = film_access({"videos/f/a.mp4": paid})
	path = "/videos/f/a.mp4"
	steps = [
		ask(path=path),
		{**ask(path=path), "put": folder, "now": NOW + 59},
		{**ask(path=path), "now": NOW + 60},
		{**ask(path=path), "put": own, "now": NOW + 119},
		{**ask(path=path), "now": NOW + 120},
		ask(_owner(), path),
		{**ask(path=path), "put": dict.fromkeys(own), "now": NOW + 180},
		{**ask(_owner(), path), "put": foreign, "now": NOW + 240},
	]
	statuses = [401, 401, 200, 200, 401, 200, 200, 403]
	objects = {**film, "gate/keys.json": _keys(one={})}
	return Scenario(steps, [(status, {}) for status in statuses], objects)


def _pieces() -> Scenario:
	"""Of a film in pieces each costs two reads, itself and its own access; those of its folders are known."""
	pieces = {f"videos/f/720/{number}.ts": {"body": BODY} for number in range(30)}
	access = film_access({"videos/f/": {"access-level": "public"}})
	steps = [ask(path=f"/{path}") for path in pieces] * 2
	return Scenario(steps, [(200, {})] * 60, objects_of(pieces) | access, reads=30 + 2 + 60)


def _elsewhere() -> Scenario:
	"""Behind a path of its own, and for two origins."""
	config = {**CONFIG, "base": "/files/", "origins": ["https://app.example", "https://other.example"]}
	owner = _owner()
	path = "/files/lessons/a.json"
	steps = [
		ask(path=path),
		ask(owner, path),
		ask(owner),
		ask({**owner, "Origin": "https://app.example"}, path),
		ask({**owner, "Origin": "https://evil.example"}, path),
		ask({"Origin": "https://other.example"}, path),
		ask({"Origin": "null"}, "/files/plans/index.json"),
	]
	allowed = "access-control-allow-origin"
	expected: list[tuple[int, dict[str, str | None]]] = [
		(401, {}),
		(200, {allowed: None}),
		(404, {}),
		(200, {allowed: "https://app.example", "vary": "Origin, Authorization"}),
		(200, {allowed: None}),
		(401, {allowed: "https://other.example"}),
		(404, {allowed: None, "vary": "Origin"}),
	]
	objects = {"lessons/a.json": _lesson("paid"), "gate/keys.json": _keys(one={})}
	return Scenario(steps, expected, objects, config)


def _failing() -> Scenario:
	"""What cannot be read is closed, and says nothing of why. The log says what it was, without the token of its address."""
	objects = {
		"lessons/a.json": {**_lesson("public"), "fails": True},
		"plans/index.json": {**_lesson("public"), "fails": True},
	}
	player = minted(["PHYSICS"], player=True, now=NOW)
	steps = [
		ask(),
		ask(path="/plans/index.json"),
		ask({"Range": "bytes=0-1"}),
		ask(path=f"/~{player}/lessons/a.json"),
		ask(_owner()),
	]
	logged = [
		f"memora's gate: fetch failed: {path}"
		for path in ("lessons/a.json", "plans/index.json", *["lessons/a.json"] * 3)
	]
	expected: list[tuple[int, dict[str, str | None]]] = [
		(503, {"cache-control": "no-store", "error": "store_unavailable"})
	] * 5
	return Scenario(steps, expected, objects, logged=logged)


def _film_that_fails(how: str) -> Scenario:
	"""A film's access that cannot be read is no access: 503, and nothing of it is kept. Its folder, which is open, does not decide."""
	film = objects_of({"videos/f/a.mp4": {"body": BODY, "content_type": "video/mp4"}})
	own = film_access({"videos/f/a.mp4": {"access-level": "paid", "required-items": ["PHYSICS"]}})
	folder = film_access({"videos/f/": {"access-level": "public"}})
	fails = {path: {**found, how: True} for path, found in own.items()}
	path = "/videos/f/a.mp4"
	steps = [ask(_owner(), path), ask(path=path), {**ask(_owner(), path), "put": own}, ask(path=path)]
	unavailable: dict[str, str | None] = {"retry-after": "5", "error": "store_unavailable"}
	return Scenario(
		steps,
		[(503, unavailable), (503, unavailable), (200, {}), (401, {})],
		{**film, **folder, **fails, "gate/keys.json": _keys(one={})},
	)


def _keys_that_fail(how: str) -> Scenario:
	"""Keys that cannot be read are not broken ones. As soon as they can be read again, tokens are accepted."""
	fails = {"gate/keys.json": {**_keys(one={}), how: True}}
	steps = [
		ask(_owner()),
		{**ask(_owner()), "put": fails, "now": NOW + 61},
		ask(),
		{**ask(_owner()), "put": {"gate/keys.json": _keys(one={})}},
	]
	unavailable: dict[str, str | None] = {"retry-after": "5", "error": "store_unavailable"}
	return Scenario(
		steps,
		[(200, {}), (503, unavailable), (401, {}), (200, {})],
		{"lessons/a.json": _lesson("paid"), "gate/keys.json": _keys(one={})},
	)


def _dates() -> Scenario:
	"""A condition by date counts whole seconds."""
	same = "Sun, 25 Jan 2026 00:13:20 GMT"
	steps = [ask({"If-Modified-Since": same}), ask({"If-Modified-Since": "Sun, 25 Jan 2026 00:13:19 GMT"})]
	steps += [ask({"Range": "bytes=0-1", "If-Range": same})]
	return Scenario(
		steps, [(304, {"last-modified": same}), (200, {}), (206, {})], {"lessons/a.json": _lesson("public")}
	)


SCENARIOS: dict[str, Scenario] = {
	"an owner reads before strangers": cache_order(),
	"a lesson goes from paid to free and back": _changing(),
	"a free file becomes a paid one amid a range": _replaced("public", "paid", {"Range": "bytes=0-3"}, 401),
	"a free file becomes a paid one amid a condition": _replaced(
		"public", "paid", {"If-None-Match": '"x"'}, 401
	),
	"a member's file becomes a paid one": _replaced(
		"authenticated", "paid", {"Range": "bytes=0-3", **_bearer(minted(now=NOW))}, 403
	),
	"a file that is never still": _never_still(),
	"a new key": _new_key(),
	"a revoked key": _revoked_key(),
	"keys that are lost": _lost_keys(),
	"forged tokens, all at once": _forged(0, 1),
	"forged tokens in twenty seconds": _forged(20, 4),
	"forged tokens without keys": _forged_without_keys(),
	"a film whose access changes": _film(),
	"a film in pieces": _pieces(),
	"behind a path, for two origins": _elsewhere(),
	"a store that fails": _failing(),
	"a film's access that cannot be read": _film_that_fails("fails"),
	"a film's access that breaks off": _film_that_fails("breaks"),
	"keys that cannot be read": _keys_that_fail("fails"),
	"keys that break off": _keys_that_fail("breaks"),
	"dates": _dates(),
}
