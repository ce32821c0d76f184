"""The ledger: what stands in the storage, what is on its way there, and what was. One row a path (CDN File).

`begin` commits what is about to be written before the first PUT, `close` says it is live. Rows outlive their
files, since a path's versions never repeat. Everything runs in the caller's transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import frappe
from frappe.utils import now_datetime

from memora.services.cdn_export.model import plain_text, scopes
from memora.services.cdn_export.model.diff import LedgerEntry, Planned
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.model.tree import Right, Rights
from memora.services.cdn_export.state import database

TABLE = "CDN File"

_COLUMNS = (
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
)
_NEVER = 1 << 62
"""Above any generation."""

_IN_GRACE = "remove_at > %s and subject in %s and state = 'removing'"
"""SQL: whether a file of one of some subjects stays for its grace."""

_FAILS = f"""exists (
	select 1 from `tabCDN Publish State` plan
	where plan.scope_type = 'plan' and {database.exactly("plan.ref", "reader.plan")}
		and plan.failed_generation > plan.published_generation)"""
"""SQL: whether the last build of the plan `reader` has failed."""

_KEEPS_UNITS = f"""exists (
	select 1 from `tab{TABLE}` unit
	join `tabCDN Rendition` linking on {database.exactly("linking.subject", "unit.subject")}
	where unit.remove_at is not null and unit.state = 'removing' and unit.kind = 'unit'
		and linking.plan = reader.plan and linking.mode = 'shared' and linking.generation < unit.drop_generation)"""
"""SQL: whether the plan `reader` still links to a shared unit that is no longer produced."""

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
	*(f"coalesce({column}, '')" if column in _TEXTS else column for column in _COLUMNS),
	"uploaded_at is not null",
	"if(state = 'removing', coalesce(remove_at, ''), '')",
]


@lru_cache(maxsize=1 << 13)
def row_name(path: str) -> str:
	"""The primary key of a path's row: a path can be longer than a Frappe name."""
	return hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()


def of_scope(scope: Scope) -> dict[str, LedgerEntry]:
	"""Every path the scope has or had, by path."""
	return _select("scope = %s", (scope.id,))


def of_plans(except_subjects: Mapping[Scope, Collection[str]]) -> dict[Scope, dict[str, LedgerEntry]]:
	"""The paths of these plans, by plan, but those of the subjects that each takes over unread. One statement."""
	where, values = "scope in %s", [tuple(scope.id for scope in except_subjects)]
	if in_none := set.intersection(*map(set, except_subjects.values())):
		where += " and coalesce(subject, '') not in %s"
		values.append(tuple(sorted(in_none)))
	found: dict[Scope, dict[str, LedgerEntry]] = {scope: {} for scope in except_subjects}
	by_id = {scope.id: scope for scope in except_subjects}
	for path, entry in _select(where, tuple(values)).items():
		scope = by_id[entry.scope]
		if entry.subject not in except_subjects[scope]:
			found[scope][path] = entry
	return found


def dropped_since(generations: Mapping[str, int]) -> set[str]:
	"""Those of these shared subjects that have given up files in a build after the generation given with each."""
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
	return _select("name in %s", (names,)) if names else {}


def page(after: str, prefix: str = "", *, limit: int) -> list[LedgerEntry]:
	"""The live files below `prefix` in the order of their rows' names, those after the row `after`."""
	found = _select(
		f"name > %s and state = 'live' and path like %s order by name limit {int(limit)}",
		(after, like(prefix)),
	)
	return list(found.values())


def has_any() -> bool:
	"""Whether the ledger knows of any file, were it one that was removed."""
	return bool(frappe.db.sql(f"select 1 from `tab{TABLE}` limit 1"))


def count_live(prefix: str = "") -> int:
	"""How many files are live below `prefix`."""
	((count,),) = frappe.db.sql(
		f"select count(*) from `tab{TABLE}` where state = 'live' and path like %s", (like(prefix),)
	)
	return count


def like(prefix: str) -> str:
	"""The pattern of what begins with `prefix`."""
	for special in ("\\", "%", "_"):
		prefix = prefix.replace(special, f"\\{special}")
	return f"{prefix}%"


def count_expired() -> int:
	"""How many live lessons have signed links that hold no more. Unlike other moments, `signed_until` is in UTC."""
	((count,),) = frappe.db.sql(
		f"select count(*) from `tab{TABLE}` where state = 'live' and signed_until < %s",
		(datetime.now(timezone.utc),),
	)
	return count


def damage(paths: Iterable[str]) -> None:
	"""Have live files uploaded again by their scope's next build, under the same version if nothing else changed."""
	database.update_names(TABLE, map(row_name, paths), "damaged = 1", (), "state = 'live'")


@dataclass(frozen=True, slots=True)
class Adopted:
	"""A file found in the storage, as its row is to be."""

	entry: LedgerEntry
	signed_until: datetime | None = None

	@property
	def path(self) -> str:
		return self.entry.path

	@property
	def scope(self) -> str:
		return self.entry.scope


def adopt(files: Sequence[Adopted]) -> None:
	"""Enter files as live that stand in the storage, or believe it where it has a higher version than a live row."""
	is_newer = "state = 'live' and version < values(version)"
	columns = [
		column for column in _COLUMNS if column not in ("path", "scope", "version", "damaged", "state")
	]
	database.upsert(
		TABLE,
		("name", *_COLUMNS, "signed_until"),
		[
			(
				row_name(file.path),
				*map(_stored, (getattr(file.entry, column) for column in _COLUMNS)),
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


def remove_again(paths: Iterable[str]) -> None:
	"""Have files removed that stand in the storage though nobody publishes them, with the next look for such."""
	database.update_names(
		TABLE,
		map(row_name, paths),
		"state = 'removing', remove_at = %s, drop_generation = 0, etag = '', refused = 0",
		(now_datetime(),),
		"state = 'removed'",  # still: its scope may have published it meanwhile
	)


def begin(files: Mapping[Scope, Iterable[Planned]]) -> None:
	"""Note as in flight, with hash and version, what is about to be written for each scope. Commit before the first PUT.

	All that is known by now is noted here: a row is the cheaper to close, the less of it and of its indexes changes
	then. The scope becomes the path's owner; the caller holds the lease of the one before (a node that moved).
	"""
	database.upsert(
		TABLE,
		(
			"name",
			"path",
			"kind",
			"node",
			"subject",
			"content_hash",
			"shape_hash",
			"version",
			"access_level",
			"required_item",
			"lesson_count",
			"pictures",
			"required_items",
			"scope",
		),
		[
			(
				row_name(file.path),
				file.path,
				file.kind,
				file.node,
				file.subject,
				file.content_hash,
				file.shape_hash,
				file.version,
				file.access_level,
				plain_text.store(file.required_item),
				file.lesson_count,
				_listed(file),
				file.required_items,
				scope.id,
			)
			for scope, of_scope in files.items()
			for file in of_scope
		],
		", ".join(
			f"{column} = values({column})"
			for column in (
				"scope",
				"node",
				"subject",
				"content_hash",
				"shape_hash",
				"state",
				"access_level",
				"required_item",
				"lesson_count",
				"required_items",
			)
		)
		+ ", version = greatest(version, values(version))"
		# Until it is uploaded, the file may show the pictures of either.
		+ ", remove_at = null, drop_generation = 0, damaged = 0, refused = 0, outdated = 0,"
		" pictures = trim(concat(coalesce(pictures, ''), ' ', values(pictures)))",
		same={"state": "in_flight", "live_version": 0},
	)


def close(
	files: Iterable[Planned],
	etags: Mapping[str, str],
	sizes: Mapping[str, int],
	signed_until: Mapping[str, datetime],
) -> None:
	"""Say that files which `begin` has noted are live, each with the ETag that its upload gave."""
	database.upsert(
		TABLE,
		("name", "path", "version", "etag", "size", "signed_until", "pictures"),
		[
			(
				row_name(file.path),
				file.path,
				file.version,
				plain_text.store(etags[file.path]),
				sizes[file.path],
				signed_until.get(file.path),
				_listed(file),
			)
			for file in files
		],
		", ".join(
			f"{column} = values({column})"
			for column in (
				"version",
				"state",
				"etag",
				"size",
				"signed_until",
				"uploaded_at",
				"pictures",
				"damaged",
			)
		)
		+ ", live_version = values(version)",
		same={"state": "live", "uploaded_at": now_datetime(), "damaged": 0},
		stamped=False,
	)


def uploaded_again(
	files: Iterable[Planned],
	etags: Mapping[str, str],
	sizes: Mapping[str, int],
	signed_until: Mapping[str, datetime],
) -> None:
	"""Note that live files were uploaded again under the versions they have."""
	database.upsert(
		TABLE,
		("name", "path", "etag", "size", "signed_until", "required_items", "outdated"),
		[
			(
				row_name(file.path),
				file.path,
				plain_text.store(etags[file.path]),
				sizes[file.path],
				signed_until.get(file.path),
				file.required_items,
				# What a paid lesson asks for is not known when it was uploaded as it was published.
				int(file.access_level == "paid" and file.kind == "lesson" and not file.required_items),
			)
			for file in files
		],
		", ".join(
			f"{column} = values({column})"
			for column in (
				"etag",
				"size",
				"signed_until",
				"uploaded_at",
				"damaged",
				"required_items",
				"outdated",
			)
		),
		same={"uploaded_at": now_datetime(), "damaged": 0},
		stamped=False,
	)


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


def count_outdated() -> tuple[int, int]:
	"""How many live files have the metadata of another key or release, and how many are live. Two statements while there
	are any."""
	((outdated,),) = frappe.db.sql(f"select count(*) from `tab{TABLE}` where outdated = 1 and state = 'live'")
	return (outdated, count_live()) if outdated else (0, 0)


def drop(paths: Iterable[str], *, remove_at: datetime, drop_generation: int = 0) -> None:
	"""Mark files as no longer produced: to be removed at `remove_at`, or sooner if they are already due.

	A shared file also waits until every plan that reads its subject has been rebuilt with `drop_generation`. What stays
	for a grace keeps its ETag until `mark_uncertain`; on what stands elsewhere nobody relies from now on: a worker may die just
	after it has removed it.
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
	"""Note that files which were to be removed are about to be published as they stand, so that nobody removes them.
	To be committed before the first PUT of what links to them, and followed by `stay`. Returns how many still stand."""
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
	found = _select(
		f"{_IN_GRACE} and kind in ('unit', 'lesson', 'lesson_file') and scope != %s",
		(now, tuple(subjects), but.id),
	)
	return list(found.values())


def end_grace(subjects: Collection[str]) -> None:
	"""Let the files of these subjects that stay for their grace be due now, whoever has them."""
	if not subjects:
		return
	now = now_datetime()
	rows = frappe.db.sql(f"select name from `tab{TABLE}` where {_IN_GRACE}", (now, tuple(subjects)))
	database.update_names(TABLE, [name for (name,) in rows], "remove_at = %s", (now,), "state = 'removing'")


def removable(scope: Scope, now: datetime, *, refused: bool = False) -> list[LedgerEntry]:
	"""The scope's files that may be removed now: due, and linked to by no live plan. Those that the storage has
	`refused` to remove before, or the others.

	A plan still reads a shared file while its rendition of the subject is older than the build that dropped it. Where
	the plan has failed since, that holds for units only: lessons are linked to by shared files, which were written anew
	without them, but for a unit that is kept for this plan as it was.
	"""
	return list(
		_select(
			f"""scope = %(scope)s and state = 'removing' and remove_at <= %(now)s and refused = %(refused)s
				and not exists (
				select 1 from `tabCDN Rendition` reader
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


def due_media(now: datetime, *, refused: bool = False) -> list[str]:
	"""The pictures that are to be removed by now unless a file names them; `refused` as in `removable`."""
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
	"""Say that pictures which were to be looked at again are named."""
	database.update_names(
		TABLE, map(row_name, paths), "remove_at = null", (), "state = 'live' and remove_at is not null"
	)


def refuse(paths: Iterable[str]) -> None:
	"""Note that the storage refuses to remove these files."""
	database.update_names(TABLE, map(row_name, paths), "refused = 1", (), "state = 'removing'")


def refused(scope: Scope | None = None) -> list[str]:
	"""The files that should be gone and that the storage refuses to remove: of a scope, or all."""
	return [path for path, _ in refused_of([scope] if scope else None)]


def refused_of(owners: Collection[Scope] | None = None) -> Sequence[tuple[str, str]]:
	"""`refused` of several scopes, or of all, each with the id of its scope; by path."""
	return frappe.db.sql(
		f"""select path, scope from `tab{TABLE}`
		where state = 'removing' and remove_at is not null and refused = 1
			{"" if owners is None else "and scope in %(owners)s"} order by path""",
		{"owners": tuple(scope.id for scope in owners or ())},
	)


class Refused(NamedTuple):
	"""A file that the storage refuses to remove: whose it is, what is said of that, and when it is tried again."""

	document: str
	owner: Scope
	message: str
	next_try: datetime | None


def refused_files(column: Literal["node", "scope"], documents: Mapping[str, str]) -> list[Refused]:
	"""The files of these nodes or scopes that the storage refuses to remove, each with what `documents` calls it."""
	if not documents:
		return []
	rows = frappe.db.sql(
		f"""select file.{column}, removal.ref, removal.last_error, removal.next_retry_at
		from `tab{TABLE}` file join `tabCDN Publish State` removal on removal.name = concat('removal:', file.scope)
		where file.{column} in %s and file.state = 'removing' and file.refused = 1""",
		(tuple(documents),),
	)
	return [
		Refused(documents[value], scopes.of_label(owner), message or "", next_try)
		for value, owner, message, next_try in rows
		if value in documents
	]


def removed(paths: Iterable[str]) -> None:
	"""Turn the rows of removed files into tombstones, which keep the highest version and say since when."""
	names = tuple(row_name(path) for path in paths)
	if names:
		frappe.db.sql(
			f"""update `tab{TABLE}` set state = 'removed', live_version = 0, content_hash = '', shape_hash = '',
				etag = '', size = 0, signed_until = null, remove_at = null, pictures = '', damaged = 0, refused = 0,
				outdated = 0, modified = %s
			where name in %s and state = 'removing'""",
			(now_datetime(), names),
		)


def live_versions(scope: Scope, subject: str, kind: str) -> dict[str, int]:
	"""Path → version of the scope's files of one kind that stand in the storage."""
	return dict(
		frappe.db.sql(
			f"""select path, live_version from `tab{TABLE}`
			where scope = %s and subject = %s and kind = %s and state in ('live', 'in_flight') and live_version > 0""",
			(scope.id, subject, kind),
		)
	)


def lesson_rights(
	scope: Scope, subjects: Collection[str] | None = None, *, read_up_to: int | None = None
) -> Rights:
	"""Who may read the scope's live lessons, by lesson; of these subjects, if any are named.

	With `read_up_to` also those that a shared subject has dropped in a later build than that generation: to a plan
	that has not been built since they are still there.
	"""
	of_subjects = "" if subjects is None else "and subject in %(subjects)s"
	return {
		lesson: Right(level, plain_text.read(item or ""))
		for lesson, level, item in frappe.db.sql(
			f"""select node, access_level, required_item from `tab{TABLE}`
			where scope = %(scope)s {of_subjects} and kind = 'lesson' and (
				state in ('live', 'in_flight') or (state in ('removing', 'removed') and drop_generation > %(read_up_to)s))""",
			{
				"scope": scope.id,
				"subjects": tuple(subjects or ()),
				"read_up_to": _NEVER if read_up_to is None else read_up_to,
			},
		)
	}


def subjects_showing(lessons: Collection[str]) -> set[str]:
	"""The subjects that live files show these lessons in."""
	if not lessons:
		return set()
	rows = frappe.db.sql(
		f"""select distinct subject from `tab{TABLE}`
		where node in %s and kind = 'lesson' and state in ('live', 'in_flight')""",
		(tuple(lessons),),
	)
	return {subject for (subject,) in rows}


def lessons_naming(digests: Collection[str]) -> set[str]:
	"""The lessons beside which files with this content stand, or may."""
	if not digests:
		return set()
	rows = frappe.db.sql(
		f"""select node from `tab{TABLE}` where kind = 'lesson_file' and content_hash in %s
			and state in ('live', 'in_flight')""",
		(tuple(digests),),
	)
	return {lesson for (lesson,) in rows}


def rights_elsewhere(subject: str, lessons: Collection[str]) -> Rights:
	"""Who may read lessons, by lesson, that a shared subject does not show yet, where they stand so far: in the shared
	files of the subject they came from, else in what plans have of their own of another subject."""
	if not lessons:
		return {}
	rows = frappe.db.sql(
		f"""select node, access_level, required_item, scope like 'subject:%%' as is_shared, state = 'removing'
		from `tab{TABLE}` where node in %s and kind = 'lesson' and state != 'removed'
			and (scope like 'subject:%%' or subject != %s)""",
		(tuple(lessons), subject),
	)
	# What holds more comes later: shared before a plan's own, live before leaving, and of several the paid one.
	rows = sorted(rows, key=lambda row: (row[3], not row[4], row[1] == "paid"))
	return {lesson: Right(level, plain_text.read(item or "")) for lesson, level, item, *_ in rows}


def pictures_of(paths: Iterable[str]) -> set[str]:
	"""The media files that these files show, by what was last published or is on its way."""
	names = tuple(row_name(path) for path in paths)
	if not names:
		return set()
	rows = frappe.db.sql(f"select pictures from `tab{TABLE}` where name in %s and pictures > ''", (names,))
	return {picture for (pictures,) in rows for picture in pictures.split()}


def named_pictures() -> set[str]:
	"""The media files that any file shows which stands in the storage, or may."""
	rows = frappe.db.sql(
		f"select distinct pictures from `tab{TABLE}` where state != 'removed' and pictures > ''"
	)
	return {picture for (pictures,) in rows for picture in pictures.split()}


def media_paths() -> set[str]:
	"""The media files that stand in the storage, or may."""
	return {path for path, entry in of_scope(scopes.MEDIA).items() if entry.state != "removed"}


def _stored(value: Any) -> Any:
	return plain_text.store(value) if isinstance(value, str) else value


def _listed(file: Planned) -> str:
	return " ".join(sorted(file.pictures))


def _select(where: str, values: tuple | dict[str, Any]) -> dict[str, LedgerEntry]:
	found = {}
	now = now_datetime().isoformat(" ", "microseconds")
	for row in database.texts(
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
			old,
		) = row[:-2]
		found[row[0]] = LedgerEntry(
			*texts,
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
			old != "0",
			row[-1] > now,
			row[-2] != "0",
		)
	return found
