"""A published file: as the ledger knows it, as a build plans it, and the metadata that the storage keeps with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Literal, NamedTuple
from urllib.parse import quote

from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.document_bytes import Document
from memora.services.cdn_export.model.stage_files import PublicFile

FileKind = Literal[
	"plans_index",
	"manifest",
	"subject",
	"unit",
	"lesson",
	"search_index",
	"search_shard",
	"schemas_index",
	"schema",
	"gate_keys",
]


AnyKind = FileKind | Literal["media", "lesson_file", "access"]
"""A kind of document, of the site's own files, or of what the gate alone reads."""


State = Literal["live", "in_flight", "removing", "removed"]
_LONGEST_ITEM = 100
"""In characters, as it is encoded: two of them and all else must stay below the 2,048 bytes that S3 allows."""

_NEWER = {"site", "cache-tag", "required-items"}
"""What an object of an earlier release lacks."""


class LedgerEntry(NamedTuple):
	"""What is known of one path: the file there, and the highest version it was ever offered.

	`version` outlives the file: a removed path keeps its entry, so that its versions never go back.
	`live_version` is 0 while nothing is live. `content_hash` and `shape_hash` are those of the last offer; of an
	`in_flight` path it is not known whether the old or the new bytes are there. `damaged` says that an audit has found
	another object there, or none: the file must be uploaded again, under its version if its content is the same.
	`outdated` says that it has the metadata of an earlier release, or of another key of the site; `required_items` are
	not known then. `old_headers` says that it has those from before the gate was switched on or off. `etag` is of the object there; a path that waits for its removal has it while the object is certainly
	there. `pictures` are the media files that it shows or, in flight, may show, with spaces between them. `in_grace` says that
	what has moved from here will be removed later, `was_live` that memora has uploaded a file there before.
	"""

	path: str
	scope: str
	kind: AnyKind
	node: str = ""
	subject: str = ""
	content_hash: str = ""
	shape_hash: str = ""
	version: int = 0
	live_version: int = 0
	state: State = "live"
	etag: str = ""
	size: int = 0
	access_level: str = ""
	required_item: str = ""
	lesson_count: int = 0
	damaged: bool = False
	pictures: str = ""
	required_items: str = ""
	outdated: bool = False
	old_headers: bool = False
	in_grace: bool = False
	was_live: bool = False

	@property
	def is_there(self) -> bool:
		"""Whether something relies on the file, or may until its grace is over."""
		return self.in_grace or self.state in ("live", "in_flight")

	@property
	def is_left(self) -> bool:
		"""Whether the file waits for its removal, and is certainly still there as it was when it was live."""
		return self.state == "removing" and bool(self.etag) and 0 < self.live_version == self.version

	def can_stay(self, subject: str) -> bool:
		"""Whether the file is known to be whole, and need not be uploaded again for this subject if its content is the same."""
		return self.state == "live" or (self.is_left and self.subject == subject)

	@property
	def shows(self) -> tuple[str, str]:
		"""Kind and name of the node that decides who may read this file: of a lesson's file, its lesson."""
		return ("lesson" if self.kind == "lesson_file" else self.kind), self.node

	def metadata(self, site: str = "") -> dict[str, str]:
		"""The metadata that the live file should have in the storage of the site whose key has this hash."""
		return _metadata(self, self.live_version, site)

	def differs(self, found: Mapping[str, str], site: str) -> list[str]:
		"""The names of metadata in which the object found is not the live file's. What an outdated one does not have yet,
		or has of another key, is no difference."""
		wanted = self.metadata(site)
		names = {*found, *wanted} - (_NEWER if self.outdated else set())
		return sorted(name for name in names if found.get(name) != wanted.get(name))


class Planned(NamedTuple):
	"""One file as a build wants it. `document` is whole, stamp included, and None where nothing changed; `pictures`
	are the paths of the media files it shows, `source` is what a file that is no document is read from."""

	path: str
	kind: AnyKind
	node: str
	subject: str
	version: int
	changed: bool
	content_hash: str
	shape_hash: str
	document: Document | None
	access_level: str
	required_item: str
	lesson_count: int
	pictures: frozenset[str] = frozenset()
	source: PublicFile | None = None
	required_items: str = ""

	@property
	def url(self) -> str:
		return paths.versioned(self.path, self.version)

	def metadata(self, site: str = "") -> dict[str, str]:
		"""The file's metadata in the storage: for a gate at the edge, to rebuild a lost ledger, and to tell this
		site's files from others', where its key has the hash `site`."""
		return _metadata(self, self.version, site)


class Uploaded(NamedTuple):
	"""A file that went up: the object's ETag and size, and until when its signatures hold, if it has any."""

	file: Planned
	etag: str
	size: int
	signed_until: datetime | None = None


def as_live(entry: LedgerEntry, document: Document | None = None) -> Planned:
	"""Plan a live file under the version it has: kept as it is, or uploaded again where there is a `document`, whole, stamp
	included."""
	return Planned(
		path=entry.path,
		kind=entry.kind,
		node=entry.node,
		subject=entry.subject,
		version=entry.live_version,
		changed=document is not None,
		content_hash=entry.content_hash,
		shape_hash=entry.shape_hash,
		document=document,
		access_level=entry.access_level,
		required_item=entry.required_item,
		lesson_count=entry.lesson_count,
		pictures=frozenset(entry.pictures.split()),
		required_items=entry.required_items,
	)


def _metadata(file: LedgerEntry | Planned, version: int, site: str) -> dict[str, str]:
	metadata = {"version": str(version), "content-hash": file.content_hash}
	for name, value in (
		("shape-hash", file.shape_hash),
		("access-level", file.access_level),
		("required-item", file.required_item),
		("required-items", file.required_items),
		("site", site),
	):
		if value:
			metadata[name] = value
	metadata["cache-tag"] = ",".join(tags(file.path, file.subject))
	return metadata


def tags(path: str, subject: str) -> tuple[str, str]:
	"""The tags by which a CDN's cache forgets a file, and all files of its scope."""
	return _tag("file", path), _tag("scope", scopes.of_file(path, subject))


def listed_items(items: Iterable[str]) -> str:
	"""Item codes as `required-items` has them: percent-encoded UTF-8, with commas between them.

	All but ASCII letters, digits, `-` `_` and `.` is encoded. A code that is longer than 100 characters then is replaced by `~`
	and a digest, as in paths (docs/contract.md).
	"""
	encoded = ((item, quote(item, safe="").replace("~", "%7E")) for item in items)
	return ",".join(paths.digested(item) if len(code) > _LONGEST_ITEM else code for item, code in encoded)


@lru_cache(maxsize=1 << 10)
def _tag(kind: str, name: str) -> str:
	return sha256(f"{kind}:{name}".encode()).hexdigest()[:16]
