"""What builds and repairs write into the ledger of files that they upload, or find in the storage.

`begin` commits what is about to be written before the first PUT, `close` says that it is live. Everything runs in the
caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from frappe.utils import now_datetime

from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.model.published_file import LedgerEntry, Planned, Uploaded
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import database
from memora.services.cdn_export.state.ledger.reading import CLOSED, COLUMNS, TABLE, row_name

_AS_PLANNED = (
	"path kind node subject content_hash shape_hash version access_level lesson_count required_items".split()
)
_as_planned = attrgetter(*_AS_PLANNED)


def begin(files: Mapping[Scope, Iterable[Planned]]) -> None:
	"""Note as in flight, with hash and version, what is about to be written for each scope. Commit before the first PUT.

	Everything known by now is noted here: closing a row is cheaper, the less of it and of its indexes changes then.
	The scope becomes the path's owner; the caller holds the lease of the former owner (a node that moved).
	"""
	replaced = "scope node subject content_hash shape_hash state access_level required_item lesson_count required_items"
	database.upsert(
		TABLE,
		("name", *_AS_PLANNED, "required_item", "pictures", "scope"),
		[
			(
				row_name(file.path),
				*_as_planned(file),
				plain_text.store(file.required_item),
				_listed(file),
				scope.id,
			)
			for scope, of_scope in files.items()
			for file in of_scope
		],
		f"{database.replaced(replaced.split())}, version = greatest(version, values(version)),"
		" remove_at = null, drop_generation = 0, damaged = 0, refused = 0, outdated = 0, old_headers = 0,"
		# Until it is uploaded, the file may show the pictures of either.
		" pictures = trim(concat(coalesce(pictures, ''), ' ', values(pictures)))",
		same={"state": "in_flight", "live_version": 0},
	)


def close(files: Iterable[Uploaded]) -> None:
	"""Say that files noted by `begin` are live."""
	replaced = "version state etag size signed_until uploaded_at pictures damaged"
	database.upsert(
		TABLE,
		(*_UPLOADED, "version", "pictures"),
		[(*_uploaded(one), one.file.version, _listed(one.file)) for one in files],
		f"{database.replaced(replaced.split())}, live_version = values(version)",
		same={"state": "live", "uploaded_at": now_datetime(), "damaged": 0},
		stamped=False,
	)


def uploaded_again(files: Iterable[Uploaded]) -> None:
	"""Note that live files were uploaded again under the versions they have."""
	database.upsert(
		TABLE,
		(*_UPLOADED, "required_items", "outdated"),
		[
			(
				*_uploaded(one),
				one.file.required_items,
				# What a paid lesson asks for is not known when it was uploaded as it was published.
				int(
					one.file.access_level == "paid"
					and one.file.kind == "lesson"
					and not one.file.required_items
				),
			)
			for one in files
		],
		database.replaced("etag size signed_until uploaded_at damaged required_items outdated".split()),
		same={"uploaded_at": now_datetime(), "damaged": 0},
		stamped=False,
	)


_UPLOADED = ("name", "path", "etag", "size", "signed_until")


def _uploaded(one: Uploaded) -> tuple[Any, ...]:
	path = one.file.path
	return row_name(path), path, plain_text.store(one.etag), one.size, one.signed_until


def renewed(files: Mapping[str, str], required_items: Mapping[str, str]) -> None:
	"""Note that live files were uploaded again as they are, with new metadata: the ETag by path, and what lessons ask for."""
	database.upsert(
		TABLE,
		("name", "path", "etag", "required_items"),
		[(row_name(path), path, etag, required_items.get(path, "")) for path, etag in files.items()],
		", ".join(
			f"{column} = if(state = 'live', values({column}), {column})"
			for column in ("etag", "required_items", "outdated")
		),
		same={"outdated": 0},
		stamped=False,
	)


def outdate() -> None:
	"""Have all live files uploaded again as they are, in the background: their metadata is of another key or release.
	In the caller's transaction."""
	database.execute(
		f"update `tab{TABLE}` set outdated = 1 where state in ('live', 'removing') and outdated = 0", ()
	)


def outdate_headers() -> None:
	"""Have lessons that are not open, and their files, uploaded again as they are with other cache headers, in the
	background. In the caller's transaction."""
	database.execute(f"update `tab{TABLE}` set old_headers = 1 where {CLOSED} and old_headers = 0", ())


def headers_renewed(etags: Mapping[str, str]) -> None:
	"""Note that live files were uploaded again as they are, with the cache headers of now: the ETag by path."""
	database.upsert(
		TABLE,
		("name", "path", "etag"),
		[(row_name(path), path, plain_text.store(etag)) for path, etag in etags.items()],
		", ".join(
			f"{column} = if(state = 'live', values({column}), {column})" for column in ("etag", "old_headers")
		),
		same={"old_headers": 0},
		stamped=False,
	)


def damage(paths: Iterable[str]) -> None:
	"""Have live files uploaded again by their scope's next build, under the same version if nothing else changed."""
	database.update_names(TABLE, map(row_name, paths), "damaged = 1", (), "state = 'live'")


@dataclass(frozen=True, slots=True)
class Adopted:
	"""A file found in the storage, as its row will be."""

	entry: LedgerEntry
	signed_until: datetime | None = None

	@property
	def path(self) -> str:
		return self.entry.path

	@property
	def scope(self) -> str:
		return self.entry.scope


def adopt(files: Sequence[Adopted]) -> None:
	"""Enter files as live that are in the storage, or believe it where it has a higher version than a live row."""
	is_newer = "state = 'live' and version < values(version)"
	columns = [column for column in COLUMNS if column not in ("path", "scope", "version", "damaged", "state")]
	database.upsert(
		TABLE,
		("name", *COLUMNS, "signed_until"),
		[
			(
				row_name(file.path),
				*map(_stored, (getattr(file.entry, column) for column in COLUMNS)),
				file.signed_until,
			)
			for file in files
		],
		# `version` last: each assignment sees those before it.
		", ".join(
			f"`{column}` = if({is_newer}, values(`{column}`), `{column}`)"
			for column in (*columns, "signed_until", "version")
		),
		same={"uploaded_at": now_datetime()},
	)


def _stored(value: Any) -> Any:
	return plain_text.store(value) if isinstance(value, str) else value


def _listed(file: Planned) -> str:
	return " ".join(sorted(file.pictures))
