"""The links of lessons into the bucket, as editors have written them: which lead to films, and which to anything else.

A save refuses the latter (`MemoraLessonStage`). What stood there before, or was written by SQL, is listed by `bench memora
doctor` and never signed.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator

import frappe
import orjson
from frappe.model.document import Document

from memora.services.cdn_export import paths, settings

# What HTML plays that mimetypes calls otherwise, or not at all.
_STREAMS = (".m3u8", ".mpd", ".ts")


def stray_links() -> list[tuple[str, str]]:
	"""Each Video's link into the bucket that leads to no film, with its lesson's name: it is not signed."""
	links = settings.open_links(settings.saved())
	return [(lesson, link) for lesson, link in _video_links() if links.strays(link)] if links else []


def folders_in_use(doc: Document) -> tuple[str, ...]:
	"""The video folders that these CDN Settings need so that each link to a film, as it is now, goes on being signed.

	That is the folder of each film outside of `videos/`, or the film itself where it is in none. memora's own folders
	are never among them, nor that of a file of a known type that nobody plays, such as a backup.
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
	for lesson, config in frappe.db.sql(
		"select parent, config from `tabMemora Lesson Stage` where type = 'Video' and config is not null order by parent, idx"
	):
		try:
			found = orjson.loads(config)
		except orjson.JSONDecodeError:
			continue  # its lesson says so when it is built
		link = found.get("video_url") if isinstance(found, dict) else None
		if isinstance(link, str):
			yield lesson, link


def _may_be_played(key: str) -> bool:
	kind, packed = mimetypes.guess_type(key)
	return key.lower().endswith(_STREAMS) or (
		not packed and (not kind or kind.startswith(("video/", "audio/")))
	)
