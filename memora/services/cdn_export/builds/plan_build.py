"""The build of a plan: everything under `plans/{plan}/`, its manifest last.

First its shared subjects are brought up to date, which is nothing when they are. Then, in one snapshot, each
subject that changed since the plan's last manifest is rendered; the others are taken over from their
renditions, so that cost follows the change. Afterwards the files that this plan was the last to read go.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from frappe.utils import now_datetime

from memora.exceptions import BuildError, PlaceRefusedError, ScopeBusyError, StorageError
from memora.services.cdn_export import json_generator, search_indexer
from memora.services.cdn_export.builds import (
	commit,
	failures,
	held_changes,
	index_build,
	media,
	plan_snapshot,
	subject_build,
)
from memora.services.cdn_export.builds.commit import Removals
from memora.services.cdn_export.builds.plan_snapshot import Snapshot
from memora.services.cdn_export.curriculum import content_tree, public_files
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import PublishTarget, SharedSubject, SharedSubjects
from memora.services.cdn_export.model import diff, paths, scopes
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.diff import Diff, LedgerEntry
from memora.services.cdn_export.model.plan_subject import PlanSubject
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.model.tree import Override, Plan, ResolvedNode, Rights
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.rules import large_change_guard, subject_files
from memora.services.cdn_export.rules.subject_files import Contents, Levels
from memora.services.cdn_export.search_indexer import SubjectEntries
from memora.services.cdn_export.state import database, ledger, publish_state, renditions
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state.lease import Lease

_NO_RIGHTS: Rights = {}
_GUARDED = "-guarded"
_SNAPSHOTS = 5
"""How often a build starts over because a shared subject changed while it was brought up to date."""


@dataclass(slots=True)
class RenderedSubject:
	"""A subject rendered in this build."""

	subject: str
	contents: Contents | None
	unit_versions: dict[str, int]
	kept_paid: list[ResolvedNode] = field(default_factory=list)
	summary: dict = field(default_factory=dict)
	dropped: bool = False

	@property
	def resolved(self) -> ResolvedNode | None:
		return self.contents.resolved if self.contents else None


@dataclass(slots=True)
class PlanFiles:
	"""A plan's files as its next build publishes them, against what is live. Nothing is written yet."""

	offered: Diff
	entries: dict[str, LedgerEntry]
	owners: set[str]
	rendered: dict[str, RenderedSubject]
	manifest: diff.Planned

	@property
	def kept_paid(self) -> list[ResolvedNode]:
		"""The lessons that the large-change guard keeps from being read without paying."""
		return [lesson for rendering in self.rendered.values() for lesson in rendering.kept_paid]

	@property
	def images(self) -> set[str]:
		"""Every picture that the subjects rendered here show."""
		return {image for r in self.rendered.values() if r.contents for image in r.contents.images}

	def removals(self, snapshot: Snapshot) -> Removals:
		"""When what is no longer produced has to go. What has merely moved, or been cut anew, stays for a grace, unless
		something in its subject is withdrawn."""
		leaving = [*self.offered.dropped(), *self.offered.in_grace()]
		found = Removals(withdrawn=self._withdrawn_for_others(snapshot))
		if not leaving:
			return found
		withdrawn = self._withdrawn({entry.subject for entry in leaving}, snapshot)
		private = media.withdrawn(leaving)
		for entry in leaving:
			if entry.subject in withdrawn or entry.path in private:
				found.at_once.append(entry.path)
			elif not entry.in_grace:
				found.after_grace.append(entry.path)
		return found

	def _withdrawn(self, subjects: set[str], snapshot: Snapshot) -> set[str]:
		"""Those of these subjects that the plan no longer shows, or shows less of to its learners than so far."""
		found = _lost_by_shared(snapshot) | {subject for subject in subjects if self.levels(subject) is None}
		for entry in self.entries.values():
			if entry.subject not in subjects or entry.subject in found or not entry.stands:
				continue
			if entry.shows[0] in ("unit", "lesson"):
				if subject_build.is_withdrawn(entry, self.levels(entry.subject) or {}):
					found.add(entry.subject)
		return found

	def _withdrawn_for_others(self, snapshot: Snapshot) -> set[str]:
		"""The plan's own subjects of which others' files stay for their grace and name what is withdrawn: by the content, or
		by this plan where no other shows the subject."""
		own = {subject for subject in self.rendered if snapshot.mode(subject) == "own"}
		waiting = ledger.in_grace(own, but=snapshot.state.scope)
		subjects = {entry.subject for entry in waiting} & own
		others = renditions.shown_by_others(subjects, snapshot.state.ref)
		found = set()
		for subject in subjects:
			levels = subject_build.levels_of(subject) if subject in others else self.levels(subject) or {}
			hides = subject not in others and any(
				override.action == "Hide" for override in snapshot.overrides[subject]
			)
			if hides or (
				levels is not None
				and any(subject_build.is_withdrawn(e, levels) for e in waiting if e.subject == subject)
			):
				found.add(subject)
		return found

	def levels(self, subject: str) -> Levels | None:
		"""Who may read what in a subject that is rendered here and shown; else None."""
		contents = self.rendered[subject].contents if subject in self.rendered else None
		return contents.levels if contents else None

	def leaves_files(self, snapshot: Snapshot, removals: Removals) -> bool:
		"""Whether files may have to go after this build: its own, or those that shared subjects have given up and only
		this plan still linked to. What is not seen here is seen at the end of the drain."""
		return bool(
			removals
			or snapshot.gone
			or any(
				rendering.dropped or (snapshot.mode(subject) == "own" and snapshot.reads(subject))
				for subject, rendering in self.rendered.items()
			)
		)

	def renditions(self, snapshot: Snapshot) -> list[PlanSubject]:
		"""What the plan reads of the subjects rendered here, to be stored with its manifest."""
		return [
			PlanSubject(
				subject,
				snapshot.mode(subject),
				snapshot.generation(subject),
				# What the large-change guard has altered is rendered anew each time, until it need not be.
				snapshot.digest(subject) + (_GUARDED if rendering.kept_paid else ""),
				rendering.summary,
				_search_to_store(snapshot, rendering),
			)
			for subject, rendering in self.rendered.items()
		]

	def counts_of_shared(self, shared: SharedSubjects, snapshot: Snapshot) -> Counts:
		"""What the builds of the shared subjects did that no plan's log has taken yet."""
		counts = Counts()
		for subject in self.rendered:
			if snapshot.mode(subject) == "shared":
				counts.add(shared.take_counts(subject))
		return counts


class UnitMissingError(ScopeBusyError):
	"""A unit that the shared subject has not published: one from after the relay's last run, or lost from the ledger.
	Either way the subject's next build brings it."""

	def __init__(self, subject: str, message: str):
		super().__init__(message)
		self.subject = subject


def run(target: PublishTarget, lease: Lease, state: State) -> Counts | None:
	"""Build and publish a plan, or take it away when it is unpublished or gone; None where all of that waits for an
	admin's word. The caller holds the lease, and has read `state` by the first statement of the current transaction,
	which made its snapshot.

	Raises BuildError, StorageError, ScopeBusyError (a shared subject is being built elsewhere) and
	LeaseLostError; what was live then stays live.
	"""
	plan = lease.scope.ref
	for _ in range(_SNAPSHOTS):
		snapshot = read(state, guarded=target.options.hold_large_changes)
		if snapshot.plan is None:
			return _unpublish(target, lease, snapshot)
		shared = [subject for subject in snapshot.sort_orders if snapshot.mode(subject) == "shared"]
		if news := [subject for subject in shared if not snapshot.reads(subject)]:
			renditions.reserve(plan, news)
			state = _read_again(lease)
			continue
		behind = {subject for subject in shared if not snapshot.is_ready(subject)}
		stuck = {subject for subject in behind if _is_stuck(snapshot, subject)}
		if behind <= stuck:
			return _publish(target, lease, snapshot, stuck)
		for subject in sorted(behind - stuck):
			if not snapshot.has_state(subject):
				publish_state.ensure(scopes.subject(subject))
			_bring_up_to_date(target, subject)
		state = _read_again(lease)
	raise ScopeBusyError(f"the subjects of plan {plan} keep changing; it is built again shortly")


def _read_again(lease: Lease) -> State:
	"""Begin a new snapshot: the plan's generation first, so that content is never older than it."""
	return commit.read_state(lease)[0]


def read(state: State, *, guarded: bool = False) -> Snapshot:
	"""The rest of the snapshot that `state` began. `guarded` says that CDN Settings hold large changes."""
	(snapshot,) = plan_snapshot.read([state])
	if news := [subject for subject in snapshot.sort_orders if subject not in snapshot.renditions]:
		snapshot.subject_states |= publish_state.read(list(map(scopes.subject, news)))
	snapshot.guarded = guarded and not state.is_approved
	if snapshot.guarded and snapshot.plan:
		_keep_own(snapshot)
	return snapshot


def _keep_own(snapshot: Snapshot) -> None:
	"""Let a subject be the plan's own where the shared one would give lessons away that the plan has as paid in files
	of its own: in this subject, or in another that they came from."""
	if all(rendition.mode == "shared" for rendition in snapshot.renditions.values()):
		return
	own = ledger.lesson_rights(snapshot.state.scope)
	for subject in snapshot.sort_orders:
		if subject not in snapshot.overrides and snapshot.has_changed(subject):
			resolved, _ = _resolve(subject, ())
			if large_change_guard.widened(own, large_change_guard.lessons(resolved)):
				snapshot.overrides[subject] = ()


def _is_stuck(snapshot: Snapshot, subject: str) -> bool:
	"""Whether a subject that is not ready is to stay as it is. One that was given up is tried again for a plan that
	does not show its shared files yet."""
	state = snapshot.subject_states.get(scopes.subject(subject).id)
	if state is None:
		return False
	if state.is_dismissed:
		return snapshot.shows_shared(subject)
	return state.is_backing_off(now_datetime())


def _bring_up_to_date(target: PublishTarget, subject: str) -> None:
	"""Build a shared subject, which has a state. Its failure is recorded with it and does not fail the plan."""
	lease = leases.acquire(scopes.subject(subject))
	if lease is None:
		raise ScopeBusyError(f"subject {subject} is being built by another worker")
	with lease:
		state, seen = commit.read_state(lease)
		if state.is_ready:
			return
		if target.follow_settings(seen):
			raise ScopeBusyError(
				f"CDN Settings have been saved: the plans of subject {subject} are built again"
			)
		try:
			subject_build.run(target, lease, state)
		except PlaceRefusedError:
			raise  # no fault of this subject
		except (BuildError, StorageError) as error:
			failures.record(state, lease, error)


def _publish(target: PublishTarget, lease: Lease, snapshot: Snapshot, stuck: set[str]) -> Counts | None:
	plan = snapshot.plan
	assert plan is not None
	try:
		drafted = draft(target.shared, snapshot, stuck)
	except UnitMissingError as error:
		missing = error.subject
		database.transaction(lambda: relay.touch(subjects=[missing]))
		raise
	rendered = drafted.rendered
	if snapshot.guarded and (lost := losses(snapshot, rendered)).are_held:
		_hold(lease, snapshot, failures.would_lose(lost.others, lost.live))
		return None
	lists_anew = not snapshot.is_listed
	state_values: dict[str, Any] = {
		"is_live": 1,
		"live_version": drafted.manifest.version,
		"index_entry": snapshot.index_entry,
	}
	if drafted.kept_paid:
		reason = failures.kept_paid(drafted.kept_paid)
		state_values |= publish_state.held_values(snapshot.state.generation, reason)
	removals = drafted.removals(snapshot)
	leftovers: list[Scope] = []

	def closing() -> bool:
		renditions.store({plan.name: drafted.renditions(snapshot)})
		_forget(plan.name, snapshot.gone)
		if lists_anew:
			publish_state.raise_generations([scopes.INDEX])
		if drafted.leaves_files(snapshot, removals):
			leftovers[:] = _leftovers(lease, {*snapshot.renditions, *rendered})
		return bool(leftovers)

	if doubtful := [subject for subject in rendered if snapshot.may_come_back(subject)]:
		# Should this build break off and the plan be as it was again, what was uploaded by then is written anew.
		database.transaction(lambda: renditions.mark_uncertain(plan.name, doubtful))
	counts = commit.commit(
		target,
		lease,
		drafted.offered,
		drafted.entries,
		images=drafted.images,
		owners=drafted.owners,
		generation=snapshot.state.generation,
		causes=snapshot.state.causes,
		removals=removals,
		state_values=state_values,
		closing=closing,
	)
	if drafted.kept_paid and not snapshot.state.held:
		failures.say_held(lease.scope, failures.kept_paid(drafted.kept_paid))
	counts.add(drafted.counts_of_shared(target.shared, snapshot))
	counts.deleted += _clean_up(target, lease, leftovers)
	counts.title = plan.title
	return counts


def draft(
	shared: SharedSubjects, snapshot: Snapshot, stuck: Collection[str] = (), *, anew: bool = False
) -> PlanFiles:
	"""Decide a published plan's files, from one snapshot. `stuck` subjects cannot be built and stay as they are;
	with `anew` every other one is read, whatever is known of it. `shared` holds subjects published just now.

	Raises BuildError, and UnitMissingError where a shared subject has to be built first.
	"""
	shown = outline(shared, snapshot, stuck, anew=anew)
	scope = snapshot.state.scope
	own = ledger.of_plans({scope: shown.skipped})[scope]
	entries, owners = commit.known_entries(own, scope, _wanted_paths(snapshot, shown.rendered.values()))
	return draft_of(snapshot, shown, entries, owners, anew=anew)


@dataclass(slots=True)
class PlanScope:
	"""Which subjects a plan shows, each with the plan's own sort_order, those of them that are rendered now, and those
	it lists of which the files stay as they are."""

	wanted: dict[str, int]
	rendered: dict[str, RenderedSubject]
	sharded: bool
	skipped: list[str]


def outline(
	shared: SharedSubjects, snapshot: Snapshot, stuck: Collection[str] = (), *, anew: bool = False
) -> PlanScope:
	"""The first half of `draft`: it reads what is to be rendered and not in `shared`."""
	plan = snapshot.plan
	assert plan is not None
	# A subject that cannot be built stays as it is; one that never could be is left out.
	kept = {subject for subject in stuck if snapshot.was_rendered(subject)}
	wanted = {
		subject: order
		for subject, order in snapshot.sort_orders.items()
		if subject not in stuck or subject in kept
	}
	changed = [
		subject for subject in wanted if subject not in kept and (anew or snapshot.has_changed(subject))
	]
	rendered = {subject: _render(shared, snapshot, subject) for subject in changed}
	sharded = _is_sharded(plan, snapshot, wanted, rendered)
	if not all(_has_search(snapshot.renditions[subject], sharded) for subject in kept):
		# To be found in the other form they would be rendered as they are today, which nobody has published.
		sharded = not sharded
	for subject in wanted:
		if subject not in rendered and not _has_search(snapshot.renditions[subject], sharded):
			rendered[subject] = _render(shared, snapshot, subject)
	skipped = [subject for subject in snapshot.sort_orders if subject not in rendered]
	return PlanScope(wanted, rendered, sharded, skipped)


def draft_of(
	snapshot: Snapshot,
	shown: PlanScope,
	entries: dict[str, LedgerEntry],
	owners: set[str],
	*,
	anew: bool = False,
) -> PlanFiles:
	"""The second half of `draft`: `entries` and `owners` are what `commit.known_entries` says of the plan."""
	versions = {path: version for r in shown.rendered.values() for path, version in r.unit_versions.items()}
	offered = Diff(entries, int(time.time()), elsewhere=versions)
	for rendering in shown.rendered.values():
		_offer_subject(snapshot, rendering, offered, entries, owners, shown.sharded, anew)
	manifest = _offer_entry_points(snapshot, shown, offered)
	return PlanFiles(offered, entries, owners, shown.rendered, manifest)


def losses(snapshot: Snapshot, rendered: Mapping[str, RenderedSubject]) -> held_changes.Losses:
	"""The lessons that a plan loses when these of its subjects are published as rendered."""
	return held_changes.losses(
		snapshot.state.ref,
		snapshot.renditions,
		{subject: rendering.resolved for subject, rendering in rendered.items()},
		snapshot.gone,
		[override for overrides in snapshot.overrides.values() for override in overrides],
	)


def _hold(lease: Lease, snapshot: Snapshot, reason: str) -> None:
	"""Let the run wait for an admin's word; what is live stays live."""
	generation = snapshot.state.generation
	database.transaction(lambda: publish_state.hold(lease.scope, lease.token, generation, reason))
	if not snapshot.state.held:
		failures.say_held(lease.scope, reason)


def _render(memory: SharedSubjects, snapshot: Snapshot, subject: str) -> RenderedSubject:
	"""Load and resolve a subject. A shared one is taken as it was published, where this run has done that."""
	versions: dict[str, int] = {}
	kept_paid: list[ResolvedNode] = []
	dropped = False
	if snapshot.mode(subject) == "own":
		rights = snapshot.rights(subject) if snapshot.guarded else {}
		resolved, kept_paid = _resolve(subject, snapshot.overrides[subject], rights)
		contents = Contents(resolved) if resolved else None
	else:
		generation = snapshot.generation(subject)
		shared = memory.recall(subject, generation)
		if shared is None:
			scope = scopes.subject(subject)
			held = scope.id in snapshot.subject_states and snapshot.subject_states[scope.id].held
			rights = ledger.lesson_rights(scope) if held else {}
			versions = ledger.live_versions(scope, subject, "unit")
			resolved, _ = _resolve(subject, (), rights)
			shared = SharedSubject(generation, Contents(resolved) if resolved else None, versions, Counts())
			memory.remember(subject, shared)
		contents, versions, dropped = shared.contents, shared.unit_versions, shared.dropped
	return RenderedSubject(subject, contents, versions, kept_paid, dropped=dropped)


def _resolve(
	subject: str, overrides: Collection[Override], rights: Rights = _NO_RIGHTS
) -> tuple[ResolvedNode | None, list[ResolvedNode]]:
	"""Load a subject and decide who may read what. Lessons that are paid in `rights` stay so, and come second."""
	tree = content_tree.load(subject)
	return large_change_guard.keep_paid(tree, overrides, rights) if tree else (None, [])


def _wanted_paths(snapshot: Snapshot, rendered: Iterable[RenderedSubject]) -> list[str]:
	"""The own units and lessons of what is rendered: paths that may stand in the ledger under another subject."""
	plan = snapshot.plan
	assert plan is not None
	return [
		path
		for rendering in rendered
		if rendering.resolved and snapshot.mode(rendering.subject) == "own"
		for path in subject_files.file_paths(rendering.resolved, plan.name)
	]


def _is_sharded(
	plan: Plan, snapshot: Snapshot, wanted: Iterable[str], rendered: dict[str, RenderedSubject]
) -> bool:
	"""Whether the plan's search is sharded, from the entries just made and the sizes noted before."""
	lessons = size = 0
	for subject in wanted:
		if subject in rendered:
			if contents := rendered[subject].contents:
				lessons += len(contents.entries.entries)
				size += contents.search_size
		else:
			summary = snapshot.renditions[subject].summary
			lessons += summary.get("lessons", 0)
			size += summary.get("search_size", 0)
	return search_indexer.needs_shards(plan.name, lessons, size)


def _has_search(known: PlanSubject, sharded: bool) -> bool:
	"""Whether a rendition holds what the search index needs of its subject in this form."""
	if not known.summary.get("lessons"):
		return True
	if sharded:
		return "shards" in known.summary
	return "search_digest" in known.summary and known.search is not None


def _search_to_store(snapshot: Snapshot, rendering: RenderedSubject) -> list[Any] | None:
	"""The entries that a subject's rendition is to note; None where they stand there already, or are in shards."""
	known = snapshot.renditions.get(rendering.subject)
	digest = rendering.summary.get("search_digest")
	noted = known.summary.get("search_digest") if known else None
	if rendering.contents is None or digest in (None, noted):
		return None
	return rendering.contents.packed_entries


def _offer_subject(
	snapshot: Snapshot,
	rendering: RenderedSubject,
	offered: Diff,
	entries: dict[str, LedgerEntry],
	owners: set[str],
	sharded: bool,
	anew: bool,
) -> None:
	"""Offer all that a plan has of one subject, and note in its summary what its entry points will say. Adds to
	`entries`, which `offered` is made against, and to `owners`."""
	contents, plan = rendering.contents, snapshot.plan
	if contents is None or plan is None:
		return
	resolved = contents.resolved
	subject = rendering.subject
	plan_of_units = None
	if snapshot.mode(subject) == "own":
		plan_of_units = plan.name
		known = snapshot.renditions.get(subject)
		touched = None
		if known and known.mode == "own" and known.generation and not anew:
			touched = relay.lessons_changed_since(subject, known.generation)
		lessons = subject_files.drafts(resolved, plan.name)
		needed = subject_files.bodies_needed(lessons, offered, touched)
		stages = content_tree.stages(needed)
		files = public_files.of_stages(stages)
		wanted = subject_files.file_paths_of(lessons, stages, files, plan.name)
		owners |= commit.know_files(entries, snapshot.state.scope, wanted)
		subject_files.offer(resolved, plan.name, lessons, offered, needed, stages, files)
	try:
		document = json_generator.subject_document(resolved, offered.link, plan_of_units)
	except KeyError as error:
		raise UnitMissingError(
			subject, f"plan {plan.name} waits for subject {subject} to be built: {error}"
		) from error
	offered.offer(
		paths.plan_subject(plan.name, subject),
		"subject",
		subject,
		document,
		subject=subject,
		access=resolved.access,
	)
	rendering.summary.update(
		entry=json_generator.subject_entry(resolved, plan.name, offered.link, 0),
		lessons=len(contents.entries.entries),
		search_size=contents.search_size,
	)
	if not sharded:
		rendering.summary["search_digest"] = contents.search_digest
		return
	rendering.summary["shards"] = []
	for shard in search_indexer.shards(plan.name, contents.entries):
		file = offered.offer(
			shard.path,
			"search_shard",
			subject,
			shard.document,
			subject=subject,
			lesson_count=shard.lesson_count,
		)
		rendering.summary["shards"].append(
			search_indexer.shard_entry(shard.subject_id, shard.subject_name, file.url, shard.lesson_count)
		)


def _offer_entry_points(snapshot: Snapshot, shown: PlanScope, offered: Diff) -> diff.Planned:
	"""Offer the search index and the manifest, which list every subject, rendered now or before."""
	plan, wanted = snapshot.plan, shown.wanted
	assert plan is not None
	summaries = {
		subject: (shown.rendered if subject in shown.rendered else snapshot.renditions)[subject].summary
		for subject in wanted
	}
	listed = sorted(
		(subject for subject in wanted if "entry" in summaries[subject]), key=lambda subject: wanted[subject]
	)
	if shown.sharded:
		document = search_indexer.sharded_index(
			plan.name, [entry for subject in listed for entry in summaries[subject].get("shards", ())]
		)
	else:
		document = search_indexer.whole_index(
			plan.name,
			[
				_search_entries(snapshot, shown.rendered.get(subject), subject)
				for subject in listed
				if summaries[subject]["lessons"]
			],
		)
	index = offered.offer(paths.search_index(plan.name), "search_index", "", document)
	entries = [{**summaries[subject]["entry"], "sort_order": wanted[subject]} for subject in listed]
	return offered.offer(
		paths.manifest(plan.name),
		"manifest",
		plan.name,
		json_generator.manifest_document(plan, entries, index.url),
	)


def _search_entries(snapshot: Snapshot, rendering: RenderedSubject | None, subject: str) -> SubjectEntries:
	if rendering and rendering.contents:
		return rendering.contents.entries
	noted = snapshot.renditions[subject].search
	assert noted is not None  # else it would have been rendered anew
	return search_indexer.unpacked(subject, noted)


def _lost_by_shared(snapshot: Snapshot) -> set[str]:
	"""The shared subjects that have given up files since the plan's manifest."""
	return ledger.dropped_since(
		{name: known.generation for name, known in snapshot.renditions.items() if known.generation}
	)


def _unpublish(target: PublishTarget, lease: Lease, snapshot: Snapshot) -> Counts:
	"""Remove a plan that is unpublished or gone: out of the list of plans first, then its folder."""
	standing = [entry.path for entry in ledger.of_scope(lease.scope).values() if entry.state != "removed"]
	if snapshot.state.is_live:
		database.transaction(lambda: publish_state.unlist(lease.scope))
		index_build.publish_now(target)

	leftovers: list[Scope] = []

	def closing() -> bool:
		_forget(lease.scope.ref, snapshot.renditions)
		leftovers[:] = _leftovers(lease, snapshot.renditions)
		return bool(leftovers)

	commit.commit(
		target,
		lease,
		Diff({}, int(time.time())),
		{},
		generation=snapshot.state.generation,
		causes=snapshot.state.causes,
		removals=Removals(at_once=standing),
		state_values={"is_live": 0, "live_version": 0, "index_entry": ""},
		closing=closing,
	)
	return Counts(deleted=_clean_up(target, lease, leftovers))


def _forget(plan: str, subjects: Collection[str]) -> None:
	"""Note that a plan no longer shows these subjects. What stays of those that no other shows, for its grace, goes."""
	renditions.forget(plan, subjects)
	ledger.end_grace(set(subjects) - renditions.shown_by_others(subjects, plan))


def _leftovers(lease: Lease, subjects: Iterable[str]) -> list[Scope]:
	"""The plan itself and those of its subjects that have files which may have to go now."""
	return publish_state.to_clean_up([lease.scope, *map(scopes.subject, subjects)])


def _clean_up(target: PublishTarget, lease: Lease, leftovers: Sequence[Scope]) -> int:
	"""After the manifest: remove what may not be read any more, here and in the subjects it was read from.

	A subject that another worker is building is left to it, and to the next tick.
	"""
	purge_queue.run(target)
	deleted = 0
	for scope in leftovers:
		if scope == lease.scope:
			deleted += commit.remove_due(target, lease)
		else:
			deleted += subject_build.clean_up(target, scope)
	if leftovers:
		purge_queue.run(target)
	return deleted
