"""What a build reads of a subject, shared or a plan's own, for the rules to decide its files from. Nothing is written here."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

import frappe

from memora.exceptions import BuildError
from memora.services.cdn_export.access_calculator import resolve
from memora.services.cdn_export.builds import file_reading
from memora.services.cdn_export.curriculum import content_tree
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.tree import Node, Override, Rights, walk
from memora.services.cdn_export.rules import large_change_guard, subject_files
from memora.services.cdn_export.rules.shared_files import SharedFiles
from memora.services.cdn_export.rules.subject_files import Contents, Levels
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
	entries, owners = file_reading.known_entries(own, scope, subject_files.file_paths(resolved, None))
	offered = Diff(entries, int(time.time()))
	found, others = file_reading.bodies(resolved, None, scope, touched, offered, entries)
	owners |= others
	subject_files.offer(resolved, None, found, offered)
	return SharedFiles(subject, Contents(resolved), offered, entries, owners, kept_paid)


def _live_rights(subject: Node) -> Rights:
	"""Who may read a subject's lessons by the shared files, and those that have just come here by where they were."""
	live = ledger.lesson_rights(scopes.subject(subject.name))
	lessons = {node.name for node in walk(subject) if node.kind == "lesson"}
	return {**ledger.rights_elsewhere(subject.name, lessons - live.keys()), **live}


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
