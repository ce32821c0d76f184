"""Pictures: from the public file an editor attached to a path under `media/`, named by the file's content.

The same bytes are published once, whoever names them. A private or missing file is left out. What a file's
digest is stands in CDN Media, so that a file is read again only after it has changed.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
from collections.abc import Iterable
from urllib.parse import unquote

import frappe

from memora.services.cdn_export import database, ledger, paths
from memora.services.cdn_export.caching import cache_control
from memora.services.cdn_export.diff import Planned
from memora.services.cdn_export.storage import Upload

TABLE = "CDN Media"
_PUBLIC = "/files/"


def published_paths(urls: Iterable[str]) -> dict[str, str]:
	"""What to write in a document for each `image` value: a path under `media/`, an http(s) URL as it is.

	Values that cannot be published (private, missing) are left out, with a warning in the log. One SELECT, and
	an upsert where a file is new or changed.
	"""
	found: dict[str, str] = {}
	files: dict[str, tuple[str, str]] = {}
	for url in set(urls):
		if url.startswith(("http://", "https://")):
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
		sorted(fresh),
		"stamp = values(stamp), path = values(path)",
	)
	return found


def missing_uploads(media_paths: Iterable[str]) -> list[tuple[Planned, Upload]]:
	"""Of these paths, the files that do not stand in the storage yet, ready to be uploaded."""
	wanted = {path for path in media_paths if path.startswith("media/")}
	live = {path for path, entry in ledger.of_paths(wanted).items() if entry.state == "live"}
	if not (wanted := wanted - live):
		return []
	sources = dict(
		frappe.db.sql(f"select path, file_url from `tab{TABLE}` where path in %s", (tuple(wanted),))
	)
	uploads = []
	for path, url in sorted(sources.items()):
		if location := _location(url):
			with open(location[0], "rb") as file:
				body = file.read()
			content_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
			digest = hashlib.sha256(body).hexdigest()
			planned = Planned(path, "media", "", "", 1, True, digest, "", None, "", "", 0)
			uploads.append(
				(planned, Upload(path, body, cache_control("media"), {"content-hash": digest}, content_type))
			)
	return uploads


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
