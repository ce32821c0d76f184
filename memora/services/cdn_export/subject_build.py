"""The build of a shared subject: its units and lessons, read by every plan that overrides nothing in it."""

from __future__ import annotations

import time

import frappe

from memora.services.cdn_export import (
	access_calculator,
	build,
	content_tree,
	database,
	fold,
	ledger,
	publish_state,
	renditions,
	scopes,
	subject_files,
)
from memora.services.cdn_export import dependency_resolver as resolver
from memora.services.cdn_export import lease as leases
from memora.services.cdn_export.access_calculator import narrows
from memora.services.cdn_export.build import Counts, Removals, SharedSubject, Site
from memora.services.cdn_export.diff import Diff, LedgerEntry
from memora.services.cdn_export.lease import Lease
from memora.services.cdn_export.publish_state import State
from memora.services.cdn_export.scopes import Scope
from memora.services.cdn_export.subject_files import Levels


def run(site: Site, lease: Lease, state: State) -> Counts:
	"""Bring a subject's shared files up to date. The caller holds the lease and records a failure.

	`state` was read by the first statement of the current transaction, which made its snapshot: a change that
	is in the generation is in the content read here. Raises BuildError and StorageError; what was live then
	stays live.
	"""
	subject = lease.scope.ref
	own = ledger.of_scope(lease.scope)
	tree = content_tree.load(subject)
	resolved = access_calculator.resolve(tree) if tree else None

	entries, owners, images = own, set(), set()
	diff = Diff(own, int(time.time()))
	if resolved:
		entries, owners = build.known_entries(own, lease.scope, subject_files.file_paths(resolved, None))
		diff = Diff(entries, int(time.time()))
		lessons = subject_files.drafts(resolved, None)
		touched = fold.lessons_changed_since(subject, state.published_generation) if state.is_live else None
		needed = subject_files.bodies_needed(lessons, diff, touched)
		stages = content_tree.stages(subject, None if len(needed) == len(lessons) else needed)
		subject_files.offer(resolved, None, lessons, diff, needed, stages)
		images = subject_files.images(resolved)

	levels = subject_files.levels(resolved) if resolved else {}
	counts = build.commit(
		site,
		lease,
		diff,
		entries,
		images=images,
		owners=owners,
		generation=state.generation,
		removals=removals(diff.dropped(), levels),
		drop_generation=state.generation,
		state_values={"is_live": 1},
		closing=lambda: _call_plans(state),
	)
	site.remember(
		subject,
		SharedSubject(
			state.generation,
			resolved,
			{file.path: file.version for file in diff.planned.values() if file.kind == "unit"},
			counts,
		),
	)
	return counts


def removals(dropped: list[LedgerEntry], levels: Levels) -> Removals:
	"""When units and lessons that are no longer produced have to go, by who may read their nodes now.

	What no reader sees any more, or fewer may see, goes at once; what merely moved keeps its grace.
	"""
	found = Removals()
	for entry in dropped:
		level = levels.get((entry.kind, entry.node))
		gone = level is None or narrows(entry.access_level, level)
		(found.at_once if gone else found.after_grace).append(entry.path)
	return found


def release(lease: Lease, levels: Levels) -> bool:
	"""Give up a subject's shared files when no published plan reads them; `remove_due` then takes them away.

	`levels` are those of the plan that has just made its own rendition of the subject, empty otherwise. The
	question and the answer are one statement, so that a plan which announces itself meanwhile is seen.
	"""

	def give_up() -> bool:
		lease.hold()
		unread = database.execute(
			f"""update `tab{publish_state.TABLE}` set is_live = 0, published_generation = 0
			where name = %s and is_live = 1 and not exists (
				select 1 from `tab{renditions.TABLE}` reader where reader.subject = %s and reader.mode = 'shared')""",
			(lease.scope.id, lease.scope.ref),
		)
		if unread:
			standing = [entry for entry in ledger.of_scope(lease.scope).values() if entry.state != "removed"]
			found = removals(standing, levels)
			now = frappe.utils.now_datetime()
			ledger.drop(found.at_once, remove_at=now)
			ledger.drop(found.after_grace, remove_at=now + build.GRACE)
		return bool(unread)

	return database.transaction(give_up)


def tidy(site: Site, scope: Scope, levels: Levels) -> int:
	"""Take away what no plan reads any more of a subject. Returns how many files went.

	Left to the next tick when another worker holds the subject.
	"""
	lease = leases.acquire(scope)
	if lease is None:
		return 0
	with lease:
		release(lease, levels)
		return build.remove_due(site, lease)


def _call_plans(state: State) -> bool:
	"""After a failure is over, the plans that went on without this subject are built again."""
	if state.retry_count or state.dead_since:
		plans = resolver.plans_of([state.ref]).get(state.ref, set())
		publish_state.raise_generations(map(scopes.plan, plans))
	return False
