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
	names = tuple(row_name(path) for path in paths)
	if not names:
		return set()
	rows = frappe.db.sql(f"select pictures from `tab{TABLE}` where name in %s and pictures > ''", (names,))
	return {picture for (pictures,) in rows for picture in pictures.split()}


def named_pictures() -> set[str]:
	"""The media files that any file shows which is in the storage, or may be."""
	rows = frappe.db.sql(
		f"select distinct pictures from `tab{TABLE}` where state != 'removed' and pictures > ''"
	)
	return {picture for (pictures,) in rows for picture in pictures.split()}


def media_paths() -> set[str]:
	"""The media files that are in the storage, or may be."""
	return {path for path, entry in of_scope(scopes.MEDIA).items() if entry.state != "removed"}


def due_media(now: datetime, *, refused: bool = False) -> list[str]:
	"""The pictures that must go by now unless a file names them; `refused` as in `removable`."""
	rows = frappe.db.sql(
		f"""select path from `tab{TABLE}`
		where scope = %s and state in ('live', 'removing') and remove_at <= %s and refused = %s""",
		(scopes.MEDIA.id, now, int(refused)),
	)
	return [path for (path,) in rows]


def mark_media(paths: Iterable[str], now: datetime) -> None:
	"""Have pictures looked at again soon: whether a file names them, and removed if none does."""
	database.update_names(TABLE, map(row_name, paths), "remove_at = %s", (now,), "state = 'live'")


def keep_media(paths: Iterable[str]) -> None:
	"""Say that pictures which waited for another look are named."""
	database.update_names(
		TABLE, map(row_name, paths), "remove_at = null", (), "state = 'live' and remove_at is not null"
	)
