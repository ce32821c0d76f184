"""What is due: scopes to build, files to remove; and who waits, fails or builds. Statements that span several of
memora's tables live here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import frappe
import orjson
from frappe.utils import now_datetime

from memora.services.cdn_export.model import doctypes, plain_text
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.model.scope_state import NO_RETRY_AFTER, State
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import database, ledger, refused_removals, renditions
from memora.services.cdn_export.state.publish_state import (
	GOES_ON,
	IS_LIVE_OR_FAILING,
	TABLE,
	WAITS,
	select,
)


def _is_read(subject: str) -> str:
	"""SQL: whether a plan reads the shared files of a subject."""
	return f"""exists (
		select 1 from `tab{renditions.TABLE}` reader
		where {database.exactly("reader.subject", subject)} and reader.mode = 'shared')"""


_COMING = f"""{GOES_ON} and scope_type != 'removal'
		and (next_retry_at is null or next_retry_at <= %s or next_retry_at > %s)
		and (scope_type != 'subject' or {_is_read("ref")})"""

_DUE_PICTURES = f"""union all select 'media', '' from dual where exists (
	select 1 from `tab{ledger.TABLE}` file where file.scope = 'media' and file.state in ('live', 'removing')
		and file.remove_at <= %(now)s and file.refused = 0)"""
"""SQL: the owner of pictures, where it is due to look whether any file still names one."""

_COMING_READER = f"""exists (
	select 1 from `tabMemora Plan Subject` listed
	join `tab{doctypes.PLAN}` plan on plan.name = listed.parent and {doctypes.PLAN_IS_PUBLISHED}
	join `tab{TABLE}` coming on coming.ref = plan.name and coming.scope_type = 'plan'
	where listed.subject = {{subject}} and listed.parenttype = '{doctypes.PLAN}'
		and coming.published_generation < coming.generation
		and coming.next_retry_at is null and coming.dead_since is null and coming.held = 0)"""
"""SQL: whether a plan that lists a subject waits to be built, and neither failed nor waits for an admin's word."""

_FAILS = f"""exists (
	select 1 from `tab{TABLE}` plan
	where plan.scope_type = 'plan' and {database.exactly("plan.ref", "reader.plan")}
		and plan.failed_generation > plan.published_generation)"""
"""SQL: whether the last build of the plan `reader` has failed."""

_KEEPS_UNITS = f"""exists (
	select 1 from `tab{ledger.TABLE}` unit
	join `tab{renditions.TABLE}` linking on {database.exactly("linking.subject", "unit.subject")}
	where unit.remove_at is not null and unit.state = 'removing' and unit.kind = 'unit'
		and linking.plan = reader.plan and linking.mode = 'shared' and linking.generation < unit.drop_generation)"""
"""SQL: whether the plan `reader` still links to a shared unit that is no longer produced."""


def to_build(now: datetime) -> list[State]:
	"""The scopes to build at `now`, longest waiting first: dirty, free, not backing off, not held.

	A dead letter is taken again only when its content has changed since, or when Retry has put it back.
	Shared subjects come before the plans that read them, the list of plans after those. A subject that no plan
	reads is not due.
	"""
	return select(
		f"""{_COMING}
		and (lease_token is null or lease_expires < now(6))
		order by field(scope_type, 'films', 'subject', 'plan', 'index'), waiting_since, name""",
		(now, now + NO_RETRY_AFTER),
	)


def abandoned() -> bool:
	"""Whether a lease has run out on a scope that waits to be built: its builder was killed."""
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
	waiting = select(f"{WAITS} and scope_type = 'plan' and dead_since is null", ())
	dead = select("dead_since is not null", ())
	errors = dict(frappe.db.sql(f"select name, last_error from `tab{TABLE}` where dead_since is not null"))
	return waiting, [(state, errors.get(state.name) or "") for state in dead]


def failing() -> list[tuple[State, str]]:
	"""What has failed and will be tried again, each with its error, by name."""
	failing = f"{WAITS} and retry_count > 0 and dead_since is null"
	states = select(f"{failing} order by name", ())
	errors = dict(frappe.db.sql(f"select name, last_error from `tab{TABLE}` where {failing}"))
	return [(state, errors.get(state.name) or "") for state in states]


def shown() -> list[frappe._dict]:
	"""The rows of the dashboard: plans and removals, and what waits, is built, fails or is held beside them, with titles."""
	return frappe.db.sql(
		f"""select state.scope_type, state.ref, state.generation, state.published_generation,
			state.waiting_since, state.retry_count, state.next_retry_at, state.dead_since, state.last_error,
			state.last_success_at, state.is_live, state.live_version,
			state.held = 1 and state.approved_generation < state.generation as held, state.held_reason,
			coalesce(state.lease_expires > now(6), 0) as building,
			coalesce(plan.title, subject.title, '') as title, coalesce(plan.is_published, 0) as is_published
		from `tab{TABLE}` state
		left join `tab{doctypes.PLAN}` plan
			on state.scope_type in ('plan', 'removal') and plan.name = state.ref
		left join `tab{doctypes.SUBJECT}` subject on state.scope_type in ('subject', 'removal')
			and subject.name = if(state.scope_type = 'subject', state.ref, substr(state.ref, 9))
		where state.scope_type = 'plan' or state.scope_type = 'removal' or state.retry_count > 0
			or state.dead_since is not null or state.held = 1 or coalesce(state.lease_expires > now(6), 0)
			or state.published_generation < state.generation and (state.scope_type != 'subject' or {_is_read("state.ref")})""",
		as_dict=True,
	)


def live_index_entries() -> list[dict[str, Any]]:
	"""What the list of plans says of each published plan: the same as the manifest that is live, also where the
	plan has been edited since and cannot be built."""
	return [
		orjson.loads(entry)
		for (entry,) in frappe.db.sql(
			f"""select state.index_entry from `tab{TABLE}` state
			join `tab{doctypes.PLAN}` plan on {database.exactly("plan.name", "state.ref")}
			where state.scope_type = 'plan' and state.is_live = 1 and state.index_entry > ''
				and {doctypes.PLAN_IS_PUBLISHED}"""
		)
	]


def without_index_entry() -> list[Scope]:
	"""The live plans that were built by a release which noted no entry for the list of plans."""
	return [
		state.scope
		for state in select("scope_type = 'plan' and is_live = 1 and coalesce(index_entry, '') = ''", ())
	]


def has_coming_reader(subject: str) -> bool:
	"""Whether a plan that lists the subject waits to be built, and so may read its shared files."""
	rows = frappe.db.sql(f"select {_COMING_READER.format(subject='%(subject)s')}", {"subject": subject})
	return bool(rows[0][0])


def release(scope: Scope) -> bool:
	"""Note that a subject's shared files are not published any more, and forget a failure to build them, if no plan reads
	them. In the caller's transaction; returns whether that was so.

	The question and the answer are one statement, so that a plan which reserves them meanwhile is seen.
	"""
	return bool(
		database.execute(
			f"""update `tab{TABLE}` set is_live = 0, published_generation = 0, retry_count = 0,
				next_retry_at = null, dead_since = null, last_error = null, last_attempt_at = %(now)s
			where name = %(scope)s and {IS_LIVE_OR_FAILING} and not {_is_read("%(subject)s")}""",
			{"scope": scope.id, "subject": scope.ref, "now": now_datetime()},
		)
	)


def to_clean_up(among: Iterable[Scope] | None = None) -> list[Scope]:
	"""Scopes with files that may have to go: due for removal, or a subject's that no plan reads any more, and
	such a subject's failure with them; and refused removals that are due again."""
	now = now_datetime()
	values: dict[str, Any] = {"now": now, "latest": now + refused_removals.EVERY + timedelta(minutes=1)}
	among_files, among_states = "", ""
	if among is not None:
		among_files, among_states = "and scope in %(among)s", "and name in %(among)s"
		values["among"] = tuple(scope.id for scope in among)
	# Each part by an index of its own: asked of every row, all three would take longer with every plan.
	rows = frappe.db.sql(
		f"""select state.scope_type, state.ref from (
				select distinct scope from `tab{ledger.TABLE}`
				where state = 'removing' and remove_at <= %(now)s and refused = 0 {among_files}) fresh
			straight_join `tab{TABLE}` state on state.name = fresh.scope
		union all select scope_type, ref from `tab{TABLE}` where scope_type = 'removal' {among_states}
			and (next_retry_at is null or next_retry_at <= %(now)s or next_retry_at > %(latest)s)
		union all select scope_type, ref from `tab{TABLE}` where scope_type = 'subject' {among_states}
			and {IS_LIVE_OR_FAILING} and not {_is_read("ref")}
			and not {_COMING_READER.format(subject=f"`tab{TABLE}`.ref")}
		{_DUE_PICTURES if among is None else ""}""",
		values,
	)
	return [Scope(scope_type, ref or "") for scope_type, ref in dict.fromkeys(rows)]


def removable(scope: Scope, now: datetime, *, refused: bool = False) -> list[LedgerEntry]:
	"""The scope's files that may be removed now: due, and linked to by no live plan. Those that the storage has
	`refused` to remove before, or the others.

	A plan still reads a shared file while its manifest shows the subject as it was before the build that dropped it. Where
	the plan has failed since, that holds for units only: shared files link to lessons, and were written again without
	them. An exception is a unit that is kept for this plan as it was.
	"""
	return list(
		ledger.select(
			f"""scope = %(scope)s and state = 'removing' and remove_at <= %(now)s and refused = %(refused)s
				and not exists (
				select 1 from `tab{renditions.TABLE}` reader
				where {database.exactly("reader.subject", "%(subject)s")} and reader.mode = 'shared'
					and reader.generation < drop_generation
					and (kind not in ('lesson', 'lesson_file') or not {_FAILS} or {_KEEPS_UNITS}))""",
			{
				"scope": scope.id,
				"now": now,
				"subject": scope.ref if scope.type == "subject" else "",
				"refused": int(refused),
			},
		).values()
	)


class StaleFile(NamedTuple):
	"""A file that is live by the ledger and should not be by the content, or the other way round."""

	path: str
	scope: str
	why: str


def stale(prefix: str = "") -> Iterator[StaleFile]:
	"""The stale files whose path begins with `prefix`. Scopes that wait are not looked at."""
	for kind in ("lesson", "lesson_file", "unit", "subject"):
		node = "lesson" if kind == "lesson_file" else kind
		yield from _stale(
			kind,
			f"""select 1 from `tab{doctypes.OF_KIND[node]}` node
				where node.name = file.node and node.is_published = 1""",
			f"is live, though its {node} is unpublished or gone",
			prefix,
		)
	yield from _stale(
		"manifest",
		f"select 1 from `tab{doctypes.PLAN}` plan where plan.name = file.node and {doctypes.PLAN_IS_PUBLISHED}",
		"is live, though its plan is unpublished or gone",
		prefix,
	)
	for name, ref in frappe.db.sql(
		f"""select name, ref from `tab{TABLE}` state where scope_type = 'plan' and is_live = 1
		and published_generation >= generation and not exists (
			select 1 from `tab{ledger.TABLE}` file
			where file.scope = state.name and file.kind = 'manifest' and file.state in ('live', 'in_flight'))"""
	):
		path = f"plans/{name.removeprefix('plan:')}/manifest.json"
		if path.startswith(prefix):
			yield StaleFile(path, name, f"is not in the ledger, though plan {ref} is live")


def _stale(kind: str, wanted: str, why: str, prefix: str) -> Iterator[StaleFile]:
	"""The live files of a kind for which the statement `wanted` finds nothing."""
	for path, scope in frappe.db.sql(
		f"""select file.path, file.scope from `tab{ledger.TABLE}` file
		join `tab{TABLE}` state on state.name = file.scope
		where file.state = 'live' and state.published_generation >= state.generation
			and file.path like %s and file.kind = %s and not exists ({wanted}) order by file.path""",
		(plain_text.begins_with(prefix), kind),
	):
		yield StaleFile(path, scope, why)
