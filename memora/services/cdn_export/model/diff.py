"""What a build changes: the documents it offers against what the ledger says is live (spec, "Versions").

A build makes one `Diff` from its scope's ledger, offers or keeps every file it wants, and reads back which to
upload (`changed`) and which are no longer produced (`dropped`). Targets come before what links to them: a
link carries its target's version, so `link` only knows what was offered or kept before.

Same content, same bytes: a file's version and `generated_at` say when its content last changed, and come from
the ledger for as long as the content's hash stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import orjson

from memora.exceptions import BuildError, FileTooLargeError
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.stage_files import PublicFile
from memora.services.cdn_export.model.tree import Access

Document = dict[str, Any]
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
]
AnyKind = FileKind | Literal["media", "lesson_file"]
"""A kind of document, or of the site's own files."""

State = Literal["live", "in_flight", "removing", "removed"]

# Spec: "A file over 10 MB fails its plan"; 10 MB is 10,000,000 bytes.
LARGEST_FILE = 10_000_000

MEDIA = "media/"
_MEDIA_QUOTED = b'"media/'

# The key that `version` and `generated_at` stand before, by kind of file (spec, "Files"). A schema has no stamp.
_STAMP_STANDS_BEFORE: dict[AnyKind, str] = {
	"plans_index": "plans",
	"manifest": "subjects",
	"subject": "access",
	"unit": "access",
	"lesson": "access",
	"search_index": "total_lessons",
	"search_shard": "entries",
	"schemas_index": "schemas",
}


class LedgerEntry(NamedTuple):
	"""What is known of one path: what stands there, and the highest version it was ever offered.

	`version` outlives the file: a removed path keeps its entry, so that its versions never go back.
	`live_version` is 0 while nothing is live. `content_hash` and `shape_hash` are those of the last offer; of an
	`in_flight` path nobody knows whether the old or the new bytes are there. `damaged` says that an audit has found
	another object there, or none: the file is to be uploaded again, under its version if its content is the same.
	`outdated` says that it has the metadata of an earlier release, or of another key of the site; `required_items` are
	not known then. `etag` is of the object there; a path that is to be removed has it while that certainly stands.
	`pictures` are the media files that it shows or, in flight, may show, with spaces between them. `in_grace` says that
	what has moved from here is to be removed later, `was_live` that memora has uploaded a file there before.
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
	in_grace: bool = False
	was_live: bool = False

	@property
	def stands(self) -> bool:
		"""Whether something relies on the file, or may until its grace is over."""
		return self.in_grace or self.state in ("live", "in_flight")

	@property
	def is_left(self) -> bool:
		"""Whether the file is to be removed, and certainly still stands as it was when it was live."""
		return self.state == "removing" and bool(self.etag) and 0 < self.live_version == self.version

	def can_stay(self, subject: str) -> bool:
		"""Whether the file is known to be whole, and need not be uploaded again for this subject if its content is the same."""
		return self.state == "live" or (self.is_left and self.subject == subject)

	@property
	def shows(self) -> tuple[str, str]:
		"""Kind and name of the node that decides who may read this file: of a lesson's file, its lesson."""
		return ("lesson" if self.kind == "lesson_file" else self.kind), self.node

	def metadata(self, site: str = "") -> dict[str, str]:
		"""What should stand beside the live file in the storage of the site whose key has this hash."""
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
		"""What stands beside the file in the storage: for a gate at the edge, to rebuild a lost ledger, and to tell this
		site's files from others', where its key has the hash `site`."""
		return _metadata(self, self.version, site)


class Diff:
	"""The files one build wants, against what its scope's ledger says.

	`ledger` holds what the scope has and had, and what is known of other paths that it may write: one that another
	scope still owns, because its node has moved here, is given as in flight. `now` is in Unix seconds.
	`elsewhere` gives the live versions of files that another scope publishes and this one links to, such as the
	shared units under a plan's subject.
	"""

	def __init__(
		self, ledger: Mapping[str, LedgerEntry], now: int, elsewhere: Mapping[str, int] | None = None
	) -> None:
		self.planned: dict[str, Planned] = {}
		self._ledger = ledger
		self._now = now
		self._elsewhere = elsewhere or {}

	def keeps_shape(self, path: str, shape_hash: str, required_items: str = "") -> bool:
		"""Whether the file that is live was made from this shape, so that an untouched body makes it unchanged, asks for
		these items, and the files that it names are whole too."""
		entry = self._ledger.get(path)
		return (
			entry is not None
			and entry.state == "live"
			and entry.shape_hash == shape_hash
			and not entry.damaged
			and all(file.state == "live" and not file.damaged for file in self._files.get(path, ()))
			and _asks_for(entry, required_items)
		)

	def keep(self, path: str) -> Planned:
		"""Take a live file over from the ledger, unread and unchanged."""
		entry = self._ledger.get(path)
		if entry is None or entry.state != "live":
			raise KeyError(f"{path} is not live, so it cannot be kept")
		for file in self._files.get(path, ()) if entry.kind == "lesson" else ():
			self.keep(file.path)
		return self._plan(
			Planned(
				path=path,
				kind=entry.kind,
				node=entry.node,
				subject=entry.subject,
				version=entry.live_version,
				changed=False,
				content_hash=entry.content_hash,
				shape_hash=entry.shape_hash,
				document=None,
				access_level=entry.access_level,
				required_item=entry.required_item,
				lesson_count=entry.lesson_count,
				required_items=entry.required_items,
			)
		)

	def offer(
		self,
		path: str,
		kind: FileKind,
		node: str,
		document: Document,
		*,
		subject: str = "",
		shape_hash: str = "",
		access: Access | None = None,
		lesson_count: int = 0,
		required_items: str = "",
	) -> Planned:
		"""Plan a file with this content, given without its stamp; unchanged when just that is live already. It is uploaded
		again under its version when it asks for other `required_items`.

		What was to be removed and still stands with this content is taken back as it is. A path that was left in flight
		is never called unchanged: which bytes are there is not known, so it is uploaded again under a higher version.
		"""
		content = serialise(document, path)
		_check_size(path, len(content) + _STAMP_BYTES)
		content_hash = sha256(content).hexdigest()
		entry = self._ledger.get(path)
		if entry and entry.can_stay(subject) and entry.content_hash == content_hash:
			changed = bool(entry.damaged) or not _asks_for(entry, required_items)
			version = entry.live_version
		else:
			changed, version = True, max(self._now, 1 + entry.version if entry else 1)
		return self._plan(
			Planned(
				path=path,
				kind=kind,
				node=node,
				subject=subject,
				version=version,
				changed=changed,
				content_hash=content_hash,
				shape_hash=shape_hash,
				document=stamped(kind, document, version) if changed else None,
				access_level=access.level if access else "",
				required_item=access.required_item if access else "",
				lesson_count=lesson_count,
				pictures=_pictures(document, content) if changed else frozenset(),
				required_items=required_items,
			)
		)

	def offer_file(
		self,
		path: str,
		lesson: str,
		source: PublicFile,
		*,
		subject: str,
		access: Access,
		required_items: str = "",
	) -> None:
		"""Plan a file that a lesson's stages name, once however often they do. Its path says what is in it, so it goes up
		only where it does not stand yet, or is to be read by others than before."""
		if path in self.planned:
			return
		entry = self._ledger.get(path)
		stands = (
			entry is not None
			and entry.can_stay(subject)
			and (entry.access_level, entry.required_item) == (access.level, access.required_item)
		)
		if entry and stands:
			version = entry.live_version
		else:
			version = max(self._now, 1 + entry.version if entry else 1)
		self._plan(
			Planned(
				path=path,
				kind="lesson_file",
				node=lesson,
				subject=subject,
				version=version,
				changed=not (entry and stands) or entry.damaged or not _asks_for(entry, required_items),
				content_hash=source.digest,
				shape_hash="",
				document=None,
				access_level=access.level,
				required_item=access.required_item,
				lesson_count=0,
				source=source,
				required_items=required_items,
			)
		)

	@cached_property
	def _files(self) -> dict[str, list[LedgerEntry]]:
		"""The files that stand, or may stand, beside each lesson, by the lesson's path."""
		found: dict[str, list[LedgerEntry]] = defaultdict(list)
		for path, entry in self._ledger.items():
			if entry.kind == "lesson_file" and entry.state in ("live", "in_flight"):
				found[paths.lesson_of_file(path)].append(entry)
		return found

	def link(self, path: str) -> str:
		"""The URL of a file with its version; the file was offered or kept before, or stands elsewhere."""
		if path in self.planned:
			return self.planned[path].url
		if path in self._elsewhere:
			return paths.versioned(path, self._elsewhere[path])
		raise KeyError(f"{path} is linked to before it was offered or kept: targets come first")

	def changed(self) -> list[Planned]:
		"""What has to be uploaded, in the order it was offered: every target before what links to it."""
		return [planned for planned in self.planned.values() if planned.changed]

	def taken_back(self) -> list[str]:
		"""The paths of what was to be removed, and is published again as it stands."""
		return [
			path
			for path, planned in self.planned.items()
			if not planned.changed and path in self._ledger and self._ledger[path].state == "removing"
		]

	def dropped(self) -> list[LedgerEntry]:
		"""What stands, or may stand, in the storage and is no longer wanted."""
		return [
			entry
			for path, entry in self._ledger.items()
			if entry.state in ("live", "in_flight") and path not in self.planned
		]

	def in_grace(self) -> list[LedgerEntry]:
		"""What was dropped by an earlier build and still stands for its grace, which may end sooner now."""
		return [entry for path, entry in self._ledger.items() if entry.in_grace and path not in self.planned]

	def _plan(self, planned: Planned) -> Planned:
		if planned.path in self.planned:
			raise BuildError(f"{planned.path} is produced twice in one build; two documents share its name")
		self.planned[planned.path] = planned
		return planned


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
	metadata["cache-tag"] = (
		f"{_tag('file', file.path)},{_tag('scope', scopes.of_file(file.path, file.subject))}"
	)
	return metadata


_NEWER = {"site", "cache-tag", "required-items"}
"""What an object of an earlier release lacks."""

_LONGEST_ITEM = 100
"""In characters, as it is encoded: two of them and all else must stay below the 2,048 bytes that S3 allows."""


def listed_items(items: Iterable[str]) -> str:
	"""Item codes as they stand in `required-items`: percent-encoded UTF-8, with commas between them.

	All but ASCII letters, digits, `-` `_` and `.` is encoded. Of a code that is longer than 100 characters then, `~` and a digest
	stand there instead, as in paths (docs/contract.md).
	"""
	encoded = ((item, quote(item, safe="").replace("~", "%7E")) for item in items)
	return ",".join(paths.digested(item) if len(code) > _LONGEST_ITEM else code for item, code in encoded)


def _asks_for(entry: LedgerEntry, required_items: str) -> bool:
	return entry.outdated or entry.required_items == required_items


@lru_cache(maxsize=1 << 10)
def _tag(kind: str, name: str) -> str:
	return sha256(f"{kind}:{name}".encode()).hexdigest()[:16]


def _pictures(document: Document, content: bytes) -> frozenset[str]:
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


def reissue(entry: LedgerEntry, document: Document) -> Planned | None:
	"""Plan a live file to be uploaded again under the version it has, for the sake of its signatures.

	None when `document`, given without its stamp, is no longer the content that is live.
	"""
	if entry.state != "live" or sha256(serialise(document, entry.path)).hexdigest() != entry.content_hash:
		return None
	return as_live(entry, stamped(entry.kind, document, entry.live_version))


def as_live(entry: LedgerEntry, document: Document) -> Planned:
	"""Plan a live file to be uploaded again under the version it has. `document` is whole, stamp included."""
	return Planned(
		path=entry.path,
		kind=entry.kind,
		node=entry.node,
		subject=entry.subject,
		version=entry.live_version,
		changed=True,
		content_hash=entry.content_hash,
		shape_hash=entry.shape_hash,
		document=document,
		access_level=entry.access_level,
		required_item=entry.required_item,
		lesson_count=entry.lesson_count,
		pictures=frozenset(entry.pictures.split()),
		required_items=entry.required_items,
	)


def serialise(document: Document, path: str = "a document") -> bytes:
	"""A document as it stands in its file: UTF-8, keys in the order they were put in, no space, no newline."""
	try:
		return orjson.dumps(document)
	except orjson.JSONEncodeError as error:
		raise BuildError(f"{path} cannot be written as JSON: {error}") from error


def body(path: str, document: Document) -> bytes:
	"""The bytes to upload, stamp and signed links included, or an error that names the path."""
	content = serialise(document, path)
	_check_size(path, len(content))
	return content


def shape(document: Document) -> str:
	"""The hash of a document without its stamp, whole or, for a lesson's shape, its head."""
	return sha256(serialise(document)).hexdigest()


def published_size(document: Document) -> int:
	"""How many bytes a document, given without its stamp, has once it is published."""
	return len(serialise(document)) + _STAMP_BYTES


def stamped(kind: AnyKind, document: Document, version: int) -> Document:
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


def _check_size(path: str, size: int) -> None:
	if size > LARGEST_FILE:
		raise FileTooLargeError(
			f"{path} has {size:,} bytes, and a file may have {LARGEST_FILE:,}: "
			"shorten its descriptions and stages, or move part of what it lists elsewhere"
		)


_STAMP_BYTES = len(f'"version":1769300000,"generated_at":"{moment(1769300000)}",')
