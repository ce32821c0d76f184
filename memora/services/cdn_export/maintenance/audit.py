"""Compares what the ledger says with what is in the storage and in the database, and lists what differs.

The storage's own list and the ledger are read side by side, both in the order of their paths. A list says each
object's ETag and size, so what is missing, altered, an orphan or foreign shows without a request for each; only what
differs is asked for by HEAD. Type, cache and metadata are in no list: of a share of the files they are asked for too.
Then the ledger is held against the content (what is live and should not be). Page by page, so that memory stays
small and a run can stop and go on. Files elsewhere in the bucket, videos for instance, are none of memora's business.

A storage may list in another order than that of the bytes, or with other ETags than HEAD answers: then more is asked
for by HEAD, and as much is found.

Nothing is changed here; `repair` acts on what is found.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from memora.exceptions import StorageError
from memora.services.cdn_export.curriculum import public_files
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.cache_headers import SHORT, cache_control, is_closed
from memora.services.cdn_export.model.counts import Tell
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.state import database, due, ledger, refused_removals
from memora.services.cdn_export.state.ledger import ALL, Share
from memora.services.cdn_export.storage import JSON, Storage, StoredObject, check_path

Fault = Literal["missing", "altered", "type", "cache", "metadata", "orphan", "foreign", "stale", "remains"]

PAGE = 1000
"""Objects that are compared at a time; of the ledger at most twice as many are held beside them."""

_START = json.dumps(["", ""])
"""Where an audit begins: after which path of the list, and up to which path all is done. A path may hold any character."""
_MAX_AGE = re.compile(r"(public|private), max-age=(\d+)")


@dataclass(frozen=True, slots=True)
class Difference:
	"""One thing that is not as it should be. A foreign file is only reported; what `remains` should be gone and the
	storage refuses to remove it; all else `repair` fixes."""

	path: str
	fault: Fault
	message: str
	scope: str = ""

	def __str__(self) -> str:
		return f"{self.path}: {self.message}"


@dataclass(slots=True)
class Audit:
	"""What an audit found. `files` and `objects` are how many it looked at in the ledger and in the storage, `asked` how
	many it asked for by HEAD; `after` is where to go on, "" when it is through."""

	findings: list[Difference] = field(default_factory=list)
	files: int = 0
	objects: int = 0
	asked: int = 0
	after: str = ""

	@property
	def ok(self) -> bool:
		return not self.findings


def verify(
	target: PublishTarget,
	*,
	prefix: str = "",
	after: str = "",
	seconds: float | None = None,
	headers: Share = ALL,
	tell: Tell | None = None,
) -> Audit:
	"""Look at everything whose path begins with `prefix`, or go on `after` where an earlier call stopped.

	Of the files in `headers` type, cache and metadata are looked at, at the price of a request each. With `seconds` it stops
	between two pages once they are over, or once there are more findings than files in a page. What builders change
	meanwhile is no finding: whatever looks wrong is looked at again. Raises StorageError.
	"""
	audit = Audit(after=after or _START)
	ends = time.monotonic() + seconds if seconds else float("inf")
	with ThreadPoolExecutor(max_workers=target.storage.threads) as pool:
		look = _Look(target, pool, prefix, headers, audit, tell)
		while audit.after:
			look.go_on()
			if time.monotonic() >= ends or (seconds and len(audit.findings) > PAGE):
				break
	return audit


def recognised(stored: StoredObject) -> bool:
	"""Whether an object is memora's, by its metadata."""
	return stored.metadata.get("version", "").isdigit() and "content-hash" in stored.metadata


class _Look:
	"""Goes through list and ledger side by side. `after` of its audit holds how far it is: the last path up to which the
	ledger was read, and the last listed one of the pages that are done, which is the same where the list is in order."""

	def __init__(
		self,
		target: PublishTarget,
		pool: ThreadPoolExecutor,
		prefix: str,
		headers: Share,
		audit: Audit,
		tell: Tell | None,
	) -> None:
		self._storage = target.storage
		self._ownership = target.ownership
		self._gated = target.options.is_gated
		self._pool = pool
		self._prefix = prefix
		self._headers = headers
		self._audit = audit
		self._tell = tell
		self._total = ledger.count_live(prefix) if tell else 0
		self._has_ledger = ledger.has_any()
		self._read_up_to, self._done_up_to = json.loads(audit.after)
		self._list = listed(target.storage, prefix, self._done_up_to)
		self._page: dict[str, StoredObject] | None = None

	def go_on(self) -> None:
		"""Take the next page of the list or, where the ledger has much more than the list there, its next rows."""
		if self._page is None:
			self._page = {found.path: found for found in islice(self._list, PAGE)}
			self._audit.objects += len(self._page)
		is_last = len(self._page) < PAGE
		ends = "" if is_last else max(self._page)
		database.fresh()
		entries = ledger.in_order(self._read_up_to, ends, self._prefix, limit=2 * PAGE)
		self._files(entries, self._page)
		if len(entries) == 2 * PAGE:
			self._read_up_to = entries[-1].path
			self._audit.after = json.dumps([self._read_up_to, self._done_up_to])
		else:
			live = {entry.path for entry in entries}
			self._others([found for path, found in self._page.items() if path not in live])
			self._end_page(ends, is_last)
		if self._tell:
			self._tell(min(self._audit.files, self._total), self._total)

	def _end_page(self, ends: str, is_last: bool) -> None:
		if is_last:
			self._audit.after = ""
			database.fresh()
			self._audit.findings += [
				Difference(file.path, "stale", file.why, file.scope) for file in due.stale(self._prefix)
			]
			return
		self._read_up_to = max(self._read_up_to, ends)
		self._done_up_to = next(reversed(self._page or ()))
		self._page = None
		self._audit.after = json.dumps([self._read_up_to, self._done_up_to])

	def _files(self, entries: Sequence[LedgerEntry], page: Mapping[str, StoredObject]) -> None:
		"""Compare live files with their page of the list, and ask for those that differ or whose headers are looked at.

		What is not in the page is asked for, too: it is missing or new, or the storage lists it elsewhere.
		"""
		self._audit.files += len(entries)
		asked = [
			entry
			for entry in entries
			if (found := page.get(entry.path)) is None
			or _is_altered(entry, found)
			or self._headers.has(entry.path)
		]
		suspicious = [
			(entry, stored)
			for entry, stored in zip(asked, self._heads(asked), strict=True)
			if next(self._faults(entry, stored), None)
		]
		if suspicious:
			# A builder may have written or removed it since the ledger was read: only what stayed as it was counts.
			database.fresh()
			known = ledger.of_paths(entry.path for entry, _ in suspicious)
			for entry, stored in suspicious:
				if known.get(entry.path) == entry:
					self._audit.findings += self._faults(entry, stored)

	def _faults(self, entry: LedgerEntry, stored: StoredObject | None) -> Iterator[Difference]:
		if stored and not self._ownership.owns(stored.metadata.get("site", ""), is_known=True):
			message = "is another site's file, by its metadata; it is left alone"
			return iter([Difference(entry.path, "foreign", message, entry.scope)])
		return faults(entry, stored, self._ownership.site, gated=self._gated)

	def _heads(self, files: Collection[LedgerEntry | StoredObject]) -> Iterator[StoredObject | None]:
		self._audit.asked += len(files)
		return self._pool.map(lambda file: self._storage.head(file.path), files)

	def _others(self, page: Sequence[StoredObject]) -> None:
		"""Look at the listed objects that were no live files when the page's part of the ledger was read."""
		if not page:
			return
		known = ledger.of_paths(found.path for found in page)
		if any(entry.state == "removing" for entry in known.values()):
			self._refused({found.path for found in page})
		unknown = [found for found in page if found.path not in known or known[found.path].state == "removed"]
		odd = [found for found in unknown if not _may_be_asked_for(found.path)]
		message = "is not memora's, by its path; it is left alone"
		self._audit.findings += [Difference(found.path, "foreign", message) for found in odd]
		unknown = [found for found in unknown if found not in odd]
		for found, stored in zip(unknown, self._heads(unknown), strict=True):
			if stored:
				self._audit.findings.append(self._stray(stored, known.get(found.path)))

	def _refused(self, page: Collection[str]) -> None:
		message = "is still on the CDN: the storage refuses to remove it"
		self._audit.findings += [
			Difference(path, "remains", message, scope)
			for path, scope in refused_removals.paths_of()
			if path in page
		]

	def _stray(self, stored: StoredObject, known: LedgerEntry | None) -> Difference:
		"""What is wrong with an object that should not be there, as the ledger says."""
		was_ours = known is not None and known.was_live
		# What a restored backup brings back of a Local Directory's files has lost its metadata.
		if not recognised(stored) and not (was_ours and "site" not in stored.metadata):
			message = "is not memora's, by its metadata; it is left alone"
			return Difference(stored.path, "foreign", message)
		if not self._ownership.owns(
			stored.metadata.get("site", ""), is_known=not self._has_ledger or was_ours
		):
			message = "is not this site's, by its metadata; it is left alone"
			return Difference(stored.path, "foreign", message)
		if known:
			return Difference(stored.path, "orphan", "was removed, and is there again")
		message = "is not in the ledger, though its metadata says that it is memora's"
		return Difference(stored.path, "orphan", message)


def listed(storage: Storage, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
	"""Memora's folders as the storage lists them, in the order of their keys."""
	for folder in paths.OWN_FOLDERS:
		if prefix and not prefix.startswith(folder) and not folder.startswith(prefix):
			continue
		start = max(folder, prefix)
		if after.startswith(folder):
			yield from storage.list(start, after)
		elif after < folder:
			yield from storage.list(start)


def faults(
	entry: LedgerEntry, stored: StoredObject | None, site: str, *, gated: bool = False
) -> Iterator[Difference]:
	"""What is wrong with the object of a live file, of the site whose key has this hash; it is `gated` where a gate keeps
	paid content private. Of another object than was uploaded nothing else is said."""

	def finding(fault: Fault, message: str) -> Difference:
		return Difference(entry.path, fault, message, entry.scope)

	if stored is None:
		yield finding("missing", "is in the ledger, and is not there")
		return
	if _is_altered(entry, stored):
		yield finding(
			"altered", f"is another object than was uploaded ({stored.size} bytes, not {entry.size})"
		)
		return
	is_document = entry.kind not in ("media", "lesson_file")
	content_type = JSON if is_document else public_files.content_type(entry.path)
	if stored.content_type != content_type:
		yield finding("type", f"has the content type {stored.content_type!r}, not {content_type!r}")
	if not _caches_well(entry, stored.cache_control, gated):
		yield finding("cache", f"has the Cache-Control {stored.cache_control!r}, which does not fit")
	if differ := entry.differs(stored.metadata, site):
		yield finding("metadata", f"has other metadata than was uploaded: {', '.join(differ)}")


def _may_be_asked_for(path: str) -> bool:
	try:
		check_path(path)
	except StorageError:
		return False
	return True


def _is_altered(entry: LedgerEntry, found: StoredObject) -> bool:
	return bool(entry.etag and found.etag != entry.etag) or found.size != entry.size


def _caches_well(entry: LedgerEntry, found: str, gated: bool) -> bool:
	closed = is_closed(entry.kind, entry.access_level)
	if closed and entry.old_headers:  # it is written again in the background
		return _fits(entry, found, private=True) or _fits(entry, found, private=False)
	return _fits(entry, found, private=gated and closed)


def _fits(entry: LedgerEntry, found: str, *, private: bool) -> bool:
	if found == cache_control(entry.kind, private=private):
		return True
	age = _MAX_AGE.fullmatch(found)
	# A lesson with signatures may be cached for less, depending on when it was signed.
	return bool(
		entry.kind == "lesson"
		and age
		and age[1] == ("private" if private else "public")
		and int(age[2]) <= SHORT
	)
