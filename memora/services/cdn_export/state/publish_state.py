"""One row a scope: what generation its content has, which one is live, who builds it, how often it failed.

The relay raises `generation` for every change; a scope waits while its `published_generation` is lower.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

import frappe
import orjson
from frappe.utils import now_datetime

from memora.services.cdn_export.model import causes as causes_text
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.model.scopes import Scope, ScopeType
from memora.services.cdn_export.model.scopes import subject as scope_of_subject
from memora.services.cdn_export.state import bulk_rows, database

TABLE = "CDN Publish State"


COLUMNS = (
	"name",
	"scope_type",
	"ref",
	"generation",
	"published_generation",
	"failed_generation",
	"waiting_since",
	"retry_count",
	"next_retry_at",
	"dead_since",
	"is_live",
	"live_version",
	"triggered_by",
	"index_entry",
	"held",
	"held_generation",
	"approved_generation",
	"causes",
	"shown_generation",
	"shown_digest",
)

WAITS = "waiting_since is not null and published_generation < generation"
"""SQL: whether a scope waits to be built, or is out of retries. The moment alone would not say so, but few of thousands of
rows have one, and it is an index."""

GOES_ON = f"""{WAITS}
		and (dead_since is null or failed_generation < generation)
		and (held = 0 or held_generation < generation or approved_generation >= generation)"""
"""SQL: whether a scope must be built, now or later, without an admin's word."""

IS_LIVE_OR_FAILING = "(is_live = 1 or retry_count > 0 or dead_since is not null)"
"""SQL: whether a scope is live, or its last build has failed."""


ADDED_CAUSES = f"""case when coalesce({{new}}, '') = '' then causes
		when char_length(coalesce(causes, '')) < {causes_text.MOST_CHARACTERS} then concat(coalesce(causes, ''), {{new}})
		when right(causes, 2) = '+\\n' then causes else concat(causes, '+\\n') end"""
"""SQL: what a plan's log will say, with `new` added at its end. It is only ever added to, so that a build can cut off
from its front what it has read (`_REST`)."""

_REST = "substr(causes, %s)"
"""SQL: what has been added since a build read `causes`; takes the first character that it has not read."""


def read(scopes: Sequence[Scope]) -> dict[str, State]:
	"""The rows of these scopes by id, by plain SELECT; those never changed have none."""
	return by_id([scope.id for scope in scopes])


def of(scope: Scope) -> State:
	"""The row of a scope, or the state of one that was never changed."""
	return read([scope]).get(scope.id) or State(
		scope.id, scope.type, scope.ref, 0, 0, 0, None, 0, None, None, False, 0, "", ""
	)


def by_id(ids: Sequence[str]) -> dict[str, State]:
	"""`read` for scopes whose id alone is known."""
	return {state.name: state for state in select("name in %s", (tuple(ids),))} if ids else {}


def live(scope_type: ScopeType) -> list[str]:
	"""The names of the plans, or of the subjects, that are live."""
	statement = f"select ref from `tab{TABLE}` where scope_type = %s and is_live = 1"
	return frappe.db.sql(statement, (scope_type,), pluck=True)


def waiting() -> list[str]:
	"""The ids of the scopes that wait to be built."""
	statement = f"select name from `tab{TABLE}` where {WAITS} and dead_since is null"
	return frappe.db.sql(statement, pluck=True)


def read_with(scopes: Sequence[Scope], *expressions: str) -> tuple[list[State], tuple[Any, ...]]:
	"""The rows of scopes that all have one, by name, and the values of these SQL expressions in the same snapshot."""
	columns = bulk_rows.packed((*COLUMNS, *expressions))
	rows = frappe.db.sql(
		f"select {columns} from `tab{TABLE}` where name in %s order by name",
		(tuple(scope.id for scope in scopes),),
	)
	values = [orjson.loads(row) for (row,) in rows]
	return [of_row(row) for row in values], tuple(values[0][len(COLUMNS) :])


def unbuilt(states: Sequence[State]) -> list[State]:
	"""Those of these that still wait and are free, by a new snapshot."""
	if not states:
		return []
	database.fresh()
	rows = frappe.db.sql(
		f"select name from `tab{TABLE}` where name in %s and {WAITS} and (lease_token is null or lease_expires < now(6))",
		(tuple(state.name for state in states),),
		pluck=True,
	)
	names = set(rows)
	return [state for state in states if state.name in names]


def being_built(subjects: Collection[str]) -> set[str]:
	"""Those of these subjects that somebody has a lease for."""
	if not subjects:
		return set()
	rows = frappe.db.sql(
		f"select ref from `tab{TABLE}` where name in %s and lease_expires > now(6)",
		(tuple(scope_of_subject(subject).id for subject in subjects),),
		pluck=True,
	)
	return set(rows)


def leased_with(token: str, names: Sequence[str]) -> set[str]:
	"""Those of these scope ids whose lease carries `token`."""
	statement = f"select name from `tab{TABLE}` where name in %s and lease_token = %s"
	return set(frappe.db.sql(statement, (tuple(names), token), pluck=True))


def select(where: str, values: tuple[Any, ...]) -> list[State]:
	rows = frappe.db.sql(f"select {bulk_rows.packed(COLUMNS)} from `tab{TABLE}` where {where}", values)
	return [of_row(orjson.loads(row)) for (row,) in rows]


def of_row(row: Sequence[Any]) -> State:
	"""The state that these values of COLUMNS say, as `bulk_rows.packed` gives them."""
	return State(  # type: ignore[call-arg]  # the slice has six
		*row[:6],
		_moment(row[6]),
		row[7],
		_moment(row[8]),
		_moment(row[9]),
		bool(row[10]),
		row[11] or 0,
		row[12] or "",
		row[13] or "",
		bool(row[14]),
		row[15] or 0,
		row[16] or 0,
		row[17] or "",
		row[18] or 0,
		row[19] or "",
	)


def _moment(text: str | None) -> datetime | None:
	return datetime.fromisoformat(text) if text else None


def raise_generations(
	scopes: Iterable[Scope], *, triggered_by: str = "", causes: Mapping[str, str] = MappingProxyType({})
) -> dict[str, int]:
	"""Raise each scope's generation by one, in name order, making rows for new ones.

	`causes` says by scope id who and what, for the log. Runs in the caller's transaction. Returns scope id → new generation.
	"""
	ordered = sorted({scope.id: scope for scope in scopes}.items())
	if not ordered:
		return {}
	now = now_datetime()
	database.upsert(
		TABLE,
		("name", "scope_type", "ref", "generation", "waiting_since", "triggered_by", "causes"),
		[
			(name, scope.type, scope.ref, 1, now, triggered_by, causes.get(name, ""))
			for name, scope in ordered
		],
		"generation = generation + 1, waiting_since = coalesce(waiting_since, values(waiting_since)),"
		" triggered_by = if(values(triggered_by) = '', triggered_by, values(triggered_by)),"
		f" causes = {ADDED_CAUSES.format(new='values(causes)')}",
	)
	return dict(
		frappe.db.sql(
			f"select name, generation from `tab{TABLE}` where name in %s",
			(tuple(name for name, _ in ordered),),
		)
	)


def show_again(scopes: Iterable[Scope]) -> None:
	"""Have plans show these subjects again whatever their builds find, in the caller's transaction that has raised their
	generations."""
	database.update_names(TABLE, [scope.id for scope in scopes], "shown_generation = generation")


def shown_values(state: State, digest: str, *, dropped: bool) -> dict[str, Any]:
	"""What `succeeded` stores of a subject as plans show it: nothing where that is as before. One that has `dropped` files is
	shown again, so that no plan links to them."""
	if digest == state.shown_digest and not dropped:
		return {}
	return {"shown_digest": digest, "shown_generation": state.generation}


def ensure(scope: Scope) -> None:
	"""Give a scope its row, with a first generation to be published, unless it has one. Commits."""
	database.transaction(
		lambda: database.upsert(
			TABLE,
			("name", "scope_type", "ref", "generation", "waiting_since"),
			[(scope.id, scope.type, scope.ref, 1, now_datetime())],
			"generation = generation",
		)
	)


def reopen(ids: Iterable[str]) -> None:
	"""Say that files of these scopes are in the storage, so that they are released where no plan reads them; of films, that it is
	known which are."""
	database.update_names(TABLE, ids, "is_live = 1")


def not_live(scope: Scope) -> None:
	"""Note that it is not known which files of a scope are in the storage, in the caller's transaction."""
	database.execute(f"update `tab{TABLE}` set is_live = 0 where name = %s", (scope.id,))


def unlist(scope: Scope) -> None:
	"""Note that the list of plans does not say anything of a plan any more, in the caller's transaction: published
	again before its files are gone, it is listed again."""
	database.execute(f"update `tab{TABLE}` set index_entry = '' where name = %s", (scope.id,))


def end_leases() -> None:
	"""Take all leases that are held, in a transaction of its own."""
	leased = frappe.db.sql(f"select name from `tab{TABLE}` where lease_token is not null", pluck=True)
	database.transaction(
		lambda: database.update_names(TABLE, leased, "lease_token = null, lease_expires = null")
	)


def start_again() -> None:
	"""Note that nothing is published, and end all leases, since files go to another place from now on."""
	frappe.db.sql(
		f"""update `tab{TABLE}` set is_live = 0, live_version = 0, index_entry = '',
			published_generation = 0, lease_token = null, lease_expires = null, retry_count = 0,
			next_retry_at = null, dead_since = null, last_error = null, held = 0, held_reason = null,
			waiting_since = coalesce(waiting_since, %s)""",
		(now_datetime(),),
	)


def succeeded(
	scope: Scope, token: str, generation: int, values: dict[str, Any], *, causes: str = "", release: bool
) -> bool:
	"""Close a build in the caller's transaction: `generation` is live now, and what the log says of it is `causes`. False
	when the lease is lost.

	With `release` the lease is given back by the same statement.
	"""
	fields = {"published_generation": generation, **_of_success(release), **values}
	assignments = ", ".join(f"`{column}` = {_RISES.get(column, '%s')}" for column in fields)
	return bool(
		database.execute(
			f"""update `tab{TABLE}` set {assignments}, causes = {_REST},
				waiting_since = if(generation > %s, waiting_since, null),
				triggered_by = if(generation > %s, triggered_by, '')
			where name = %s and lease_token = %s""",
			(*fields.values(), len(causes) + 1, generation, generation, scope.id, token),
		)
	)


_RISES = {"shown_generation": "greatest(shown_generation, %s)"}
"""SQL: what a column becomes that others may have raised since a build has read it."""

_NO_FAILURE = {
	"retry_count": 0,
	"next_retry_at": None,
	"dead_since": None,
	"failed_generation": 0,
	"last_error": None,
}
"""The state of a scope whose last build did not fail."""


class Closed(NamedTuple):
	"""A plan that is published: which generation is live now, and which version of its manifest."""

	scope: Scope
	generation: int
	live_version: int
	causes: str = ""


def succeeded_together(token: str, plans: Sequence[Closed]) -> bool:
	"""`succeeded` for live plans that are built as a group, with the lease given back. False when it is lost for any."""
	fields = _of_success(release=True)
	assignments = ", ".join(f"state.`{column}` = %s" for column in fields)
	closed = database.execute(
		f"""update json_table(%s, '$[*]' columns (
				name varchar(140) path '$[0]', generation bigint path '$[1]', live_version bigint path '$[2]',
				unread int path '$[3]')) built
			straight_join `tab{TABLE}` state on state.name = built.name
		set state.published_generation = built.generation, state.live_version = built.live_version, {assignments},
			state.causes = substr(state.causes, built.unread),
			state.waiting_since = if(state.generation > built.generation, state.waiting_since, null),
			state.triggered_by = if(state.generation > built.generation, state.triggered_by, '')
		where state.lease_token = %s""",
		(
			json.dumps(
				[(plan.scope.id, plan.generation, plan.live_version, len(plan.causes) + 1) for plan in plans]
			),
			*fields.values(),
			token,
		),
	)
	return closed == len(plans)


def _of_success(release: bool) -> dict[str, Any]:
	"""What a build that succeeded leaves in its state, whatever it published."""
	now = now_datetime()
	fields = {
		**_NO_FAILURE,
		"held": 0,
		"held_reason": None,
		"last_attempt_at": now,
		"last_success_at": now,
	}
	if release:
		fields |= {"lease_token": None, "lease_expires": None}
	return fields


def held_values(generation: int, reason: str) -> dict[str, Any]:
	"""What `succeeded` or `hold` stores of a scope that waits for an admin's word, `reason` saying for what."""
	return {"held": 1, "held_generation": generation, "held_reason": reason}


def hold(scope: Scope, token: str, values: dict[str, Any]) -> bool:
	"""Let a whole run wait for an admin's word, by `held_values`, in the caller's transaction. False when the lease is lost.

	The next change of content has it looked at again. What had failed before is over: it could be built.
	"""
	fields = {**values, **_NO_FAILURE}
	assignments = ", ".join(f"{column} = %s" for column in fields)
	return bool(
		database.execute(
			f"update `tab{TABLE}` set {assignments}, last_attempt_at = %s where name = %s and lease_token = %s",
			(*fields.values(), now_datetime(), scope.id, token),
		)
	)


def count_held() -> int:
	"""How many scopes hold something until an admin approves."""
	return frappe.db.count(TABLE, {"held": 1})


def approve(scopes: Sequence[Scope]) -> list[Scope]:
	"""Let through what these scopes hold, in the caller's transaction: it is built next, unless its content
	changes first. Returns those that held something."""
	held = [state.scope for state in read(scopes).values() if state.held]
	cause = causes_text.action(frappe.session.user, causes_text.APPROVAL)
	said = {scope.id: cause for scope in held}
	for name, generation in raise_generations(held, triggered_by="Manual", causes=said).items():
		database.execute(
			f"update `tab{TABLE}` set approved_generation = %s where name = %s", (generation, name)
		)
	return held
