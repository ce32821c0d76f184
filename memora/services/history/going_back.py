"""A document as it was before: an ordinary save, asked first, and itself a change of the history.

Where a document is and whether it is published stay as they are now. What its access becomes is said, and which lessons become
live or free by it. A row that is still there stays the same row; one that comes back has its old name, if that is free.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson
from frappe.model.document import Document

from memora.services.cdn_export.model.doctypes import CONTENT
from memora.services.cdn_export.state import database
from memora.services.course_outline import asking, permissions, siblings
from memora.services.history import effects, entries, reading, saying, states
from memora.services.history.rules import differences, state
from memora.services.history.rules.state import State

Answer = dict[str, Any]


def go_back(doctype: str, name: str, entry: str, agreed: str = "", rows: Sequence[str] = ()) -> Answer:
	"""Make a document what the history's `entry` keeps; of a lesson only these stages, if any are named.

	What will change is asked first. `changed` is 0 where all is so already. Raises what a save raises, PermissionError for who may
	not write the document, and DoesNotExistError for what is not in its history. Commits.
	"""
	locks = siblings.subjects([(doctype, name)]) if doctype in CONTENT else set()

	def work() -> Answer:
		siblings.lock(locks)
		return _gone_back(doctype, name, entry, agreed, rows)

	return database.transaction(work)


def _gone_back(doctype: str, name: str, entry: str, agreed: str, rows: Sequence[str]) -> Answer:
	doc = permissions.document(doctype, name, "write", locked=True)
	then = entries.states(doctype, str(doc.name), [entry]).get(entry)
	if then is None:
		reading.gone()
	now = states.of(doc)
	wanted = _wanted(doc, now, states.known(doctype, then), rows)
	found = differences.between(now, wanted)
	if not found:
		return {"done": True, "changed": 0}
	# What is agreed to is this change of this document as it is now.
	mark = hashlib.sha256(orjson.dumps([now, wanted])).hexdigest()
	ask = asking.question(effects.consequences(doc, now, wanted), agreed, notes=[f"back to {mark}"])
	if ask:
		titles = saying.Titles(doctype, [now, wanted])
		said = {
			"changes": saying.words(doc, found, titles, will=True),
			"missing": effects.missing_files(wanted),
			"is_published": bool(doc.get("is_published")),
		}
		return {"ask": {**ask, **said}}
	states.apply(doc, wanted)
	doc.save()
	return {"done": True, "changed": 1}


def _wanted(doc: Document, now: State, then: State, rows: Sequence[str]) -> State:
	if rows:
		return state.with_rows(now, then, "stages", rows)
	untouchable = {
		field for right in ("read", "write") for field in permissions.unreadable_fields(doc.doctype, right)
	}
	return state.like(now, then, {*states.kept(doc.doctype), *untouchable})
