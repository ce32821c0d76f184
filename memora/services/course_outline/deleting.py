"""Rows that are deleted, alone or with all below them: counted and named first, bottom up, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import frappe

from memora.services.cdn_export.model.doctypes import CONTENT, LESSON, Ref
from memora.services.cdn_export.model.tree import walk
from memora.services.cdn_export.state import database
from memora.services.course_outline import asking, copying, editing, targets, trash
from memora.services.course_outline.permissions import STAGE
from memora.services.course_outline.refusing import require_free
from memora.services.course_outline.rules import consequences
from memora.services.course_outline.rules.access import ref_of
from memora.services.course_outline.rules.consequences import Consequences
from memora.services.course_outline.targets import Targets

Answer = dict[str, Any]


def delete(rows: Sequence[str], below: bool = False, agreed: str = "") -> Answer:
	"""Delete documents, with all `below` if asked, or stages. Each row in hand is one entry of the trash.

	One draft without anything below it goes at once; else the caller is asked, with what would go by title. Refused as a whole
	where a plan's override names one of them, or a plan lists it. Commits.
	"""
	refs = targets.parsed(rows, stages=True)
	if copying.are_stages(refs):
		return database.transaction(lambda: _without_stages([name for _doctype, name in refs], agreed))
	return targets.transaction(refs, "delete", lambda found: _deleted(found, below, agreed))


def _deleted(found: Targets, below: bool, agreed: str) -> Answer:
	going = found.with_below() if below else found.refs
	targets.require_few(going)
	require_free(found, going)
	titles = found.titles(going)
	is_asked = below or any(found.nodes[ref].is_published for ref in going)
	ask = asking.question(Consequences(), agreed, titles) if is_asked else None
	if ask:
		return {"ask": {**ask, "kept_days": trash.days()}}
	for doctype, name in sorted(going, key=lambda ref: -CONTENT.index(ref[0])):
		frappe.delete_doc(doctype, name)
	kept = _in_trash(found, going)
	deleted = list(kept.values())
	args = {"deleted": deleted, "agreed": asking.agreed_before(consequences.made_by(found.world, going))}
	undo = {"method": "memora.api.course.restore", "args": args} if len(kept) == len(going) else None
	return {"done": True, "rows": [], "deleted": deleted, "undo": undo}


def _in_trash(found: Targets, going: Collection[Ref]) -> dict[Ref, str]:
	"""The names of what Frappe keeps of these, which is now together in the trash. As with `trash.note`, a deletion never fails
	because of it: what is not there comes back from the trash later, and not by an undo."""
	try:
		kept = _deleted_documents(going)
		_keep_together(found, kept)
	except database.ERRORS as error:
		if database.errno(error) in database.TRANSACTION_ENDING:
			raise
		frappe.logger("memora").error(f"what was deleted could not be kept together in the trash: {error}")
		return {}
	return kept


def _keep_together(found: Targets, kept: Mapping[Ref, str]) -> None:
	taken: set[Ref] = set()
	for ref in sorted(found.refs, key=lambda ref: CONTENT.index(ref[0])):
		if ref not in taken and ref in kept:
			line = [ref_of(node) for node in walk(found.nodes[ref])]
			taken.update(line)
			trash.keep_together(kept[ref], [kept[below] for below in line if below != ref and below in kept])


def _deleted_documents(refs: Collection[Ref]) -> dict[Ref, str]:
	"""The names of what Frappe keeps of these documents, parents first: of each the latest."""
	rows = frappe.db.sql(
		f"""select deleted_doctype, deleted_name, name from `tab{trash.TABLE}`
		where deleted_name in %s order by creation, name""",
		(tuple({name for _doctype, name in refs}),),
	)
	latest = {(doctype, name): kept for doctype, name, kept in rows}
	return {ref: latest[ref] for ref in sorted(refs, key=lambda ref: CONTENT.index(ref[0])) if ref in latest}


def _without_stages(names: Sequence[str], agreed: str) -> Answer:
	lessons: dict[str, Any] = {}
	going: dict[str, list[Any]] = {}
	for name in names:
		doc, stage = editing.stage_of(name)
		lesson = lessons.setdefault(doc.name, doc)
		going.setdefault(lesson.name, []).append(stage)
	if any(lesson.is_published for lesson in lessons.values()):
		titles = {(STAGE, stage.name): stage.title for stages in going.values() for stage in stages}
		if ask := asking.question(Consequences(), agreed, titles):
			return {"ask": ask}
	deleted = []
	for name, stages in going.items():
		lesson, gone = lessons[name], {stage.name for stage in stages}
		lesson.stages = [stage for stage in lesson.stages if stage.name not in gone]
		editing.number(lesson)
		before = _newest_version(name)
		lesson.save(ignore_version=False)  # the version is what brings them back
		if (version := _newest_version(name)) != before:
			deleted.append(f"{name}/{version}")
	undo = {"method": "memora.api.course.restore", "args": {"deleted": deleted}}
	# A site may keep no versions.
	return {
		"done": True,
		"rows": [],
		"deleted": deleted,
		"undo": undo if len(deleted) == len(going) else None,
	}


def _newest_version(lesson: str) -> str:
	found = frappe.get_all(
		"Version", {"ref_doctype": LESSON, "docname": lesson}, pluck="name", order_by="creation desc", limit=1
	)
	return found[0] if found else ""
