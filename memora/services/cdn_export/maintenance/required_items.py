"""Which items published lessons ask for, worked out from their content of now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from memora.services.cdn_export import access_calculator
from memora.services.cdn_export.curriculum import content_tree
from memora.services.cdn_export.model import published_file
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.model.tree import Access, walk
from memora.services.cdn_export.state.lease import Lease

Items = dict[str, tuple[Access, str]]
"""What a lesson's access is and which items it asks for, by its name."""


def of_files(lease: Lease | None, entries: Mapping[str, LedgerEntry]) -> dict[str, str]:
	"""What each of these files asks for, by path: nothing but paid lessons do. Left out are those whose subject says
	otherwise by now than what was published."""
	items = {path: "" for path, entry in entries.items() if not _asks(entry)}
	by_subject: dict[str, list[LedgerEntry]] = defaultdict(list)
	for entry in entries.values():
		if _asks(entry):
			by_subject[entry.subject].append(entry)
	for subject, lessons in by_subject.items():
		known = _of_subject(lease, subject)
		for entry in lessons:
			access, listed = known.get(entry.node, (None, ""))
			if access and (access.level, access.required_item) == (entry.access_level, entry.required_item):
				items[entry.path] = listed
	return items


def _asks(entry: LedgerEntry) -> bool:
	return entry.kind in ("lesson", "lesson_file") and entry.access_level == "paid"


def _of_subject(lease: Lease | None, subject: str) -> Items:
	plan = lease.scope.ref if lease and lease.scope.type == "plan" else ""
	overrides = content_tree.plan_overrides([plan]).get(plan, {}).get(subject, ()) if plan else ()
	tree = content_tree.load(subject)
	resolved = access_calculator.resolve(tree, overrides) if tree else None
	if resolved is None:
		return {}
	return {
		node.name: (
			node.access,
			published_file.listed_items(access_calculator.required_items(node.access, resolved.access)),
		)
		for node in walk(resolved)
		if node.kind == "lesson"
	}
