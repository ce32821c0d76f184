"""Files of a scope whose time is over: they are removed once no live plan links to them."""

from __future__ import annotations

from frappe.utils import now_datetime

from memora.exceptions import StorageError
from memora.services.cdn_export.builds import film_narrowing, media_removal, removals
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import database, due, ledger
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state.lease import Lease


def clean_up(target: PublishTarget, scope: Scope, *, again: bool = False) -> int:
	"""`remove` for a scope that no worker builds; else it is left to the next check."""
	if lease := leases.acquire(scope):
		with lease:
			return remove(target, lease, again=again)
	return 0


def remove(target: PublishTarget, lease: Lease, *, again: bool = False) -> int:
	"""Remove the scope's files that are due and that no live plan links to: those that the storage has refused before
	if this is `again`, else the others. Returns how many went; never raises for what the storage does."""
	database.fresh()
	entries = {entry.path: entry for entry in due.removable(lease.scope, now_datetime(), refused=again)}
	if target.has_moved():
		return 0
	if not entries:
		if again:
			removals.settle(lease.scope)
		return 0
	target.ownership.claim()
	if not film_narrowing.before_removal(
		target, [p for p, entry in entries.items() if entry.kind == "lesson"]
	):
		return 0
	lease.check()
	if left := [path for path, entry in entries.items() if entry.is_left]:

		def doubt() -> None:
			lease.hold()
			ledger.mark_uncertain(left)

		database.transaction(doubt)
	pictures = ledger.pictures_of(entries)

	def close(gone: list[str]) -> None:
		lease.hold()
		purge_queue.add(target, [stale for path in gone for stale in purge_queue.of(entries[path])])

	ours = [path for path, entry in entries.items() if entry.was_live or _is_ours(target, path)]
	went = removals.remove(
		target, lease.scope, list(entries), again=again, guarded=lease.guarded(ours), closing=close
	)
	media_removal.remove_unnamed(target, pictures)
	return went


def _is_ours(target: PublishTarget, path: str) -> bool:
	"""Whether an upload that was broken off has left something at a path where nothing of this site was before."""
	try:
		found = target.storage.head(path)
	except StorageError:
		return True  # whoever removes it says what is wrong with the storage
	return found is not None and target.ownership.owns(found.metadata.get("site", ""), is_known=False)
