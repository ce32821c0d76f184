"""Signed links in live lessons are renewed before half their life is gone, and nothing else is.

The lesson is made anew; where it is still the content that is live, it goes up again under the same version,
with new signatures. Where it is not, its scope waits to be built anyway, which signs as well.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

import frappe
from frappe.model.document import Document

from memora.exceptions import LeaseLostError
from memora.services.cdn_export import (
	brake,
	cdn_uploader,
	content_tree,
	database,
	diff,
	ledger,
	publish_state,
	subject_files,
)
from memora.services.cdn_export import lease as leases
from memora.services.cdn_export.build import Site
from memora.services.cdn_export.diff import LedgerEntry, Planned
from memora.services.cdn_export.json_generator import lesson_document
from memora.services.cdn_export.lease import Lease
from memora.services.cdn_export.signing import Signer, renew_below

_LONG_AGO = datetime(2000, 1, 1)


def is_due(hours: int) -> bool:
	"""Whether a live signature ends too soon, with signatures of `hours`."""
	return bool(
		frappe.db.sql(
			f"select 1 from `tab{ledger.TABLE}` where state = 'live' and signed_until < %s limit 1",
			(renew_below(hours, time.time()),),
		)
	)


def run(site: Site) -> int:
	"""Renew what is due, scope by scope. Returns how many lessons were uploaded.

	Scopes that another worker is building are left to it and to the next tick.
	"""
	signer = site.signer()
	due: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
	database.fresh()
	for scope, subject, path in frappe.db.sql(
		f"select scope, subject, path from `tab{ledger.TABLE}` where state = 'live' and signed_until < %s",
		(renew_below(signer.hours, signer.now),),
	):
		due[scope][subject].add(path)
	renewed = 0
	for state in publish_state.by_id(sorted(due)).values():
		lease = leases.acquire(state.scope)
		if lease is None:
			continue
		try:
			with lease:
				for subject, paths in due[state.name].items():
					renewed += _renew(site, signer, lease, subject, paths)
		except LeaseLostError as error:
			frappe.logger("memora").info(str(error))
	return renewed


def settings_saved(doc: Document) -> None:
	"""Renew at once what was signed with other keys or for another life, and everything when other lessons are
	to be signed now. Once CDN Settings are committed, as in `relocation`."""
	before = doc.get_doc_before_save()
	if before is None:
		return
	if (before.sign or "All") != (doc.sign or "All"):
		frappe.db.after_commit.add(lambda: _expire("kind = 'lesson'"))
	elif any(before.get(name) != doc.get(name) for name in ("access_key", "signed_url_expiry_hours")):
		frappe.db.after_commit.add(lambda: _expire("signed_until is not null"))


def _expire(condition: str) -> None:
	try:
		names = frappe.db.sql(
			f"select name from `tab{ledger.TABLE}` where state = 'live' and {condition}", pluck=True
		)
		database.transaction(
			lambda: database.update_names(
				ledger.TABLE, names, "signed_until = %s", (_LONG_AGO,), "state = 'live'"
			)
		)
	except database.ERRORS:
		database.rollback()
		frappe.logger("memora").exception("signed links keep their old signatures until those end")


def _renew(site: Site, signer: Signer, lease: Lease, subject: str, paths: Collection[str]) -> int:
	database.fresh()
	entries = ledger.of_paths(paths)
	tree = content_tree.load(subject)
	plan = lease.scope.ref if lease.scope.type == "plan" else None
	overrides = content_tree.plan_overrides(plan).get(subject, ()) if plan else ()
	if tree is None:
		return 0
	held = publish_state.by_id([lease.scope.id])[lease.scope.id].held
	rights = ledger.lesson_rights(lease.scope, [subject]) if held else {}
	resolved, _ = brake.keep_paid(tree, overrides, rights)
	if resolved is None:
		return 0
	drafts = [
		draft
		for draft in subject_files.drafts(resolved, plan)
		if draft.path in entries and entries[draft.path].shape_hash == draft.shape_hash
	]
	stages = content_tree.stages({draft.lesson.name for draft in drafts})
	files = [
		file
		for draft in drafts
		if (
			file := diff.reissue(
				entries[draft.path], lesson_document(draft.head, stages.get(draft.lesson.name, ()))
			)
		)
	]
	return _upload(site, signer, lease, files, entries)


def _upload(
	site: Site, signer: Signer, lease: Lease, files: list[Planned], entries: dict[str, LedgerEntry]
) -> int:
	if not files:
		return 0
	cargo = cdn_uploader.load(files, signer)
	etags = cdn_uploader.publish(cargo, site.storage, lease, entries)

	def close() -> None:
		lease.hold()
		if site.has_moved():
			raise lease.lost()
		ledger.uploaded_again(cargo.planned, etags, cargo.sizes, cargo.signed_until)

	database.transaction(close)
	return len(files)
