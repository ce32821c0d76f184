"""The links of lessons into the bucket, as editors have written them: which lead to films, and which to anything else.

A Video's link to a film is signed. Any other address of the bucket would be published unsigned, so a save refuses it
(`MemoraLessonStage`). `bench memora doctor` lists addresses from before that rule, or written by SQL; they are never signed.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from typing import Any

import frappe
import orjson
from frappe.model.document import Document

from memora.services.cdn_export import settings
from memora.services.cdn_export.model import exact_json, paths, stage_files
from memora.services.cdn_export.rules.stage_finding import Finding, _
from memora.services.cdn_export.storage.s3_links import Links

# What HTML plays that mimetypes calls otherwise, or not at all.
_STREAMS = (".m3u8", ".mpd", ".ts")


def strays(links: Links, type_: str, config: Any) -> Iterator[str]:
	"""The links of a stage that lead into the bucket and are not signed: a Video's to what is no film, and the bucket's
	own addresses anywhere else in the stage."""
	video = config.get("video_url") if type_ == "Video" and isinstance(config, dict) else None
	if isinstance(video, str):
		if links.strays(video):
			yield video
		config = {key: value for key, value in config.items() if key != "video_url"}
	yield from filter(links.passes_cdn_by, dict.fromkeys(stage_files.addresses(config)))


def findings(type_: str, config: str | None) -> list[Finding]:
	"""What is wrong with the film of a stage by CDN Settings, as no check of the config alone can know."""
	if type_ != "Video" or not config:
		return []
	try:
		link = exact_json.loads(config).get("video_url")
	except (ValueError, AttributeError):
		return []  # said by `stage_check`
	if not isinstance(link, str) or not paths.is_in_pieces(link.partition("#")[0].partition("?")[0]):
		return []
	doc = frappe.get_cached_doc(settings.DOCTYPE)
	links = settings.film_links(doc)
	film = links.film(link) if links else None
	if film is None:
		return []
	if not settings.is_gated(doc):
		return [_UNPLAYABLE]
	return [] if paths.film_subject(film.key, settings.video_folders(doc)) else [_UNGUARDED]


_UNPLAYABLE = Finding(
	("video_url",),
	"warning",
	_(
		"{0} leads to a film in pieces, and this link is signed. Players ask for the pieces without the signature, and"
		" the storage refuses them. Upload the film as one file, such as an MP4."
	),
	('"video_url"',),
)


_UNGUARDED = Finding(
	("video_url",),
	"warning",
	_(
		"{0} leads to a film in pieces that is in a video folder itself, beside other films. The gate keeps it closed. Give"
		" it a folder of its own, such as {1}."
	),
	('"video_url"', "videos/algebra/1/list.m3u8"),
)


def stray_links() -> list[tuple[str, str]]:
	"""Each link into the bucket that is not signed, with its lesson's name."""
	doc = settings.saved()
	if not (links := settings.open_links(doc)):
		return []
	return [
		(lesson, link)
		for lesson, type_, config in _stages("type = 'Video' or locate(%s, config)", doc.bucket_name)
		for link in strays(links, type_, config)
	]


def folders_in_use(doc: Document) -> tuple[str, ...]:
	"""The video folders that these CDN Settings need so that each link to a film, as it is now, goes on being signed.

	That is the folder of each film outside of `videos/`, or the film itself where it is in none. memora's own folders
	are never among them, nor that of a file of a known type that no player plays, such as a backup.
	"""
	links = settings.open_links(doc)
	if links is None:
		return paths.FILMS
	found = set()
	for _lesson, link in _video_links():
		target = links.find(link)
		if target is None or not _may_be_played(target.key):
			continue
		folder = target.key[: target.key.rfind("/") + 1] or target.key
		if paths.may_hold_films(folder) and not paths.is_film(target.key, paths.FILMS):
			found.add(folder)
	outer = {
		folder for folder in found if not any(folder != other and folder.startswith(other) for other in found)
	}
	return (*paths.FILMS, *sorted(outer))


def _video_links() -> Iterator[tuple[str, str]]:
	for lesson, _type, config in _stages("type = 'Video'"):
		link = config.get("video_url") if isinstance(config, dict) else None
		if isinstance(link, str):
			yield lesson, link


def _stages(where: str, *values: str) -> Iterator[tuple[str, str, Any]]:
	"""Lesson, type and config of stages, as they are stored."""
	for lesson, type_, config in frappe.db.sql(
		f"select parent, type, config from `tabMemora Lesson Stage` where config is not null and ({where}) order by parent, idx",
		values,
	):
		try:
			yield lesson, type_, orjson.loads(config)
		except orjson.JSONDecodeError:
			continue  # its lesson says so when it is built


def _may_be_played(key: str) -> bool:
	kind, packed = mimetypes.guess_type(key)
	return key.lower().endswith(_STREAMS) or (
		not packed and (not kind or kind.startswith(("video/", "audio/")))
	)
