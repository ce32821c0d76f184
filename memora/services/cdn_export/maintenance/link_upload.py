"""Live lessons are uploaded again because of their links to films: their content and versions stay."""

from __future__ import annotations

from collections.abc import Mapping

import frappe

from memora.exceptions import (
	BuildError,
	PlaceRefusedError,
	StorageConfigurationError,
	StorageError,
	StorageUnavailableError,
)
from memora.services.cdn_export import cdn_uploader
from memora.services.cdn_export.builds import film_narrowing
from memora.services.cdn_export.builds.film_notes import FilmNotes
from memora.services.cdn_export.cdn_uploader import Cargo
from memora.services.cdn_export.delivery.signing import Signer
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model.published_file import LedgerEntry, Planned
from memora.services.cdn_export.state import database, ledger
from memora.services.cdn_export.state.lease import Lease


def upload(
	target: PublishTarget,
	signer: Signer,
	lease: Lease,
	files: list[Planned],
	entries: Mapping[str, LedgerEntry],
) -> int:
	"""Upload live lessons with the links of now. Returns how many could be. Raises what no other lesson would be spared.

	Films that a lesson names no more are closed first to those whom no other lets in.
	"""
	if not files:
		return 0
	try:
		target.ownership.claim()
		cargo = cdn_uploader.load(files, signer, target.ownership.site, gated=target.options.is_gated)
		film_narrowing.prepare(target)
		films = _begin(target, lease, cargo)
		film_narrowing.narrow(target, films.narrowed)
		etags = cdn_uploader.publish(cargo, target.storage, lease, entries, owns=target.ownership.owns)
	except (PlaceRefusedError, StorageConfigurationError, StorageUnavailableError):
		raise
	except (BuildError, StorageError) as error:
		if len(files) > 1:  # one by one, so that only the one it is about is left
			return sum(upload(target, signer, lease, [file], entries) for file in files)
		frappe.logger("memora").error(f"the signed links in {files[0].path} are not renewed: {error}")
		return 0

	def close() -> None:
		lease.hold()
		if target.has_moved():
			raise lease.lost()
		films.close(cargo.films)
		ledger.uploaded_again(cargo.uploaded(etags))

	database.transaction(close)
	return len(files)


def _begin(target: PublishTarget, lease: Lease, cargo: Cargo) -> FilmNotes:
	"""Note behind a gate which films these lessons are about to name."""

	def begin() -> FilmNotes:
		lease.hold()
		films = FilmNotes.of(target, cargo.planned)
		films.begin(cargo.films)
		return films

	return database.transaction(begin) if target.options.is_gated else FilmNotes()
