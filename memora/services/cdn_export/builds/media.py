"""Pictures under `media/`, uploaded before a document names them. Which go again is `media_removal`.

Which files content names, and which of them are published, is `curriculum.public_files`. What is beside a lesson is
uploaded and removed with the lesson's other files.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

import frappe

from memora.exceptions import BuildError, ScopeBusyError
from memora.services.cdn_export import cdn_uploader
from memora.services.cdn_export.curriculum import known_files, public_files
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model.document_bytes import MEDIA
from memora.services.cdn_export.model.published_file import Planned, Uploaded
from memora.services.cdn_export.model.stage_files import PUBLIC, PublicFile
from memora.services.cdn_export.state import database, ledger
from memora.services.cdn_export.storage import Upload, stamp_of

_PATIENCE_SECONDS = 10


def missing_uploads(target: PublishTarget, media_paths: Iterable[str]) -> list[tuple[Planned, Upload]]:
	"""Of these paths, the files that are not in the storage yet, ready to be uploaded.

	The documents that name them are noted in the ledger by now, so that no worker removes the others. Raises
	BuildError for a file that was changed or deleted since the documents were made; the next try makes them again.
	"""
	wanted = {path for path in media_paths if path.startswith(MEDIA)}
	if not wanted:
		return []
	with alone():
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
		uploaded = Uploaded(file, target.storage.put(upload), upload.size)

		def close(file: Planned = file, uploaded: Uploaded = uploaded) -> None:
			ledger.uploaded_again([uploaded])
			purge_queue.add(target, purge_queue.of_media([file.path]))

		database.transaction(close)
		fixed.add(path)
	return fixed


@contextmanager
def alone() -> Iterator[None]:
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
