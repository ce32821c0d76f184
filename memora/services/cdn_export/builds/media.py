"""Pictures under `media/`: uploaded before a document names them, removed once nothing published names them.

Which files content names, and which of them are published, is `curriculum.public_files`. What is beside a lesson is
uploaded and removed with the lesson's other files.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

import frappe
from frappe.utils import now_datetime

from memora.exceptions import BuildError, ScopeBusyError
from memora.services.cdn_export import cdn_uploader
from memora.services.cdn_export.builds import removals
from memora.services.cdn_export.curriculum import known_files, public_files
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.document_bytes import MEDIA
from memora.services.cdn_export.model.published_file import LedgerEntry, Planned
from memora.services.cdn_export.model.stage_files import PUBLIC, PublicFile
from memora.services.cdn_export.state import database, ledger, refused_removals
from memora.services.cdn_export.storage import Upload
from memora.services.cdn_export.storage.base import stamp_of

_PATIENCE_SECONDS = 10


def missing_uploads(target: PublishTarget, media_paths: Iterable[str]) -> list[tuple[Planned, Upload]]:
	"""Of these paths, the files that are not in the storage yet, ready to be uploaded.

	The documents that name them are noted in the ledger by now, so that no worker removes the others. Raises
	BuildError for a file that was changed or deleted since the documents were made; the next try makes them again.
	"""
	wanted = {path for path in media_paths if path.startswith(MEDIA)}
	if not wanted:
		return []
	with _alone():
		standing = ledger.of_paths(wanted)
	wanted -= {path for path, entry in standing.items() if entry.state == "live" and not entry.damaged}
	return [_upload(target, path, urls) for path, urls in sorted(_sources(wanted).items())]


def restore(target: PublishTarget, media_paths: Collection[str]) -> set[str]:
	"""Upload again what an audit found damaged. Returns the paths that were; of the others the file is gone."""
	fixed = set()
	for path in sorted(media_paths):
		target.ownership.claim()
		try:
			((file, upload),) = (_upload(target, path, urls) for path, urls in _sources([path]).items())
		except BuildError as error:
			frappe.logger("memora").warning(str(error))
			continue
		etags, sizes = {path: target.storage.put(upload)}, {path: upload.size}

		def close(file: Planned = file, etags: dict = etags, sizes: dict = sizes) -> None:
			ledger.uploaded_again([file], etags, sizes, {})
			purge_queue.add(target, [file.path])

		database.transaction(close)
		fixed.add(path)
	return fixed


def sweep(target: PublishTarget) -> int:
	"""Remove the media files that nothing published names any more. Returns how many; for once a day."""
	return remove_unnamed(target, unnamed())


def unnamed() -> set[str]:
	"""The media files that nothing published names any more: they wait for the daily sweep."""
	return ledger.media_paths() - ledger.named_pictures()


def remove_due(target: PublishTarget, *, again: bool = False) -> int:
	"""Remove the pictures that are due: those that a killed or busy worker has left, or that the storage has refused to
	remove before if this is `again`. Returns how many went."""
	due = ledger.due_media(now_datetime(), refused=again)
	if again and not due:
		removals.settle(scopes.MEDIA)
	return remove_unnamed(target, due, again=again)


def remove_hidden(target: PublishTarget, dropped: Collection[str]) -> int:
	"""Of pictures that documents have just ceased to show, remove those whose node still names them: it was hidden or
	unpublished; and those whose file was deleted or made private. What was replaced stays for the daily sweep, as
	caches may still ask for it."""
	if not dropped:
		return 0
	urls = known_files.paths_by_url("path in %s", (tuple(dropped),))
	hidden = {urls[url] for url in known_files.nodes_naming(urls)}
	return remove_unnamed(target, hidden | known_files.without_source(urls))


def withdrawn(entries: Iterable[LedgerEntry]) -> set[str]:
	"""Of these lessons' files, those whose file on the site was deleted or made private."""
	by_media: dict[str, list[str]] = {}
	for entry in entries:
		if entry.kind == "lesson_file":
			by_media.setdefault(f"{MEDIA}{entry.path.rpartition('/')[2]}", []).append(entry.path)
	if not by_media:
		return set()
	urls = known_files.paths_by_url("path in %s", (tuple(by_media),))
	return {path for media in known_files.without_source(urls) for path in by_media[media]}


def remove_unnamed(target: PublishTarget, media_paths: Collection[str], *, again: bool = False) -> int:
	"""Remove those of these files that no published document names. Returns how many.

	Never raises for what the storage does: what it refuses to remove is tried `again`, on its own (`removals`).
	"""
	if not media_paths:
		return 0
	try:
		with _alone():
			named = ledger.named_pictures()
			gone = set(media_paths) - named
			database.transaction(lambda: ledger.keep_media(named.intersection(media_paths)))
			if not again:
				gone -= set(refused_removals.paths(scopes.MEDIA))
			return _remove(target, sorted(gone), again)
	except ScopeBusyError as error:
		frappe.logger("memora").warning(
			f"pictures that nothing shows are removed with the next check: {error}"
		)
		database.transaction(lambda: ledger.mark_media(media_paths, now_datetime()))
		return 0


def _remove(target: PublishTarget, gone: list[str], again: bool) -> int:
	if not gone or target.has_moved():
		return 0
	target.ownership.claim()
	now = now_datetime()
	database.transaction(lambda: ledger.drop(gone, remove_at=now))
	return removals.remove(
		target, scopes.MEDIA, gone, again=again, closing=lambda went: purge_queue.add(target, went)
	)


@contextmanager
def _alone() -> Iterator[None]:
	"""Between the check whether a picture is there and its removal, no other worker does either. Commits."""
	with database.alone("memora_media", _PATIENCE_SECONDS) as is_alone:
		if not is_alone:
			raise ScopeBusyError("pictures are being removed by another worker; this build is tried again")
		database.fresh()
		yield


def _sources(media_paths: Collection[str]) -> dict[str, list[str]]:
	"""Each path's public files; some may be gone. Raises BuildError where there never was one."""
	if not media_paths:
		return {}
	sources: dict[str, list[str]] = {}
	for url, path in sorted(known_files.paths_by_url("path in %s", (tuple(media_paths),)).items()):
		sources.setdefault(path, []).append(url)
	if missing := set(media_paths) - sources.keys():
		raise BuildError(f"{min(missing)} has no file any more: the picture was changed meanwhile")
	return sources


def _upload(target: PublishTarget, path: str, urls: Sequence[str]) -> tuple[Planned, Upload]:
	"""The first of these files that still holds what was published at this path. Raises BuildError if none does."""
	wanted, extension = known_files.digest_of_path(path)
	for url in urls:
		if not (place := known_files.location_of(url.removeprefix(PUBLIC))):
			continue
		try:
			with open(place[1], "rb") as file:
				status = os.fstat(file.fileno())
				digest = public_files.digest_of(file)
		except OSError:
			continue
		if digest == wanted:
			break
	else:
		raise BuildError(
			f"{', '.join(urls)} was changed or deleted while it was published; it is tried again"
		)
	source = PublicFile(place[1], stamp_of(status), status.st_size, digest, extension)
	planned = Planned(path, "media", "", "", 1, True, digest, "", None, "", "", 0, source=source)
	return planned, cdn_uploader.file_upload(planned, source, target.ownership.site)
