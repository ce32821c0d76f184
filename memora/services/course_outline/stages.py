"""Stages of lessons: to another place, within their lesson and across."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import frappe

from memora.services.cdn_export import dependency_resolver
from memora.services.cdn_export.model.doctypes import LESSON
from memora.services.cdn_export.rules import sibling_order
from memora.services.cdn_export.state import database
from memora.services.course_outline import asking, attachments, editing, permissions, reading, siblings
from memora.services.course_outline.permissions import STAGE
from memora.services.course_outline.rules import consequences
from memora.services.course_outline.rules.consequences import Consequences


def move(name: str, lesson: str, after: str = "", before: str = "", agreed: str = "") -> dict[str, Any]:
	"""Put a stage between two stages of a lesson that are neighbours there; in another lesson it gets a new name.

	Saves both lessons as their forms do, so a form that is open meanwhile is told. Where it is paid for and no longer would
	be, that is asked first. Raises ValidationError where these are no longer neighbours. Commits.
	"""
	home = frappe.db.get_value(STAGE, name, "parent") or ""
	lessons = {(LESSON, home), (LESSON, lesson)}

	def work() -> dict[str, Any]:
		siblings.lock(lessons)
		return _moved(name, lesson, after, before, agreed)

	return database.transaction(work)


def freed(homes: Mapping[str, str], titles: Mapping[str, str], lesson: str) -> Consequences:
	"""Which of these stages, each with its lesson, become free to read in another lesson; with their titles."""
	refs = {(LESSON, name) for name in (*homes.values(), lesson)}
	world = asking.world(set(dependency_resolver.subjects_of(refs).values()))
	target = (LESSON, lesson)
	paid = {home for home in set(homes.values()) if consequences.is_freed(world, (LESSON, home), target)}
	return Consequences(free={(STAGE, name): titles[name] for name, home in homes.items() if home in paid})


def _moved(name: str, lesson: str, after: str, before: str, agreed: str) -> dict[str, Any]:
	home, stage = editing.stage_of(name)
	there = home if lesson == home.name else permissions.document(LESSON, lesson, "write", locked=True)
	if not sibling_order.is_between([each.name for each in there.stages], name, after, before):
		siblings.refuse_changed(stage.title)
	line = ["", *(each.name for each in home.stages), ""]
	here = line.index(name)
	former = {"parent": home.name, "after": line[here - 1], "before": line[here + 1]}
	if former == {"parent": there.name, "after": after, "before": before}:
		return {"row": _row(there.name, name), "renumbered": False, "undo": None}
	if there.name != home.name:
		found = freed({name: home.name}, {name: stage.title}, there.name)
		if ask := asking.question(found, agreed):
			return {"ask": ask}
		values = {"title": stage.title, "type": stage.type, "config": stage.config}
		home.stages = [each for each in home.stages if each.name != name]
		stage = there.append("stages", values)
	editing.place([stage], there, after)
	there.save()
	if there.name != home.name:
		editing.number(home)
		home.save()
		attachments.keep([there])
	args = {"doctype": STAGE, "name": stage.name, **former, "agreed": ""}
	if there.name != home.name:
		back = freed({stage.name: there.name}, {stage.name: stage.title}, home.name)
		args["agreed"] = asking.agreed_before(back)
	undo = {"method": "memora.api.course.move", "args": args}
	return {"row": _row(there.name, stage.name), "renumbered": False, "undo": undo}


def _row(lesson: str, name: str) -> reading.Row:
	return next(row for row in reading.stage_rows([lesson])[lesson] if row["name"] == name)
