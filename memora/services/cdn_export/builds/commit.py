"""What every build has in common: where it publishes to, what it counts, and how it ends.

`subject_build`, `plan_build` and `index_build` decide what the files of their scope are, `plan_group` those of several
plans at once; `bring_out` here brings them out in the order that keeps every promise: in flight, upload, live and
closed in one transaction.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import frappe
from frappe.utils import now_datetime

from memora.exceptions import ScopeBusyError, StorageError
from memora.services.cdn_export import cdn_uploader, settings
from memora.services.cdn_export.builds import media, removals
from memora.services.cdn_export.cache_purge import CachePurge
from memora.services.cdn_export.cdn_uploader import Cargo
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.ownership import Ownership
from memora.services.cdn_export.delivery.progress import Progress
from memora.services.cdn_export.delivery.signing import Signer
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.diff import Diff, LedgerEntry, Planned
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.rules.subject_files import Contents
from memora.services.cdn_export.state import database, ledger, publish_state, relocation
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state.lease import Lease
from memora.services.cdn_export.state.publish_state import State
from memora.services.cdn_export.storage import Storage

Seen = tuple[str, str]
"""When CDN Settings were last saved, and the place that the ledger speaks of."""

_SUBJECTS_KEPT = 16
"""Enough for what most plans share, and little enough memory for a long drain."""

_FEW_FILES = 16
"""So many are made sooner than a thread that would make them has started."""

GRACE = timedelta(minutes=15)
"""How long a file that merely moved stays: longer than a manifest may be cached (spec, "Publishing")."""


@dataclass(slots=True)
class Counts:
	"""What a build did to the storage. `bytes` counts uploaded bodies, `title` is the plan's as it was published."""

	uploaded: int = 0
	deleted: int = 0
	unchanged: int = 0
	bytes: int = 0
	title: str = ""

	def add(self, other: Counts) -> None:
		self.uploaded += other.uploaded
		self.deleted += other.deleted
		self.unchanged += other.unchanged
		self.bytes += other.bytes


@dataclass(slots=True)
class SharedSubject:
	"""A shared subject as this run has just published it, so that the plans which read it need not load it.

	`counts` are those of its build, until a plan's log has taken them. `dropped` says that it may have given up files
	which go once its plans no longer link to them.
	"""

	generation: int
	contents: Contents | None
	unit_versions: dict[str, int]
	counts: Counts
	dropped: bool = True


@dataclass(slots=True)
class SharedSubjects:
	"""The shared subjects a run has read, so that the plans which read them need not load them again."""

	kept: int = _SUBJECTS_KEPT
	_by_name: dict[str, SharedSubject] = field(default_factory=dict)

	def remember(self, subject: str, shared: SharedSubject) -> None:
		"""Keep a shared subject for the plans that read it; the oldest makes room."""
		self._by_name.pop(subject, None)
		self._by_name[subject] = shared
		if len(self._by_name) > self.kept:
			del self._by_name[next(iter(self._by_name))]

	def recall(self, subject: str, generation: int) -> SharedSubject | None:
		"""The subject as it was published in just this generation, if this run still has it."""
		shared = self._by_name.get(subject)
		return shared if shared and shared.generation == generation else None

	def has_any(self) -> bool:
		"""Whether this run has read or published any subject yet."""
		return bool(self._by_name)

	def take_counts(self, subject: str) -> Counts:
		"""What the build of a subject did, once: for the log of the first plan that reads it."""
		shared = self._by_name.get(subject)
		if shared is None:
			return Counts()
		counts, shared.counts = shared.counts, Counts()
		return counts


@dataclass(slots=True)
class Site:
	"""Where a run publishes to: opened once and used for all its builds."""

	options: settings.ExportSettings
	storage: Storage
	purge: CachePurge
	ownership: Ownership
	shared: SharedSubjects = field(default_factory=SharedSubjects)
	progress: Progress = field(default_factory=Progress)
	place: str = ""
	stamp: str = ""
	purge_rests_until: float = 0.0
	deletes_rest: tuple[float, str] | None = None
	refusals: list[str] = field(default_factory=list)
	"""What the storage has refused to remove in this run, for the next record of it."""

	@classmethod
	def open(cls, batch: str = "") -> Site:
		"""Open what CDN Settings name, by the database; for a batch of its own, or for a drain of that `batch`. Commits.

		Raises StorageConfigurationError when they cannot work.
		"""
		relocation.follow()
		stamp, doc = settings.stamp(), settings.saved()
		storage = settings.open_storage(doc)
		place = Ownership.open(storage, doc)
		place.batch = batch or place.batch
		return cls(
			settings.load(doc),
			storage,
			settings.open_purge(doc),
			place,
			place=place.place,
			stamp=stamp,
		)

	def follow_settings(self, seen: Seen | None = None) -> bool:
		"""Open everything anew when CDN Settings have been saved since, or the ledger speaks of another place, and
		say so. `seen` is what `read_state` has read; without it that is one statement.

		Commits then. Raises StorageConfigurationError when they cannot work any more.
		"""
		if self.is_as_seen(seen or _seen(*frappe.db.sql(f"select {', '.join(_SEEN)}")[0])):
			return False
		fresh = Site.open(self.ownership.batch)
		self.close()
		self.ownership = fresh.ownership
		self.options, self.storage, self.purge = fresh.options, fresh.storage, fresh.purge
		self.shared, self.place, self.stamp = fresh.shared, fresh.place, fresh.stamp
		self.purge_rests_until, self.deletes_rest = 0.0, None
		return True

	def is_as_seen(self, seen: Seen) -> bool:
		"""Whether what is open here is still what CDN Settings say, and the place that the ledger speaks of."""
		return seen == (self.stamp, self.place)

	def has_moved(self) -> bool:
		"""Whether files go elsewhere by now, so that nothing may be said of this place any more."""
		return settings.stamp() != self.stamp and settings.place(settings.saved()) != self.place

	def take_refusals(self) -> str:
		"""What the storage has refused to remove since this was last asked, as a text; "" for nothing."""
		said, self.refusals = "\n".join(self.refusals), []
		return said

	def signer(self) -> Signer:
		return Signer(self.storage, self.options.sign, self.options.signed_url_hours, time.time())

	def load(self, files: Sequence[Planned], signer: Signer | None = None) -> Cargo:
		"""`cdn_uploader.load` for this site."""
		return cdn_uploader.load(files, signer or self.signer(), self.ownership.site)

	def close(self) -> None:
		self.storage.close()


@dataclass(slots=True)
class Removals:
	"""Files a build no longer produces: at once or after a grace. `withdrawn` are the subjects that something was taken
	out of for every owner: none of their files, whoever has them, stays for its grace any longer."""

	at_once: list[str] = field(default_factory=list)
	after_grace: list[str] = field(default_factory=list)
	withdrawn: set[str] = field(default_factory=set)

	def __bool__(self) -> bool:
		return bool(self.at_once or self.after_grace or self.withdrawn)


_SEEN = (settings.STAMP, relocation.NOTED)


def _seen(stamp: str | None, place: str | None) -> Seen:
	return str(stamp or ""), place or ""


def read_state(lease: Lease) -> tuple[State, Seen]:
	"""Read the state that a build begins with, by the first statement of a new transaction: it makes the snapshot
	that the whole build reads, and a change that is in the generation is in the content.

	What comes with it is for `Site.follow_settings`, and lets `bring_out` do without another look: should files go
	elsewhere after this, then this lease ends with that.
	"""
	(state,), seen = read_states(lease)
	return state, seen


def read_states(lease: Lease) -> tuple[list[State], Seen]:
	"""`read_state` for all that a lease was taken for."""
	database.fresh()
	states, seen = publish_state.read_with(lease.scopes, *_SEEN)
	return states, _seen(*seen)


def known_entries(
	own: dict[str, LedgerEntry], scope: Scope, wanted: Iterable[str]
) -> tuple[dict[str, LedgerEntry], set[str]]:
	"""The ledger a diff is made against: what is loaded of the scope, and any other row of a wanted path.

	A path that another scope owns (its node has moved here) counts as in flight, so that it is written anew
	and changes hands. Returns the ledger and the ids of those other scopes, whose leases are needed.
	"""
	entries = dict(own)
	owners = set()
	for path, entry in ledger.of_paths(path for path in wanted if path not in own).items():
		if entry.scope != scope.id and entry.state != "removed":
			owners.add(entry.scope)
			entry = entry._replace(state="in_flight")
		entries[path] = entry
	return entries, owners


def know_files(entries: dict[str, LedgerEntry], scope: Scope, wanted: Iterable[str]) -> set[str]:
	"""Add to the ledger that a diff is made against what is known of these lessons' files, whoever has them; returns the
	ids of the other scopes whose leases are needed. What nobody has a lesson for is nobody's (`repair`)."""
	if unknown := set(wanted) - entries.keys():
		found, owners = known_entries({}, scope, unknown)
		entries |= found
		return owners - {scopes.MEDIA.id}
	return set()


def commit(
	site: Site,
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

	Raises what `bring_out` raises.
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
	cargo = bring_out(
		site,
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


def bring_out(
	site: Site,
	lease: Lease,
	changed: Mapping[Scope, Sequence[Planned]],
	entries: Mapping[str, LedgerEntry],
	*,
	taken_back: Collection[str] = (),
	images: Iterable[str] = (),
	owners: Iterable[str] = (),
	closing: Callable[[], bool],
) -> Cargo:
	"""Bring out the changed files of what is leased, and the pictures they show that are not there yet. Files that are
	`taken_back` become live as they are. `closing` runs in the transaction that calls all of them live, and says whether it
	has given the lease back.

	Nothing is closed for a place that the ledger no longer speaks of: then the lease is lost (`relocation`).

	Returns what went up. Raises what `cdn_uploader` and `Ownership.claim` raise; then nothing is closed, and what was begun stands as in
	flight.
	"""
	cargo = Cargo()
	with ExitStack() as stack:
		for owner in sorted(owners):
			stack.enter_context(_lease_of(owner))
		if taken_back or any(changed.values()):
			site.ownership.claim()
			lease.check()
			cargo = database.transaction(lambda: _begin(site, lease, changed, taken_back), reads=False)
		# Only now: what the ledger says is shown, nobody takes away.
		if pictures := media.missing_uploads(site, images):
			site.ownership.claim()
			shown = Cargo(pictures)
			database.transaction(lambda: ledger.begin({scopes.MEDIA: shown.planned}))
			cargo.files.extend(pictures)
		etags = cdn_uploader.publish(
			cargo,
			site.storage,
			lease,
			entries,
			owns=site.ownership.owns,
			tell=site.progress.teller(lease.scopes),
		)
		stale = [
			url
			for file in cargo.planned
			if (entry := entries.get(file.path)) and entry.live_version
			for url in purge_queue.urls(file.path, entry.live_version)
		]

		def close() -> bool:
			ledger.close(cargo.planned, etags, cargo.sizes, cargo.signed_until)
			ledger.stay(taken_back)
			purge_queue.add(site, stale)
			return closing()

		lease.released = database.transaction(close)
	shown_before = {
		picture
		for file in cargo.planned
		if (entry := entries.get(file.path))
		for picture in entry.pictures.split()
	}
	media.remove_hidden(site, shown_before.difference(*(file.pictures for file in cargo.planned)))
	return cargo


def remove_due(site: Site, lease: Lease, *, again: bool = False) -> int:
	"""Remove the scope's files that are due and that no live plan links to: those that the storage has refused before
	if this is `again`, else the others. Returns how many went; never raises for what the storage does."""
	database.fresh()
	entries = {entry.path: entry for entry in ledger.removable(lease.scope, now_datetime(), refused=again)}
	if site.has_moved():
		return 0
	if not entries:
		if again:
			removals.settle(lease.scope)
		return 0
	site.ownership.claim()
	lease.check()
	if left := [path for path, entry in entries.items() if entry.is_left]:

		def doubt() -> None:
			lease.hold()
			ledger.doubt(left)

		database.transaction(doubt)
	pictures = ledger.pictures_of(entries)

	def close(gone: list[str]) -> None:
		lease.hold()
		versions = {path: entries[path].live_version or entries[path].version for path in gone}
		purge_queue.add(site, [url for path in gone for url in purge_queue.urls(path, versions[path])])

	ours = [path for path, entry in entries.items() if entry.was_live or _is_ours(site, path)]
	went = removals.remove(
		site, lease.scope, list(entries), again=again, guarded=lease.guarded(ours), closing=close
	)
	media.remove_unnamed(site, pictures)
	return went


def _is_ours(site: Site, path: str) -> bool:
	"""Whether an upload that was broken off has left something at a path where nothing of this site was before."""
	try:
		found = site.storage.head(path)
	except StorageError:
		return True  # whoever removes it says what is wrong with the storage
	return found is not None and site.ownership.owns(found.metadata.get("site", ""), is_known=False)


def _begin(
	site: Site, lease: Lease, changed: Mapping[Scope, Sequence[Planned]], taken_back: Collection[str]
) -> Cargo:
	"""Note files as in flight, and make what goes up. Where one cannot be made, nothing was begun."""
	files = [file for of_scope in changed.values() for file in of_scope]
	if taken_back and ledger.take_back(taken_back) < len(taken_back):
		raise lease.lost()
	if len(files) <= _FEW_FILES:
		cargo = site.load(files)
		ledger.begin(changed)
	else:
		cargo = _load_beside(lambda: ledger.begin(changed), lambda: site.load(files))
	lease.guard()  # a stall up to here: then nothing was begun
	return cargo


def _load_beside(begin: Callable[[], None], work: Callable[[], Cargo]) -> Cargo:
	"""`Site.load` in a thread of its own, while MariaDB does what `begin` asks of it in this one."""
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
