"""What the ledger says: files by scope, by path, page by page. One row a path (CDN File)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import frappe
from frappe.utils import now_datetime

from memora.services.cdn_export.model import cache_headers, plain_text, scopes
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import bulk_rows, database

TABLE = "CDN File"

COLUMNS = (
	"path",
	"scope",
	"kind",
	"node",
	"subject",
	"content_hash",
	"shape_hash",
	"version",
	"live_version",
	"state",
	"etag",
	"size",
	"access_level",
	"required_item",
	"lesson_count",
	"damaged",
	"pictures",
	"required_items",
	"outdated",
	"old_headers",
)

CLOSED = (
	f"kind in ({', '.join(map(repr, cache_headers.GUARDED))}) and state != 'removed'"
	f" and coalesce(access_level, '') not in ({', '.join(map(repr, cache_headers.OPEN))})"
)
"""SQL: what a gate wants a token for (`cache_headers.is_closed`), while it is there."""

_TEXTS = frozenset(
	{
		"node",
		"subject",
		"content_hash",
		"shape_hash",
		"etag",
		"access_level",
		"required_item",
		"pictures",
		"required_items",
	}
)

_READ = [
	*(f"coalesce({column}, '')" if column in _TEXTS else column for column in COLUMNS),
	"uploaded_at is not null",
	"if(state = 'removing', coalesce(remove_at, ''), '')",
]


@lru_cache(maxsize=1 << 13)
def row_name(path: str) -> str:
	"""The primary key of a path's row: a path can be longer than a Frappe name."""
	return database.key(path)


def of_scope(scope: Scope) -> dict[str, LedgerEntry]:
	"""Every path the scope has or had, by path."""
	return select("scope = %s", (scope.id,))


def of_plans(except_subjects: Mapping[Scope, Collection[str]]) -> dict[Scope, dict[str, LedgerEntry]]:
	"""The paths of these plans, by plan, but those of the subjects that each takes over unread. One statement."""
	where, values = "scope in %s", [tuple(scope.id for scope in except_subjects)]
	if in_none := set.intersection(*map(set, except_subjects.values())):
		where += " and coalesce(subject, '') not in %s"
		values.append(tuple(sorted(in_none)))
	found: dict[Scope, dict[str, LedgerEntry]] = {scope: {} for scope in except_subjects}
	by_id = {scope.id: scope for scope in except_subjects}
	for path, entry in select(where, tuple(values)).items():
		scope = by_id[entry.scope]
		if entry.subject not in except_subjects[scope]:
			found[scope][path] = entry
	return found


def dropped_since(generations: Mapping[str, int]) -> set[str]:
	"""Those of these shared subjects that have dropped files in a build after the generation given with each."""
	if not generations:
		return set()
	by_id = {scopes.subject(subject).id: subject for subject in generations}
	later = " or ".join(["(scope = %s and drop_generation > %s)"] * len(by_id))
	values = [value for id_, subject in by_id.items() for value in (id_, generations[subject])]
	rows = frappe.db.sql(
		f"select distinct scope from `tab{TABLE}` where state in ('removing', 'removed') and ({later})",
		values,
	)
	return {by_id[scope] for (scope,) in rows}


def of_paths(paths: Iterable[str]) -> dict[str, LedgerEntry]:
	"""The rows of these paths, whoever owns them."""
	names = tuple(row_name(path) for path in paths)
	return select("name in %s", (names,)) if names else {}


def units_and_due(scope: Scope, subject: str) -> tuple[dict[str, int], int]:
	"""Path → version of a shared subject's units that are in the storage, and the last generation that dropped files of it
	which are due for removal, 0 for none."""
	rows = frappe.db.sql(
		f"""select path, live_version, state = 'removing', drop_generation from `tab{TABLE}`
		where scope = %s and subject = %s and (
			kind = 'unit' and state in ('live', 'in_flight') and live_version > 0
			or state = 'removing' and remove_at <= %s and refused = 0)""",
		(scope.id, subject, now_datetime()),
	)
	units = {path: version for path, version, is_due, _ in rows if not is_due}
	return units, max((generation for _, _, is_due, generation in rows if is_due), default=0)


def in_order(after: str, up_to: str, prefix: str = "", *, limit: int) -> list[LedgerEntry]:
	"""The live files below `prefix` whose paths come after one and not after another, which may be "", in the order of
	their bytes."""
	where, values = "path > %s", [after]
	if up_to:
		where, values = f"{where} and path <= %s", [*values, up_to]
	if prefix:
		where, values = f"{where} and path like %s", [*values, plain_text.begins_with(prefix)]
	found = select(f"{where} and state = 'live' order by path limit {int(limit)}", tuple(values))
	return list(found.values())


def has_any() -> bool:
	"""Whether the ledger knows of any file, were it one that was removed."""
	return bool(frappe.db.sql(f"select 1 from `tab{TABLE}` limit 1"))


def count_live(prefix: str = "") -> int:
	"""How many files are live below `prefix`."""
	((count,),) = frappe.db.sql(
		f"select count(*) from `tab{TABLE}` where state = 'live' and path like %s",
		(plain_text.begins_with(prefix),),
	)
	return count


def count_due_removals(before: datetime, *, or_refused: bool = False) -> int:
	"""How many files should have been removed before a moment and are not; those that the storage refuses to remove count
	only if asked for."""
	((count,),) = frappe.db.sql(
		f"select count(*) from `tab{TABLE}` where state = 'removing' and remove_at < %s and refused <= %s",
		(before, int(or_refused)),
	)
	return count


def count_outdated() -> tuple[int, int]:
	"""How many live files have the metadata of another key or release, and how many are live. Two statements while there
	are any."""
	((outdated,),) = frappe.db.sql(f"select count(*) from `tab{TABLE}` where outdated = 1 and state = 'live'")
	return (outdated, count_live()) if outdated else (0, 0)


class OldHeaders(NamedTuple):
	"""How many lessons that are not open have the cache headers from before the gate was switched, of how many; and how many
	files, lessons or not, are `left` to be written again, removed, or found out about."""

	old: int
	lessons: int
	left: int


def count_old_headers() -> OldHeaders:
	"""How far lessons have the cache headers of now. One statement."""
	is_old = "(old_headers = 1 or state = 'in_flight')"
	((old, lessons, left),) = frappe.db.sql(
		f"""select sum({is_old} and kind = 'lesson'), sum(kind = 'lesson'), sum({is_old})
		from `tab{TABLE}` where {CLOSED}"""
	)
	return OldHeaders(int(old or 0), int(lessons or 0), int(left or 0))


def select(where: str, values: tuple | dict[str, Any]) -> dict[str, LedgerEntry]:
	found = {}
	now = now_datetime().isoformat(" ", "microseconds")
	for row in bulk_rows.texts(
		lambda pack: f"select {pack(_READ)} from `tab{TABLE}` where {where}", values, len(_READ)
	):
		(
			*texts,
			version,
			live_version,
			state,
			etag,
			size,
			level,
			item,
			lessons,
			damaged,
			pictures,
			items,
			outdated,
			old_headers,
		) = row[:-2]
		found[row[0]] = LedgerEntry(  # type: ignore[call-arg]  # `texts` has as many as there are
			*texts,  # type: ignore[arg-type]
			int(version),
			int(live_version),
			state,
			plain_text.read(etag),
			int(size),
			level,
			plain_text.read(item),
			int(lessons),
			damaged != "0",
			pictures,
			items,
			outdated != "0",
			old_headers != "0",
			row[-1] > now,
			row[-2] != "0",
		)
	return found
