"""Pictures: from the public file an editor attached to a path under `media/`, named by the file's content.

The same bytes are published once, whoever names them. A private or missing file is left out. What a file's
digest is stands in CDN Media, so that a file is read again only after it has changed.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote

import frappe
from frappe.utils import now_datetime

from memora.exceptions import BuildError, ScopeBusyError
from memora.services.cdn_export import database, ledger, paths, purge_queue, removals, scopes
from memora.services.cdn_export import dependency_resolver as resolver
from memora.services.cdn_export.caching import cache_control
from memora.services.cdn_export.diff import MEDIA, Planned
from memora.services.cdn_export.storage import Upload

if TYPE_CHECKING:
	from memora.services.cdn_export.build import Site

TABLE = "CDN Media"
_PUBLIC = "/files/"
_ELSEWHERE = re.compile("https?://.")  # as the schemas have it
_PATIENCE_SECONDS = 10


def published_paths(urls: Iterable[str]) -> dict[str, str]:
	"""What to write in a document for each `image` value: a path under `media/`, an http(s) URL as it is.

	Values that cannot be published (private, missing, `https://` alone) are left out, with a warning in the log.
	One SELECT, and an upsert where a file is new or changed.
	"""
	found: dict[str, str] = {}
	files: dict[str, tuple[str, str]] = {}
	for url in set(urls):
		if _ELSEWHERE.match(url):
			found[url] = url
		elif location := _location(url):
			files[url] = location
		else:
			frappe.logger("memora").warning(f"{url} is no public file that exists, so no document shows it")
	if not files:
		return found

	known = {
		url: (stamp, path)
		for url, stamp, path in frappe.db.sql(
			f"select file_url, stamp, path from `tab{TABLE}` where name in %s",
			(tuple(ledger.row_name(url) for url in files),),
		)
	}
	fresh = []
	for url, (location, stamp) in files.items():
		if url in known and known[url][0] == stamp:
			found[url] = known[url][1]
			continue
		found[url] = paths.media(_digest(location), os.path.splitext(location)[1])
		fresh.append((ledger.row_name(url), url, stamp, found[url]))
	database.upsert(
		TABLE,
		("name", "file_url", "stamp", "path"),
		fresh,
		"stamp = values(stamp), path = values(path)",
	)
	return found


def missing_uploads(media_paths: Iterable[str]) -> list[tuple[Planned, Upload]]:
	"""Of these paths, the files that do not stand in the storage yet, ready to be uploaded.

	The documents that name them are noted in the ledger by now, so that nobody takes the others away. Raises
	BuildError for a file that was changed or deleted since the documents were made; the next try makes them anew.
	"""
	wanted = {path for path in media_paths if path.startswith(MEDIA)}
	if not wanted:
		return []
	with _alone():
		standing = ledger.of_paths(wanted)
	wanted -= {path for path, entry in standing.items() if entry.state == "live" and not entry.damaged}
	return [_upload(path, urls) for path, urls in sorted(_sources(wanted).items())]


def restore(site: Site, media_paths: Collection[str]) -> set[str]:
	"""Upload again what an audit found damaged. Returns the paths that were; of the others the file is gone."""
	mended = set()
	for path in sorted(media_paths):
		try:
			((file, upload),) = (_upload(path, urls) for path, urls in _sources([path]).items())
		except BuildError as error:
			frappe.logger("memora").warning(str(error))
			continue
		etags, sizes = {path: site.storage.put(upload)}, {path: len(upload.body)}

		def close(file: Planned = file, etags: dict = etags, sizes: dict = sizes) -> None:
			ledger.uploaded_again([file], etags, sizes, {})
			purge_queue.add(site, [file.path])

		database.transaction(close)
		mended.add(path)
	return mended


def sweep(site: Site) -> int:
	"""Remove the media files that nothing published names any more. Returns how many; for once a day."""
	return remove_unnamed(site, unnamed())


def unnamed() -> set[str]:
	"""The media files that nothing published names any more: they wait for the daily sweep."""
	return ledger.media_paths() - ledger.named_pictures()


def remove_due(site: Site, *, again: bool = False) -> int:
	"""Remove the pictures that a worker which was killed has left, or that the storage has refused to remove before if
	this is `again`. Returns how many went."""
	due = ledger.removable(scopes.MEDIA, now_datetime(), refused=again)
	if again and not due:
		removals.settle(scopes.MEDIA)
	return remove_unnamed(site, [entry.path for entry in due], again=again)


def remove_hidden(site: Site, dropped: Collection[str]) -> int:
	"""Of pictures that documents have just ceased to show, remove those whose node still names them: it was
	hidden or unpublished. What was replaced stays for the daily sweep, as caches may still ask for it."""
	if not dropped:
		return 0
	urls = dict(frappe.db.sql(f"select file_url, path from `tab{TABLE}` where path in %s", (tuple(dropped),)))
	return remove_unnamed(site, {urls[url] for url in _named_by_nodes(urls)})


def remove_unnamed(site: Site, media_paths: Collection[str], *, again: bool = False) -> int:
	"""Remove those of these files that no published document names. Returns how many.

	Never raises for what the storage does: what it refuses to remove is tried `again`, on its own (`removals`).
	"""
	if not media_paths:
		return 0
	try:
		with _alone():
			gone = set(media_paths) - ledger.named_pictures()
			if not again:
				gone -= set(ledger.refused(scopes.MEDIA))
			return _remove(site, sorted(gone), again)
	except ScopeBusyError as error:
		frappe.logger("memora").warning(f"pictures that nothing shows are left to the daily sweep: {error}")
		return 0


def _remove(site: Site, gone: list[str], again: bool) -> int:
	if not gone or site.has_moved():
		return 0
	now = now_datetime()
	database.transaction(lambda: ledger.drop(gone, remove_at=now))
	return removals.remove(
		site, scopes.MEDIA, gone, again=again, closing=lambda went: purge_queue.add(site, went)
	)


@contextmanager
def _alone() -> Iterator[None]:
	"""Between looking whether a picture stands there and taking one away, nobody does the other. Commits."""
	lock = f"{frappe.conf.db_name}.memora_media"
	if not frappe.db.sql("select get_lock(%s, %s)", (lock, _PATIENCE_SECONDS))[0][0]:
		raise ScopeBusyError("pictures are being removed by another worker; this build is tried again")
	try:
		database.fresh()
		yield
	finally:
		frappe.db.sql("select release_lock(%s)", (lock,))


def _sources(media_paths: Collection[str]) -> dict[str, list[str]]:
	"""Each path's public files, of which some may be gone. Raises BuildError where there never was one."""
	if not media_paths:
		return {}
	sources: dict[str, list[str]] = {}
	for path, url in frappe.db.sql(
		f"select path, file_url from `tab{TABLE}` where path in %s order by file_url", (tuple(media_paths),)
	):
		sources.setdefault(path, []).append(url)
	if missing := set(media_paths) - sources.keys():
		raise BuildError(f"{min(missing)} has no file any more: the picture was changed meanwhile")
	return sources


def _upload(path: str, urls: Sequence[str]) -> tuple[Planned, Upload]:
	"""The first of these files that still holds what was published at this path. Raises BuildError if none does."""
	for url in urls:
		if not (location := _location(url)):
			continue
		with open(location[0], "rb") as file:
			body = file.read()
		digest = hashlib.sha256(body).hexdigest()
		if paths.media(digest, os.path.splitext(path)[1]) == path:
			break
	else:
		raise BuildError(
			f"{', '.join(urls)} was changed or deleted while it was published; it is tried again"
		)
	planned = Planned(path, "media", "", "", 1, True, digest, "", None, "", "", 0)
	upload = Upload(path, body, cache_control("media"), planned.metadata(), content_type(path))
	return planned, upload


def content_type(path: str) -> str:
	"""The content type of a media file, by its extension."""
	# `strict` knows WebP only where the machine's own tables do, and machines are to agree.
	return mimetypes.guess_type(path, strict=False)[0] or "application/octet-stream"


def _named_by_nodes(urls: Collection[str]) -> set[str]:
	"""Those of the files that some node names, shown or not."""
	if not urls:
		return set()
	fields = [(doctype, "image") for doctype in resolver.CONTENT] + [("Memora Unit", "badge_image")]
	return {
		url
		for doctype, field in fields
		for (url,) in frappe.db.sql(
			f"select distinct {field} from `tab{doctype}` where {field} in %s", (tuple(urls),)
		)
	}


def _location(url: str) -> tuple[str, str] | None:
	"""A public file's place on disk and a stamp that changes with it; None where there is no such file."""
	if not url.startswith(_PUBLIC):
		return None
	root = os.path.realpath(frappe.get_site_path("public", "files"))
	location = os.path.realpath(os.path.join(root, unquote(url.removeprefix(_PUBLIC))))
	if not location.startswith(root + os.sep) or not os.path.isfile(location):
		return None
	stat = os.stat(location)
	return location, f"{stat.st_mtime_ns}-{stat.st_size}"


def _digest(location: str) -> str:
	digest = hashlib.sha256()
	with open(location, "rb") as file:
		while chunk := file.read(1 << 20):
			digest.update(chunk)
	return digest.hexdigest()
