"""Which files a plan publishes, decided from plain data: its snapshot, its subjects' content, the ledger.

Pure. A build takes these steps, and reads what each of them asks for (`builds.plan_reading`):

1. `PlanScope.of` says which subjects the plan shows, `changed` which of them have to be rendered.
2. `decide_search` says whether the search index is sharded, and what else has to be rendered for that.
3. `PlanFiles.of` compares with the ledger; `offer_subject` offers each rendered subject's files, targets before what
   links to them; `offer_entry_points` offers the search index, and the manifest last.
4. `removals` says which files go, and when.

What is not rendered is taken over as CDN Rendition has it: its manifest entry, its counts, its part of the search index.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from memora.exceptions import ScopeBusyError
from memora.services.cdn_export import json_generator, search_indexer
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.plan_subject import PlanSubject
from memora.services.cdn_export.model.published_file import LedgerEntry, Planned
from memora.services.cdn_export.model.tree import ResolvedNode
from memora.services.cdn_export.rules import file_removals, large_change_guard, subject_files
from memora.services.cdn_export.rules.file_removals import Facts, Removals
from memora.services.cdn_export.rules.plan_snapshot import Snapshot
from memora.services.cdn_export.rules.subject_files import Bodies, Contents, Levels
from memora.services.cdn_export.search_indexer import SubjectEntries

_GUARDED = "-guarded"
_AHEAD = "-ahead"


class UnitMissingError(ScopeBusyError):
	"""A unit that the shared subject has not published: one from after the relay's last run, or lost from the ledger.
	Either way the subject's next build brings it."""

	def __init__(self, subject: str, message: str) -> None:
		super().__init__(message)
		self.subject = subject


@dataclass(slots=True)
class RenderedSubject:
	"""A subject rendered in this build. `kept_paid` are its lessons that the large-change guard keeps paid; `dropped` is the
	last generation that dropped shared files which go once no plan links to them. What `is_ahead` shows changes that the
	subject's own build has not seen."""

	subject: str
	contents: Contents | None
	unit_versions: dict[str, int]
	kept_paid: list[ResolvedNode] = field(default_factory=list)
	summary: dict[str, Any] = field(default_factory=dict)
	dropped: int = 0
	is_ahead: bool = False

	@property
	def resolved(self) -> ResolvedNode | None:
		return self.contents.resolved if self.contents else None


@dataclass(slots=True)
class PlanScope:
	"""The subjects that a plan shows: `wanted` with the plan's own sort_order, of these the `rendered`, and the `kept`,
	which cannot be built and stay as they are."""

	snapshot: Snapshot
	wanted: dict[str, int]
	kept: set[str]
	rendered: dict[str, RenderedSubject] = field(default_factory=dict)
	sharded: bool = False

	@classmethod
	def of(cls, snapshot: Snapshot, stuck: Collection[str] = ()) -> PlanScope:
		"""A subject that is `stuck` stays as it is; one that was never published is left out."""
		kept = {subject for subject in stuck if snapshot.was_rendered(subject)}
		wanted = {
			subject: order
			for subject, order in snapshot.sort_orders.items()
			if subject not in stuck or subject in kept
		}
		return cls(snapshot, wanted, kept)

	def changed(self, *, from_scratch: bool = False) -> list[str]:
		"""The subjects to render: those that have changed or, `from_scratch`, all that can be built."""
		return [
			subject
			for subject in self.wanted
			if subject not in self.kept and (from_scratch or self.snapshot.has_changed(subject))
		]

	def decide_search(self) -> list[str]:
		"""Decide whether the search index is sharded. Returns the subjects that have to be rendered for that, too."""
		self.sharded = self._needs_shards()
		if not all(self._has_search(subject) for subject in self.kept):
			# To be found in the other form they would be rendered as they are today, which has not been published.
			self.sharded = not self.sharded
		return [s for s in self.wanted if s not in self.rendered and not self._has_search(s)]

	@property
	def skipped(self) -> list[str]:
		"""The listed subjects whose files stay as they are."""
		return [subject for subject in self.snapshot.sort_orders if subject not in self.rendered]

	@property
	def own_paths(self) -> list[str]:
		"""The own units and lessons of what is rendered: paths that the ledger may have under another subject."""
		return [
			path
			for subject, rendered in self.rendered.items()
			if rendered.resolved and self.snapshot.mode(subject) == "own"
			for path in subject_files.file_paths(rendered.resolved, self.snapshot.published.name)
		]

	def summary(self, subject: str) -> dict[str, Any]:
		"""What the entry points say of a wanted subject, rendered now or before."""
		if subject in self.rendered:
			return self.rendered[subject].summary
		return self.snapshot.renditions[subject].summary

	def _needs_shards(self) -> bool:
		"""Whether the search is too large for one file, by the entries just made and the sizes noted before."""
		lessons = size = 0
		for subject in self.wanted:
			if subject in self.rendered:
				if contents := self.rendered[subject].contents:
					lessons += len(contents.entries.entries)
					size += contents.search_size
			else:
				summary = self.snapshot.renditions[subject].summary
				lessons += summary.get("lessons", 0)
				size += summary.get("search_size", 0)
		return search_indexer.needs_shards(self.snapshot.published.name, lessons, size)

	def _has_search(self, subject: str) -> bool:
		"""Whether CDN Rendition holds what the search index needs of a subject in this form."""
		known = self.snapshot.renditions[subject]
		if not known.summary.get("lessons"):
			return True
		if self.sharded:
			return "shards" in known.summary
		return "search_digest" in known.summary and known.search is not None


@dataclass(slots=True)
class PlanFiles:
	"""A plan's files as its next build publishes them, against the ledger. Nothing is written yet. `owners` are the ids of
	other scopes that own some of them so far."""

	shown: PlanScope
	entries: dict[str, LedgerEntry]
	owners: set[str]
	offered: Diff

	@classmethod
	def of(cls, shown: PlanScope, entries: dict[str, LedgerEntry], owners: set[str], now: int) -> PlanFiles:
		"""Begin with nothing offered. `entries` are what the ledger says of the plan, `now` is a new version."""
		versions = {
			path: version for r in shown.rendered.values() for path, version in r.unit_versions.items()
		}
		return cls(shown, entries, owners, Diff(entries, now, elsewhere=versions))

	@property
	def snapshot(self) -> Snapshot:
		return self.shown.snapshot

	@property
	def rendered(self) -> dict[str, RenderedSubject]:
		return self.shown.rendered

	@property
	def manifest(self) -> Planned:
		return self.offered.planned[paths.manifest(self.snapshot.published.name)]

	@property
	def kept_paid(self) -> list[ResolvedNode]:
		"""The lessons that the large-change guard keeps from being read without paying."""
		return [lesson for rendered in self.rendered.values() for lesson in rendered.kept_paid]

	@property
	def images(self) -> set[str]:
		"""Every picture that the subjects rendered here show."""
		return {image for r in self.rendered.values() if r.contents for image in r.contents.images}

	@property
	def own(self) -> set[str]:
		"""The rendered subjects that are the plan's own."""
		return {subject for subject in self.rendered if self.snapshot.mode(subject) == "own"}

	@property
	def shared(self) -> set[str]:
		"""The rendered subjects whose shared files the plan reads."""
		return self.rendered.keys() - self.own

	@property
	def lessons(self) -> list[ResolvedNode]:
		"""The lessons of the rendered subjects."""
		return [node for one in self.rendered.values() for node in large_change_guard.lessons(one.resolved)]

	def levels(self, subject: str) -> Levels | None:
		"""Who may read what in a subject that is rendered here and shown; else None."""
		contents = self.rendered[subject].contents if subject in self.rendered else None
		return contents.levels if contents else None

	def offer_subject(self, rendered: RenderedSubject, own: Bodies | None) -> None:
		"""Offer all that the plan has of one subject, and note in its summary what the entry points say. `own` are the
		lessons of a subject that is the plan's own."""
		if (contents := rendered.contents) is None:
			return
		plan = self.snapshot.published.name
		subject, resolved = rendered.subject, contents.resolved
		if own:
			subject_files.offer(resolved, plan, own, self.offered)
		try:
			document = json_generator.subject_document(resolved, self.offered.link, plan if own else None)
		except KeyError as error:
			raise UnitMissingError(
				subject, f"plan {plan} waits for subject {subject} to be built: {error}"
			) from error
		path = paths.plan_subject(plan, subject)
		self.offered.offer(path, "subject", subject, document, subject=subject, access=resolved.access)
		rendered.summary.update(
			entry=json_generator.subject_entry(resolved, plan, self.offered.link, 0),
			lessons=len(contents.entries.entries),
			search_size=contents.search_size,
		)
		if self.shown.sharded:
			rendered.summary["shards"] = self._offer_shards(contents.entries)
		else:
			rendered.summary["search_digest"] = contents.search_digest

	def _offer_shards(self, entries: SubjectEntries) -> list[Any]:
		"""Offer a subject's search shards. Returns what the search index says of them."""
		listed = []
		for shard in search_indexer.shards(self.snapshot.published.name, entries):
			subject = shard.subject_id
			file = self.offered.offer(
				shard.path,
				"search_shard",
				subject,
				shard.document,
				subject=subject,
				lesson_count=shard.lesson_count,
			)
			listed.append(
				search_indexer.shard_entry(subject, shard.subject_name, file.url, shard.lesson_count)
			)
		return listed

	def offer_entry_points(self) -> None:
		"""Offer the search index and the manifest, which list every subject, rendered now or before."""
		plan, wanted = self.snapshot.published, self.shown.wanted
		summaries = {subject: self.shown.summary(subject) for subject in wanted}
		listed = sorted(
			(subject for subject in wanted if "entry" in summaries[subject]),
			key=lambda subject: wanted[subject],
		)
		if self.shown.sharded:
			shards = [entry for subject in listed for entry in summaries[subject].get("shards", ())]
			document = search_indexer.sharded_index(plan.name, shards)
		else:
			found = [self._search_entries(subject) for subject in listed if summaries[subject]["lessons"]]
			document = search_indexer.whole_index(plan.name, found)
		index = self.offered.offer(paths.search_index(plan.name), "search_index", "", document)
		entries = [{**summaries[subject]["entry"], "sort_order": wanted[subject]} for subject in listed]
		manifest = json_generator.manifest_document(plan, entries, index.url)
		self.offered.offer(paths.manifest(plan.name), "manifest", plan.name, manifest)

	def _search_entries(self, subject: str) -> SubjectEntries:
		if subject in self.rendered and (contents := self.rendered[subject].contents):
			return contents.entries
		noted = self.snapshot.renditions[subject].search
		assert noted is not None  # else it would have been rendered
		return search_indexer.unpacked(subject, noted)

	@property
	def leaving(self) -> list[LedgerEntry]:
		"""The files that are no longer produced, or were dropped by an earlier build and are in their grace period."""
		return [*self.offered.dropped(), *self.offered.in_grace()]

	def removals(self, facts: Facts) -> Removals:
		"""Which files go, and when."""
		hides = {
			subject
			for subject, overrides in self.snapshot.overrides.items()
			if any(override.action == "Hide" for override in overrides)
		}
		return file_removals.of_plan(self.leaving, self.entries.values(), self.levels, hides, facts)

	def leaves_files(self, removals: Removals) -> bool:
		"""Whether files may have to go after this build: its own, or those that shared subjects have dropped and only
		this plan still linked to. What is not seen here is seen at the end of the drain."""
		snapshot = self.snapshot
		return bool(
			removals
			or snapshot.gone
			or any(
				rendered.dropped > (live.generation if (live := snapshot.renditions.get(subject)) else 0)
				for subject, rendered in self.rendered.items()
			)
			or any(snapshot.reads(subject) for subject in self.own)
		)

	def renditions(self) -> list[PlanSubject]:
		"""What the plan reads of the subjects rendered here, to be stored with its manifest."""
		snapshot = self.snapshot
		return [
			PlanSubject(
				subject,
				snapshot.mode(subject),
				snapshot.generation(subject),
				# What the guard has altered, and what may be taken back unseen, is rendered again each time.
				snapshot.digest(subject)
				+ (_GUARDED if rendered.kept_paid else "")
				+ (_AHEAD if rendered.is_ahead else ""),
				rendered.summary,
				self._search_to_store(rendered),
			)
			for subject, rendered in self.rendered.items()
		]

	def newer(self) -> dict[str, int]:
		"""The generation of each subject that is newer than the live manifest says, and looks the same there."""
		snapshot, shown = self.snapshot, self.shown
		return {
			subject: snapshot.generation(subject)
			for subject in shown.wanted
			if subject not in shown.rendered and snapshot.taken_over(subject)
		}

	def _search_to_store(self, rendered: RenderedSubject) -> list[Any] | None:
		"""The search entries to store with a subject; None where they are stored already, or are in shards."""
		known = self.snapshot.renditions.get(rendered.subject)
		digest = rendered.summary.get("search_digest")
		noted = known.summary.get("search_digest") if known else None
		if rendered.contents is None or digest in (None, noted):
			return None
		return rendered.contents.packed_entries
