"""Which object a request asks for, and whether the gate guards it: decided by the path alone.

- A path is decoded once. If anything about it could be read in two ways, there is no such file.
- Guarded are `lessons/…`, `plans/*/lessons/…` and the video folders. Everything else is the shop window.
- `access/…`, `memora/…`, `~…`, names that begin with a dot, and `gate/…` but for `gate/keys.json` are never served.
- A first segment `~a.b.c` is a token for players, and no part of the object's path. memora's own `~` names have no dots.

The same rules in JavaScript: `edge/paths.js`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from memora.services.cdn_export.model.paths import GATE_KEYS

Kind = Literal["nothing", "public", "lesson", "film"]

KEYS = GATE_KEYS
"""The public keys, for whoever checks tokens."""

_MAX_PATHNAME = 8192
_MAX_KEY_BYTES = 1024
_UNFIT = re.compile("[%\\\\\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_TOKEN = re.compile(r"~[^.]*\.[^.]*\.[^.]*")
_NEVER = re.compile(r"(?:access|memora|gate)(?:/|$)|~")
_LESSON = re.compile(r"(?:plans/[^/]+/)?lessons/")
_ESCAPE = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)


class Place(NamedTuple):
	"""What a path leads to. `token` is the path's own, `folder` the video folder that a film is in."""

	kind: Kind
	key: str = ""
	token: str | None = None
	folder: str = ""


def place_of(pathname: str, base: str = "/", video_folders: Sequence[str] = ("videos/",)) -> Place:
	"""What the path of a request leads to. `pathname` is as an HTTP client sends it: percent-encoded, without the query."""
	if not pathname.startswith(base) or len(pathname) > _MAX_PATHNAME:
		return Place("nothing")
	rest = pathname[len(base) :]
	first, _, behind = rest.partition("/")
	token = None
	if _TOKEN.fullmatch(first):
		token, rest = first[1:], behind
	key = _key_of(rest)
	if key is None or (_NEVER.match(key) and key != KEYS):
		return Place("nothing", token=token)
	if _LESSON.match(key):
		return Place("lesson", key, token)
	folder = _video_folder_of(key, video_folders)
	return Place("film" if folder else "public", key, token, folder)


def film_and_folders(key: str, folder: str) -> list[str]:
	"""What may decide about a film: itself, then its folders from the deepest up to the video folder `folder`. Of a video
	folder that is a single file, only the file."""
	parts = key.split("/")
	folders = [f"{'/'.join(parts[:depth])}/" for depth in range(len(parts) - 1, 0, -1)]
	return [key, *(above for above in folders if above.startswith(folder))]


def access_path(path: str) -> str:
	"""Where the access object of a film, or of a folder with its slash, is."""
	return f"access/{sha256(path.encode()).hexdigest()}"


def _key_of(given: str) -> str | None:
	"""The object's path, None where the request's may be read in two ways."""
	try:
		key = unquote_to_bytes(given).decode()
		canonical = quote(_ESCAPE.sub(lambda escape: escape[0].upper(), given), safe="/%")
	except UnicodeError:
		return None
	if _UNFIT.search(key) or len(key.encode()) > _MAX_KEY_BYTES:
		return None
	if any(part == "" or part.startswith(".") for part in key.split("/")):
		return None
	return key if quote(key, safe="/") == canonical else None


def _video_folder_of(key: str, folders: Sequence[str]) -> str:
	"""The innermost of the video folders that the object is in."""
	around = [
		folder for folder in folders if key == folder or (folder.endswith("/") and key.startswith(folder))
	]
	return max(around, key=len, default="")
