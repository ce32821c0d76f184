"""What was published by an earlier release, or with another key of the site, gets the metadata of now: in the background,
a part with each batch, the bytes and versions as they are.

A file's row says that it is outdated. The object is read back and written again; what a lesson asks for is worked out
from its subject. What is not the object that the ledger knows, or no longer fits its content, is left to its scope's
next build.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from memora.exceptions import LeaseLostError, PreconditionFailedError
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import background, required_items, rewrite
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.state import database, ledger, publish_state
from memora.services.cdn_export.state.lease import Lease
from memora.services.cdn_export.storage import Upload

PAGE = 200
"""Files between two looks at the clock, and whether there is news."""

SECONDS = 30
"""So long a batch goes on with this: what is edited meanwhile waits no longer."""

_LARGE_AT_ONCE = 2
"""Pictures and lessons' files are held in memory as a whole, one in each thread."""

DUE = f"""`tab{ledger.TABLE}` file left join `tab{publish_state.TABLE}` state on state.name = file.scope
	where file.outdated = 1 and file.state = 'live' and file.damaged = 0
		and coalesce(state.published_generation >= state.generation, 1)"""
"""SQL: what can be written again as it is; a scope with news is built first."""


def run(target: PublishTarget) -> int:
	"""Write files again that are due, until none is left, something waits to be published, or `SECONDS` are over.
	Returns how many. Raises what the storage raises, and `Ownership.claim`."""
	return background.run(target, DUE, _renew, page=PAGE, seconds=SECONDS)


def _renew(target: PublishTarget, lease: Lease | None, found: Iterable[LedgerEntry]) -> int:
	database.fresh()
	entries = {
		path: entry
		for path, entry in ledger.of_paths(entry.path for entry in found).items()
		if entry.state == "live" and entry.outdated and (lease is None or entry.scope == lease.scope.id)
	}
	items = required_items.of_files(lease, entries)
	target.ownership.claim()
	fresh = [entry._replace(required_items=items[path]) for path, entry in entries.items() if path in items]
	is_large = any(entry.kind in ("media", "lesson_file") for entry in fresh)
	with ThreadPoolExecutor(max_workers=_LARGE_AT_ONCE if is_large else target.storage.threads) as pool:
		etags = dict(
			zip((e.path for e in fresh), pool.map(lambda e: _write(target, lease, e), fresh), strict=True)
		)
	written = {path: etag for path, etag in etags.items() if etag}

	def close() -> None:
		if lease:
			lease.hold()
		if target.has_moved():
			raise LeaseLostError("files go elsewhere by now")
		ledger.renewed(written, items)
		if left := entries.keys() - written.keys():
			rewrite.upload_again(left)

	database.transaction(close)
	return len(written)


def _write(target: PublishTarget, lease: Lease | None, entry: LedgerEntry) -> str:
	"""Write an object again as it is, with the metadata of now; "" where it is not the one that the ledger knows."""
	known = background.as_known(target, entry)
	if known is None:
		return ""
	stored, body = known
	if lease:
		lease.guard()
	metadata = entry.metadata(target.ownership.site)
	upload = Upload(entry.path, body, stored.cache_control, metadata, stored.content_type)
	try:
		return target.storage.put(upload, if_match=stored.etag)
	except PreconditionFailedError:
		return ""
