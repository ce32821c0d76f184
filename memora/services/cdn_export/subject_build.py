"""The build of a shared subject: its units and lessons, read by every plan that overrides nothing in it."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import frappe
from frappe.utils import now_datetime

from memora.exceptions import BuildError
from memora.services.cdn_export import (
	brake,
	build,
	content_tree,
	database,
	failures,
	fold,
	ledger,
	media,
	pending_queue,
	publish_state,
	renditions,
	scopes,
	subject_files,
)
from memora.services.cdn_export import dependency_resolver as resolver
from memora.services.cdn_export import lease as leases
from memora.services.cdn_export.access_calculator import narrows, resolve
from memora.services.cdn_export.brake import Rights
from memora.services.cdn_export.build import Counts, Removals, SharedSubject, Site
from memora.services.cdn_export.diff import Diff, LedgerEntry
from memora.services.cdn_export.lease import Lease
from memora.services.cdn_export.publish_state import State
from memora.services.cdn_export.scopes import Scope
from memora.services.cdn_export.subject_files import Contents, Levels
from memora.services.cdn_export.tree import Node, ResolvedNode, walk

_DOCTYPES = {kind: doctype for doctype, kind in content_tree.KIND_OF.items()}


def run(site: Site, lease: Lease, state: State) -> Counts:
	"""Bring a subject's shared files up to date. The caller holds the lease and records a failure.

	`state` was read by the first statement of the current transaction, which made its snapshot: a change that
	is in the generation is in the content read here. Raises BuildError and StorageError; what was live then
	stays live.
	"""
	subject = lease.scope.ref
	# Of a dead letter that was given up, more counts as published than is.
	is_known = state.is_live and not state.is_behind
	touched = fold.lessons_changed_since(subject, state.published_generation) if is_known else None
	drafted = draft(subject, touched, brakes=site.options.hold_large_changes and not state.is_approved)
	state_values: dict[str, Any] = {"is_live": 1}
	if drafted.kept_paid:
		state_values |= publish_state.held_values(state.generation, failures.kept_paid(drafted.kept_paid))
	removals = drafted.removals()
	counts = build.commit(
		site,
		lease,
		drafted.offered,
		drafted.entries,
		images=drafted.contents.images if drafted.contents else (),
		owners=drafted.owners,
		generation=state.generation,
		removals=removals,
		drop_generation=state.generation,
		state_values=state_values,
		closing=lambda: _call_plans(state),
	)
	if drafted.kept_paid and not state.held:
		failures.say_held(lease.scope, failures.kept_paid(drafted.kept_paid))
	site.shared.remember(
		subject,
		SharedSubject(
			state.generation, drafted.contents, drafted.unit_versions, counts, dropped=bool(removals)
		),
	)
	return counts


@dataclass(slots=True)
class Draft:
	"""A subject's shared files as its next build publishes them, against what is live. Nothing is written yet.

	`kept_paid` are the lessons that the brake keeps from being read without paying.
	"""

	contents: Contents | None
	offered: Diff
	entries: dict[str, LedgerEntry]
	owners: set[str]
	kept_paid: list[ResolvedNode]

	@property
	def unit_versions(self) -> dict[str, int]:
		return {file.path: file.version for file in self.offered.planned.values() if file.kind == "unit"}

	def removals(self) -> Removals:
		judged = [*self.offered.dropped(), *self.offered.in_grace()]
		return removals_of(judged, self.contents.levels if self.contents else {})


def draft(subject: str, touched: Collection[str] | None, *, brakes: bool = False) -> Draft:
	"""Read a subject in the current snapshot and decide its shared files. `touched` are the lessons whose body
	may have changed since they were published, None for all of them. Raises BuildError."""
	scope = scopes.subject(subject)
	own = ledger.of_scope(scope)
	tree = content_tree.load(subject)
	live = _live_rights(tree) if brakes and tree else {}
	resolved, kept_paid = brake.keep_paid(tree, (), live) if tree else (None, [])
	if resolved is None:
		return Draft(None, Diff(own, int(time.time())), own, set(), [])
	entries, owners = build.known_entries(own, scope, subject_files.file_paths(resolved, None))
	offered = Diff(entries, int(time.time()))
	lessons = subject_files.drafts(resolved, None)
	needed = subject_files.bodies_needed(lessons, offered, touched)
	stages = content_tree.stages(needed)
	files = media.of_stages(stages)
	owners |= build.know_files(entries, scope, subject_files.file_paths_of(lessons, stages, files, None))
	subject_files.offer(resolved, None, lessons, offered, needed, stages, files)
	return Draft(Contents(resolved), offered, entries, owners, kept_paid)


def _live_rights(subject: Node) -> Rights:
	"""Who may read a subject's lessons by the shared files, and those that have just come here by where they were."""
	live = ledger.lesson_rights(scopes.subject(subject.name))
	lessons = {node.name for node in walk(subject) if node.kind == "lesson"}
	return {**ledger.rights_elsewhere(subject.name, lessons - live.keys()), **live}


def removals_of(dropped: list[LedgerEntry], levels: Levels) -> Removals:
	"""When units and lessons that are no longer produced have to go, by who may read their nodes now.

	What no reader sees any more, or fewer may see, goes at once, and so does a lesson's file that is no longer a public
	file of the site; what merely moved keeps its grace, or what is left of it, and what a lesson names no longer too,
	since caches may have the lesson as it was.
	"""
	found = Removals()
	withdrawn = media.withdrawn(dropped)
	for entry in dropped:
		level = levels.get(entry.shows)
		if level is None or narrows(entry.access_level, level) or entry.path in withdrawn:
			found.at_once.append(entry.path)
		elif not entry.in_grace:
			found.after_grace.append(entry.path)
	return found


def release(lease: Lease, levels: Levels) -> bool:
	"""Give up a subject's shared files, and a failure to build them, when no published plan reads them;
	`remove_due` then takes them away.

	`levels` are those of the plan that has just made its own rendition of the subject, empty otherwise. The
	question and the answer are one statement, so that a plan which announces itself meanwhile is seen.
	"""

	def give_up() -> bool:
		lease.hold()
		now = now_datetime()
		unread = database.execute(
			f"""update `tab{publish_state.TABLE}` set is_live = 0, published_generation = 0, retry_count = 0,
				next_retry_at = null, dead_since = null, last_error = null, last_attempt_at = %(now)s
			where name = %(scope)s and {publish_state.IS_LIVE_OR_FAILING} and not exists (
				select 1 from `tab{renditions.TABLE}` reader
				where {database.exactly("reader.subject", "%(subject)s")} and reader.mode = 'shared')""",
			{"scope": lease.scope.id, "subject": lease.scope.ref, "now": now},
		)
		if unread:
			standing = [entry for entry in ledger.of_scope(lease.scope).values() if entry.state != "removed"]
			found = removals_of(standing, levels)
			ledger.drop(found.at_once, remove_at=now)
			ledger.drop(found.after_grace, remove_at=now + build.GRACE)
		return bool(unread)

	if unread := database.transaction(give_up):
		pending_queue.exhume(lease.scope.label)
	return unread


def tidy(site: Site, scope: Scope, levels: Levels) -> int:
	"""Take away what no plan reads any more of a subject. Returns how many files went.

	Left to the next tick when another worker holds the subject.
	"""
	lease = leases.acquire(scope)
	if lease is None:
		return 0
	with lease:
		if not release(lease, levels):
			database.transaction(lambda: _judge_anew(lease))
		return build.remove_due(site, lease)


def _judge_anew(lease: Lease) -> None:
	"""Have files of a subject that was given up go before their grace is over, where no plan shows their nodes any more
	or only to fewer: no build of the subject comes by to say so."""
	now = now_datetime()  # before the snapshot: what is published after it may not be in it
	lease.hold()
	if not publish_state.judged(lease.scope, now):
		return
	waiting = [entry for entry in ledger.of_scope(lease.scope).values() if entry.in_grace]
	try:
		shown = _levels_in_plans(waiting)
	except BuildError as error:  # they keep their grace, until the next plan is published
		frappe.logger("memora").warning(f"who may read what {lease.scope.label} left is unknown: {error}")
		return
	ledger.drop(
		[
			entry.path
			for entry in waiting
			if all(
				level is None or narrows(entry.access_level, level)
				for level in (levels.get(entry.shows) for levels in shown)
			)
		],
		remove_at=now,
	)


def _levels_in_plans(entries: Collection[LedgerEntry]) -> list[Levels]:
	"""Who may read the nodes of these units and lessons, wherever they hang now, in each plan that lists them. Raises
	BuildError."""
	nodes = {entry.shows for entry in entries}
	homes = set(resolver.subjects_of((_DOCTYPES[kind], node) for kind, node in nodes).values())
	trees = {subject: content_tree.load(subject) for subject in homes}
	plans = set().union(*resolver.plans_of(homes).values())
	found = []
	for _, listed, overrides in content_tree.published_plans(sorted(plans)).values() if plans else ():
		for subject in homes & listed.keys():
			tree = trees[subject]
			if resolved := resolve(tree, overrides.get(subject, ())) if tree else None:
				found.append(subject_files.levels(resolved))
	return found


def _call_plans(state: State) -> bool:
	"""After a failure or a hold is over, the plans that went on without this subject are built again."""
	if state.is_behind or state.held:
		plans = resolver.plans_of([state.ref]).get(state.ref, set())
		publish_state.raise_generations(map(scopes.plan, plans))
	return False
