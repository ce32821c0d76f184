"""From a diff to the storage: in order, in parallel, and so that no late builder can overwrite newer files.

Every document is made and validated first, so an invalid one uploads nothing. Then, phase by phase, targets go
up before what links to them, new lessons before their neighbours; before each phase the lease is checked, and
manifests and shared files are only written over the object that the ledger knows, where the storage can do that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Protocol, TypedDict, cast

from memora.exceptions import PreconditionFailedError, StorageError, StorageUnavailableError
from memora.services.cdn_export.delivery import crew
from memora.services.cdn_export.delivery.signing import Signer
from memora.services.cdn_export.model import document_bytes
from memora.services.cdn_export.model.cache_headers import cache_control, is_closed
from memora.services.cdn_export.model.published_file import FileKind, LedgerEntry, Planned, Uploaded
from memora.services.cdn_export.model.stage_files import PublicFile
from memora.services.cdn_export.rules import contracts, file_types
from memora.services.cdn_export.state.lease import Lease
from memora.services.cdn_export.storage import FileBody, Storage, Upload
from memora.services.cdn_export.storage.base import MOST_ON_THEIR_WAY


class Condition(TypedDict, total=False):
	"""What must be at a path for `Storage.put` to write there."""

	if_match: str
	if_absent: bool


class Owns(Protocol):
	"""`Ownership.owns`."""

	def __call__(self, site: str, *, is_known: bool, kind: str = "") -> bool: ...


PHASES: tuple[str, ...] = (
	"access",
	"media",
	"lesson_file",
	"lesson",
	"unit",
	"subject",
	"search_shard",
	"search_index",
	"manifest",
	"schema",
	"schemas_index",
	"gate_keys",
	"plans_index",
)
"""Bottom-up: what a file links to is in an earlier phase (spec, "Publishing")."""

_TRIES = 3
"""How often a file is written over what is found there, while that changes."""


@dataclass(slots=True)
class Cargo:
	"""Files ready to go up: each plan of a file with its bytes, until when its signatures hold, and behind a gate which
	films it names."""

	files: list[tuple[Planned, Upload]] = field(default_factory=list)
	signed_until: dict[str, datetime] = field(default_factory=dict)
	films: dict[str, frozenset[str]] = field(default_factory=dict)

	@property
	def planned(self) -> list[Planned]:
		return [file for file, _ in self.files]

	def uploaded(self, etags: Mapping[str, str]) -> list[Uploaded]:
		"""The files, as they are in the storage after `publish` has returned these ETags."""
		return [
			Uploaded(file, etags[file.path], upload.size, self.signed_until.get(file.path))
			for file, upload in self.files
		]

	@property
	def sizes(self) -> dict[str, int]:
		return {file.path: upload.size for file, upload in self.files}


def load(files: Sequence[Planned], signer: Signer, site: str, *, gated: bool = False) -> Cargo:
	"""Sign, validate and serialise documents of the site whose key has this hash. Where it is `gated`, no shared cache may
	keep what is not open. Touches no network, but for a "+" in a film's link (`s3_links.Link`).

	Raises ContractError or FileTooLargeError, naming the path, for the first that must not be published.
	"""
	cargo = Cargo()
	life = signer.until.timestamp() - time.time()
	for file in files:
		private = gated and is_closed(file.kind, file.access_level)
		if file.source:
			cargo.files.append((file, file_upload(file, file.source, site, private=private)))
			continue
		document, signed_until = signer.sign(file)
		if file.kind != "access":
			contracts.validate(cast(FileKind, file.kind), document, file.path)
		if file.kind == "lesson" and (films := signer.films(document)):
			cargo.films[file.path] = films
		if signed_until:
			cargo.signed_until[file.path] = signed_until
		upload = Upload(
			file.path,
			document_bytes.body(file.path, document),
			cache_control(file.kind, life if signed_until else None, private=private),
			file.metadata(site),
		)
		cargo.files.append((file, upload))
	return cargo


def file_upload(file: Planned, source: PublicFile, site: str, *, private: bool = False) -> Upload:
	"""A file of the site's on its way to where it is published, under the content type of its extension."""
	return Upload(
		file.path,
		FileBody(source.location, source.size, source.stamp),
		cache_control(file.kind, private=private),
		file.metadata(site),
		file_types.content_type(source.extension),
	)


def publish(
	cargo: Cargo,
	storage: Storage,
	lease: Lease,
	ledger: Mapping[str, LedgerEntry],
	*,
	owns: Owns,
	tell: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, str]:
	"""Upload the cargo in phases. Returns the ETag of each path. `tell` hears how many are up, of how many. Of an object
	that the ledger does not know as it is, `owns` says whether it is ours to write over.

	Raises LeaseLostError when the lease has passed on, asked of the database before a phase and of the clock
	before each file, and StorageError naming the file. Files that went up before stay: each is whole, and links
	only to what is there.
	"""
	etags: dict[str, str] = {}

	def phase_of(item: tuple[Planned, Upload]) -> tuple[int, int]:
		file, _ = item
		return PHASES.index(file.kind), _turn(ledger.get(file.path)) if file.kind == "lesson" else 0

	def put(item: tuple[Planned, Upload]) -> None:
		file, upload = item
		etags[file.path] = _put(storage, lease, ledger.get(file.path), file, upload, owns)

	with ThreadPoolExecutor(max_workers=max(1, min(storage.writers, len(cargo.files)))) as pool:
		turns = [(phase_of(item), item) for item in cargo.files]
		for _, phase in groupby(sorted(turns, key=itemgetter(0)), key=itemgetter(0)):
			lease.check()
			items = [item for _, item in phase]
			crew.for_each(
				items,
				put,
				pool,
				_at_once(storage, [upload for _, upload in items]),
				lambda: tell(len(etags), len(cargo.files)),
			)
	return etags


def _at_once(storage: Storage, uploads: Sequence[Upload]) -> Callable[[], int]:
	"""How many of such files should be on their way, now and whenever it is asked: a weak line must bring each to its end
	in time."""
	most = max(1, MOST_ON_THEIR_WAY * len(uploads) // max(1, sum(upload.size for upload in uploads)))
	return lambda: min(most, storage.at_once)


def _turn(entry: LedgerEntry | None) -> int:
	"""When it is a lesson's turn: lessons link to their neighbours, so new ones, to which nothing leads yet, go before
	those that may be there, after a build or a removal that was broken off, and those before what learners read."""
	if entry is None or entry.state == "removed":
		return 0
	return 2 if entry.etag and entry.state != "removing" else 1


def _put(
	storage: Storage,
	lease: Lease,
	entry: LedgerEntry | None,
	file: Planned,
	upload: Upload,
	owns: Owns,
) -> str:
	"""Write a file only over the object that the ledger knows, or else over our older one that is found there.

	So a builder that stalled cannot overwrite what was published meanwhile, and no site overwrites another's.
	"""
	condition = _known(entry)
	for _ in range(_TRIES):
		if condition is None:
			condition = _found(storage, file, entry, owns)
		lease.guard()
		try:
			return storage.put(upload, **condition)
		except PreconditionFailedError:
			condition = None
	raise StorageUnavailableError(
		f"{file.path} was written by somebody else each time it was looked at. Another site may publish to the same"
		" place: give each its own bucket or folder."
	)


def _known(entry: LedgerEntry | None) -> Condition | None:
	"""The object that the ledger says must be there for a write to be ours to make; None when it cannot say, since a path
	in flight may hold either of two."""
	if entry is None or (entry.live_version == 0 and entry.state != "in_flight"):
		return {"if_absent": True}
	if entry.state == "live" and entry.etag and not entry.damaged:
		return {"if_match": entry.etag}
	return None


def _found(storage: Storage, file: Planned, entry: LedgerEntry | None, owns: Owns) -> Condition:
	"""The condition under which the object that is there is overwritten, if it may be.

	Raises StorageError when it is another site's, and when it claims a version as high as ours, and is not ours: the
	next try goes above it.
	"""
	found = storage.head(file.path)
	if found is None:
		return {"if_absent": True}
	# A picture is named by its content; a path that was only noted as in flight may hold anything.
	is_known = file.kind == "media" or (entry is not None and entry.was_live)
	if not owns(found.metadata.get("site", ""), is_known=is_known, kind=file.kind):
		raise StorageError(
			f"{file.path} holds a file that is not this site's, by its metadata, and is left as it is. Remove it if"
			" no one needs it, or give this site a bucket or folder of its own."
		)
	version = found.metadata.get("version") or ""
	above = int(version) - file.version if version.isdecimal() else -1
	if above > 0 or (above == 0 and found.metadata.get("content-hash") != file.content_hash):
		raise StorageError(
			f"{file.path} holds version {version} already, which is not in the ledger, and version {file.version}"
			" was to be written. Another site may publish to the same place: give each its own bucket or folder."
		)
	return {"if_match": found.etag}
