"""Pictures under `media/` that nothing published names any more: which they are, and their removal."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import frappe
from frappe.utils import now_datetime

from memora.exceptions import ScopeBusyError
from memora.services.cdn_export.builds import media, removals
from memora.services.cdn_export.curriculum import known_files
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.document_bytes import MEDIA
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.state import database, ledger, refused_removals


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
	unpublished; and those whose file was deleted, with its node too, or made private. What was replaced stays for the daily sweep, as
	caches may still ask for it."""
	if not dropped:
		return 0
	urls = known_files.paths_by_url("path in %s", (tuple(dropped),))
	hidden = {urls[url] for url in known_files.nodes_naming(urls)}
	gone = known_files.without_source(urls) | known_files.only_in_trash(urls)
	return remove_unnamed(target, hidden | gone)


def withdrawn(entries: Iterable[LedgerEntry]) -> set[str]:
	"""Of these lessons' files, those whose file on the site was deleted or made private."""
	by_media: dict[str, list[str]] = {}
	for entry in entries:
		if entry.kind == "lesson_file":
			by_media.setdefault(f"{MEDIA}{entry.path.rpartition('/')[2]}", []).append(entry.path)
	if not by_media:
		return set()
	urls = known_files.paths_by_url("path in %s", (tuple(by_media),))
	return {path for picture in known_files.without_source(urls) for path in by_media[picture]}


def remove_unnamed(target: PublishTarget, media_paths: Collection[str], *, again: bool = False) -> int:
	"""Remove those of these files that no published document names. Returns how many.

	Never raises for what the storage does: what it refuses to remove is tried `again`, on its own (`removals`).
	"""
	if not media_paths:
		return 0
	try:
		with media.alone():
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
		target,
		scopes.MEDIA,
		gone,
		again=again,
		closing=lambda went: purge_queue.add(target, purge_queue.of_media(went)),
	)
