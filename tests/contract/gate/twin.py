"""The gate's twin: who may read a guarded file, once more in Python. What is not said clearly is closed.

memora itself asks nobody's token, so this is for tests alone. Paths and tokens, which memora needs, are in
`access_gate/rules`.

- A lesson and its files: by the metadata of the very object that is read.
- A film: by the object `access/{sha256 of its path}`, else by that of its folder; the first that is found decides.
- Without a token that is accepted 401, with one that is not enough 403; what is not there is 401 or 404 likewise.

The same rules in JavaScript: `edge/access.js` and `edge/gate.js`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from memora.exceptions import KeysError, TokenError
from memora.services.access_gate.rules import guarded, tokens
from memora.services.access_gate.rules.strict_json import strict_json
from memora.services.cdn_export.model.published_file import listed_items

Level = Literal["open", "authenticated", "paid", "closed", "missing"]

_LARGEST_ACCESS = 65_536
_MOST_FOLDERS = 16
_BEARER = re.compile(r"bearer(?: +(.*))?", re.IGNORECASE)


class Access(NamedTuple):
	"""Who may read: where the level is paid, who has all the items of one of the `ways`, encoded as in `required-items`."""

	level: Level
	ways: tuple[tuple[str, ...], ...] = ()


class Object(NamedTuple):
	"""An object of the bucket, as far as the gate looks at it."""

	body: bytes
	metadata: Mapping[str, str]


class Decision(NamedTuple):
	"""What the gate answers: 200 means the file's bytes. `error` is the refusal's, "" with 200."""

	status: int
	error: str = ""


CLOSED = Access("closed")
MISSING = Access("missing")


def decide(
	pathname: str,
	authorization: str | None,
	objects: Mapping[str, Object],
	*,
	site: str,
	now: float,
	base: str = "/",
	video_folders: Sequence[str] = ("videos/",),
) -> Decision:
	"""What a GET without conditions is answered. `objects` is the bucket, `site` the hash of the site's key."""
	place = guarded.place_of(pathname, base, video_folders)
	found = objects.get(place.key)
	if place.kind == "nothing" or (place.kind == "public" and not found):
		return Decision(404, "not_found")
	if place.kind == "public":
		return Decision(200)
	if place.kind == "film":
		access = access_of_film(place, objects, site)
		if found is None and access.level == "open":
			access = MISSING
	else:
		access = access_of_object(found.metadata, site) if found else MISSING
	if access.level == "open":
		return Decision(200)
	held = _held(place, authorization, objects, site, now)
	if isinstance(held, Decision):
		return held
	if access.level == "missing":
		return Decision(404, "not_found")
	if not allows(access, held):
		return Decision(403, "item_required" if access.level == "paid" else "closed")
	return Decision(200) if found else Decision(404, "not_found")


def access_of_object(metadata: Mapping[str, str], site: str) -> Access:
	"""The access that an object's metadata names."""
	items = metadata.get("required-items")
	return _access_of(metadata, site, None if items is None else [items.split(",")])


def access_of_film(place: guarded.Place, objects: Mapping[str, Object], site: str) -> Access:
	"""The access that the access objects of a bucket name for a film."""
	paths = guarded.film_and_folders(place.key, place.folder)
	if len(paths) > _MOST_FOLDERS + 1:
		return CLOSED
	for path in paths:
		if found := objects.get(guarded.access_path(path)):
			return _access_of_document(found.body, site)
	return CLOSED


def allows(access: Access, held: Iterable[str]) -> bool:
	"""Whether who holds these item codes may read."""
	if access.level == "paid":
		encoded: Collection[str] = {listed_items([item]) for item in held}
		return any(all(item in encoded for item in way) for way in access.ways)
	return access.level in ("open", "authenticated")


def _access_of(named: Mapping[str, object], site: str, ways: object) -> Access:
	level = named.get("access-level")
	if named.get("site") != site:
		return CLOSED
	if level in ("public", "free_preview"):
		return Access("open")
	if level == "authenticated":
		return Access("authenticated")
	if level == "paid" and isinstance(ways, list) and ways and all(map(_are_items, ways)):
		return Access("paid", tuple(map(tuple, ways)))
	return CLOSED


def _are_items(items: object) -> bool:
	return isinstance(items, list) and bool(items) and all(isinstance(item, str) and item for item in items)


def _access_of_document(body: bytes, site: str) -> Access:
	try:
		document = strict_json(body) if len(body) <= _LARGEST_ACCESS else None
	except ValueError:
		return CLOSED
	if not isinstance(document, dict):
		return CLOSED
	if "any-of" not in document:
		ways = [document.get("required-items")]
	else:
		ways = None if "required-items" in document else document["any-of"]
	return _access_of(document, site, ways)


def _held(
	place: guarded.Place, authorization: str | None, objects: Mapping[str, Object], site: str, now: float
) -> list[str] | Decision:
	"""The items of the request's token, or the refusal."""
	token = place.token
	if token is None:
		given = _BEARER.fullmatch(authorization or "")
		if not given:
			return Decision(401, "token_required")
		token = given[1] or ""
	form = tokens.HEADER if place.token is None else tokens.PATH
	stored = objects.get(guarded.KEYS)

	def find_key(kid: str) -> tokens.Key | None:
		return tokens.keys_of(stored.body if stored else None).get(kid)

	try:
		return tokens.items_of(token, form=form, site=site, now=now, find_key=find_key)
	except TokenError as error:
		return Decision(401, error.reason)
	except KeysError:
		return Decision(503, "keys_unavailable")
