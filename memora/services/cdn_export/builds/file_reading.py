"""What is known of files before a build decides them: what the ledger says of their paths, and which stages lessons have."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from memora.services.cdn_export.curriculum import content_tree, public_files
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.model.tree import ResolvedNode
from memora.services.cdn_export.rules import subject_files
from memora.services.cdn_export.rules.subject_files import Bodies
from memora.services.cdn_export.state import ledger


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
	owners = _know_files(entries, scope, subject_files.file_paths_of(lessons, stages, files, plan))
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


def _know_files(entries: dict[str, LedgerEntry], scope: Scope, wanted: Iterable[str]) -> set[str]:
	"""Add to the ledger that a diff is made against what is known of these lessons' files, whoever has them; returns the
	ids of the other scopes whose leases are needed. A file without a lesson has no owner (`repair`)."""
	if unknown := set(wanted) - entries.keys():
		found, owners = known_entries({}, scope, unknown)
		entries |= found
		return owners - {scopes.MEDIA.id}
	return set()
