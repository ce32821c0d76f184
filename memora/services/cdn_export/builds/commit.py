"""What every build has in common: the state that it begins with, and how it ends.

`subject_build`, `plan_build` and `index_build` decide what the files of their scope are, `plan_group` those of several
plans at once; `upload_and_close` here uploads and closes them in the order that keeps every promise: in flight, upload, live and
closed in one transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from frappe.utils import now_datetime

from memora.exceptions import ScopeBusyError, StorageError
from memora.services.cdn_export import cdn_uploader
from memora.services.cdn_export.builds import media, removals
from memora.services.cdn_export.cdn_uploader import Cargo
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import SEEN, PublishTarget, Seen, as_seen
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.published_file import LedgerEntry, Planned
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.rules.file_removals import Removals
from memora.services.cdn_export.state import database, due, ledger, publish_state
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state.lease import Lease

_FEW_FILES = 16
"""So many are made sooner than a thread that would make them has started."""

GRACE = timedelta(minutes=15)
"""How long a file that merely moved stays: longer than a manifest may be cached (spec, "Publishing")."""


def read_state(lease: Lease) -> tuple[State, Seen]:
	"""Read the state that a build begins with, by the first statement of a new transaction: it makes the snapshot
	that the whole build reads, and a change that is in the generation is in the content.

	What comes with it is for `PublishTarget.follow_settings`, and lets `upload_and_close` do without another look: should files go
	elsewhere after this, then this lease ends with that.
	"""
	(state,), seen = read_states(lease)
	return state, seen


def read_states(lease: Lease) -> tuple[list[State], Seen]:
	"""`read_state` for all that a lease was taken for."""
	database.fresh()
	states, seen = publish_state.read_with(lease.scopes, *SEEN)
	return states, as_seen(*seen)


def commit(
	target: PublishTarget,
	lease: Lease,
	diff: Diff,
	entries: Mapping[str, LedgerEntry],
	*,
	images: Iterable[str] = (),
	owners: Iterable[str] = (),
	generation: int,
	removals: Removals,
	drop_generation: int = 0,
	state_values: dict[str, Any],
	causes: str = "",
	closing: Callable[[], bool] = lambda: False,
) -> Counts:
	"""Publish a diff and close a build that began with `read_state`. `closing` runs in the closing transaction and
	returns whether the lease is still needed afterwards; else it is given back.

	Raises what `upload_and_close` raises.
	"""

	def close() -> bool:
		now = now_datetime()
		ledger.drop(removals.at_once, remove_at=now, drop_generation=drop_generation)
		ledger.drop(removals.after_grace, remove_at=now + GRACE, drop_generation=drop_generation)
		release = not closing()
		if not publish_state.succeeded(
			lease.scope, lease.token, generation, state_values, causes=causes, release=release
		):
			raise lease.lost()
		return release

	if removals.withdrawn:
		# Before anything is written: should this build break off, the next need not see what was withdrawn.
		database.transaction(lambda: ledger.end_grace(removals.withdrawn))
	cargo = upload_and_close(
		target,
		lease,
		{lease.scope: diff.changed()},
		entries,
		taken_back=diff.taken_back(),
		images=images,
		owners=owners,
		closing=close,
	)
	return Counts(
		uploaded=len(cargo.files),
		unchanged=sum(not planned.changed for planned in diff.planned.values()),
		bytes=sum(cargo.sizes.values()),
	)


def upload_and_close(
	target: PublishTarget,
	lease: Lease,
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
	cargo = Cargo()
	with ExitStack() as stack:
		for owner in sorted(owners):
			stack.enter_context(_lease_of(owner))
		if taken_back or any(changed.values()):
			target.ownership.claim()
			lease.check()
			cargo = database.transaction(lambda: _begin(target, lease, changed, taken_back), reads=False)
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
			ledger.close(cargo.planned, etags, cargo.sizes, cargo.signed_until)
			ledger.stay(taken_back)
			purge_queue.add(
				target,
				[url for e in replaced if e.live_version for url in purge_queue.urls(e.path, e.live_version)],
			)
			return closing()

		lease.released = database.transaction(close)
	shown_before = {picture for entry in replaced for picture in entry.pictures.split()}
	media.remove_hidden(target, shown_before.difference(*(file.pictures for file in cargo.planned)))
	return cargo


def remove_due(target: PublishTarget, lease: Lease, *, again: bool = False) -> int:
	"""Remove the scope's files that are due and that no live plan links to: those that the storage has refused before
	if this is `again`, else the others. Returns how many went; never raises for what the storage does."""
	database.fresh()
	entries = {entry.path: entry for entry in due.removable(lease.scope, now_datetime(), refused=again)}
	if target.has_moved():
		return 0
	if not entries:
		if again:
			removals.settle(lease.scope)
		return 0
	target.ownership.claim()
	lease.check()
	if left := [path for path, entry in entries.items() if entry.is_left]:

		def doubt() -> None:
			lease.hold()
			ledger.mark_uncertain(left)

		database.transaction(doubt)
	pictures = ledger.pictures_of(entries)

	def close(gone: list[str]) -> None:
		lease.hold()
		versions = {path: entries[path].live_version or entries[path].version for path in gone}
		purge_queue.add(target, [url for path in gone for url in purge_queue.urls(path, versions[path])])

	ours = [path for path, entry in entries.items() if entry.was_live or _is_ours(target, path)]
	went = removals.remove(
		target, lease.scope, list(entries), again=again, guarded=lease.guarded(ours), closing=close
	)
	media.remove_unnamed(target, pictures)
	return went


def _is_ours(target: PublishTarget, path: str) -> bool:
	"""Whether an upload that was broken off has left something at a path where nothing of this site was before."""
	try:
		found = target.storage.head(path)
	except StorageError:
		return True  # whoever removes it says what is wrong with the storage
	return found is not None and target.ownership.owns(found.metadata.get("site", ""), is_known=False)


def _begin(
	target: PublishTarget,
	lease: Lease,
	changed: Mapping[Scope, Sequence[Planned]],
	taken_back: Collection[str],
) -> Cargo:
	"""Note files as in flight, and make what goes up. Where one cannot be made, nothing was begun."""
	files = [file for of_scope in changed.values() for file in of_scope]
	if taken_back and ledger.take_back(taken_back) < len(taken_back):
		raise lease.lost()

	def load() -> Cargo:
		return cdn_uploader.load(files, target.signer(), target.ownership.site)

	if len(files) <= _FEW_FILES:
		cargo = load()
		ledger.begin(changed)
	else:
		cargo = _load_beside(lambda: ledger.begin(changed), load)
	lease.guard()  # a stall up to here: then nothing was begun
	return cargo


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


def _lease_of(scope_id: str) -> Lease:
	"""The lease of a scope a node has moved away from, so that it cannot remove the file meanwhile."""
	states = publish_state.by_id([scope_id])
	lease = leases.acquire(states[scope_id].scope) if scope_id in states else None
	if lease is None:
		raise ScopeBusyError(
			f"{scope_id} owns a file that has moved and is being built; this build waits for it"
		)
	return lease
