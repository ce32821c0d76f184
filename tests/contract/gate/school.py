"""The school of the table of cases: its bucket, its keys, and the tokens that the cases name."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from memora.services.access_gate.rules import guarded, tokens
from memora.services.cdn_export.model.published_file import listed_items

SITE = "5c1e" * 8
OTHER_SITE = "0bad" * 8
CONFIG: dict[str, Any] = {
	"site": SITE,
	"video_folders": ["videos/", "courses/films/", "videos/apart/", "intro.mp4"],
	"origins": "*",
	"base": "/",
}
TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "cases.json").read_text())
CASES: list[dict[str, Any]] = TABLE["cases"]
LONG_ITEM = "مختبر الفيزياء العملي للصف الثاني عشر العلمي"
"""An item code that has more than 100 characters when it is encoded."""

Objects = dict[str, dict[str, Any]]


def private_key(name: str) -> Ed25519PrivateKey:
	"""The signing key of this name: the same in each run."""
	return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def public_keys(**keys: dict[str, int]) -> bytes:
	"""The file of public keys, of these names and with these times."""
	return tokens.keys_document(
		{name: tokens.Key(private_key(name).public_key(), **times) for name, times in keys.items()}
	)


def item(code: str) -> str:
	return LONG_ITEM if code == "<long>" else code


def objects_of(named: dict[str, Any], site: str = SITE) -> Objects:
	"""The objects of a table as a bucket has them. Items are named as they are, and encoded here."""
	found: Objects = {}
	for path, given in named.items():
		metadata = {"site": site, **given.get("metadata", {})}
		if "items" in given:
			metadata["required-items"] = listed_items(map(item, given["items"]))
		body = given.get("body", json.dumps({"path": path}))
		found[path] = {
			"body": body,
			"metadata": {name: value for name, value in metadata.items() if value is not None},
			"cacheControl": given.get("cache_control", "public, max-age=300"),
			"contentType": given.get("content_type", "application/json; charset=utf-8"),
			"etag": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
		}
	return found


def film_access(films: dict[str, Any]) -> Objects:
	"""Access objects by the file or folder that they are of; a text is a broken one."""
	found = {}
	for path, given in films.items():
		document = given
		if isinstance(given, dict):
			named = {"site": SITE, **given, "pad": "x" * given.get("pad", 0)}
			document = json.dumps({name: value for name, value in named.items() if value not in (None, "")})
		found |= objects_of({guarded.access_path(path): {"body": document}})
	return found


def bucket() -> Objects:
	"""The whole school: lessons, films, their access, the public keys."""
	return {
		**objects_of(TABLE["objects"]),
		**film_access(TABLE["film_access"]),
		**objects_of(
			{
				"gate/keys.json": {
					"body": public_keys(
						one={}, two={}, ended={"exp": _now() - 120}, later={"nbf": _now() + 3600}
					).decode()
				}
			}
		),
	}


def _now() -> int:
	return int(time.time())


def token(name: str) -> str:
	"""The token that the table calls so."""
	return minted(**TABLE["tokens"][name])


def minted(
	items: Any = (),
	*,
	player: bool = False,
	at: int = -10,
	seconds: int = 3600,
	claims: dict[str, Any] | None = None,
	header: dict[str, Any] | None = None,
	signed_by: str = "one",
	change: str = "",
	now: int | None = None,
	raw_claims: str = "",
) -> str:
	"""A token, right or wrong in whatever way. A claim or field of the header that is null is left out."""
	begins = (now or _now()) + at
	named: dict[str, Any] = {"iss": SITE, "iat": begins, "exp": begins + seconds}
	named["items"] = [item(code) for code in items] if isinstance(items, list | tuple) else items
	if player:
		named["use"] = "player"
	named |= {
		key: named["iat"] + value["after"] if isinstance(value, dict) and "after" in value else value
		for key, value in (claims or {}).items()
	}
	kid = signed_by if signed_by in ("one", "two", "ended", "later") else "one"
	head = {"alg": "EdDSA", "typ": "JWT", "kid": kid, **(header or {})}
	if claims and claims.get("pad"):
		named["pad"] = "x" * claims["pad"]
	parts = [_without_null(head), raw_claims or _without_null(named)]
	signed = ".".join(_base64(part.encode()) for part in parts)
	return _changed(f"{signed}.{_base64(_signature(signed, signed_by))}", change)


def _without_null(named: dict[str, Any]) -> str:
	return json.dumps({key: value for key, value in named.items() if value is not None})


def _signature(signed: str, signed_by: str) -> bytes:
	if signed_by == "nobody":
		return b""
	if signed_by == "hmac":  # with the public key as the secret: a library's classic mistake
		public = private_key("one").public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
		return hmac.digest(public, signed.encode(), "sha256")
	return private_key(signed_by).sign(signed.encode())


def _changed(made: str, change: str) -> str:
	header, claims, signature = made.split(".")
	match change:
		case "":
			return made
		case "padding":
			return f"{header}.{claims}.{signature}=="
		case "a bit too much":
			return f"{header}.{claims}.{signature[:-1]}{chr(ord(signature[-1]) + 1)}"
		case "another signature":
			return f"{header}.{claims}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
		case "other claims":
			return f"{header}.{_base64(json.dumps({'iss': SITE, 'items': ['PHYSICS']}).encode())}.{signature}"
		case "a fourth part":
			return f"{made}.{signature}"
		case "two parts":
			return f"{header}.{claims}"
		case "signs of base64":
			return made.replace("-", "+").replace("_", "/")
		case "a comma":
			return f"{made}, {made}"
		case "header no JSON":
			return f"{_base64(b'{alg:EdDSA}')}.{claims}.{signature}"
		case "header null":
			return f"{_base64(b'null')}.{claims}.{signature}"
		case "header a list":
			return f"{_base64(b'[]')}.{claims}.{signature}"
	raise KeyError(change)


def _base64(raw: bytes) -> str:
	return urlsafe_b64encode(raw).decode().rstrip("=")


def request_of(case: dict[str, Any]) -> dict[str, Any]:
	"""A case's request, with the tokens that its path and headers name in place of `{name}`."""
	headers = {name: _filled(value) for name, value in case.get("headers", {}).items()}
	if "token" in case:
		headers["Authorization"] = f"Bearer {token(case['token'])}"
	if "authorization" in case:
		headers["Authorization"] = _filled(case["authorization"])
	return {"path": _filled(case["path"]), "method": case.get("method", "GET"), "headers": headers}


def _filled(text: str) -> str:
	for name in TABLE["tokens"]:
		if f"{{{name}}}" in text:
			text = text.replace(f"{{{name}}}", token(name))
	known = {
		"{4 KB}": "x" * 4096,
		"{9 KB}": "x" * 9000,
		"{film}": guarded.access_path("videos/paid.mp4").removeprefix("access/"),
		"{etag}": hashlib.md5(b"0123456789", usedforsecurity=False).hexdigest(),
	}
	for name, value in known.items():
		text = text.replace(name, value)
	return text


def wrong(case: dict[str, Any], answer: dict[str, Any]) -> list[str]:
	"""In what an answer is not the one that the case expects."""
	found = []
	if answer["status"] != case["status"]:
		found.append(f"status {answer['status']}, not {case['status']}")
	body = answer["body"]
	if case["status"] >= 400 and case.get("method") != "HEAD":
		try:
			error = json.loads(body)
		except ValueError:
			error = {}
		if "error" in case and error.get("error") != case["error"]:
			found.append(f"error {error.get('error')}, not {case['error']}")
		if not error.get("message", "").endswith("."):
			found.append(f"no sentence: {body[:80]}")
	if case["status"] >= 400 and answer["headers"].get("cache-control") != "no-store":
		found.append("a refusal that may be kept")
	if "body" in case and body != case["body"]:
		found.append(f"body {body[:80]!r}")
	if case["status"] == 200 and case.get("method", "GET") == "GET" and "body" not in case and not body:
		found.append("no body")
	for name, expected in case.get("answer", {}).items():
		value = answer["headers"].get(name.lower())
		if value != expected:
			found.append(f"{name}: {value!r}, not {expected!r}")
	for name, value in {
		"x-content-type-options": "nosniff",
		"access-control-allow-origin": "*",
		"x-memora-gate": "1",
	}.items():
		if answer["headers"].get(name) != value:
			found.append(f"{name} is missing")
	return found
