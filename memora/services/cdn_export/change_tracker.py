"""From an editor's save to one row and one ring of the bell.

In the editor's transaction each change becomes a row in CDN Change: primary key only, so nobody waits and a
rolled-back save leaves nothing. After the commit the plans are added to a Redis set, which only makes things
sooner: the fold in `fold` finds every committed row without it. A save never fails because of publishing.
"""

from __future__ import annotations

import time

import frappe
from frappe.model.document import Document
from frappe.utils import now as frappe_now

from memora.services.cdn_export import database, pending_queue
from memora.services.cdn_export import dependency_resolver as resolver

_SAVEPOINT = "memora_change"
_DORMANT_SECONDS = 600
"""Two default batch intervals without a tick: Frappe takes the site for dormant, so the bell starts one."""


def on_change(doc: Document, method: str | None = None) -> None:
	"""Note an insert, update, db_set or restore; for a move also where the document hung before."""
	if doc.flags.in_delete:
		return
	doctype, name = _monitored(doc)
	was = _subject_before_move(doc)
	_record(doctype, name, "move" if was else "change", was)


def on_trash(doc: Document, method: str | None = None) -> None:
	"""Note a deletion together with the subject the document hangs in, while that can still be told."""
	doctype, name = _monitored(doc)
	if doctype != doc.doctype:
		_record(doctype, name, "change")
	elif doctype == resolver.SUBJECT:
		_record(doctype, name, "trash", name)
	elif doctype in resolver.PARENT_FIELDS:
		_record(doctype, name, "trash", _subject_above(doctype, doc.get(resolver.PARENT_FIELDS[doctype])))
	else:
		_record(doctype, name, "trash")


def after_rename(doc: Document, method: str | None, old: str, new: str, merge: bool = False) -> None:
	"""Note a rename: paths hold names, so both the old and the new one are affected."""
	_record(doc.doctype, new, "rename", old)


def _monitored(doc: Document) -> tuple[str, str]:
	"""The document a change counts for: a child row that is saved by itself counts for its parent."""
	if doc.meta.istable:
		return doc.parenttype, doc.parent
	return doc.doctype, doc.name


def _subject_before_move(doc: Document) -> str:
	parent_field = resolver.PARENT_FIELDS.get(doc.doctype)
	before = doc.get_doc_before_save() if parent_field else None
	if not before or before.get(parent_field) == doc.get(parent_field):
		return ""
	return _subject_above(doc.doctype, before.get(parent_field))


def _subject_above(doctype: str, parent: str | None) -> str:
	"""The subject over a document of `doctype` that hangs at `parent`, "" for an orphan."""
	if not parent:
		return ""
	above = (resolver.CONTENT[resolver.CONTENT.index(doctype) - 1], parent)
	return resolver.subjects_of([above]).get(above, "")


def _record(doctype: str, name: str, event: str, was: str = "") -> None:
	"""Insert the row within a savepoint; on failure the save goes on and reconciliation finds the change."""
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
	_ring_after_commit((doctype, name), was)


def _ring_after_commit(ref: resolver.Ref, was: str) -> None:
	"""Gather the transaction's changes; resolve them once before its commit and ring once after it."""
	gathered = getattr(frappe.local, "memora_changes", None)
	if gathered is None or gathered["db"] is not frappe.local.db or gathered["rung"]:
		gathered = frappe.local.memora_changes = {"db": frappe.local.db, "refs": set(), "rung": False}
		frappe.db.before_commit.add(lambda: _resolve(gathered))
		frappe.db.after_rollback.add(lambda: gathered.update(rung=True))
	gathered["refs"].add(ref)
	if was and ref[0] in resolver.PARENT_FIELDS:
		gathered["refs"].add((resolver.SUBJECT, was))


def _resolve(gathered: dict) -> None:
	"""Before the commit, in the editor's own snapshot: which plans? Nothing but a lost connection escapes."""
	gathered["rung"] = True
	if not pending_queue.available():
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
			f"{doctype} {name} hangs in no subject, so no plan is queued: give it a parent that exists"
		)
	if affected.plans:
		frappe.db.after_commit.add(lambda: _ring(affected.plans))


def _ring(plans: set[str]) -> None:
	"""After the commit: tell Redis; start a batch when enough plans wait or the scheduler sleeps."""
	rung = pending_queue.ring(plans)
	if rung is None:
		return
	waiting, clock = rung
	if clock is None or not clock.enabled:
		return
	reason = ""
	if waiting >= clock.threshold:
		reason = "Threshold"
	elif time.time() - clock.ticked_at > _DORMANT_SECONDS:
		reason = "Scheduler"
	if reason and pending_queue.once("tick", seconds=30):
		try:
			frappe.enqueue(
				"memora.services.cdn_export.batch_processor.run_batch", queue="short", triggered_by=reason
			)
		except Exception as error:  # noqa: BLE001 - whatever the queue raises must not come out of commit()
			frappe.logger("memora").warning(
				f"a batch could not be started early; the scheduler will: {error}"
			)
