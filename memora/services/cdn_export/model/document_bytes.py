"""A document as bytes: serialised, stamped, hashed, and no larger than allowed.

Same content, same bytes: `version` and `generated_at` say when the content last changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from functools import lru_cache
from hashlib import sha256
from typing import Any

import orjson

from memora.exceptions import BuildError, FileTooLargeError

Document = dict[str, Any]


# Spec: "A file over 10 MB fails its plan"; 10 MB is 10,000,000 bytes.
LARGEST_FILE = 10_000_000
MEDIA = "media/"
_MEDIA_QUOTED = b'"media/'


# The key that `version` and `generated_at` come before, by kind of file (spec, "Files"). A schema has no stamp, nor have
# the gate's keys.
_STAMP_STANDS_BEFORE: dict[str, str] = {
	"plans_index": "plans",
	"manifest": "subjects",
	"subject": "access",
	"unit": "access",
	"lesson": "access",
	"search_index": "total_lessons",
	"search_shard": "entries",
	"schemas_index": "schemas",
	"access": "access-level",
}


def serialise(document: Document, path: str = "a document") -> bytes:
	"""A document as its file has it: UTF-8, keys in the order they were put in, no space, no newline."""
	try:
		return orjson.dumps(document)
	except orjson.JSONEncodeError as error:
		raise BuildError(f"{path} cannot be written as JSON: {error}") from error


def body(path: str, document: Document) -> bytes:
	"""The bytes to upload, stamp and signed links included, or an error that names the path."""
	content = serialise(document, path)
	check_size(path, len(content))
	return content


def shape(document: Document) -> str:
	"""The hash of a document without its stamp, whole or, for a lesson's shape, its head."""
	return sha256(serialise(document)).hexdigest()


def published_size(document: Document) -> int:
	"""How many bytes a document, given without its stamp, has once it is published."""
	return len(serialise(document)) + STAMP_BYTES


def stamped(kind: str, document: Document, version: int) -> Document:
	"""The document with `version` and `generated_at` where the spec's table has them."""
	anchor = _STAMP_STANDS_BEFORE.get(kind)
	whole: Document = {}
	for key, value in document.items():
		if key == anchor:
			whole["version"] = version
			whole["generated_at"] = moment(version)
		whole[key] = value
	return whole


@lru_cache(maxsize=64)
def moment(version: int) -> str:
	"""A version is a moment, in Unix seconds; this is the same one in ISO 8601 with offset."""
	return datetime.fromtimestamp(version, timezone.utc).isoformat()


def check_size(path: str, size: int) -> None:
	if size > LARGEST_FILE:
		raise FileTooLargeError(
			f"{path} has {size:,} bytes, and a file may have {LARGEST_FILE:,}: "
			"shorten its descriptions and stages, or move part of what it lists elsewhere"
		)


def pictures_of(document: Document, content: bytes) -> frozenset[str]:
	"""The media files that a document shows. `content`, as it is serialised, tells quickly when there are none."""
	return frozenset(pictures_in(document)) if _MEDIA_QUOTED in content else frozenset()


def pictures_in(document: Any) -> Iterator[str]:
	"""What any image field of a document holds, stages aside: those are the editors' own."""
	if isinstance(document, list):
		for item in document:
			yield from pictures_in(item)
	elif isinstance(document, dict):
		for key, value in document.items():
			if key in ("image", "badge_image") and isinstance(value, str):
				if value.startswith(MEDIA):
					yield value
			elif key != "stages":
				yield from pictures_in(value)


STAMP_BYTES = len(f'"version":1769300000,"generated_at":"{moment(1769300000)}",')
