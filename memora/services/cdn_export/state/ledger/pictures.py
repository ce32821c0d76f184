"""Pictures and other media files: which files show them, and which are looked at again because nothing may show them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import frappe

from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.state import database
from memora.services.cdn_export.state.ledger.reading import TABLE, of_scope, row_name


def pictures_of(paths: Iterable[str]) -> set[str]:
	"""The media files that these files show, by what was last published or is on its way."""
	if names := tuple(row_name(path) for path in paths):
		return _named("name in %s", (names,))
	return set()


def named_pictures() -> set[str]:
	"""The media files that any file shows which is in the storage, or may be."""
	return _named("state != 'removed'", ())


def _named(where: str, values: tuple) -> set[str]:
	statement = f"select distinct pictures from `tab{TABLE}` where {where} and pictures > ''"
	return {picture for named in frappe.db.sql(statement, values, pluck=True) for picture in named.split()}


def media_paths() -> set[str]:
	"""The media files that are in the storage, or may be."""
	return {path for path, entry in of_scope(scopes.MEDIA).items() if entry.state != "removed"}


def due_media(now: datetime, *, refused: bool = False) -> list[str]:
	"""The pictures that must go by now unless a file names them; `refused` as in `removable`."""
	return frappe.db.sql(
		f"""select path from `tab{TABLE}`
		where scope = %s and state in ('live', 'removing') and remove_at <= %s and refused = %s""",
		(scopes.MEDIA.id, now, int(refused)),
		pluck=True,
	)


def mark_media(paths: Iterable[str], now: datetime) -> None:
	"""Have pictures looked at again soon: whether a file names them, and removed if none does."""
	database.update_names(TABLE, map(row_name, paths), "remove_at = %s", (now,), "state = 'live'")


def keep_media(paths: Iterable[str]) -> None:
	"""Say that pictures which waited for another look are named."""
	database.update_names(
		TABLE, map(row_name, paths), "remove_at = null", (), "state = 'live' and remove_at is not null"
	)
