"""Files of memora's in the storage that the ledger does not know, or knows as older: entered into it, one by one or, where the
ledger was lost, all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import frappe

from memora.services.cdn_export.builds import film_notes
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import audit, recognition, rewrite
from memora.services.cdn_export.model import causes, scopes
from memora.services.cdn_export.outbox import reconciliation
from memora.services.cdn_export.state import database, ledger, publish_state
from memora.services.cdn_export.state.ledger import Adopted


def rebuild_ledger(target: PublishTarget) -> int:
	"""Enter every file of memora's that the ledger does not know, or knows an older version of, from the storage,
	and queue everything to be read again: what is unchanged is kept as it is. Returns how many were entered that
	were not known at all. Raises StorageError."""
	after, entered = "", 0
	touched: set[str] = set()
	is_known = not ledger.has_any()
	with ThreadPoolExecutor(max_workers=target.storage.threads) as pool:
		while page := list(islice(audit.listed(target.storage, "", after), audit.PAGE)):
			after = page[-1].path
			database.fresh()
			known = ledger.of_paths(found.path for found in page)
			fresh = {found.path for found in page} - known.keys()
			follow_newer(
				target,
				pool,
				{
					found.path
					for found in page
					if (entry := known.get(found.path)) and entry.state == "live" and entry.etag != found.etag
				},
			)
			touched |= adopt(target, pool, fresh, is_known=is_known)[0]
			entered += len(ledger.of_paths(fresh))
	database.transaction(lambda: rewrite.touch(touched, ()))
	cause = causes.action(frappe.session.user, causes.REPAIR)
	reconciliation.queue_everything(triggered_by="Manual", cause=cause)
	return entered


def adopt(
	target: PublishTarget, pool: ThreadPoolExecutor, orphans: Collection[str], *, is_known: bool = True
) -> tuple[set[str], set[str]]:
	"""Enter orphans into the ledger: to be removed where they were removed before, else as live, for the next
	build of their scope to decide. Another site's are left, and unless they are known so are those that do not say
	whose they are. Returns these scopes, and the paths whose owner is unknown."""
	if not orphans:
		return set(), set()
	database.fresh()
	removed = {path for path, entry in ledger.of_paths(orphans).items() if entry.state == "removed"}
	ours = recognition.ours(target, pool, set(orphans) - removed, is_known=is_known)
	rows, unknown = recognition.described(target, pool, ours)
	by_id = recognition.scopes_of(rows)
	unknown |= {row.path for row in rows if row.scope not in by_id}
	rows = [row for row in rows if row.scope in by_id]
	used = {row.scope for row in rows} - {scopes.MEDIA.id}

	def enter() -> None:
		_enter(target, rows)
		ledger.remove_again(removed)
		publish_state.raise_generations(by_id[name] for name in used)
		publish_state.reopen(name for name in used if by_id[name].type == "subject")

	database.transaction(enter)
	return used, unknown


def follow_newer(target: PublishTarget, pool: ThreadPoolExecutor, altered: Collection[str]) -> None:
	"""Where an altered object is memora's own and newer than the ledger, which is from a backup, believe it."""
	known = ledger.of_paths(altered)
	newer = [
		found
		for found in recognition.ours(target, pool, altered, is_known=True)
		if int(found.metadata["version"]) > known[found.path].version
	]
	rows, _ = recognition.described(target, pool, newer)
	database.transaction(lambda: _enter(target, rows))


def _enter(target: PublishTarget, rows: Sequence[Adopted]) -> None:
	"""Enter files as live. Which films lessons name is found out when these are written again."""
	ledger.adopt(rows)
	if lessons := [row.path for row in rows if row.entry.kind == "lesson"]:
		film_notes.doubt(target, lessons)
