"""Compares what the ledger says with what is in the storage and in the database, and lists what differs.

Three looks: each live file of the ledger is asked for (missing, altered, wrong type, cache or metadata); the
storage's own list is searched for what the ledger does not know (orphans of memora's, foreign files); the
ledger is held against the content (what is live and should not be). Page by page, so that memory stays small and
a run can stop and go on. Files elsewhere in the bucket, videos for instance, are none of memora's business.

Nothing is changed here; `repair` acts on what is found.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from memora.services.cdn_export.curriculum import public_files
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.cache_headers import SHORT, cache_control, is_closed
from memora.services.cdn_export.model.counts import Tell
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.state import database, due, ledger, refused_removals
from memora.services.cdn_export.storage import JSON, Storage, StoredObject

Fault = Literal["missing", "altered", "type", "cache", "metadata", "orphan", "foreign", "stale", "remains"]

PAGE = 1000
_LEDGER, _STORAGE = "ledger:", "storage:"
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
	"""What an audit found. `files` and `objects` are how many it looked at in the ledger and in the storage;
	`after` is where to go on, "" when it is through."""

	findings: list[Difference] = field(default_factory=list)
	files: int = 0
	objects: int = 0
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
	tell: Tell | None = None,
) -> Audit:
	"""Look at everything whose path begins with `prefix`, or go on `after` where an earlier call stopped.

	Stops between two pages once `seconds` are over. What builders change meanwhile is no finding: whatever looks
	wrong is looked at again. Raises StorageError.
	"""
	audit = Audit(after=after or _LEDGER)
	ends = time.monotonic() + seconds if seconds else float("inf")
	with ThreadPoolExecutor(max_workers=target.storage.threads) as pool:
		look = _Look(target, pool, prefix, audit, tell)
		while audit.after:
			look.go_on()
			if time.monotonic() >= ends:
				break
	return audit


def recognised(stored: StoredObject) -> bool:
	"""Whether an object is memora's, by its metadata."""
	return stored.metadata.get("version", "").isdigit() and "content-hash" in stored.metadata


class _Look:
	def __init__(
		self, target: PublishTarget, pool: ThreadPoolExecutor, prefix: str, audit: Audit, tell: Tell | None
	) -> None:
		self._storage = target.storage
		self._ownership = target.ownership
		self._gated = target.options.is_gated
		self._pool = pool
		self._prefix = prefix
		self._audit = audit
		self._tell = tell
		self._total = ledger.count_live(prefix) if tell else 0
		self._has_ledger = ledger.has_any()

	def go_on(self) -> None:
		"""Take the next page."""
		kind, key = self._audit.after.split(":", 1)
		if f"{kind}:" == _LEDGER:
			last = self._files(key)
			self._audit.after = f"{_LEDGER}{last}" if last else _STORAGE
		else:
			last = self._objects(key)
			self._audit.after = f"{_STORAGE}{last}" if last else ""
			if not last:
				database.fresh()
				self._audit.findings += [
					Difference(file.path, "stale", file.why, file.scope) for file in due.stale(self._prefix)
				]
		if self._tell:
			self._tell(min(self._audit.files, self._total), self._total)

	def _files(self, after: str) -> str:
		"""Look at the next live files; returns the last one's row, "" when there are no more."""
		database.fresh()
		entries = ledger.page(after, self._prefix, limit=PAGE)
		self._audit.files += len(entries)
		suspicious = [
			entry
			for entry, stored in zip(entries, self._pool.map(self._head, entries), strict=True)
			if next(self._faults(entry, stored), None)
		]
		if suspicious:
			# A builder may have written or removed it since the ledger was read: only what stayed as it was counts.
			stored_now = list(self._pool.map(self._head, suspicious))
			database.fresh()
			known = ledger.of_paths(entry.path for entry in suspicious)
			for entry, stored in zip(suspicious, stored_now, strict=True):
				if known.get(entry.path) == entry:
					self._audit.findings += self._faults(entry, stored)
		return ledger.row_name(entries[-1].path) if len(entries) == PAGE else ""

	def _faults(self, entry: LedgerEntry, stored: StoredObject | None) -> Iterator[Difference]:
		if stored and not self._ownership.owns(stored.metadata.get("site", ""), is_known=True):
			message = "is another site's file, by its metadata; it is left alone"
			return iter([Difference(entry.path, "foreign", message, entry.scope)])
		return faults(entry, stored, self._ownership.site, gated=self._gated)

	def _head(self, entry: LedgerEntry | StoredObject) -> StoredObject | None:
		return self._storage.head(entry.path)

	def _objects(self, after: str) -> str:
		"""Look at the next objects; returns the last one's path, "" when there are no more."""
		page = list(islice(listed(self._storage, self._prefix, after), PAGE))
		self._audit.objects += len(page)
		database.fresh()
		known = ledger.of_paths(found.path for found in page)
		refused = dict(refused_removals.paths_of())
		self._audit.findings += [
			Difference(
				found.path,
				"remains",
				"is still on the CDN: the storage refuses to remove it",
				refused[found.path],
			)
			for found in page
			if found.path in refused
		]
		unknown = [found for found in page if found.path not in known or known[found.path].state == "removed"]
		for found, stored in zip(unknown, self._pool.map(self._head, unknown), strict=True):
			if stored is None:
				continue
			was_ours = found.path in known and known[found.path].was_live
			is_known = not self._has_ledger or was_ours
			# What a restored backup brings back of a Local Directory's files has lost its metadata.
			if not recognised(stored) and not (was_ours and "site" not in stored.metadata):
				message = "is not memora's, by its metadata; it is left alone"
				self._audit.findings.append(Difference(found.path, "foreign", message))
			elif not self._ownership.owns(stored.metadata.get("site", ""), is_known=is_known):
				message = "is not this site's, by its metadata; it is left alone"
				self._audit.findings.append(Difference(found.path, "foreign", message))
			else:
				message = (
					"was removed, and is there again"
					if found.path in known
					else "is not in the ledger, though its metadata says that it is memora's"
				)
				self._audit.findings.append(Difference(found.path, "orphan", message))
		return page[-1].path if len(page) == PAGE else ""


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
	if (entry.etag and stored.etag != entry.etag) or stored.size != entry.size:
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
