"""Tokens: JSON Web Tokens signed with Ed25519.

- The header is exactly `{"alg": "EdDSA", "kid": …}`, with or without `"typ": "JWT"`. Keys come from the bucket alone.
- Claims: `iss` is the hash of the site's key; `iat` and `exp`, at most 24 hours apart; `nbf` if there is one; `items`.
- A token for players (`"use": "player"`) is taken in the path alone, is shorter and ends sooner. Others never are.
- If a name is twice in one object, the last counts. Claims that the gate does not know are left alone, but for
  `aud`: such a token is meant for somebody else.

The same rules in JavaScript: `edge/tokens.js`.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from memora.exceptions import KeysError, TokenError
from memora.services.access_gate.rules.strict_json import strict_json

SKEW = 60
"""Seconds that two clocks may differ by."""

LARGEST_KEYS = 16_384
"""Bytes of the file with the public keys."""

_KEYS_VERSION = 1
"""Of that file's format; a file that names none has this one."""

_TEXT = re.compile(r"[A-Za-z0-9_-]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SAFE = 2**53 - 1
"""The largest integer that JavaScript knows for certain."""


class Form(NamedTuple):
	"""What holds for a token by where it is sent: its size, how long it lasts, and its claim `use`."""

	bytes: int
	seconds: int
	use: str | None


HEADER = Form(4096, 24 * 3600, None)
"""In the header `Authorization`."""

PATH = Form(2048, 4 * 3600, "player")
"""In the path, for players."""


class Key(NamedTuple):
	"""A public key, and from when until when tokens that it signed are accepted."""

	key: Ed25519PublicKey
	nbf: int | None = None
	exp: int | None = None


Keys = Mapping[str, Key]
"""By their `kid`."""


def encode(
	items: Sequence[str],
	*,
	site: str,
	kid: str,
	key: Ed25519PrivateKey,
	iat: int,
	seconds: int,
	form: Form = HEADER,
) -> str:
	"""A token for who owns these items, from `iat` on for so many seconds.

	Raises ValueError for one that the gate would refuse: it lasts too long or is too large.
	"""
	if not 0 < seconds <= form.seconds:
		raise ValueError(f"A token of this form lasts 1 to {form.seconds} seconds, not {seconds}.")
	claims: dict[str, Any] = {"iss": site, "iat": iat, "exp": iat + seconds, "items": list(items)}
	if form.use:
		claims["use"] = form.use
	signed = f"{_encoded_json({'alg': 'EdDSA', 'typ': 'JWT', 'kid': kid})}.{_encoded_json(claims)}"
	token = f"{signed}.{_encoded(key.sign(signed.encode()))}"
	if len(token) > form.bytes:
		raise ValueError(
			f"The token would have {len(token)} bytes, {form.bytes} are allowed: {len(items)} items are too many."
		)
	return token


def items_of(
	token: str, *, form: Form, site: str, now: float, find_key: Callable[[str], Key | None]
) -> list[str]:
	"""The item codes that a token says its holder owns. `find_key` is asked for the key of a name.

	Raises TokenError, whose `reason` the gate answers.
	"""
	header, claims, signature = _parts_of(token, form)
	kid = header.get("kid")
	if header.get("alg") != "EdDSA" or not isinstance(kid, str) or header.get("typ", "JWT") != "JWT":
		_invalid()
	if not header.keys() <= {"alg", "kid", "typ"}:
		_invalid()
	key = find_key(kid)
	if key is None or (key.nbf is not None and now < key.nbf - SKEW):
		_invalid()
	if key.exp is not None and now >= key.exp + SKEW:
		_invalid()
	try:
		key.key.verify(signature, token.rpartition(".")[0].encode())
	except InvalidSignature:
		_invalid()
	return _checked_items(claims, form, site, now)


def keys_of(document: bytes | None) -> dict[str, Key]:
	"""The keys of `gate/keys.json`. Raises KeysError where it is missing, too large, broken or of another version; keys of
	other kinds are left out."""
	if document is None or len(document) > LARGEST_KEYS:
		raise KeysError("The gate's public keys are missing, or too large.")
	keys: dict[str, Key] = {}
	try:
		named = strict_json(document)
		version = named.get("version", _KEYS_VERSION)
		if isinstance(version, bool) or version != _KEYS_VERSION:
			raise ValueError(f"version {version} is not known")
		for jwk in named["keys"]:
			if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519":
				kid, key = _key_of(jwk)
				if kid in keys:
					raise ValueError(f"{kid} is there twice")
				keys[kid] = key
	except (KeyError, TypeError, ValueError, AttributeError, TokenError) as error:
		raise KeysError(f"The gate's public keys are broken: {error}") from error
	return keys


def keys_document(keys: Keys) -> bytes:
	"""The bytes of `gate/keys.json`: a JSON Web Key Set."""
	return json.dumps({"keys": [_jwk(kid, key) for kid, key in keys.items()]}, separators=(",", ":")).encode()


def _jwk(kid: str, key: Key) -> dict[str, Any]:
	x = _encoded(key.key.public_bytes(Encoding.Raw, PublicFormat.Raw))
	times = {name: time for name, time in (("nbf", key.nbf), ("exp", key.exp)) if time is not None}
	return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x, **times}


def _key_of(jwk: Mapping[str, Any]) -> tuple[str, Key]:
	kid, x = jwk.get("kid"), jwk.get("x")
	if "d" in jwk:
		raise ValueError("it holds a private key")
	if not isinstance(kid, str) or not isinstance(x, str):
		raise ValueError("a key has no name, or no value")
	times = [_time(jwk[name]) if name in jwk else None for name in ("nbf", "exp")]
	return kid, Key(Ed25519PublicKey.from_public_bytes(_decoded(x)), *times)


def _checked_items(claims: Mapping[str, Any], form: Form, site: str, now: float) -> list[str]:
	if claims.get("iss") != site or claims.get("use") != form.use or "aud" in claims:
		_invalid()
	if form.use is None and "use" in claims:  # as null
		_invalid()
	iat, exp = _time(claims.get("iat")), _time(claims.get("exp"))
	nbf = _time(claims["nbf"]) if "nbf" in claims else None
	if not 0 < exp - iat <= form.seconds:
		_invalid()
	items = claims.get("items")
	if not isinstance(items, list) or not all(isinstance(i, str) and not _SURROGATE.search(i) for i in items):
		_invalid()
	if now >= exp + SKEW:
		raise TokenError("token_expired")
	if iat > now + SKEW or (nbf is not None and nbf > now + SKEW):
		raise TokenError("token_early")
	return items


def _parts_of(token: str, form: Form) -> tuple[dict[str, Any], dict[str, Any], bytes]:
	parts = token.split(".")
	if len(token) > form.bytes or len(parts) != 3:
		_invalid()
	header, claims, signature = map(_decoded, parts)
	return _object_of(header), _object_of(claims), signature


def _object_of(text: bytes) -> dict[str, Any]:
	try:
		value = strict_json(text)
	except ValueError:
		_invalid()
	return value if isinstance(value, dict) else _invalid()


def _time(value: object) -> int:
	"""A whole number as JavaScript counts: 1e3 is one."""
	if isinstance(value, bool) or not isinstance(value, int | float):
		_invalid()
	if not abs(value) <= _SAFE or value != int(value):
		_invalid()
	return int(value)


def _decoded(text: str) -> bytes:
	"""The bytes of a base64url text that is written in the one way that there is: no padding, no other sign, no bit too much."""
	if not _TEXT.fullmatch(text) or len(text) % 4 == 1:
		_invalid()
	found = urlsafe_b64decode(text + "=" * (-len(text) % 4))
	return found if _encoded(found) == text else _invalid()


def _encoded(raw: bytes) -> str:
	return urlsafe_b64encode(raw).decode().rstrip("=")


def _encoded_json(value: Mapping[str, Any]) -> str:
	return _encoded(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _invalid() -> NoReturn:
	raise TokenError("token_invalid")
