"""Files of memora's in the storage that the ledger does not know, or knows as older: entered into it, one by one or, where the
ledger was lost, all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import frappe

from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import audit, recognition, rewrite
from memora.services.cdn_export.model import causes, doctypes, paths, scopes
from memora.services.cdn_export.model.scopes import Scope
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
	by_id = _scopes_by_id(rows)
	unknown |= {row.path for row in rows if row.scope not in by_id}
	rows = [row for row in rows if row.scope in by_id]
	used = {row.scope for row in rows} - {scopes.MEDIA.id}

	def enter() -> None:
		ledger.adopt(rows)
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
	database.transaction(lambda: ledger.adopt(rows))


def _scopes_by_id(rows: Iterable[Adopted]) -> dict[str, Scope]:
	"""The scopes of these rows by id, as far as the name behind the id is known."""
	found = {scope.id: scope for scope in (scopes.INDEX, scopes.MEDIA)}
	known_plans = {scope.id: scope for scope in map(scopes.plan, frappe.get_all(doctypes.PLAN, pluck="name"))}
	for row in rows:
		if row.scope.startswith("subject:"):
			found[row.scope] = scopes.subject(row.entry.subject)
		elif row.scope.startswith("plan:"):
			segment = row.path.split("/")[1]
			told = scopes.plan(row.entry.node) if row.entry.kind == "manifest" else None
			if told and told.id == row.scope:  # a copy in another folder tells of its original
				found[row.scope] = told
			elif row.scope in known_plans:
				found[row.scope] = known_plans[row.scope]
			elif row.scope not in found and paths.segment(segment) == segment:
				found[row.scope] = scopes.plan(segment)
	states = publish_state.by_id([row.scope for row in rows])
	return found | {name: state.scope for name, state in states.items()}
