"""Which films the published lessons name (CDN Film). Kept while the gate is on.

What is noted of a lesson's file holds for the object that is in the storage. While the file is live, the ledger says who may
read it. From when it is about to be written until it is live, old or new, the rows here say who is sure to be let in by
both. In any other state it lets no learner in. Everything runs in the caller's transaction.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple

import frappe

from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.rules.film_access import NO_ONE, Grant
from memora.services.cdn_export.state import database, ledger

TABLE = "CDN Film"

_COLUMNS = ("name", "file", "access", "film", "access_level", "required_items")
_REPLACED = database.replaced(_COLUMNS[1:])


_CLOSED = "closed"
"""Noted as the level of a lesson that is sure to let in no learner."""


def _granted(column: str) -> str:
	"""SQL: what the lesson `file` grants to who wants to see `film`; an object that an audit has doubts about, or with the
	metadata of another key, nothing."""
	return f"""coalesce(case
		when file.state not in ('live', 'in_flight') or file.outdated or file.damaged then ''
		when {_IS_BOUND} then film.{column}
		when file.state = 'live' then file.{column} end, '')"""


_IS_BOUND = "coalesce(film.access_level, '') > ''"
_JOINED = f"""select film.film, file.path, {_granted("access_level")}, {_granted("required_items")}, {_IS_BOUND}
	from `tab{TABLE}` film join `tab{ledger.TABLE}` file on file.name = film.file"""


class Naming(NamedTuple):
	"""A film, or the folder of one in pieces, the path of a lesson's file that names it, and whom that lets in. `is_bound` says
	that the file was about to be written: neither that nor what closes the film before may have come about."""

	film: str
	path: str
	grant: Grant
	is_bound: bool = False


def of_lessons(paths: Iterable[str]) -> list[Naming]:
	"""What is noted of these lessons' files."""
	names = tuple(ledger.row_name(path) for path in paths)
	return _select("film.file in %s", (names,)) if names else []


def of_films(films: Collection[str] | None = None) -> dict[str, list[Grant]]:
	"""Whom the lessons let in that name these films, or any, by film."""
	if films is None:
		found = _select("true", ())
	else:
		found = _select("film.access in %s", (tuple(map(_digest, films)),)) if films else []
	grants: dict[str, list[Grant]] = defaultdict(list)
	for naming in found:
		grants[naming.film].append(naming.grant)
	return dict(grants)


def below(folders: Iterable[str]) -> set[str]:
	"""The films that lessons name in these folders."""
	found: set[str] = set()
	for folder in folders:
		statement = f"select distinct film from `tab{TABLE}` where film like %s"
		rows = frappe.db.sql(statement, (plain_text.begins_with(folder),), pluck=True)
		found.update(film for film in map(plain_text.read, rows) if film.startswith(folder))
	return found


def bound(namings: Iterable[Naming]) -> None:
	"""Note of lessons that are about to be written whom they are sure to let in, old or new."""
	rows = [_row(one.film, one.path, one.grant if one.grant[0] else (_CLOSED, "")) for one in namings]
	database.upsert(TABLE, _COLUMNS, rows, _REPLACED)


def store(films: Mapping[str, Iterable[str]]) -> None:
	"""Note which films these lessons' files name, by path, and no others."""
	database.delete_names(TABLE, [name for name, _ in _noted_of(films)])
	rows = [_row(film, path, ("", "")) for path, named in films.items() for film in named]
	database.upsert(TABLE, _COLUMNS, rows, _REPLACED)


def doubt(paths: Iterable[str]) -> None:
	"""Note that it is not known which films these lessons' files name: they are sure to let in no learner. Those that have
	named some are written again, and then it is known."""
	noted = _noted_of(paths)
	assignments = "access_level = %s, required_items = ''"
	database.update_names(TABLE, [name for name, _ in noted], assignments, (_CLOSED,))
	ledger.write_other_links({file for _, file in noted})


def forget_all() -> None:
	"""Note nothing of any lesson."""
	frappe.db.delete(TABLE)


def forget_removed() -> None:
	"""Forget what files named that are gone."""
	frappe.db.sql(
		f"""delete film from `tab{TABLE}` film left join `tab{ledger.TABLE}` file on file.name = film.file
		where file.name is null or file.state = 'removed'"""
	)


def _noted_of(paths: Iterable[str]) -> list[tuple[str, str]]:
	"""The names of the rows of these lessons' files, each with its file."""
	if not (files := [ledger.row_name(path) for path in paths]):
		return []
	statement = f"""select film.name, film.file
		from {database.NAMES} straight_join `tab{TABLE}` film on film.file = named.name"""
	return list(frappe.db.sql(statement, (json.dumps(files),)))


def _select(where: str, values: tuple[object, ...]) -> list[Naming]:
	return [
		Naming(plain_text.read(film), path, (level, items) if level != _CLOSED else NO_ONE, bool(is_bound))
		for film, path, level, items, is_bound in frappe.db.sql(f"{_JOINED} where {where}", values)
	]


def _row(film: str, path: str, grant: Grant) -> tuple[str, ...]:
	return (
		_name(film, path),
		ledger.row_name(path),
		_digest(film),
		plain_text.store(film),
		*grant,
	)


def _name(film: str, path: str) -> str:
	return database.key(path, film)


def _digest(film: str) -> str:
	return sha256(film.encode()).hexdigest()
