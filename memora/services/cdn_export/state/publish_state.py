"""One row a scope: what generation its content has, which one is live, who builds it, how often it failed.

`generation` is raised by the relay for every change; a scope waits while its `published_generation` is lower.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import frappe
import orjson
from frappe.utils import now_datetime

from memora.services.cdn_export.model import causes as causes_text
from memora.services.cdn_export.model import doctypes, scopes
from memora.services.cdn_export.model.scope_state import NO_RETRY_AFTER, State
from memora.services.cdn_export.model.scopes import Scope, ScopeType
from memora.services.cdn_export.state import database

TABLE = "CDN Publish State"

RETRY_MINUTES: tuple[int, ...] = (2, 4, 8)
"""Spec, "Publishing": a failed build is retried after these, then it is a dead letter."""

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
)

_HOUR = timedelta(hours=1)
"""Spec, "Publishing": how often a removal is tried that is a dead letter, or was dismissed."""

GOES_ON = """published_generation < generation
		and (dead_since is null or failed_generation < generation)
		and (held = 0 or held_generation < generation or approved_generation >= generation)"""
"""SQL: whether a scope is to be built, now or later, without an admin's word."""

_COMING = f"""{GOES_ON} and scope_type != 'removal'
		and (next_retry_at is null or next_retry_at <= %s or next_retry_at > %s)
		and (scope_type != 'subject' or exists (
			select 1 from `tabCDN Rendition` reader
			where {database.exactly("reader.subject", "ref")} and reader.mode = 'shared'))"""

_HAS_FRESH = """exists (
	select 1 from `tabCDN File` file
	where file.scope = {scope} and file.state = 'removing' and file.remove_at <= %(now)s and file.refused = 0)"""
"""SQL: whether a scope has files that are due for removal and that no storage has refused to remove yet."""

_COMING_READER = f"""exists (
	select 1 from `tabMemora Plan Subject` listed
	join `tabMemora Academic Plan` plan on plan.name = listed.parent and {doctypes.PLAN_IS_PUBLISHED}
	join `tab{TABLE}` coming on coming.ref = plan.name and coming.scope_type = 'plan'
	where listed.subject = {{subject}} and listed.parenttype = '{doctypes.PLAN}'
		and coming.published_generation < coming.generation
		and coming.next_retry_at is null and coming.dead_since is null and coming.held = 0)"""
"""SQL: whether a plan that lists a subject waits to be built, and neither failed nor waits for an admin's word."""

IS_LIVE_OR_FAILING = "(is_live = 1 or retry_count > 0 or dead_since is not null)"
"""SQL: whether a scope is live, or its last build has failed."""


@dataclass(frozen=True, slots=True)
class Failure:
	"""Where a failed build leaves its scope: a next try, or none for a dead letter."""

	retries: int
	next_try: datetime | None

	@property
	def is_dead(self) -> bool:
		return self.next_try is None


@dataclass(frozen=True, slots=True)
class RemovalRefused:
	"""Where a refused removal leaves its row: `message` names the files and the cause."""

	message: str
	retries: int
	is_dead: bool
	is_newly_dead: bool


_ADDED = f"""case when coalesce({{new}}, '') = '' then causes
		when char_length(coalesce(causes, '')) < {causes_text.MOST_CHARACTERS} then concat(coalesce(causes, ''), {{new}})
		when right(causes, 2) = '+\\n' then causes else concat(causes, '+\\n') end"""
"""SQL: what a plan's log will say, with `new` added at its end. It is only ever added to, so that a build can cut off
from its front what it has read (`_REST`)."""

_REST = "substr(causes, %s)"
"""SQL: what has been added since a build read `causes`; takes the first character that it has not read."""


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
		f" causes = {_ADDED.format(new='values(causes)')}",
	)
	return dict(
		frappe.db.sql(
			f"select name, generation from `tab{TABLE}` where name in %s",
			(tuple(name for name, _ in ordered),),
		)
	)


def read(scopes: Sequence[Scope]) -> dict[str, State]:
	"""The rows of these scopes by id, by plain SELECT; those never changed have none."""
	return by_id([scope.id for scope in scopes])


def by_id(ids: Sequence[str]) -> dict[str, State]:
	"""`read` for scopes of which only the id is known."""
	return {state.name: state for state in _select("name in %s", (tuple(ids),))} if ids else {}


def live(scope_type: ScopeType) -> list[str]:
	"""The names of the plans, or of the subjects, that are live."""
	rows = frappe.db.sql(f"select ref from `tab{TABLE}` where scope_type = %s and is_live = 1", (scope_type,))
	return [ref for (ref,) in rows]


def read_with(scopes: Sequence[Scope], *expressions: str) -> tuple[list[State], tuple[Any, ...]]:
	"""The rows of scopes that all have one, by name, and the values of these SQL expressions in the same snapshot."""
	columns = database.packed((*COLUMNS, *expressions))
	rows = frappe.db.sql(
		f"select {columns} from `tab{TABLE}` where name in %s order by name",
		(tuple(scope.id for scope in scopes),),
	)
	values = [orjson.loads(row) for (row,) in rows]
	return [of_row(row) for row in values], tuple(values[0][len(COLUMNS) :])


def leased_with(token: str, names: Sequence[str]) -> set[str]:
	"""Those of these scope ids whose lease carries `token`."""
	rows = frappe.db.sql(
		f"select name from `tab{TABLE}` where name in %s and lease_token = %s", (tuple(names), token)
	)
	return {name for (name,) in rows}


def due(now: datetime) -> list[State]:
	"""The scopes to build at `now`, longest waiting first: dirty, free, not backing off, not held.

	A dead letter is taken again only when its content has changed since, or when Retry has put it back.
	Shared subjects come before the plans that read them, the list of plans after those. A subject that no plan
	reads is not due.
	"""
	return _select(
		f"""{_COMING}
		and (lease_token is null or lease_expires < now(6))
		order by field(scope_type, 'subject', 'plan', 'index'), waiting_since, name""",
		(now, now + NO_RETRY_AFTER),
	)


def live_index_entries() -> list[dict[str, Any]]:
	"""What the list of plans says of each published plan: the same as the manifest that is live, also where the
	plan has been edited since and cannot be built."""
	return [
		orjson.loads(entry)
		for (entry,) in frappe.db.sql(
			f"""select state.index_entry from `tab{TABLE}` state
			join `tabMemora Academic Plan` plan on {database.exactly("plan.name", "state.ref")}
			where state.scope_type = 'plan' and state.is_live = 1 and state.index_entry > ''
				and {doctypes.PLAN_IS_PUBLISHED}"""
		)
	]


def unlist(scope: Scope) -> None:
	"""Note that the list of plans does not say anything of a plan any more, in the caller's transaction: published
	again before its files are gone, it is listed anew."""
	database.execute(f"update `tab{TABLE}` set index_entry = '' where name = %s", (scope.id,))


def without_index_entry() -> list[Scope]:
	"""The live plans that were built by a release which noted no entry for the list of plans."""
	return [
		state.scope
		for state in _select("scope_type = 'plan' and is_live = 1 and coalesce(index_entry, '') = ''", ())
	]


def succeeded(
	scope: Scope, token: str, generation: int, values: dict[str, Any], *, causes: str = "", release: bool
) -> bool:
	"""Close a build in the caller's transaction: `generation` is live now, and what the log says of it is `causes`. False
	when the lease is lost.

	With `release` the lease is given back by the same statement.
	"""
	fields = {"published_generation": generation, **_of_success(release), **values}
	assignments = ", ".join(f"`{column}` = %s" for column in fields)
	return bool(
		database.execute(
			f"""update `tab{TABLE}` set {assignments}, causes = {_REST},
				waiting_since = if(generation > %s, waiting_since, null),
				triggered_by = if(generation > %s, triggered_by, '')
			where name = %s and lease_token = %s""",
			(*fields.values(), len(causes) + 1, generation, generation, scope.id, token),
		)
	)


_NO_FAILURE = {
	"retry_count": 0,
	"next_retry_at": None,
	"dead_since": None,
	"failed_generation": 0,
	"last_error": None,
}
"""What stands in the state of a scope of which the last build did not fail."""


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


def failed(state: State, token: str, generation: int, message: str) -> Failure | None:
	"""Record a failed build in the caller's transaction: the scope waits again, however far it came.

	None when the lease is lost.
	"""
	now = now_datetime()
	was_dead = state.dead_since is not None
	dead = was_dead or state.retry_count >= len(RETRY_MINUTES)
	retries = state.retry_count if dead else state.retry_count + 1
	next_try = None if dead else now + timedelta(minutes=RETRY_MINUTES[retries - 1])
	changed = database.execute(
		f"""update `tab{TABLE}` set retry_count = %s, next_retry_at = %s, dead_since = %s,
			failed_generation = %s, published_generation = least(published_generation, %s),
			last_error = %s, last_attempt_at = %s
		where name = %s and lease_token = %s""",
		(
			retries,
			next_try,
			(state.dead_since or now) if dead else None,
			generation,
			generation - 1,
			message,
			now,
			state.name,
			token,
		),
	)
	return Failure(retries, next_try) if changed else None


def held_values(generation: int, reason: str) -> dict[str, Any]:
	"""What `succeeded` or `hold` stores of a scope that waits for an admin's word, `reason` saying for what."""
	return {"held": 1, "held_generation": generation, "held_reason": reason}


def hold(scope: Scope, token: str, generation: int, reason: str) -> bool:
	"""Let a whole run wait for an admin's word, in the caller's transaction. False when the lease is lost.

	The next change of content has it looked at anew. What had failed before is over: it could be built.
	"""
	fields = {**held_values(generation, reason), **_NO_FAILURE}
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


def to_clean_up(among: Iterable[Scope] | None = None) -> list[Scope]:
	"""Scopes with files that may have to go: due for removal, or a subject's that no plan reads any more, and
	such a subject's failure with them; and refused removals that are to be tried again."""
	limit, pictures = "", ""
	now = now_datetime()
	values: dict[str, Any] = {"now": now, "latest": now + _HOUR + timedelta(minutes=1)}
	if among is None:
		pictures = """union select 'media', '' from dual where exists (
			select 1 from `tabCDN File` file where file.scope = 'media' and file.state in ('live', 'removing')
				and file.remove_at <= %(now)s and file.refused = 0)"""
	else:
		limit, values["among"] = "name in %(among)s and", tuple(scope.id for scope in among)
	rows = frappe.db.sql(
		f"""select scope_type, ref from `tab{TABLE}` where {limit} (
			{_HAS_FRESH.format(scope="`tabCDN Publish State`.name")}
			or (scope_type = 'removal' and (
				next_retry_at is null or next_retry_at <= %(now)s or next_retry_at > %(latest)s))
			or (scope_type = 'subject' and {IS_LIVE_OR_FAILING} and not exists (
				select 1 from `tabCDN Rendition` reader
				where {database.exactly("reader.subject", "ref")} and reader.mode = 'shared')
				and not {_COMING_READER.format(subject=f"`tab{TABLE}`.ref")})) {pictures}""",
		values,
	)
	return [Scope(scope_type, ref or "") for scope_type, ref in rows]


def has_coming_reader(subject: str) -> bool:
	"""Whether a plan that lists the subject waits to be built, and so may read its shared files."""
	rows = frappe.db.sql(f"select {_COMING_READER.format(subject='%(subject)s')}", {"subject": subject})
	return bool(rows[0][0])


def abandoned() -> bool:
	"""Whether a lease has run out on a scope that is to be built: its builder was killed."""
	now = now_datetime()
	return bool(
		frappe.db.sql(
			f"select 1 from `tab{TABLE}` where {_COMING} and lease_token is not null and lease_expires < now(6) limit 1",
			(now, now + NO_RETRY_AFTER),
		)
	)


def is_anything_leased() -> bool:
	"""Whether anybody builds anything right now."""
	return bool(frappe.db.sql(f"select 1 from `tab{TABLE}` where lease_expires > now(6) limit 1"))


def waiting_and_dead() -> tuple[list[State], list[tuple[State, str]]]:
	"""The plans that wait, and the dead letters each with its error: what Redis is to show."""
	waiting = _select("scope_type = 'plan' and published_generation < generation and dead_since is null", ())
	dead = _select("dead_since is not null", ())
	errors = dict(frappe.db.sql(f"select name, last_error from `tab{TABLE}` where dead_since is not null"))
	return waiting, [(state, errors.get(state.name) or "") for state in dead]


def refuse_removal(scope: Scope, message: str, *, again: bool) -> RemovalRefused:
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
			next_try = now + _HOUR
		elif again and retries >= len(RETRY_MINUTES):
			dead_since, next_try = now, now + _HOUR
		elif again:
			retries += 1
			next_try = now + timedelta(minutes=RETRY_MINUTES[retries - 1])
	columns = {
		"scope_type": removal.type,
		"ref": removal.ref,
		"generation": generation,
		"published_generation": published,
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
		", ".join(f"{column} = values({column})" for column in columns),
	)
	return RemovalRefused(message, retries, dead_since is not None, dead_since is not None and not was_dead)


def removals_of(ids: Iterable[str]) -> list[Scope]:
	"""The refused removals of the scopes with these ids."""
	return [state.scope for state in by_id([f"removal:{id_}" for id_ in ids]).values()]


def settle_removals(scope: Scope | None = None) -> int:
	"""Forget refused removals of which no file is left to remove: of one scope, or all. In the caller's transaction.
	Returns how many."""
	return database.execute(
		f"""delete from `tab{TABLE}` where scope_type = 'removal' {"and name = %(name)s" if scope else ""}
			and not exists (
				select 1 from `tabCDN File` file where file.scope = substr(`tab{TABLE}`.name, %(from)s)
				and file.state = 'removing' and file.remove_at is not null and file.refused = 1)""",
		{"name": scopes.removal(scope).id if scope else "", "from": len("removal:") + 1},
	)


def retry(scope: Scope, *, triggered_by: str) -> bool:
	"""Put a dead letter back: it is due at once, with all its retries, and its log says who did. False when it was not
	dead."""
	cause = causes_text.action(frappe.session.user, causes_text.RETRY)
	return bool(
		database.execute(
			f"""update `tab{TABLE}` set dead_since = null, retry_count = 0, next_retry_at = null,
				waiting_since = coalesce(waiting_since, %s), triggered_by = %s, causes = {_ADDED.format(new="%s")}
			where name = %s and dead_since is not null""",
			(now_datetime(), triggered_by, cause, cause, scope.id),
		)
	)


def reset_back_off(scopes: Iterable[Scope], *, triggered_by: str) -> None:
	"""Let scopes that have failed be tried at once, with all their retries. In the caller's transaction."""
	database.update_names(
		TABLE,
		[scope.id for scope in scopes],
		"dead_since = null, retry_count = 0, next_retry_at = null, triggered_by = %s",
		(triggered_by,),
		"dead_since is not null or next_retry_at is not null",
	)


def try_at_once(scopes: Iterable[Scope]) -> None:
	"""Let scopes that have failed be tried with the next batch; their retries go on counting. In the caller's
	transaction."""
	database.update_names(
		TABLE,
		[scope.id for scope in scopes],
		"next_retry_at = null",
		(),
		"(dead_since is null or scope_type = 'removal') and next_retry_at is not null",
	)


def failing() -> list[tuple[State, str]]:
	"""What has failed and will be tried again, each with its error, by name."""
	states = _select(
		"published_generation < generation and retry_count > 0 and dead_since is null order by name", ()
	)
	errors = dict(frappe.db.sql(f"select name, last_error from `tab{TABLE}` where retry_count > 0"))
	return [(state, errors.get(state.name) or "") for state in states]


def reopen(ids: Iterable[str]) -> None:
	"""Say that files of these scopes stand in the storage, so that they are given up where nobody reads them."""
	database.update_names(TABLE, ids, "is_live = 1")


def dismiss(scope: Scope) -> bool:
	"""Close a dead letter without publishing: what is live counts as current, until its content changes again.

	It stays behind (`State.is_behind`): what reads it keeps to what was published. A removal goes on being tried every
	hour, and its files go on being told of. False when it was not dead.
	"""
	return bool(
		database.execute(
			f"""update `tab{TABLE}` set dead_since = null, retry_count = 0,
				last_error = if(scope_type = 'removal', last_error, null),
				next_retry_at = if(scope_type = 'removal', next_retry_at, null),
				published_generation = generation, failed_generation = generation + 1, waiting_since = null, causes = ''
			where name = %s and dead_since is not null""",
			(scope.id,),
		)
	)


def _select(where: str, values: tuple[Any, ...]) -> list[State]:
	rows = frappe.db.sql(f"select {database.packed(COLUMNS)} from `tab{TABLE}` where {where}", values)
	return [of_row(orjson.loads(row)) for (row,) in rows]


def of_row(row: Sequence[Any]) -> State:
	"""The state that these values of COLUMNS say, as `database.packed` gives them."""
	return State(
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
	)


def _moment(text: str | None) -> datetime | None:
	return datetime.fromisoformat(text) if text else None
