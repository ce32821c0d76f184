"""Files that memora has read before: one row a file (CDN Media), with its digest, so that it is read again only after it has
changed. Which of them are still there, and which content shows them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote

import frappe

from memora.services.cdn_export import settings
from memora.services.cdn_export.model import doctypes, paths, plain_text, stage_files
from memora.services.cdn_export.model.doctypes import Ref
from memora.services.cdn_export.model.document_bytes import MEDIA
from memora.services.cdn_export.model.stage_files import PUBLIC, Link, PublicFile
from memora.services.cdn_export.state import database, ledger
from memora.services.cdn_export.storage.base import stamp_of

TABLE = "CDN Media"
_GONE = "gone"
"""The stamp of a file that is no longer there."""

_LIKE_A_BROWSER = ("/", "/!#$&'()*+,:;=?@~", "/!$&'()*+,:;=@~")
"""What stays as it is in an address that was encoded in one of the usual ways."""


def row_name(name: str) -> str:
	"""The key in CDN Media of a file, by its name below the site's public files: no two names share one, however alike
	MariaDB finds them."""
	return ledger.row_name(f"{PUBLIC}{name}")


class Noted(NamedTuple):
	"""What was noted of a file when it was last read."""

	stamp: str
	path: str
	kept: bool

	@property
	def digest(self) -> tuple[str, str]:
		return digest_of_path(self.path)


def noted(names: Collection[str]) -> dict[str, Noted]:
	"""What is known of files, by their names below the site's public files."""
	by_row = {row_name(name): name for name in names}
	rows = frappe.db.sql(
		f"select name, stamp, path, kept from `tab{TABLE}` where name in %s", (tuple(by_row),)
	)
	return {by_row[name]: Noted(stamp, path, bool(kept)) for name, stamp, path, kept in rows}


def note(files: Mapping[str, PublicFile]) -> None:
	"""Note files, by their names, as they were just read."""
	database.upsert(
		TABLE,
		("name", "file_url", "stamp", "path", "kept"),
		[
			(
				row_name(name),
				plain_text.store(f"{PUBLIC}{name}"),
				file.stamp,
				paths.media(file.digest, file.extension),
				int(file.kept),
			)
			for name, file in files.items()
		],
		"stamp = values(stamp), path = values(path), kept = values(kept)",
	)


def kept() -> list[str]:
	"""The files that are published though their type or size is refused by now: they stay until they are changed."""
	return frappe.db.sql(
		f"""select media.file_url from `tab{TABLE}` media join `tab{ledger.TABLE}` file on file.path = media.path
		where media.kept = 1 and file.state in ('live', 'in_flight') order by media.file_url""",
		pluck=True,
	)


def known_rows(urls: Iterable[str]) -> list[str]:
	"""The rows of those of these files that memora has ever read."""
	names = {row_name(name) for url in urls for name in stage_files.names(Link(url, is_html=False))}
	if not names:
		return []
	return frappe.db.sql(f"select name from `tab{TABLE}` where name in %s", (tuple(names),), pluck=True)


def changed_files() -> set[str]:
	"""The rows of files that are published and are not there as they were read: deleted, made private or written to
	since, by whatever way. Each is found once."""
	found = set()
	gone = []
	for name, url, stamp, _ in rows("stamp != %s", (_GONE,)):
		place = location_of(url.removeprefix(PUBLIC))
		now = _stamp(place[1]) if place else _GONE
		if now != stamp:
			found.add(name)
			if now == _GONE:
				gone.append(name)
	database.update_names(TABLE, gone, "stamp = %s", (_GONE,))
	return found


def without_source(urls: Mapping[str, str]) -> set[str]:
	"""Of the published paths by file, those that no file is there for any more."""
	there = {path for url, path in urls.items() if location_of(url.removeprefix(PUBLIC))}
	return set(urls.values()) - there


def paths_by_url(where: str, values: tuple) -> dict[str, str]:
	"""The paths under `media/` of files, by address."""
	return {url: path for _, url, _, path in rows(where, values)}


def only_in_trash(urls: Mapping[str, str]) -> set[str]:
	"""Of the published paths by file, those whose files are only there for a deleted document, should it come back."""
	if not urls:
		return set()
	kept: dict[str, bool] = {}
	for url, doctype in frappe.db.sql(
		"select file_url, attached_to_doctype from tabFile where file_url in %s", (tuple(urls),)
	):
		kept[url] = kept.get(url, True) and doctype == "Deleted Document"
	return {path for url, path in urls.items() if kept.get(url)} - {
		path for url, path in urls.items() if not kept.get(url) and location_of(url.removeprefix(PUBLIC))
	}


def nodes_naming(urls: Collection[str]) -> dict[str, set[Ref]]:
	"""The nodes whose picture is one of these files, shown or not, by file. By code point: MariaDB takes names for one
	that differ in case, accents or trailing spaces."""
	spelled = {spelling: url for url in urls for spelling in _spellings(url)}
	found: dict[str, set[Ref]] = {}
	if not spelled:
		return found
	for doctype, field in [(doctype, "image") for doctype in doctypes.CONTENT] + [
		(doctypes.UNIT, "badge_image")
	]:
		for name, value in frappe.db.sql(
			f"select name, {field} from `tab{doctype}` where {database.among(field, '%(values)s')}",
			{"values": tuple(spelled)},
		):
			found.setdefault(spelled[value], set()).add((doctype, name))
	return found


def shown_in(names: Collection[str]) -> set[Ref]:
	"""The nodes and lessons that show these files, by the files' rows in CDN Media."""
	if not names:
		return set()
	urls = paths_by_url("name in %s", (tuple(names),))
	refs = set().union(*nodes_naming(urls).values())
	lessons = ledger.lessons_naming({digest_of_path(path)[0] for path in urls.values()})
	return refs | {(doctypes.LESSON, lesson) for lesson in lessons}


def digest_of_path(path: str) -> tuple[str, str]:
	"""Digest and extension of a file by its path under `media/`."""
	digest, _, extension = path.removeprefix(MEDIA).partition(".")
	return digest, extension


def location_of(name: str) -> tuple[str, str] | None:
	"""A public file by its name below the site's public files: that name and its place on disk; None where there is no
	such file. What memora itself has published there is none of the site's files."""
	root = os.path.realpath(frappe.get_site_path("public", "files"))
	try:
		location = os.path.realpath(os.path.join(root, name))
		if not location.startswith(root + os.sep) or not os.path.isfile(location):
			return None
	except ValueError:  # a name that no file can have
		return None
	own = os.path.realpath(settings.local_path(frappe.get_cached_doc(settings.DOCTYPE)))
	return None if location.startswith((own + os.sep, f"{own}.meta{os.sep}")) else (name, location)


def rows(where: str, values: tuple) -> list[tuple[str, str, str, str]]:
	"""Key, address, stamp and path of files that were read. The Desk shows an address, so it is stored as plain text is."""
	return [
		(key, _as_named(key, url), stamp, path)
		for key, url, stamp, path in frappe.db.sql(
			f"select name, file_url, stamp, path from `tab{TABLE}` where {where}", values
		)
	]


def _as_named(key: str, stored: str) -> str:
	"""The address as the file has it: what is written for `<` may also be in a file's own name."""
	return stored if ledger.row_name(stored) == key else plain_text.read(stored)


def _spellings(url: str) -> set[str]:
	"""How a field may spell a file's address: as Frappe does, by its plain name, or encoded."""
	name = url.removeprefix(PUBLIC)
	return {url, *(f"{PUBLIC}{quote(name, safe=safe)}" for safe in _LIKE_A_BROWSER)}


def _stamp(location: str) -> str:
	try:
		return stamp_of(os.stat(location))
	except OSError:
		return _GONE
