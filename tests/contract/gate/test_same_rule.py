"""The gate and its twin in Python decide alike, whatever they are given: paths, item codes, tokens, public keys."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memora.services.access_gate.rules import guarded
from memora.services.cdn_export.model.published_file import listed_items
from tests.contract.gate import twin
from tests.contract.gate.conftest import Runner
from tests.contract.gate.school import CONFIG, OTHER_SITE, SITE, film_access, minted, objects_of, public_keys

BATCH = 400
NOW = 1_796_000_000

_PIECES = st.sampled_from(
	(
		*(
			"lessons",
			"plans",
			"videos",
			"access",
			"memora",
			"gate",
			"keys.json",
			"grade-7",
			"a.json",
			"Lessons",
		),
		*(
			"/",
			"//",
			".",
			"..",
			"%2e",
			"%2F",
			"%5C",
			"\\",
			"%",
			"%25",
			"%2525",
			"%00",
			"%0a",
			"%C2%85",
			"%zz",
		),
		*(
			"~",
			"~a.b.c",
			"~a.b",
			"~a.b.c.d",
			"~..",
			";",
			"?",
			"#",
			" ",
			"%20",
			"+",
			"*",
			"'",
			"(",
			"[",
			"|",
			"%7E",
		),
		*(
			"%D8%AF",
			"%d8%af",
			"درس",
			"%ED%A0%80",
			"%C0%AF",
			"%F4%90%80%80",
			"\ud800",
			"🍕",
			"\ufffe",
			"%41",
			"é",
		),
		*(
			"x" * 300,
			"videos/apart/",
			"courses/films/",
			"intro.mp4",
			"%E2%80%AE",
			"\x7f",
			"\n",
			":",
			"@",
			"&",
			"=",
		),
	)
)
paths = st.lists(st.one_of(_PIECES, st.characters(codec=None)), max_size=9).map("".join)
likely_paths = st.lists(_PIECES, min_size=1, max_size=6).map("/".join)


@given(
	st.lists(st.one_of(paths, likely_paths), min_size=BATCH, max_size=BATCH),
	st.sampled_from(("/", "/files/")),
)
@settings(max_examples=6)
@example(
	["lessons/" + "x" * 1016, "lessons/" + "x" * 1017, "x" * 8190, "x" * 8192, "", "~a.b.c", "~a.b.c/"], "/"
)
def test_a_path_is_the_same_place(in_node: Runner, given_paths: list[str], base: str) -> None:
	sent = [base + path for path in given_paths]
	folders = CONFIG["video_folders"]
	answer = in_node.ask(op="places", paths=sent, base=base, video_folders=folders)["places"]
	for path, found in zip(sent, answer, strict=True):
		place = guarded.place_of(path, base, folders)
		above = guarded.film_and_folders(place.key, place.folder)
		assert {**place._asdict(), "above": above} == found, ascii(path)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=140), min_size=50, max_size=200))
@settings(max_examples=10)
@example(["", "A" * 100, "A" * 101, "ص" * 16, "ص" * 17, "a,b", "~a", "!'()*", "%41", "🍕" * 9, "\x00"])
def test_an_item_is_encoded_alike(in_node: Runner, codes: list[str]) -> None:
	assert in_node.ask(op="items", codes=codes)["items"] == [listed_items([code]) for code in codes]


_TIMES = st.one_of(
	st.integers(NOW - 100_000, NOW + 100_000),
	st.sampled_from(
		(NOW - 61, NOW - 60, NOW - 59, NOW, NOW + 59, NOW + 60, NOW + 61, NOW + 86_400, NOW + 86_401)
	),
	st.sampled_from((None, "1", True, 1e3, 1.5, -1, 2**53, 2**60, 1e400, [], {})),
)
_CLAIMS = st.fixed_dictionaries(
	{},
	optional={
		"iss": st.sampled_from((SITE, SITE.upper(), "", None, 1, [SITE])),
		"iat": _TIMES,
		"exp": _TIMES,
		"nbf": _TIMES,
		"aud": st.sampled_from((SITE, [], "x")),
		"use": st.sampled_from(("player", "Player", "", 1)),
		"items": st.sampled_from(
			(["PHYSICS"], [], [["PHYSICS"]], "PHYSICS", [None], {"0": "PHYSICS"}, ["صنف"])
		),
		"unknown": st.sampled_from((1, [], {"deep": {"deeper": []}})),
		"__proto__": st.just({"items": ["PHYSICS"]}),
		"constructor": st.just(1),
	},
)
_HEADERS = st.fixed_dictionaries(
	{},
	optional={
		"alg": st.sampled_from(("EdDSA", "eddsa", "none", "HS256", "Ed25519", None, ["EdDSA"])),
		"kid": st.sampled_from(("one", "two", "three", "", "__proto__", None, 1, ["one"])),
		"typ": st.sampled_from(("JWT", "jwt", None, 1)),
		"crit": st.sampled_from(([], ["exp"])),
		"b64": st.just(False),
	},
)
_TOKENS = st.tuples(
	st.one_of(st.just({}), _CLAIMS),
	st.one_of(st.just({}), st.just({}), _HEADERS),
	st.sampled_from(("one", "one", "one", "two", "stranger", "nobody", "hmac")),
	st.booleans(),
	st.sampled_from((0, 0, 0, 1400, 2600, 2700, 2800, 2900)),
)


def _decided(objects: dict[str, Any], request: dict[str, Any]) -> twin.Decision:
	bucket = {path: twin.Object(found["body"].encode(), found["metadata"]) for path, found in objects.items()}
	authorization = request["headers"].get("Authorization")
	folders = CONFIG["video_folders"]
	return twin.decide(request["path"], authorization, bucket, site=SITE, now=NOW, video_folders=folders)


def _compare(in_node: Runner, objects: dict[str, Any], requests: list[dict[str, Any]]) -> list[int]:
	"""Whether both decide alike; the status of each request."""
	store = {"kind": "memory", "objects": objects}
	answers = in_node.ask(store=store, config=CONFIG, now=NOW, steps=requests)["answers"]
	for request, answer in zip(requests, answers, strict=True):
		error = json.loads(answer["body"])["error"] if answer["status"] >= 400 else ""
		assert _decided(objects, request) == twin.Decision(answer["status"], error), request
	return [answer["status"] for answer in answers]


PAID = objects_of({"lessons/paid.json": {"metadata": {"access-level": "paid"}, "items": ["PHYSICS"]}})


@given(st.lists(_TOKENS, min_size=60, max_size=60))
@settings(max_examples=12)
def test_a_token_is_accepted_by_both_or_by_none(in_node: Runner, drawn: list[Any]) -> None:
	objects = PAID | objects_of({"gate/keys.json": {"body": public_keys(one={}, two={}).decode()}})
	requests = []
	for claims, header, signed_by, player, pad in drawn:
		made = minted(
			["PHYSICS"],
			player=player,
			now=NOW,
			claims={**claims, **({"pad": pad} if pad else {})},
			header=header,
			signed_by=signed_by,
		)
		requests.append({"path": "/lessons/paid.json", "headers": {"Authorization": f"Bearer {made}"}})
		requests.append({"path": f"/~{made}/lessons/paid.json", "headers": {}})
	_compare(in_node, objects, requests)


_FOLDERS = ("videos/", "videos/a/", "videos/a/b/", "videos/a/b/c/", "videos/d/", "courses/", "courses/films/")
_FILMS = tuple(f"{folder}{name}" for folder in _FOLDERS for name in ("1.mp4", "2.ts"))
_ACCESS = st.fixed_dictionaries(
	{
		"access-level": st.sampled_from(
			("public", "free_preview", "authenticated", "paid", "paid", "Paid", "", 1)
		)
	},
	optional={
		"required-items": st.sampled_from((["PHYSICS"], ["PHYSICS", "LAB"], [], [""], "PHYSICS", [1], None)),
		"any-of": st.sampled_from(
			([["PHYSICS"], ["LAB"]], [["LAB", "PHYSICS"], ["ART"]], [["LAB"], []], [], "PHYSICS", [1])
		),
		"site": st.sampled_from((SITE, OTHER_SITE, None)),
	},
)


@given(
	st.sets(st.sampled_from(_FILMS), min_size=3),
	st.dictionaries(st.sampled_from((*_FILMS, *_FOLDERS)), st.one_of(_ACCESS, _ACCESS, st.just("{"))),
)
@settings(max_examples=40)
def test_a_film_is_open_to_the_same(in_node: Runner, films: set[str], access: dict[str, Any]) -> None:
	"""And the first access object from the file up decides: said here once more, in another way."""
	objects = film_access(access) | objects_of({film: {} for film in films})
	objects |= objects_of({"gate/keys.json": {"body": public_keys(one={}).decode()}})
	requests = [
		{"path": f"/{film}", "headers": {"Authorization": f"Bearer {token}"} if token else {}}
		for film in (*sorted(films), "videos/a/gone.mp4")
		for token in ("", *(minted(items, now=NOW) for items in ([], ["PHYSICS"], ["LAB", "PHYSICS"])))
	]
	for request, status in zip(requests, _compare(in_node, objects, requests), strict=True):
		film = request["path"][1:]
		above = [folder for folder in _FOLDERS if film.startswith(folder) and folder != "courses/"]
		deciding = next((access[path] for path in (film, *reversed(above)) if path in access), None)
		if film.startswith("courses/") and not film.startswith("courses/films/"):
			assert status == 200  # no video folder
		elif not isinstance(deciding, dict) or deciding.get("site", SITE) != SITE:
			assert status in (401, 403)
		elif deciding["access-level"] not in ("public", "free_preview") and not request["headers"]:
			assert status == 401


_X = json.loads(public_keys(one={}))["keys"][0]
KEY_FILES: dict[str, tuple[str | None, int]] = {
	"missing": (None, 503),
	"empty": ("", 503),
	"no JSON": ("{", 503),
	"with a byte order mark": ("\ufeff" + public_keys(one={}).decode(), 503),
	"a list": (json.dumps([_X]), 503),
	"null": ("null", 503),
	"no keys": ("{}", 503),
	"keys that are no list": (json.dumps({"keys": 1}), 503),
	"a key that is null": (json.dumps({"keys": [None]}), 503),
	"a newer version": (json.dumps({"version": 2, "keys": [_X]}), 503),
	"a version that is a text": (json.dumps({"version": "1", "keys": [_X]}), 503),
	"a version that is true": (json.dumps({"version": True, "keys": [_X]}), 503),
	"a version that is null": (json.dumps({"version": None, "keys": [_X]}), 503),
	"this version": (json.dumps({"version": 1, "keys": [_X]}), 200),
	"a newer field": (json.dumps({"issued": NOW, "keys": [{**_X, "for": ["videos/"]}]}), 200),
	"no key at all": (json.dumps({"keys": []}), 401),
	"huge": (json.dumps({"keys": [_X], "x": "x" * 16_384}), 503),
	"a private key": (json.dumps({"keys": [{**_X, "d": "AAAA"}]}), 503),
	"a name twice": (json.dumps({"keys": [_X, _X]}), 503),
	"no name": (json.dumps({"keys": [{**_X, "kid": None}]}), 503),
	"a short key": (json.dumps({"keys": [{**_X, "x": "AAAA"}]}), 503),
	"no key's value": (json.dumps({"keys": [{**_X, "x": 1}]}), 503),
	"a time that is a text": (json.dumps({"keys": [{**_X, "exp": "soon"}]}), 503),
	"a time that is null": (json.dumps({"keys": [{**_X, "nbf": None}]}), 503),
	"a key of another kind beside it": (json.dumps({"keys": [{"kty": "RSA", "kid": "one"}, _X]}), 200),
	"another type of key": (json.dumps({"keys": [{**_X, "kty": "EC"}]}), 401),
	"another curve": (json.dumps({"keys": [{**_X, "crv": "X25519"}]}), 401),
	"not yet": (json.dumps({"keys": [{**_X, "nbf": NOW + 61}]}), 401),
	"just about now": (json.dumps({"keys": [{**_X, "nbf": NOW + 60}]}), 200),
	"ended": (json.dumps({"keys": [{**_X, "exp": NOW - 60}]}), 401),
	"just ended": (json.dumps({"keys": [{**_X, "exp": NOW - 59}]}), 200),
	"the key": (json.dumps({"keys": [_X]}), 200),
}


def _with_keys(name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
	"""A bucket with this file of keys, and requests of an owner, a stranger, with two broken tokens, for what is open, for what is
	not there."""
	body, _ = KEY_FILES[name]
	opened = objects_of({"lessons/open.json": {"metadata": {"access-level": "public"}}})
	objects = PAID | opened | (objects_of({"gate/keys.json": {"body": body}}) if body is not None else {})
	good, bad, nameless = (
		{"Authorization": f"Bearer {made}"}
		for made in (
			minted(["PHYSICS"], now=NOW),
			minted(change="two parts", now=NOW),
			minted(["PHYSICS"], header={"kid": 1}, now=NOW),
		)
	)
	return objects, [
		{"path": "/lessons/paid.json", "headers": good},
		{"path": "/lessons/paid.json", "headers": {}},
		{"path": "/lessons/paid.json", "headers": bad},
		{"path": "/lessons/paid.json", "headers": nameless},
		{"path": "/lessons/open.json", "headers": good},
		{"path": "/lessons/gone.json", "headers": good},
	]


def statuses_by_key_file(runner: Runner, name: str, edge: str | None = None) -> int:
	"""The owner's status where the bucket has this file of keys; 0 where another request is not answered as it must be."""
	objects, requests = _with_keys(name)
	store = {"kind": "memory", "objects": objects}
	answers = runner.ask(store=store, config=CONFIG, now=NOW, steps=requests, edge=edge)["answers"]
	status, *others = (answer["status"] for answer in answers)
	return status if others == [401, 401, 401, 200, 404 if status == 200 else status] else 0


@pytest.mark.parametrize("name", KEY_FILES)
def test_public_keys_that_cannot_be_used_close_the_gate(in_node: Runner, name: str) -> None:
	_, status = KEY_FILES[name]
	assert statuses_by_key_file(in_node, name) == status
	_compare(in_node, *_with_keys(name))


@pytest.mark.parametrize(
	("seconds", "status"), [(-3600 - 59, 200), (-3600 - 60, 401), (60, 200), (61, 401)], ids=str
)
def test_clocks_may_differ_by_a_minute(in_node: Runner, seconds: int, status: int) -> None:
	objects = PAID | objects_of({"gate/keys.json": {"body": public_keys(one={}).decode()}})
	made = minted(["PHYSICS"], at=seconds, now=NOW)
	request = {"path": "/lessons/paid.json", "headers": {"Authorization": f"Bearer {made}"}}
	assert _compare(in_node, objects, [request]) == [status]
