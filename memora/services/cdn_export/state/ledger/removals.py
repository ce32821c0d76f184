"""How a file leaves: marked as no longer produced, kept for its grace, taken back, removed. Everything runs in the caller's
transaction.

Rows outlive their files, since the versions of a path never repeat.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import frappe
from frappe.utils import now_datetime

from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import database
from memora.services.cdn_export.state.ledger.reading import TABLE, row_name, select

_IN_GRACE = "remove_at > %s and subject in %s and state = 'removing'"
"""SQL: whether a file of one of some subjects stays for its grace."""


def drop(paths: Iterable[str], *, remove_at: datetime, drop_generation: int = 0) -> None:
	"""Mark files as no longer produced: to be removed at `remove_at`, or sooner if they are already due.

	A shared file also waits until every plan that reads its subject has been rebuilt with `drop_generation`. What stays
	for a grace keeps its ETag until `mark_uncertain`. What goes at once loses it: a worker may die just after it has removed the
	file.
	"""
	stays = remove_at > now_datetime()
	names = tuple(row_name(path) for path in paths)
	if names:
		frappe.db.sql(
			f"""update `tab{TABLE}` set etag = if(%s and state != 'in_flight' and damaged = 0, etag, ''),
				drop_generation = if(state = 'removing', drop_generation, %s),
				remove_at = if(state = 'removing', least(remove_at, %s), %s), state = 'removing'
			where name in %s and state in ('live', 'in_flight', 'removing')""",
			(stays, drop_generation, remove_at, remove_at, names),
		)


def mark_uncertain(paths: Iterable[str]) -> None:
	"""Say that files may be gone from now on. To be committed before they are removed."""
	database.update_names(TABLE, map(row_name, paths), "etag = ''", (), "state = 'removing'")


def take_back(paths: Iterable[str]) -> int:
	"""Note that files which waited for their removal will be published as they are, so that no worker removes them.
	Commit before the first PUT of what links to them; `stay` follows. Returns how many are still there."""
	return database.update_names(
		TABLE,
		map(row_name, paths),
		"state = 'in_flight', live_version = 0, remove_at = null, drop_generation = 0, refused = 0",
		(),
		"state = 'removing' and etag > ''",
	)


def stay(paths: Iterable[str]) -> None:
	"""Say that files which `take_back` has noted are live as they were."""
	database.update_names(
		TABLE, map(row_name, paths), "state = 'live', live_version = version", (), "state = 'in_flight'"
	)


def in_grace(subjects: Collection[str], *, but: Scope) -> list[LedgerEntry]:
	"""The units and lessons of these subjects that stay for their grace, but for those of one scope."""
	if not subjects:
		return []
	now = now_datetime()
	found = select(
		f"{_IN_GRACE} and kind in ('unit', 'lesson', 'lesson_file') and scope != %s",
		(now, tuple(subjects), but.id),
	)
	return list(found.values())


def end_grace(subjects: Collection[str]) -> None:
	"""Let the files of these subjects that stay for their grace be due now, whoever has them."""
	if not subjects:
		return
	now = now_datetime()
	statement = f"select name from `tab{TABLE}` where {_IN_GRACE}"
	names = frappe.db.sql(statement, (now, tuple(subjects)), pluck=True)
	database.update_names(TABLE, names, "remove_at = %s", (now,), "state = 'removing'")


_GONE = """state = 'removed', live_version = 0, content_hash = '', shape_hash = '', etag = '', size = 0,
	signed_until = null, remove_at = null, pictures = '', damaged = 0, refused = 0, outdated = 0, old_headers = 0"""
"""SQL: what makes a row a tombstone, which keeps the highest version of its path."""


def removed(paths: Iterable[str]) -> None:
	"""Turn the rows of removed files into tombstones, which say since when."""
	if names := tuple(row_name(path) for path in paths):
		frappe.db.sql(
			f"update `tab{TABLE}` set {_GONE}, modified = %s where name in %s and state = 'removing'",
			(now_datetime(), names),
		)


def removed_before(moment: datetime, most: int) -> list[str]:
	"""The files that were removed last before a moment, without pictures."""
	return frappe.db.sql(
		f"""select path from `tab{TABLE}` where state = 'removed' and kind != 'media'
			and coalesce(remove_at, modified) <= %s order by modified desc limit %s""",
		(moment, most),
		pluck=True,
	)


def forget_place() -> None:
	"""Turn all rows into tombstones, since files go to another place from now on."""
	frappe.db.sql(f"update `tab{TABLE}` set {_GONE}, drop_generation = 0 where state != 'removed'")


def remove_again(paths: Iterable[str]) -> None:
	"""Have files removed that are in the storage though no scope publishes them, with the next look for such."""
	database.update_names(
		TABLE,
		map(row_name, paths),
		"state = 'removing', remove_at = %s, drop_generation = 0, etag = '', refused = 0",
		(now_datetime(),),
		"state = 'removed'",  # still: its scope may have published it meanwhile
	)
