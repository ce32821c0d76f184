"""What every build writes, and how it is closed, in the order that keeps every promise: in flight, upload, live and closed in
one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from memora.services.cdn_export import cdn_uploader
from memora.services.cdn_export.builds import film_narrowing, film_notes, media, media_removal
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.builds.film_notes import FilmNotes
from memora.services.cdn_export.cdn_uploader import Cargo
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.published_file import LedgerEntry, Planned
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import database, ledger
from memora.services.cdn_export.state import lease as leases

_FEW_FILES = 16
"""So many are made sooner than a thread that would make them has started."""


def upload_and_close(
	build: Build,
	changed: Mapping[Scope, Sequence[Planned]],
	entries: Mapping[str, LedgerEntry],
	*,
	taken_back: Collection[str] = (),
	images: Iterable[str] = (),
	owners: Iterable[str] = (),
	closing: Callable[[], bool],
) -> Cargo:
	"""Upload the changed files of what is leased, and the pictures they show that are not there yet. Files that are
	`taken_back` become live as they are. `closing` runs in the transaction that calls all of them live, and says whether it
	has given the lease back.

	Nothing is closed for a place that the ledger no longer speaks of: then the lease is lost (`relocation`).

	Returns what went up. Raises what `cdn_uploader` and `Ownership.claim` raise; then nothing is closed, and what was begun
	is noted as in flight.
	"""
	target, lease, cargo, films = build.target, build.lease, Cargo(), FilmNotes()
	with ExitStack() as stack:
		for owner in sorted(owners):
			stack.enter_context(leases.of_owner(owner))
		if taken_back or any(changed.values()):
			cargo, films = _begin(build, changed, taken_back)
		# Only now: no worker removes what the ledger says is shown.
		if pictures := media.missing_uploads(target, images):
			target.ownership.claim()
			shown = Cargo(pictures)
			database.transaction(lambda: ledger.begin({scopes.MEDIA: shown.planned}))
			cargo.files.extend(pictures)
		etags = cdn_uploader.publish(
			cargo,
			target.storage,
			lease,
			entries,
			owns=target.ownership.owns,
			tell=target.progress.teller(lease.scopes),
		)
		replaced = [entry for file in cargo.planned if (entry := entries.get(file.path))]

		def close() -> bool:
			films.close(cargo.films)
			ledger.close(cargo.uploaded(etags))
			ledger.stay(taken_back)
			film_notes.let_in_others(target, taken_back)
			purge_queue.add(
				target,
				[stale for entry in replaced if entry.live_version for stale in purge_queue.of(entry)],
			)
			return closing()

		lease.released = database.transaction(close)
	shown_before = {picture for entry in replaced for picture in entry.pictures.split()}
	media_removal.remove_hidden(target, shown_before.difference(*(file.pictures for file in cargo.planned)))
	return cargo


def _begin(
	build: Build, changed: Mapping[Scope, Sequence[Planned]], taken_back: Collection[str]
) -> tuple[Cargo, FilmNotes]:
	"""Make what goes up, note it as in flight, and close films to whom that lets in no more."""
	target = build.target
	target.ownership.claim()
	build.lease.check()
	if any(file.kind == "lesson" for files in changed.values() for file in files):
		film_narrowing.prepare(target)
	begun = database.transaction(
		lambda: _note_in_flight(build, changed, taken_back), reads=target.options.is_gated
	)
	film_narrowing.narrow(target, begun[1].narrowed)
	return begun


def _note_in_flight(
	build: Build, changed: Mapping[Scope, Sequence[Planned]], taken_back: Collection[str]
) -> tuple[Cargo, FilmNotes]:
	"""Note files as in flight, and make what goes up. Where one cannot be made, nothing was begun."""
	files = [file for of_scope in changed.values() for file in of_scope]
	films = FilmNotes.of(build.target, files)
	if taken_back and ledger.take_back(taken_back) < len(taken_back):
		raise build.lease.lost()

	def load() -> Cargo:
		target = build.target
		return cdn_uploader.load(files, target.signer(), target.ownership.site, gated=target.options.is_gated)

	if len(files) <= _FEW_FILES:
		cargo = load()
		ledger.begin(changed)
	else:
		cargo = _load_beside(lambda: ledger.begin(changed), load)
	films.begin(cargo.films)
	build.lease.guard()  # a stall up to here: then nothing was begun
	return cargo, films


def _load_beside(begin: Callable[[], None], work: Callable[[], Cargo]) -> Cargo:
	"""`cdn_uploader.load` in a thread of its own, while MariaDB does what `begin` asks of it in this one."""
	is_asking = threading.Event()

	def load() -> Cargo:
		# A thread that has just started keeps the interpreter for 5 ms (`sys.getswitchinterval`): MariaDB would wait.
		is_asking.wait()
		return work()

	with ThreadPoolExecutor(max_workers=1) as beside:
		loading = beside.submit(load)
		is_asking.set()
		begin()
		return loading.result()
