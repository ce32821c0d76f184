"""What the storage refuses to remove: files marked in the ledger, and a state row of their own for each scope
(`removal:{scope}`), so that retries and dead letters work as for any scope.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import frappe
from frappe.utils import now_datetime

from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import database, ledger, retries
from memora.services.cdn_export.state.publish_state import TABLE, by_id
from memora.services.cdn_export.state.retries import RETRY_MINUTES

EVERY = timedelta(hours=1)
"""Spec, "Publishing": how often a removal is tried that is a dead letter, or was dismissed."""


def mark_files(paths: Iterable[str]) -> None:
	"""Note that the storage refuses to remove these files."""
	database.update_names(ledger.TABLE, map(ledger.row_name, paths), "refused = 1", (), "state = 'removing'")


def paths(scope: Scope | None = None) -> list[str]:
	"""The files that should be gone and that the storage refuses to remove: of a scope, or all."""
	return [path for path, _ in paths_of([scope] if scope else None)]


def paths_of(owners: Collection[Scope] | None = None) -> Sequence[tuple[str, str]]:
	"""`paths` of several scopes, or of all, each with the id of its scope; by path."""
	return frappe.db.sql(
		f"""select path, scope from `tab{ledger.TABLE}`
		where state = 'removing' and remove_at is not null and refused = 1
			{"" if owners is None else "and scope in %(owners)s"} order by path""",
		{"owners": tuple(scope.id for scope in owners or ())},
	)


class RefusedFile(NamedTuple):
	"""A file that the storage refuses to remove: whose it is, what is said of that, and when it is tried again."""

	document: str
	owner: Scope
	message: str
	next_try: datetime | None


def by_document(column: Literal["node", "scope"], documents: Mapping[str, str]) -> list[RefusedFile]:
	"""The files of these nodes or scopes that the storage refuses to remove, each with what `documents` calls it."""
	if not documents:
		return []
	rows = frappe.db.sql(
		f"""select file.{column}, removal.ref, removal.last_error, removal.next_retry_at
		from `tab{TABLE}` removal
		straight_join `tab{ledger.TABLE}` file on file.scope = substr(removal.name, {len("removal:") + 1})
		where removal.scope_type = 'removal'
			and file.{column} in %s and file.state = 'removing' and file.refused = 1""",
		(tuple(documents),),
	)
	return [
		RefusedFile(documents[value], scopes.of_label(owner), message or "", next_try)
		for value, owner, message, next_try in rows
		if value in documents
	]


@dataclass(frozen=True, slots=True)
class RemovalRefused:
	"""Where a refused removal leaves its row: `message` names the files and the cause."""

	message: str
	retries: int
	is_dead: bool
	is_newly_dead: bool


def record(scope: Scope, message: str, *, again: bool) -> RemovalRefused:
	"""Note that the storage refuses to remove files of a scope, in the caller's transaction: tried again after 2, 4 and
	8 minutes, then a dead letter, tried every hour.

	Only what is tried `again` counts as a retry. A dismissed one begins from the start when other files join it.
	"""
	removal = scopes.removal(scope)
	now = now_datetime()
	known = by_id([removal.id]).get(removal.id)
	was_dead = bool(known and known.dead_since)
	generation, published, retries, next_try = 1, 0, 1, now + timedelta(minutes=RETRY_MINUTES[0])
	dead_since = known.dead_since if known else None
	if known and not (known.is_dismissed and not again):
		generation, published = known.generation, known.published_generation
		retries, next_try = known.retry_count, known.next_retry_at or now
		if again and (was_dead or known.is_dismissed):
			next_try = now + EVERY
		elif again and retries >= len(RETRY_MINUTES):
			dead_since, next_try = now, now + EVERY
		elif again:
			retries += 1
			next_try = now + timedelta(minutes=RETRY_MINUTES[retries - 1])
	columns = {
		"scope_type": removal.type,
		"ref": removal.ref,
		"generation": generation,
		"published_generation": published,
		"waiting_since": (known and known.waiting_since) or now,
		"failed_generation": generation + published,  # above what counts as published, as `dismiss` leaves it
		"retry_count": retries,
		"next_retry_at": next_try,
		"dead_since": dead_since,
		"last_error": message,
		"last_attempt_at": now,
	}
	database.upsert(
		TABLE,
		("name", *columns),
		[(removal.id, *columns.values())],
		database.replaced(columns),
	)
	return RemovalRefused(message, retries, dead_since is not None, dead_since is not None and not was_dead)


def try_at_once(ids: Iterable[str]) -> None:
	"""Have the refused removals of the scopes with these ids tried with the next batch. In the caller's transaction."""
	states = by_id([f"removal:{id_}" for id_ in ids])
	retries.try_at_once(state.scope for state in states.values())


def settle(scope: Scope | None = None) -> int:
	"""Forget refused removals that have no file left to remove: of one scope, or all. In the caller's transaction.
	Returns how many."""
	return database.execute(
		f"""delete from `tab{TABLE}` where scope_type = 'removal' {"and name = %(name)s" if scope else ""}
			and not exists (
				select 1 from `tab{ledger.TABLE}` file where file.scope = substr(`tab{TABLE}`.name, %(from)s)
				and file.state = 'removing' and file.remove_at is not null and file.refused = 1)""",
		{"name": scopes.removal(scope).id if scope else "", "from": len("removal:") + 1},
	)
