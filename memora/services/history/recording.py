"""Document events → one row in Memora History, in the editor's own transaction: what the document was like before.

One INSERT a change, and only where something differs. A save never fails because of it.
"""

from __future__ import annotations

from collections.abc import Callable

import frappe
from frappe.model.document import Document

from memora.services.cdn_export.state import database
from memora.services.history import entries, states
from memora.services.history.rules import differences
from memora.services.history.rules.state import NoStateError, State


def on_change(doc: Document, method: str | None = None) -> None:
	"""Note what a document was like that is saved, or that `db_set` changes. A new one was nothing before."""
	if doc.flags.in_delete:
		return
	if doc.meta.istable:
		_quietly(doc.parent, lambda: _row_changed(doc))
	elif before := doc.get_doc_before_save():
		_quietly(doc.name, lambda: _changed(doc, before))


def on_trash(doc: Document, method: str | None = None) -> None:
	"""Note what a document was like that is deleted: it may come back. A row that is deleted by itself changes its document."""
	if doc.meta.istable:
		_quietly(doc.parent, lambda: _row_deleted(doc))
	else:
		_quietly(doc.name, lambda: entries.write(doc.doctype, doc.name, states.of(doc), "trash"))


def after_rename(doc: Document, method: str | None, old: str, new: str, merge: bool = False) -> None:
	"""Give a document's history its new name; of two that become one, the history of the one that stays is there."""
	if not merge:
		_quietly(new, lambda: entries.rename(doc.doctype, old, new))


def user_renamed(user: Document, method: str | None, old: str, new: str, merge: bool = False) -> None:
	"""Give what a user has changed his new name."""
	_quietly(new, lambda: entries.rename_user(old, new))


def _changed(doc: Document, before: Document) -> None:
	# `db_set` reads the former document only the first time, so what was noted since is kept beside it.
	was: State = before.flags.memora_state or states.of(before)
	now = states.of(doc)
	if was != now and differences.between(was, now):
		entries.write(doc.doctype, doc.name, was)
	before.flags.memora_state = now


def _row_changed(row: Document) -> None:
	"""Of a row that is saved by itself: its document as it was, which has to be read."""
	before = row.get_doc_before_save()
	now = states.of_row(row)
	was = (before.flags.memora_state or states.of_row(before)) if before else None
	if was == now:
		return
	whole = _document(row)
	rows = whole.get(row.parentfield) if whole else None
	if whole and isinstance(rows, list):  # code can save a row that names no table of its document
		others = [each if each["name"] != row.name else was for each in rows]
		entries.write(
			row.parenttype, row.parent, {**whole, row.parentfield: [each for each in others if each]}
		)
	if before:
		before.flags.memora_state = now


def _row_deleted(row: Document) -> None:
	if whole := _document(row):
		entries.write(row.parenttype, row.parent, whole)


def _document(row: Document) -> State | None:
	if not row.parent or not frappe.db.exists(row.parenttype, row.parent):
		return None
	return states.of(frappe.get_doc(row.parenttype, row.parent))


def _quietly(name: str, work: Callable[[], object]) -> None:
	"""The editor's save goes on where MariaDB does not take an entry, or JSON does not take a state: nothing is written then."""
	try:
		work()
	except (*database.ERRORS, NoStateError) as error:
		if isinstance(error, database.ERRORS) and database.errno(error) in database.TRANSACTION_ENDING:
			raise  # the edit itself is gone: its editor must hear of it
		frappe.logger("memora").error(f"the history of {name} could not be written: {error}")
