"""The site's public files that content shows: which there are, what is published of each, and why the others are not.

A picture is once under `media/`, whoever names it; what a lesson's stages name is beside the lesson. A private
or missing file is left out, and so is one of a type or size that is not published (`file_types`, CDN Settings). A file's
digest is in CDN Media, so that a file is read again only after it has changed. What was published before
its type or size was refused stays until the file is changed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

import frappe

from memora.services.cdn_export import settings
from memora.services.cdn_export.curriculum import known_files
from memora.services.cdn_export.curriculum.known_files import Noted
from memora.services.cdn_export.model import paths, stage_files
from memora.services.cdn_export.model.stage_files import PUBLIC, Link, PublicFile
from memora.services.cdn_export.model.tree import Stage
from memora.services.cdn_export.rules import file_types
from memora.services.cdn_export.rules.refused_file import Refused
from memora.services.cdn_export.storage.base import stamp_of

_ELSEWHERE = re.compile("https?://.")  # as the schemas have it
_PIECE = 1 << 20
_LOOKED_AT_WHEN_SAVED = 100


def published_paths(urls: Iterable[str]) -> dict[str, str]:
	"""What to write in a document for each `image` value: a path under `media/`, an http(s) URL as it is.

	Values that cannot be published (private, missing, of another type, `https://` alone) are left out, with a warning
	in the log. One SELECT, and an upsert where a file is new or changed.
	"""
	urls = set(urls)
	found = {url: url for url in urls if _ELSEWHERE.match(url)}
	files, refused = public_files(Link(url, is_html=False) for url in urls - found.keys())
	for link, file in files.items():
		found[link.url] = paths.media(file.digest, file.extension)
		if not file_types.is_picture(file.extension) and not file.kept:
			del found[link.url]
			refused[link] = Refused("picture")
	for link, why in refused.items():
		frappe.logger("memora").warning(f"{link.url} {why}, so no document shows it")
	return found


def of_stages(stages: Mapping[str, Sequence[Stage]]) -> dict[Link, PublicFile]:
	"""The files that these lessons' stages name. What they name and is not published is left as it is, with a warning
	in the log that says why. One SELECT where they name any, and an upsert where a file is new or changed."""
	named: dict[Link, str] = {}
	for lesson, of_lesson in stages.items():
		for stage in of_lesson:
			for link in stage_files.file_links(stage.config):
				named.setdefault(link, lesson)
	files, refused = stage_links(named)
	for link, why in refused.items():
		frappe.logger("memora").warning(
			f"{link.url} in lesson {named[link]} {why}: its link is left as it is"
		)
	return files


def stage_links(links: Iterable[Link]) -> tuple[dict[Link, PublicFile], dict[Link, Refused]]:
	"""`public_files` for links in stages, where what stays as a picture is not published again."""
	files, refused = public_files(links)
	for link in [link for link, file in files.items() if file.kept]:
		del files[link]
		refused[link] = Refused("kept")
	return files, refused


def refusals(links: Iterable[Link]) -> dict[Link, Refused]:
	"""Why files are not published that these links lead to, for an editor who has just saved them: nothing is written
	down, and no file is read as a whole but an SVG."""
	places, refused = _places(links)
	options = settings.load()
	for link, (name, location) in places.items():
		try:
			with open(location, "rb") as file:
				_extension(name, file, options)
		except OSError as error:
			refused[link] = Refused("unreadable", error.strerror or "")
		except Refused as error:
			refused[link] = error
	return refused


def refused_picture(url: str) -> dict[str, Refused]:
	"""Why a picture that was just attached is not published, by its address; empty where it is."""
	if _ELSEWHERE.match(url):
		return {}
	link = Link(url, is_html=False)
	if refused := refusals([link]):
		return {url: refused[link]}
	name = _places([link])[0][link][0]
	extension = os.path.splitext(name)[1].lower().removeprefix(".")
	return {} if file_types.is_picture(extension) else {url: Refused("picture")}


def refused_in_stage(config: Any) -> dict[str, Refused]:
	"""What a stage's config names that learners will not reach, by its address: files that are not published, and links
	that lead nowhere for them. Looks at so many of its links at most, since somebody waits for it; a build looks at all.
	"""
	links = dict.fromkeys(islice(stage_files.links(config), _LOOKED_AT_WHEN_SAVED))
	found = {link.url: why for link, why in refusals(links).items()}
	for link in links:
		if link.url not in found and stage_files.leads_nowhere(link) and not stage_files.names(link):
			found[link.url] = Refused("nowhere")
	mentioned = islice(stage_files.mentions(config), _LOOKED_AT_WHEN_SAVED)
	return found | {url: Refused("mention") for url in mentioned}


def _places(links: Iterable[Link]) -> tuple[dict[Link, tuple[str, str]], dict[Link, Refused]]:
	"""Name and place on disk of the files that these links lead to, and why there is none."""
	places: dict[Link, tuple[str, str]] = {}
	refused: dict[Link, Refused] = {}
	hosts = own_hosts()
	for link in links:
		names = stage_files.names(link, hosts)
		if place := next((place for name in names if (place := known_files.location_of(name))), None):
			places[link] = place
		elif stage_files.PRIVATE in link.url and stage_files.is_private(link, hosts):
			refused[link] = Refused("private")
		elif (names or not link.is_html) and (link.is_html or "<" not in link.url):
			refused[link] = Refused("missing")
	return places, refused


def in_preview(
	pictures: Iterable[str], stages: Iterable[Stage]
) -> tuple[dict[str, PublicFile | str], dict[Link, PublicFile]]:
	"""What a build would make of `image` values (`published_paths`) and of the files that stages name (`of_stages`), with
	nothing written and no file read as a whole but an SVG: one that was not published yet has another digest. An http(s)
	picture stays its URL. One SELECT."""
	urls = set(pictures)
	shown: dict[str, PublicFile | str] = {url: url for url in urls if _ELSEWHERE.match(url)}
	of_pictures = {Link(url, is_html=False) for url in urls - shown.keys()}
	named = {link for stage in stages for link in stage_files.file_links(stage.config)}
	files, _refused = public_files(of_pictures | named, note=False)
	for link in of_pictures & files.keys():
		if file_types.is_picture(files[link].extension) or files[link].kept:
			shown[link.url] = files[link]
	return shown, {link: file for link, file in files.items() if link in named and not file.kept}


def site_url(file: PublicFile) -> str:
	"""Where the site itself serves a public file."""
	root = os.path.realpath(frappe.get_site_path("public", "files"))
	return PUBLIC + quote(os.path.relpath(file.location, root))


def public_files(
	links: Iterable[Link], *, note: bool = True
) -> tuple[dict[Link, PublicFile], dict[Link, Refused]]:
	"""The public files that these links lead to, and of the other links why there is none to publish. Links that lead
	elsewhere are in neither. Without `note` nothing is written, and a file that was not read before has a digest that says
	only which file it is."""
	found: dict[Link, PublicFile] = {}
	places, refused = _places(links)
	if not places:
		return found, refused

	known = known_files.noted({name for name, _ in places.values()})
	options = settings.load()
	judged: dict[str, PublicFile | Refused] = {}
	for link, (name, location) in places.items():
		if name not in judged:
			judged[name] = judge(name, location, known.get(name), options, digest_of if note else _token_of)
		verdict = judged[name]
		if isinstance(verdict, Refused):
			refused[link] = verdict
		else:
			found[link] = verdict
	if note:
		fresh = {name: verdict for name, verdict in judged.items() if isinstance(verdict, PublicFile)}
		known_files.note({name: file for name, file in fresh.items() if not _is_noted(file, known.get(name))})
	return found, refused


def _is_noted(file: PublicFile, known: Noted | None) -> bool:
	return known is not None and known[:2] == (file.stamp, paths.media(file.digest, file.extension))


def judge(
	name: str,
	location: str,
	known: Noted | None,
	options: settings.ExportSettings,
	digest: Callable[[BinaryIO], str] | None = None,
) -> PublicFile | Refused:
	"""The file as it is published, or why it is not."""
	try:
		with open(location, "rb") as file:
			status = os.fstat(file.fileno())
			stamp, size = stamp_of(status), status.st_size
			if known and known.stamp == stamp:
				return PublicFile(location, stamp, size, *known.digest, kept=known.kept)
			try:
				extension = _extension(name, file, options)
			except Refused as error:
				# The same bytes as were published before they were refused, though touched or copied since.
				if known and known.kept and digest_of(file) == known.digest[0]:
					return PublicFile(location, stamp, size, *known.digest, kept=True)
				return error
			return PublicFile(location, stamp, size, (digest or digest_of)(file), extension)
	except OSError as error:
		return Refused("unreadable", error.strerror or "")


def _extension(name: str, file: BinaryIO, options: settings.ExportSettings) -> str:
	"""The extension that a file is published with. Raises Refused."""
	if os.fstat(file.fileno()).st_size > options.largest_file:
		raise Refused("size", f"{options.largest_file / 1_000_000:g}")
	return file_types.judge(
		os.path.splitext(name)[1].lower().removeprefix("."),
		file.read(file_types.HEAD),
		_pieces(file),
		options.more_file_types,
	)


def content_type(path: str) -> str:
	"""The content type of a published file that is no document, by its extension."""
	return file_types.content_type(path.rpartition(".")[2])


def own_hosts() -> set[str]:
	"""The hosts whose `/files/` are this site's."""
	addresses = [frappe.utils.get_url(), frappe.conf.host_name or "", f"//{frappe.local.site}"]
	hosts = {urlsplit(address if "//" in address else f"//{address}").netloc.lower() for address in addresses}
	return hosts - {""}


def digest_of(file: BinaryIO) -> str:
	digest = hashlib.sha256()
	for piece in _pieces(file):
		digest.update(piece)
	return digest.hexdigest()


def _token_of(file: BinaryIO) -> str:
	"""A digest that tells a file from others, and from what it was before."""
	return hashlib.sha256(f"{file.name} {stamp_of(os.fstat(file.fileno()))}".encode()).hexdigest()


def _pieces(file: BinaryIO) -> Iterator[bytes]:
	file.seek(0)
	while piece := file.read(_PIECE):
		yield piece
