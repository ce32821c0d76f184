"""A document's history in words: who changed what, when, and which of its states learners have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from frappe import _
from frappe.model.document import Document
from frappe.utils import get_fullname

from memora.services.cdn_export.admin import status_answer
from memora.services.cdn_export.state import sync_log
from memora.services.course_outline import permissions
from memora.services.history import entries, saying, states
from memora.services.history.entries import Entry
from memora.services.history.rules import differences, live
from memora.services.history.rules.state import State

MOST = 20
"""Changes in an answer."""

_MOST_PLANS = 50
"""Of a document, whose runs are looked through."""

_MOST_BYTES = 4_000_000
"""Of packed states that one answer reads, beyond the first."""

Answer = dict[str, Any]


def history(doctype: str, name: str, before: str = "") -> Answer:
	"""The last changes of a document, the newest first; those older than the entry `before`, if given.

	Each has who, when and what in words, and `state`: the entry that keeps what the document was like after it, "" for the document
	itself. The oldest of all is followed by what was before it. `more` is what to ask for the next ones with. Raises what
	`permissions.document` raises.
	"""
	doc = permissions.document(doctype, name)
	known = entries.of_document(doctype, str(doc.name))
	page = _page([entry for entry in known if not before or entry.name < before])
	kept = entries.states(
		doctype, str(doc.name), [entry.name for entry in page] + ([before] if before else [])
	)
	shown = {each: visible(doc, state) if state else None for each, state in kept.items()}
	now: State | None = shown.get(before) if before else visible(doc, states.of(doc))
	rows = _rows(doc, page, shown, now, before)
	is_last = not page or page[-1] == known[-1]
	if page and is_last:
		rows.append(
			{"is_first": True, "state": page[-1].name, "can_go_back": shown[page[-1].name] is not None}
		)
	status = _mark_live(doc, known, page, rows)
	return {
		"title": doc.get("title") or doc.name,
		"can_write": bool(doc.has_permission("write")),
		"rows": rows,
		"more": "" if is_last else page[-1].name,
		**({} if before else status),
	}


def changes(doctype: str, name: str, entry: str) -> list[Answer]:
	"""What one change has changed, side by side as plain text. Raises DoesNotExistError where it is not in the history."""
	doc = permissions.document(doctype, name)
	after = entries.after(doctype, str(doc.name), entry)
	kept = entries.states(doctype, str(doc.name), [each for each in (entry, after) if each])
	was, now = kept.get(entry), kept.get(after) if after else states.of(doc)
	if was is None or now is None:
		gone()
	was, now = visible(doc, was), visible(doc, now)
	found, titles = differences.between(was, now), saying.Titles(doctype, [was, now])
	return [*saying.compared(doc, found, titles), *saying.order(found.reordered, was, now, titles, doc)]


def gone() -> NoReturn:
	"""Refuse what is not in the history, or not any more."""
	permissions.gone(_("This is no longer in the history."))


def visible(doc: Document, state: State) -> State:
	"""What the caller may read of a state, of the fields that there still are."""
	hidden = permissions.unreadable_fields(doc.doctype)
	shown: State = {}
	for field, value in state.items():
		if field in hidden or not doc.meta.has_field(field):
			continue
		of_rows = (
			permissions.unreadable_fields(doc.doctype, table=field) if isinstance(value, list) else set()
		)
		shown[field] = (
			[{name: each for name, each in row.items() if name not in of_rows} for row in value]
			if isinstance(value, list) and of_rows
			else value
		)
	return shown


def _page(known: Sequence[Entry]) -> list[Entry]:
	page: list[Entry] = []
	for entry in known[:MOST]:
		if page and sum(each.size for each in page) + entry.size > _MOST_BYTES:
			break
		page.append(entry)
	return page


def _rows(
	doc: Document, page: Sequence[Entry], kept: dict[str, State | None], now: State | None, before: str
) -> list[Answer]:
	titles = saying.Titles(doc.doctype, [state for state in (*kept.values(), now) if state])
	rows, after = [], before
	for entry in page:
		was = kept[entry.name]
		rows.append(
			{
				"entry": entry.name,
				"state": after,
				"at": str(entry.at),
				"by": get_fullname(entry.by),
				"words": _words(doc, entry, was, now, titles),
				"can_go_back": bool(after) and now is not None,
				"was_published": now is not None and bool(now.get("is_published")),
				"has_changes": was is not None and now is not None,
			}
		)
		now, after = was, entry.name
	return [row for row in rows if row["words"]]


def _words(
	doc: Document, entry: Entry, was: State | None, now: State | None, titles: saying.Titles
) -> list[str]:
	if was is None or now is None:
		return [_("What it was like is too large to be kept.")]
	said = saying.words(doc, differences.between(was, now), titles)
	return [_("Deleted, and brought back since"), *said] if entry.event == "trash" else said


def _mark_live(doc: Document, known: Sequence[Entry], page: Sequence[Entry], rows: list[Answer]) -> Answer:
	"""Say at one of the rows that it is live, since when and as which version of its file, and at others in which run they went
	out; returns the state as a whole."""
	status = status_answer.for_caller(doc.doctype, [str(doc.name)]).get(str(doc.name))
	if status is None:
		return {}
	version = max((item.version for item in status.plans), default=0)
	place = live.place([entry.at for entry in known], status.state == "live", status.since)
	plans = [item.plan for item in status.plans][:_MOST_PLANS]
	# What was changed before this page went out in other runs, or in none.
	read = [entry for entry in known if page and entry.name >= page[-1].name]
	runs = sync_log.successes(plans, page[-1].at) if page else []
	taken_up = live.runs([entry.at for entry in read], [start for start, _end in runs])
	of_entries = {entry.name: run for entry, run in zip(read, taken_up, strict=True)}
	for row in rows:
		run = of_entries.get(row.get("entry", ""))
		if place is not None and row.get("entry") == known[place].name:
			row["live"] = {"since": str(status.since), "version": version}
		elif run is not None and row["was_published"]:
			row["run"] = str(runs[run][1])
	brief = status_answer.brief(status)
	return {"status": {"label": brief["label"], "color": brief["color"], "state": status.state}}
