"""Live lessons rendered from content again, for the links as the editors wrote them."""

from __future__ import annotations

from collections.abc import Mapping

import frappe

from memora.services.cdn_export.builds import failures
from memora.services.cdn_export.curriculum import content_tree, public_files
from memora.services.cdn_export.model import diff
from memora.services.cdn_export.model.published_file import LedgerEntry, Planned
from memora.services.cdn_export.rules import large_change_guard, subject_files
from memora.services.cdn_export.state import database, ledger, publish_state
from memora.services.cdn_export.state.lease import Lease


def unsigned(lease: Lease, subject: str, entries: Mapping[str, LedgerEntry]) -> list[Planned]:
	"""Those of these lessons whose content is still the live one, with the links that the editors wrote."""
	if not entries:
		return []
	try:
		return _render(lease, subject, entries)
	except database.ERRORS:
		raise
	except Exception as error:  # noqa: BLE001 - whatever keeps a scope from being built, which records it
		frappe.logger("memora").warning(
			f"{lease.label} cannot be rendered, so the published lessons are signed again: {failures.describe(error)}"
		)
		return []


def _render(lease: Lease, subject: str, entries: Mapping[str, LedgerEntry]) -> list[Planned]:
	tree = content_tree.load(subject)
	plan = lease.scope.ref if lease.scope.type == "plan" else None
	overrides = content_tree.plan_overrides([plan]).get(plan, {}).get(subject, ()) if plan else ()
	if tree is None:
		return []
	held = publish_state.by_id([lease.scope.id])[lease.scope.id].held
	rights = ledger.lesson_rights(lease.scope, [subject]) if held else {}
	resolved, _ = large_change_guard.keep_paid(tree, overrides, rights)
	if resolved is None:
		return []
	drafts = [
		draft
		for draft in subject_files.drafts(resolved, plan)
		if draft.path in entries and entries[draft.path].shape_hash == draft.shape_hash
	]
	stages = content_tree.stages({draft.lesson.name for draft in drafts})
	files = public_files.of_stages(stages)
	found = []
	for draft in drafts:
		document, _ = subject_files.body(draft, stages.get(draft.lesson.name, ()), files, plan)
		if file := diff.reissue(entries[draft.path], document):
			found.append(file._replace(required_items=draft.required_items))
	return found
