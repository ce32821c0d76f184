"""Lessons as they are published: who may read each, and where."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import unquote

import frappe

from memora.services.cdn_export.model import plain_text, scopes
from memora.services.cdn_export.model.plan_subject import PlanSubject
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.model.tree import Right, Rights
from memora.services.cdn_export.state.ledger.reading import TABLE

_NEVER = 1 << 62
"""Above any generation."""


def lesson_rights(
	scope: Scope, subjects: Collection[str] | None = None, *, read_up_to: int | None = None
) -> Rights:
	"""Who may read the scope's live lessons, by lesson; of these subjects, if any are named.

	With `read_up_to` also those that a shared subject has dropped in a later build than that generation: to a plan
	that has not been built since they are still there.
	"""
	of_subjects = "" if subjects is None else "and subject in %(subjects)s"
	return {
		lesson: Right(level, plain_text.read(item or ""))
		for lesson, level, item in frappe.db.sql(
			f"""select node, access_level, required_item from `tab{TABLE}`
			where scope = %(scope)s {of_subjects} and kind = 'lesson' and (
				state in ('live', 'in_flight') or (state in ('removing', 'removed') and drop_generation > %(read_up_to)s))""",
			{
				"scope": scope.id,
				"subjects": tuple(subjects or ()),
				"read_up_to": _NEVER if read_up_to is None else read_up_to,
			},
		)
	}


def rights_shown(
	plan: str, known: Mapping[str, PlanSubject], subjects: Collection[str] | None = None
) -> Rights:
	"""Who may read the lessons that the plan's live manifest shows, by its plan subjects; of these subjects, if any are
	named."""
	shown = [one for one in known.values() if subjects is None or one.subject in subjects]
	rights: dict[str, Right] = {}
	if any(one.mode == "own" for one in shown):
		rights |= lesson_rights(scopes.plan(plan), subjects)
	for one in shown:
		if one.mode == "shared":
			rights |= lesson_rights(scopes.subject(one.subject), read_up_to=one.generation)
	return rights


def subjects_showing(lessons: Collection[str]) -> set[str]:
	"""The subjects that live files show these lessons in."""
	if not lessons:
		return set()
	statement = f"""select distinct subject from `tab{TABLE}`
		where node in %s and kind = 'lesson' and state in ('live', 'in_flight')"""
	return set(frappe.db.sql(statement, (tuple(lessons),), pluck=True))


def lessons_naming(digests: Collection[str]) -> set[str]:
	"""The lessons beside which files with this content are, or may be."""
	if not digests:
		return set()
	statement = f"""select node from `tab{TABLE}`
		where kind = 'lesson_file' and content_hash in %s and state in ('live', 'in_flight')"""
	return set(frappe.db.sql(statement, (tuple(digests),), pluck=True))


def a_paid_path() -> str:
	"""The path of some paid lesson that is live, to try whether strangers can read it; "" without one."""
	rows = frappe.db.sql(
		f"select path from `tab{TABLE}` where kind = 'lesson' and access_level = 'paid' and state = 'live' limit 1"
	)
	return rows[0][0] if rows else ""


def a_paid_lesson() -> tuple[str, int, list[str]] | None:
	"""Path, version and items of some paid lesson that is live as the ledger says, to ask a gate for it; None without one.
	Rather one whose items can be told from `required-items`."""
	rows = frappe.db.sql(
		f"""select path, live_version, coalesce(required_items, '') from `tab{TABLE}`
		where kind = 'lesson' and access_level = 'paid' and state = 'live' and damaged = 0 and outdated = 0
		order by required_items like '%%~%%' or coalesce(required_items, '') = '', name limit 1"""
	)
	if not rows:
		return None
	((path, version, listed),) = rows
	items = [unquote(item) for item in listed.split(",") if item]
	return path, version, [] if "~" in listed else items


def rights_elsewhere(subject: str, lessons: Collection[str]) -> Rights:
	"""Who may read lessons, by lesson, that a shared subject does not show yet, where they are so far: in the shared
	files of the subject they came from, else in what plans have of their own of another subject."""
	if not lessons:
		return {}
	rows = frappe.db.sql(
		f"""select node, access_level, required_item, scope like 'subject:%%' as is_shared, state = 'removing'
		from `tab{TABLE}` where node in %s and kind = 'lesson' and state != 'removed'
			and (scope like 'subject:%%' or subject != %s)""",
		(tuple(lessons), subject),
	)
	# What holds more comes later: shared before a plan's own, live before leaving, and of several the paid one.
	rows = sorted(rows, key=lambda row: (row[3], not row[4], row[1] == "paid"))
	return {lesson: Right(level, plain_text.read(item or "")) for lesson, level, item, *_ in rows}
