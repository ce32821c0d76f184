"""What a build reads of a subject, shared or a plan's own, for the rules to decide its files from. Nothing is written here."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence

import frappe

from memora.exceptions import BuildError
from memora.services.cdn_export.access_calculator import resolve
from memora.services.cdn_export.curriculum import content_tree, public_files
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.model.tree import Node, Override, ResolvedNode, Rights, walk
from memora.services.cdn_export.rules import large_change_guard, subject_files
from memora.services.cdn_export.rules.shared_files import SharedFiles
from memora.services.cdn_export.rules.subject_files import Bodies, Contents, Levels
from memora.services.cdn_export.state import ledger


def files(subject: str, touched: Collection[str] | None, *, guarded: bool = False) -> SharedFiles:
	"""A subject's shared files, from the current snapshot. `touched` are the lessons whose body may have changed since they
	were published, None for all of them; `guarded` says that large changes wait. Raises BuildError."""
	scope = scopes.subject(subject)
	own = ledger.of_scope(scope)
	tree = content_tree.load(subject)
	live = _live_rights(tree) if guarded and tree else {}
	resolved, kept_paid = large_change_guard.keep_paid(tree, (), live) if tree else (None, [])
	if resolved is None:
		return SharedFiles(subject, None, Diff(own, int(time.time())), own, set(), [])
	entries, owners = known_entries(own, scope, subject_files.file_paths(resolved, None))
	offered = Diff(entries, int(time.time()))
	found, others = bodies(resolved, None, scope, touched, offered, entries)
	owners |= others
	subject_files.offer(resolved, None, found, offered)
	return SharedFiles(subject, Contents(resolved), offered, entries, owners, kept_paid)


def _live_rights(subject: Node) -> Rights:
	"""Who may read a subject's lessons by the shared files, and those that have just come here by where they were."""
	live = ledger.lesson_rights(scopes.subject(subject.name))
	lessons = {node.name for node in walk(subject) if node.kind == "lesson"}
	return {**ledger.rights_elsewhere(subject.name, lessons - live.keys()), **live}


def bodies(
	resolved: ResolvedNode,
	plan: str | None,
	scope: Scope,
	touched: Collection[str] | None,
	offered: Diff,
	entries: dict[str, LedgerEntry],
) -> tuple[Bodies, set[str]]:
	"""The lessons of a subject, with the stages that are needed for the files in `scope`, of the plan where they are its
	own. `touched` are the lessons whose body may have changed since they were published, None for all of them.

	Adds to `entries`, which `offered` is made against, what the ledger says of the files that the stages name. Returns
	also the ids of other scopes that own some of these.
	"""
	lessons = subject_files.drafts(resolved, plan)
	needed = subject_files.bodies_needed(lessons, offered, touched)
	stages = content_tree.stages(needed)
	files = public_files.of_stages(stages)
	owners = know_files(entries, scope, subject_files.file_paths_of(lessons, stages, files, plan))
	return Bodies(lessons, needed, stages, files), owners


def known_entries(
	own: dict[str, LedgerEntry], scope: Scope, wanted: Iterable[str]
) -> tuple[dict[str, LedgerEntry], set[str]]:
	"""The ledger a diff is made against: what is loaded of the scope, and any other row of a wanted path.

	A path that another scope owns (its node has moved here) counts as in flight, so that it is written again
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
	ids of the other scopes whose leases are needed. A file without a lesson has no owner (`repair`)."""
	if unknown := set(wanted) - entries.keys():
		found, owners = known_entries({}, scope, unknown)
		entries |= found
		return owners - {scopes.MEDIA.id}
	return set()


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
