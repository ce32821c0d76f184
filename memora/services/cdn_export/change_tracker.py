"""From an editor's save to one row in the outbox and one wake-up.

In the editor's transaction each change becomes a row in CDN Change. The row has a fresh primary key and no other index,
so no save waits for another, and a rolled-back save leaves nothing. After the commit the plans are added to a Redis set.
That only makes things sooner: `outbox.relay` finds every committed row without it. A save never fails because of
publishing.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

import frappe
from frappe.model.document import Document
from frappe.utils import now as frappe_now

from memora.services.cdn_export import dependency_resolver as resolver
from memora.services.cdn_export.curriculum import known_files
from memora.services.cdn_export.model import doctypes
from memora.services.cdn_export.state import database, job_queue, redis_mirror

_SAVEPOINT = "memora_change"
_SILENT_SECONDS = 150
"""After so long without the minute's check, the scheduler has stopped, as Frappe lets it for a dormant site."""
_WAKE_SECONDS = 300
"""After so long a batch that was asked for and has not begun counts as lost."""
_THRESHOLD_SECONDS = 30
"""So long one batch is enough, however many saves find enough plans waiting."""


def on_change(doc: Document, method: str | None = None) -> None:
	"""Note an insert, update, db_set or restore; for a move also the former parent of the document or child row."""
	if doc.flags.in_delete:
		return
	doctype, name = _monitored(doc)
	parents = _parents_before_move(doc)
	if doc.meta.istable:
		for parent in sorted({_parent(doc), *parents} - {""}):
			_record(doctype, parent, "change")
	elif parents:
		# Both parents tell all the plans, in one statement.
		refs = {
			former
			for parent in (*parents, _parent(doc))
			if (former := resolver.former_parent(doctype, "move", parent))
		}
		for parent in sorted(parents):
			_record(doctype, name, "move", parent, refs)
	else:
		_record(doctype, name, "change")


def on_trash(doc: Document, method: str | None = None) -> None:
	"""Note a deletion together with the document's parent, while that can still be read."""
	doctype, name = _monitored(doc)
	if doctype != doc.doctype:
		_record(doctype, name, "change")
		return
	was = _parent(doc) if doctype in doctypes.PARENT_FIELDS else ""
	former = resolver.former_parent(doctype, "trash", was)
	_record(doctype, name, "trash", was, {former or (doctype, name)})


def after_rename(doc: Document, method: str | None, old: str, new: str, merge: bool = False) -> None:
	"""Note a rename: paths hold names, so both the old and the new one are affected."""
	_record(doc.doctype, new, "rename", old)


def note(doctype: str, name: str) -> None:
	"""Note a change that no hook has seen, as one of this document: what a statement of ours has written below it."""
	_record(doctype, name, "change")


def on_file(doc: Document, method: str | None = None) -> None:
	"""Note that a file which memora has published was changed, made private or public, or deleted.

	For every other file this is one look at a primary key. Frappe's save never fails because of it, unless the transaction
	is lost; `reconciliation` finds a change that is missed here.
	"""
	before = None if method == "on_trash" else doc.get_doc_before_save()
	urls = {url for url in (doc.get("file_url"), before and before.get("file_url")) if url}
	try:
		names = known_files.known_rows(urls)
	except database.ERRORS as error:
		if database.errno(error) in database.TRANSACTION_ENDING:
			raise
		frappe.logger("memora").error(f"whether {doc.name} is published could not be looked up: {error}")
		return
	for name in names:
		_record(doc.doctype, name, "change")


def _monitored(doc: Document) -> tuple[str, str]:
	"""The document a change counts for: a child row that is saved by itself counts for its parent."""
	if doc.meta.istable:
		return doc.parenttype, doc.parent
	return doc.doctype, doc.name


def _parents_before_move(doc: Document) -> set[str]:
	"""The document's parents when it was last noted, "" for none, if it has another one now.

	`db_set` reads the former document only the first time, so the parent that was noted since is kept beside it.
	"""
	parent_field = _parent_field(doc)
	before = doc.get_doc_before_save() if parent_field else None
	if not before:
		return set()
	parents = {before.get(parent_field) or "", before.flags.memora_hung_at} - {None, _parent(doc)}
	before.flags.memora_hung_at = _parent(doc)
	return parents


def _parent(doc: Document) -> str:
	return doc.get(_parent_field(doc) or "name") or ""


def _parent_field(doc: Document) -> str:
	return "parent" if doc.meta.istable else doctypes.PARENT_FIELDS.get(doc.doctype, "")


def _record(doctype: str, name: str, event: str, was: str = "", refs: Collection[doctypes.Ref] = ()) -> None:
	"""Insert the row within a savepoint; on failure the save goes on and reconciliation finds the change.

	`refs` are the documents that decide which plans to notify, the document itself unless given.
	"""
	try:
		# A savepoint of the same name replaces the one before, so none has to be released.
		frappe.db.sql(f"savepoint {_SAVEPOINT}")
		now = frappe_now()
		user = frappe.session.user
		frappe.db.sql(
			"""insert into `tabCDN Change`
				(name, creation, modified, owner, modified_by, ref_doctype, ref_name, event, was)
			values (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
			(frappe.generate_hash(length=20), now, now, user, user, doctype, name, event, was),
		)
	except database.ERRORS as error:
		if database.errno(error) in database.TRANSACTION_ENDING:
			raise  # the edit itself is gone: its editor must hear of it
		frappe.db.rollback(save_point=_SAVEPOINT)
		frappe.logger("memora").error(
			f"CDN Change for {doctype} {name} could not be written; reconciliation will find the change: {error}"
		)
	_ring_after_commit(refs or [(doctype, name)])


def _ring_after_commit(refs: Iterable[doctypes.Ref]) -> None:
	"""Gather the transaction's changes; resolve them once before its commit and notify once after it."""
	gathered = getattr(frappe.local, "memora_changes", None)
	if gathered is None or gathered["db"] is not frappe.local.db or gathered["rung"]:
		gathered = frappe.local.memora_changes = {"db": frappe.local.db, "refs": set(), "rung": False}
		frappe.db.before_commit.add(lambda: _resolve(gathered))
		frappe.db.after_rollback.add(lambda: gathered.update(rung=True))
	gathered["refs"].update(refs)


def _resolve(gathered: dict) -> None:
	"""Before the commit, in the editor's own snapshot, resolve the changes to plans. Raises only a lost connection."""
	gathered["rung"] = True
	if not redis_mirror.available():
		return
	try:
		affected = resolver.affected_by(gathered["refs"])
	except database.ERRORS as error:
		if database.errno(error) in database.TRANSACTION_ENDING:
			raise  # the edit itself is gone: its editor must hear of it
		frappe.logger("memora").error(f"plans of a change could not be resolved; the next tick will: {error}")
		return
	for doctype, name in affected.orphans:
		frappe.logger("memora").warning(
			f"{doctype} {name} belongs to no subject, so no plan is queued: give it a parent that exists"
		)
	if affected.plans:
		frappe.db.after_commit.add(lambda: _notify(affected.plans))


def _notify(plans: set[str]) -> None:
	"""After the commit: tell Redis; start a batch when enough plans wait or the scheduler sleeps. Never raises:
	the save is done, and its editor can do nothing about Redis."""
	try:
		if reason := _reason_to_start(redis_mirror.notify(plans)):
			try:
				job_queue.enqueue(job_queue.RUN_BATCH, queue="short", triggered_by=reason)
			except Exception:
				redis_mirror.release(redis_mirror.WAKE_UP, redis_mirror.THRESHOLD)
				raise
	except Exception as error:  # noqa: BLE001 - whatever Redis, the queue or their settings raise
		frappe.logger("memora").warning(f"a batch could not be started early; the scheduler will: {error}")


def _reason_to_start(rung: tuple[int, redis_mirror.Clock | None] | None) -> str:
	"""Why a batch should start at once, "" if it need not.

	If the scheduler has stopped, a save that no batch has seen yet needs one. It is asked for once until it begins.
	"""
	if rung is None:
		return ""
	waiting, clock = rung
	if clock and not clock.enabled:
		return ""
	# Without a clock Redis was flushed: the next check sets it again.
	if clock is None or clock.dormant or abs(time.time() - clock.ticked_at) > _SILENT_SECONDS:
		return "Scheduler" if redis_mirror.claim(redis_mirror.WAKE_UP, _WAKE_SECONDS) else ""
	if waiting >= clock.threshold and redis_mirror.claim(redis_mirror.THRESHOLD, _THRESHOLD_SECONDS):
		return "Threshold"
	return ""
