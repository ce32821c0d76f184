"""Live files that are written again in the background: a part with each batch, scope by scope, and never before news."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable

import frappe
from frappe.utils import now_datetime

from memora.exceptions import LeaseLostError, ScopeBusyError
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.state import database, due, ledger, publish_state
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state.lease import Lease
from memora.services.cdn_export.storage import StoredObject

Renew = Callable[[PublishTarget, "Lease | None", Iterable[LedgerEntry]], int]


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


def as_known(target: PublishTarget, entry: LedgerEntry) -> tuple[StoredObject, bytes] | None:
	"""A live file as it is in the storage, with its bytes; None where that is not the one that the ledger knows."""
	stored, read = target.storage.head(entry.path), target.storage.read(entry.path)
	is_ours = stored and target.ownership.owns(stored.metadata.get("site", ""), is_known=True)
	if not stored or not read or not is_ours or read[1] != stored.etag:
		return None
	if (entry.etag and stored.etag != entry.etag) or entry.differs(stored.metadata, target.ownership.site):
		return None
	return stored, read[0]
