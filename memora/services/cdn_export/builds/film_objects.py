"""The access objects of films as they are in the storage: one worker at a time writes and removes them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

from memora.services.cdn_export import cdn_uploader
from memora.services.cdn_export.builds import film_notes
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.published_file import LedgerEntry, Planned
from memora.services.cdn_export.state import database, ledger


def alone(target: PublishTarget) -> AbstractContextManager[Build]:
	"""Take the films alone, with a snapshot from after that. Raises ScopeBusyError when others keep them for 10 s."""
	busy = "who may see which film is being written by another worker; this build waits for it"
	return Build.alone(target, scopes.FILMS, busy)


def write(build: Build, changed: list[Planned], entries: dict[str, LedgerEntry]) -> None:
	"""Upload these objects, and have all looked at next: what is closed permanently goes. Raises what an upload raises."""
	target, lease = build.target, build.lease
	target.ownership.claim()
	lease.check()
	cargo = cdn_uploader.load(changed, target.signer(), target.ownership.site)
	database.transaction(lambda: ledger.begin({scopes.FILMS: changed}), reads=False)
	etags = cdn_uploader.publish(cargo, target.storage, lease, entries, owns=target.ownership.owns)

	def close() -> None:
		lease.hold()
		if target.has_moved():
			raise lease.lost()
		ledger.close(cargo.uploaded(etags))
		film_notes.look_again()

	database.transaction(close)


def close_all(build: Build) -> None:
	"""Remove all of this site's access objects, whatever the ledger says of them. Raises StorageError while one is left."""
	target, lease = build.target, build.lease
	found = [stored.path for stored in target.storage.list(paths.ACCESS)]
	known = ledger.of_paths(found)
	with ThreadPoolExecutor(max_workers=target.storage.threads) as pool:
		heads = list(pool.map(target.storage.head, found))
	ours = [
		path
		for path, head in zip(found, heads, strict=True)
		if head and target.ownership.owns(head.metadata.get("site", ""), is_known=path in known)
	]
	if ours:
		target.ownership.claim()
		lease.check()
		database.transaction(lambda: ledger.damage(ours))  # what is wanted again is written again
		target.storage.delete(lease.guarded(ours))
