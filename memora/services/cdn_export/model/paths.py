"""Where each file is under the bucket's root (spec, "Files").

Every path and URL that memora publishes is made here. A `plan` argument is the plan's name; where it may be
None, None means the shared file and a name means that plan's own ("Shared or own, never a mix").
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Collection, Iterable
from functools import lru_cache
from hashlib import sha256

PLAN_INDEX = "plans/index.json"
SCHEMA_INDEX = "schemas/index.json"
GATE_KEYS = "gate/keys.json"
"""The public keys that the gate checks tokens with. No app reads it."""
MARK = "memora/place.json"
"""Says which site a place belongs to (`ownership`). No app reads it."""

ACCESS = "access/"
"""Where the gate looks for who may see a film. No app reads it."""

OWN_FOLDERS = (ACCESS, "gate/", "lessons/", "media/", "plans/", "schemas/", "units/")
"""Where everything that memora publishes is."""

FILMS: tuple[str, ...] = ("videos/",)
"""The video folders of CDN Settings, unless they say others."""

_NO_FILMS = (
	*OWN_FOLDERS,
	"connection-test/",
	"memora/",
)  # for the test, the mark
_FILE = re.compile(r"[^/]+\.[A-Za-z0-9]{2,5}")

_PLAYLISTS = (".m3u8", ".m3u", ".mpd")

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LESSON_FILE = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,16}")
_EXTENSION = re.compile(r"[a-z0-9]{1,16}")


@lru_cache(maxsize=16_384)
def segment(name: str) -> str:
	"""Return a document's name as a path has it: itself if plain, else "~" and a digest of it.

	Any name becomes 1 to 64 characters that need no escaping in a URL, an S3 key or a file name. Two names
	never share a segment: no plain name begins with "~".
	"""
	return name if _PLAIN.fullmatch(name) else digested(name)


def digested(name: str) -> str:
	"""The segment of a name that cannot be in a path as it is."""
	return "~" + b32encode(sha256(name.encode()).digest()).decode().lower()[:26]


def plan_folder(plan: str) -> str:
	"""The prefix of everything that is one plan's own."""
	return f"plans/{segment(plan)}/"


def manifest(plan: str) -> str:
	return f"{plan_folder(plan)}manifest.json"


def plan_subject(plan: str, subject: str) -> str:
	return f"{plan_folder(plan)}subjects/{segment(subject)}.json"


def unit(name: str, plan: str | None = None) -> str:
	return f"{_world(plan)}units/{segment(name)}.json"


@lru_cache(maxsize=16_384)  # asked five times for each: its file, its entry in the unit, its neighbours
def lesson(name: str, plan: str | None = None) -> str:
	return f"{_world(plan)}lessons/{segment(name)}.json"


def search_index(plan: str) -> str:
	return f"{plan_folder(plan)}search_index.json"


def search_shard(plan: str, subject: str, part: int | None = None) -> str:
	"""A subject's search shard, or its `part`-th part (from 1) where it had to be split."""
	whole = f"{plan_folder(plan)}search/{segment(subject)}"
	return f"{whole}.json" if part is None else f"{whole}/{part}.json"


def media(digest: str, extension: str) -> str:
	"""A public file by the hex SHA-256 of its bytes; an extension that is not plain becomes "bin"."""
	extension = extension.lower().removeprefix(".")
	return f"media/{digest}.{extension if _EXTENSION.fullmatch(extension) else 'bin'}"


def lesson_file(lesson: str, name: str, plan: str | None = None) -> str:
	"""A file that a lesson's stages name, by the hash of its bytes: beside the lesson, with whose access it comes."""
	return f"{_world(plan)}lessons/{segment(lesson)}/{name}"


def lesson_of_file(path: str) -> str:
	"""The path of the lesson that a lesson's file belongs to; "" for any other path."""
	folder, _, name = path.rpartition("/")
	return f"{folder}.json" if _LESSON_FILE.fullmatch(name) and "lessons" in folder.split("/")[-2:-1] else ""


def schema(name: str) -> str:
	"""A JSON Schema of the contract, beside the content that it describes."""
	return f"schemas/{name}.schema.json"


def film_folders(text: str) -> tuple[str, ...]:
	"""The video folders as typed in CDN Settings, one a line: `videos/`, `courses/films/`, or a single file, `intro.mp4`.

	A folder ends with a slash. What begins with a slash is taken from the top of the bucket, too.
	"""
	found = []
	for line in text.replace(",", "\n").splitlines():
		if folder := line.strip().lstrip("/"):
			is_file = _FILE.fullmatch(folder.rpartition("/")[2])
			found.append(folder if is_file else f"{folder.rstrip('/')}/")
	return tuple(dict.fromkeys(found))


def may_hold_films(folder: str) -> bool:
	"""Whether a video folder is one that may be: below the top of the bucket, and neither memora's own nor in it."""
	parts = folder.removesuffix("/").split("/")
	return not {"", ".", ".."}.intersection(parts) and not folder.startswith(_NO_FILMS)


def is_film(key: str, folders: Iterable[str]) -> bool:
	"""Whether an object of the bucket is a film by where it is; nothing of memora's own ever is, whatever `folders` are."""
	return any(
		key == folder or (folder.endswith("/") and key.startswith(folder))
		for folder in folders
		if may_hold_films(folder)
	)


def is_in_pieces(key: str) -> bool:
	"""Whether a film is a playlist (HLS, DASH), whose pieces a player asks for one by one."""
	return key.lower().endswith(_PLAYLISTS)


def film_subject(key: str, folders: Collection[str]) -> str:
	"""What a film's access object is about: the film itself or, of a film in pieces, its folder. "" where it can have none,
	since its folder is a video folder itself, and would open every film in it."""
	film = key[: key.rfind("/") + 1] if is_in_pieces(key) else key
	return film if film and may_have_access(film, folders) else ""


def may_have_access(film: str, folders: Collection[str]) -> bool:
	"""Whether a film, or a folder with its slash, is one that an access object may be about."""
	return is_film(film, folders) and not (film.endswith("/") and film in folders)


def folders_around(film: str, folders: Iterable[str]) -> list[str]:
	"""The folders that a film, or a folder, is in, below the video folder where the gate ends to look."""
	ends = max(
		(len(folder) for folder in folders if folder.endswith("/") and film.startswith(folder)),
		default=len(film),
	)
	slashes = (place for place, letter in enumerate(film) if letter == "/")
	return [film[: place + 1] for place in slashes if ends <= place < len(film) - 1]


def access(film: str) -> str:
	"""Where the gate looks for who may see a film, or what is in a folder."""
	return f"{ACCESS}{sha256(film.encode()).hexdigest()}"


def versioned(path: str, version: int) -> str:
	"""The URL of a file, relative to the CDN's base, that changes whenever the file does."""
	return f"{path}?v={version}"


def _world(plan: str | None) -> str:
	return "" if plan is None else plan_folder(plan)
