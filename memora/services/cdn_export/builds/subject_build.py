"""The build of a shared subject: its units and lessons, read by every plan that overrides nothing in it."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import frappe
from frappe.utils import now_datetime

from memora.exceptions import BuildError
from memora.services.cdn_export import dependency_resolver as resolver
from memora.services.cdn_export.access_calculator import narrows, resolve
from memora.services.cdn_export.builds import commit, failures, media
from memora.services.cdn_export.builds.commit import Removals
from memora.services.cdn_export.curriculum import content_tree, public_files
from memora.services.cdn_export.delivery.target import PublishTarget, SharedSubject
from memora.services.cdn_export.model import causes, doctypes, scopes
from memora.services.cdn_export.model.causes import Cause
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.diff import Diff, LedgerEntry
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.model.tree import Node, Override, ResolvedNode, Rights, walk
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.rules import large_change_guard, subject_files
from memora.services.cdn_export.rules.subject_files import Contents, Levels
from memora.services.cdn_export.state import database, ledger, publish_state, redis_mirror, renditions
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state.lease import Lease


def run(target: PublishTarget, lease: Lease, state: State) -> Counts:
	"""Bring a subject's shared files up to date. The caller holds the lease and records a failure.

	`state` was read by the first statement of the current transaction, which made its snapshot: a change that
	is in the generation is in the content read here. Raises BuildError and StorageError; what was live then
	stays live.
	"""
	subject = lease.scope.ref
	# Of a dead letter that was given up, more counts as published than is.
	is_known = state.is_live and not state.is_behind
	touched = relay.lessons_changed_since(subject, state.published_generation) if is_known else None
	drafted = draft(subject, touched, guarded=target.options.hold_large_changes and not state.is_approved)
	state_values: dict[str, Any] = {"is_live": 1}
	if drafted.kept_paid:
		state_values |= publish_state.held_values(state.generation, failures.kept_paid(drafted.kept_paid))
	removals = drafted.removals()
	counts = commit.commit(
		target,
		lease,
		drafted.offered,
		drafted.entries,
		images=drafted.contents.shared_images if drafted.contents else (),
		owners=drafted.owners,
		generation=state.generation,
		removals=removals,
		drop_generation=state.generation,
		state_values=state_values,
		closing=lambda: _call_plans(state),
	)
	if drafted.kept_paid and not state.held:
		failures.say_held(lease.scope, failures.kept_paid(drafted.kept_paid))
	target.shared.remember(
		subject,
		SharedSubject(
			state.generation, drafted.contents, drafted.unit_versions, counts, dropped=bool(removals)
		),
	)
	return counts


@dataclass(slots=True)
class SubjectFiles:
	"""A subject's shared files as its next build publishes them, against what is live. Nothing is written yet.

	`kept_paid` are the lessons that the large-change guard keeps from being read without paying.
	"""

	subject: str
	contents: Contents | None
	offered: Diff
	entries: dict[str, LedgerEntry]
	owners: set[str]
	kept_paid: list[ResolvedNode]

	@property
	def unit_versions(self) -> dict[str, int]:
		return {file.path: file.version for file in self.offered.planned.values() if file.kind == "unit"}

	def removals(self) -> Removals:
		"""What a subject's build drops is withdrawn from it, but for files that a lesson only names no longer: caches may
		have the lesson as it was. What has come here is withdrawn from where it was."""
		levels = self.contents.levels if self.contents else {}
		leaving = [*self.offered.dropped(), *self.offered.in_grace()]
		private = media.withdrawn(leaving)
		found = Removals(
			withdrawn={
				entry.subject
				for entry in self.entries.values()
				if entry.stands and (entry.subject != self.subject or is_withdrawn(entry, levels))
			}
		)
		for entry in leaving:
			if is_withdrawn(entry, levels) or entry.path in private:
				found.at_once.append(entry.path)
			elif not entry.in_grace:
				found.after_grace.append(entry.path)
		return found


def draft(subject: str, touched: Collection[str] | None, *, guarded: bool = False) -> SubjectFiles:
	"""Read a subject in the current snapshot and decide its shared files. `touched` are the lessons whose body
	may have changed since they were published, None for all of them. Raises BuildError."""
	scope = scopes.subject(subject)
	own = ledger.of_scope(scope)
	tree = content_tree.load(subject)
	live = _live_rights(tree) if guarded and tree else {}
	resolved, kept_paid = large_change_guard.keep_paid(tree, (), live) if tree else (None, [])
	if resolved is None:
		return SubjectFiles(subject, None, Diff(own, int(time.time())), own, set(), [])
	entries, owners = commit.known_entries(own, scope, subject_files.file_paths(resolved, None))
	offered = Diff(entries, int(time.time()))
	lessons = subject_files.drafts(resolved, None)
	needed = subject_files.bodies_needed(lessons, offered, touched)
	stages = content_tree.stages(needed)
	files = public_files.of_stages(stages)
	owners |= commit.know_files(entries, scope, subject_files.file_paths_of(lessons, stages, files, None))
	subject_files.offer(resolved, None, lessons, offered, needed, stages, files)
	return SubjectFiles(subject, Contents(resolved), offered, entries, owners, kept_paid)


def _live_rights(subject: Node) -> Rights:
	"""Who may read a subject's lessons by the shared files, and those that have just come here by where they were."""
	live = ledger.lesson_rights(scopes.subject(subject.name))
	lessons = {node.name for node in walk(subject) if node.kind == "lesson"}
	return {**ledger.rights_elsewhere(subject.name, lessons - live.keys()), **live}


def is_withdrawn(entry: LedgerEntry, levels: Levels) -> bool:
	"""Whether the unit or lesson that a file belongs to is gone from a subject, or fewer may read it, by who may read what
	in it now."""
	level = levels.get(entry.shows)
	return level is None or narrows(entry.access_level, level)


def levels_of(subject: str, plans: Sequence[str] = ()) -> Levels | None:
	"""Who may read what in a subject: by the content or, where just one plan is to show it, by that plan. None where that
	cannot be said."""
	tree = content_tree.load(subject)
	overrides: Sequence[Override] = ()
	if len(plans) == 1 and (found := content_tree.published_plans(plans).get(plans[0])):
		overrides = found[2].get(subject, ())
	try:
		resolved = resolve(tree, overrides) if tree else None
	except BuildError as error:
		frappe.logger("memora").warning(f"who may read what in subject {subject} is unknown: {error}")
		return None
	return subject_files.levels(resolved) if resolved else {}


def release(lease: Lease) -> bool:
	"""Give up a subject's shared files, and a failure to build them, when no published plan reads them;
	`remove_due` then takes them away: after a grace if they have merely moved into plans' own folders, at once if anything
	in them is withdrawn or no plan shows the subject any more.

	The question and the answer are one statement, so that a plan which announces itself meanwhile is seen.
	"""
	subject = lease.scope.ref

	def unpublish() -> bool:
		lease.hold()
		if publish_state.has_coming_reader(subject):
			return False  # else it would have to be written anew for that plan, though nothing has changed
		now = now_datetime()
		unread = database.execute(
			f"""update `tab{publish_state.TABLE}` set is_live = 0, published_generation = 0, retry_count = 0,
				next_retry_at = null, dead_since = null, last_error = null, last_attempt_at = %(now)s
			where name = %(scope)s and {publish_state.IS_LIVE_OR_FAILING} and not exists (
				select 1 from `tab{renditions.TABLE}` reader
				where {database.exactly("reader.subject", "%(subject)s")} and reader.mode = 'shared')""",
			{"scope": lease.scope.id, "subject": subject, "now": now},
		)
		if unread:
			plans = renditions.plans_showing(subject)
			levels = levels_of(subject, plans) if plans else {}
			files = [e for e in ledger.of_scope(lease.scope).values() if e.state in ("live", "in_flight")]
			gone = levels is not None and any(is_withdrawn(entry, levels) for entry in files)
			ledger.drop([entry.path for entry in files], remove_at=now if gone else now + commit.GRACE)
		return bool(unread)

	if unread := database.transaction(unpublish):
		redis_mirror.remove_dead_letter(lease.scope.label)
	return unread


def clean_up(target: PublishTarget, scope: Scope) -> int:
	"""Take away what no plan reads any more of a subject. Returns how many files went.

	Left to the next tick when another worker holds the subject.
	"""
	lease = leases.acquire(scope)
	if lease is None:
		return 0
	with lease:
		release(lease)
		return commit.remove_due(target, lease)


def _call_plans(state: State) -> bool:
	"""After a failure or a hold is over, the plans that went on without this subject are built again."""
	if state.is_behind or state.held:
		plans = resolver.plans_of([state.ref]).get(state.ref, set())
		cause = causes.text([Cause("", doctypes.SUBJECT, state.ref)])
		publish_state.raise_generations(
			map(scopes.plan, plans), causes={scopes.plan(plan).id: cause for plan in plans}
		)
	return False
