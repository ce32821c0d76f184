"""Live files that are written again in the background: a part with each batch, scope by scope, and never before news."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor

import frappe
from frappe.utils import now_datetime

from memora.exceptions import LeaseLostError, PreconditionFailedError, ScopeBusyError
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import rewrite
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.state import database, due, ledger, publish_state
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state.lease import Lease
from memora.services.cdn_export.storage import StoredObject, Upload

Renew = Callable[[PublishTarget, "Lease | None", Iterable[LedgerEntry]], int]
Change = Callable[[LedgerEntry, StoredObject, bytes], "Upload | None"]
"""What a file that is in the storage is written as; None where it is that already."""

_LARGE_AT_ONCE = 2
"""Pictures and lessons' files are held in memory as a whole, one in each thread."""


def run(target: PublishTarget, due_files: str, renew: Renew, *, page: int, seconds: float) -> int:
	"""`renew` the files of this SQL, so many between two looks at the clock, until none is left, something waits to be
	published, or `seconds` are over. Returns how many were. Raises what the storage raises, and `Ownership.claim`."""
	ends, done, after = time.monotonic() + seconds, 0, ""
	while not due.to_build(now_datetime()):
		database.fresh()
		names = frappe.db.sql(
			f"select file.name, file.path from {due_files} and file.name > %s order by file.name limit {int(page)}",
			(after,),
		)
		if not names:
			break
		after = names[-1][0]
		by_scope: dict[str, list[LedgerEntry]] = defaultdict(list)
		for entry in ledger.of_paths(path for _, path in names).values():
			by_scope[entry.scope].append(entry)
		states = publish_state.by_id(sorted(by_scope))
		for scope_id, entries in sorted(by_scope.items()):
			try:
				if scope_id == scopes.MEDIA.id:
					done += renew(target, None, entries)
				elif scope_id in states and (lease := leases.acquire(states[scope_id].scope)):
					with lease:
						done += renew(target, lease, entries)
			except (LeaseLostError, ScopeBusyError) as error:  # what is left is written with the next batch
				database.rollback()
				frappe.logger("memora").info(str(error))
		if time.monotonic() >= ends:
			break
	return done


def still_due(
	lease: Lease | None, found: Iterable[LedgerEntry], is_due: Callable[[LedgerEntry], bool]
) -> dict[str, LedgerEntry]:
	"""Of these files, by path, those that are due in the ledger as it is now."""
	database.fresh()
	return {
		path: entry
		for path, entry in ledger.of_paths(entry.path for entry in found).items()
		if entry.state == "live" and is_due(entry) and (lease is None or entry.scope == lease.scope.id)
	}


def write(
	target: PublishTarget, lease: Lease | None, entries: Collection[LedgerEntry], change: Change
) -> dict[str, str]:
	"""Write files again as `change` says, where they are the ones that the ledger knows. Returns the ETag of each that is
	as it should be."""
	is_large = any(entry.kind in ("media", "lesson_file") for entry in entries)
	with ThreadPoolExecutor(max_workers=_LARGE_AT_ONCE if is_large else target.storage.writers) as pool:
		etags = list(pool.map(lambda entry: _write(target, lease, entry, change), entries))
	return {entry.path: etag for entry, etag in zip(entries, etags, strict=True) if etag}


def close(
	target: PublishTarget,
	lease: Lease | None,
	due_paths: Iterable[str],
	written: dict[str, str],
	note: Callable[[], None],
) -> int:
	"""`note` what was written, and leave what was due and is not to its scope's next build; in one transaction. Returns how
	many were written. Raises LeaseLostError where the files go elsewhere by now."""

	def closing() -> None:
		if lease:
			lease.hold()
		if target.has_moved():
			raise LeaseLostError("files go elsewhere by now")
		note()
		if left := set(due_paths) - written.keys():
			rewrite.upload_again(left)

	database.transaction(closing)
	return len(written)


def _write(target: PublishTarget, lease: Lease | None, entry: LedgerEntry, change: Change) -> str:
	known = _as_known(target, entry)
	if known is None:
		return ""
	stored, body = known
	upload = change(entry, stored, body)
	if upload is None:
		return stored.etag
	if lease:
		lease.guard()
	try:
		return target.storage.put(upload, if_match=stored.etag)
	except PreconditionFailedError:
		return ""


def _as_known(target: PublishTarget, entry: LedgerEntry) -> tuple[StoredObject, bytes] | None:
	"""A live file as it is in the storage, with its bytes; None where that is not the one that the ledger knows."""
	stored, read = target.storage.head(entry.path), target.storage.read(entry.path)
	is_ours = stored and target.ownership.owns(stored.metadata.get("site", ""), is_known=True)
	if not stored or not read or not is_ours or read[1] != stored.etag:
		return None
	if (entry.etag and stored.etag != entry.etag) or entry.differs(stored.metadata, target.ownership.site):
		return None
	return stored, read[0]
