"""Where a run publishes to: the storage, the cache in front of it, whose place it is, and what the run has published so far."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import frappe

from memora.services.cdn_export import settings
from memora.services.cdn_export.cache_purge import CachePurge
from memora.services.cdn_export.delivery.ownership import Ownership
from memora.services.cdn_export.delivery.progress import Progress
from memora.services.cdn_export.delivery.signing import Signer
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.rules.subject_files import Contents
from memora.services.cdn_export.state import gate_switch, relocation
from memora.services.cdn_export.storage import Storage

Seen = tuple[str, str]
"""When CDN Settings were last saved, and the place that the ledger speaks of."""


_SUBJECTS_KEPT = 16
"""Enough for what most plans share, and little enough memory for a long drain."""


@dataclass(slots=True)
class SharedSubject:
	"""A shared subject as this run has just published it, so that the plans which read it need not load it.

	`dropped` is the last generation that dropped files which go once its plans no longer link to them, 0 for none. What
	`is_ahead` has changes that its last build did not see. `counts` are those of its build, until a plan's log has taken them.
	"""

	generation: int
	contents: Contents | None
	unit_versions: dict[str, int]
	dropped: int = 0
	is_ahead: bool = False
	counts: Counts = field(default_factory=Counts)


@dataclass(slots=True)
class SharedSubjects:
	"""The shared subjects a run has read, so that the plans which read them need not load them again."""

	kept: int = _SUBJECTS_KEPT
	_by_name: dict[str, SharedSubject] = field(default_factory=dict)

	def remember(self, subject: str, shared: SharedSubject) -> None:
		"""Keep a shared subject for the plans that read it; the one that was not asked for longest makes room."""
		self._by_name.pop(subject, None)
		self._by_name[subject] = shared
		if len(self._by_name) > self.kept:
			del self._by_name[next(iter(self._by_name))]

	def recall(self, subject: str, generation: int) -> SharedSubject | None:
		"""The subject as it was published in just this generation, if this run still has it."""
		shared = self._by_name.get(subject)
		if shared is None or shared.generation != generation:
			return None
		self.remember(subject, shared)
		return shared

	def take_counts(self, subjects: Iterable[str]) -> Counts:
		"""What the builds of these subjects did, once: for the log of the first plan that reads them."""
		counts = Counts()
		for subject in subjects:
			if shared := self._by_name.get(subject):
				counts.add(shared.counts)
				shared.counts = Counts()
		return counts


@dataclass(slots=True)
class PublishTarget:
	"""Where a run publishes to: opened once and used for all its builds."""

	options: settings.ExportSettings
	storage: Storage
	purge: CachePurge
	ownership: Ownership
	shared: SharedSubjects = field(default_factory=SharedSubjects)
	progress: Progress = field(default_factory=Progress)
	place: str = ""
	stamp: str = ""
	gate: gate_switch.Noted = gate_switch.OFF
	purge_rests_until: float = 0.0
	deletes_rest: tuple[float, str] | None = None
	refusals: list[str] = field(default_factory=list)
	"""What the storage has refused to remove in this run, for the next record of it."""

	@classmethod
	def open(cls, batch: str = "") -> PublishTarget:
		"""Open what CDN Settings name, by the database; for a batch of its own, or for a drain of that `batch`. Commits.

		Raises StorageConfigurationError when they cannot work.
		"""
		relocation.follow()
		((stamp, gate),) = frappe.db.sql(f"select {settings.STAMP}, {gate_switch.NOTED}")
		doc = settings.saved()
		storage = settings.open_storage(doc)
		place = Ownership.open(storage, doc)
		place.batch = batch or place.batch
		return cls(
			settings.load(doc),
			storage,
			settings.open_purge(doc),
			place,
			place=place.place,
			stamp=str(stamp or ""),
			gate=gate_switch.parse(gate),
		)

	def follow_settings(self, seen: Seen | None = None) -> bool:
		"""Open everything again if CDN Settings have been saved since, or the ledger speaks of another place, and
		say so. `seen` is what a build's snapshot says of both; without it that is one statement.

		Commits then. Raises StorageConfigurationError when they cannot work any more.
		"""
		if self.is_as_seen(seen or as_seen(*frappe.db.sql(f"select {', '.join(SEEN)}")[0])):
			return False
		fresh = PublishTarget.open(self.ownership.batch)
		self.close()
		self.ownership = fresh.ownership
		self.options, self.storage, self.purge = fresh.options, fresh.storage, fresh.purge
		self.shared, self.place, self.stamp = fresh.shared, fresh.place, fresh.stamp
		self.gate = fresh.gate
		self.purge_rests_until, self.deletes_rest = 0.0, None
		return True

	def is_as_seen(self, seen: Seen) -> bool:
		"""Whether what is open here is still what CDN Settings say, and the place that the ledger speaks of."""
		return seen == (self.stamp, self.place)

	def has_moved(self) -> bool:
		"""Whether files go elsewhere by now, so that nothing may be said of this place any more."""
		return settings.stamp() != self.stamp and settings.place(settings.saved()) != self.place

	@property
	def cache(self) -> str:
		"""Which cache is in front, and at which address apps read through it."""
		return self.purge.behind(self.options.base_url)

	@property
	def watches_edge(self) -> bool:
		"""Whether a cache is told to forget, so that it can be asked whether it has."""
		return self.purge.active and bool(self.options.base_url)

	def take_refusals(self) -> str:
		"""What the storage has refused to remove since this was last asked, as a text; "" for nothing."""
		said, self.refusals = "\n".join(self.refusals), []
		return said

	def signer(self) -> Signer:
		options = self.options
		return Signer(
			self.storage,
			options.sign,
			options.signed_url_hours,
			time.time(),
			options.gate_url if options.is_gated else None,
			options.video_folders,
		)

	def close(self) -> None:
		self.storage.close()


SEEN = (settings.STAMP, relocation.NOTED)


def as_seen(stamp: str | None, place: str | None) -> Seen:
	return str(stamp or ""), place or ""
