"""Which subjects and plans a change touches: set-based SQL, one statement per DocType, deleted documents too.

Lesson → Topic → Unit → Track → Subject → every plan that lists the subject (spec, "Change tracking").
Plain SELECTs only, so no save waits. They see what the caller's transaction sees.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import frappe

from memora.services.cdn_export.model.doctypes import (
	CONTENT,
	LESSON,
	LISTED_SUBJECT,
	PARENT_FIELDS,
	PLAN,
	PLAN_TITLES,
	SUBJECT,
	Ref,
	line_of,
)


@dataclass(slots=True)
class Affected:
	"""What a set of changes touches. `subjects` maps each subject to the changed documents in it; the plans of
	those in `resolved` are among `plans`. `showing` maps subjects, seasons and the like to the plans that show them."""

	subjects: dict[str, set[Ref]] = field(default_factory=lambda: defaultdict(set))
	resolved: set[str] = field(default_factory=set)
	plans: set[str] = field(default_factory=set)
	orphans: set[Ref] = field(default_factory=set)
	showing: dict[Ref, set[str]] = field(default_factory=lambda: defaultdict(set))


def affected_by(refs: Iterable[Ref]) -> Affected:
	"""Resolve documents, by their parents of now, to the subjects and plans that show them.

	A document whose chain of parents ends before a subject is an orphan. A deleted one resolves to nothing here, so the
	tracker notes its former parent. One SELECT per DocType among `refs`.
	"""
	affected = Affected()
	for doctype, names in _by_doctype(refs).items():
		if doctype in PARENT_FIELDS:
			_add_content(affected, doctype, names)
		elif doctype in PLAN_TITLES:
			for name, plan in _plans_titled(PLAN_TITLES[doctype], names):
				affected.plans.add(plan)
				affected.showing[doctype, name].add(plan)
		elif doctype == PLAN:
			affected.plans |= names
			affected.showing.update({(PLAN, name): {name} for name in names})
	return affected


def subjects_of(refs: Iterable[Ref]) -> dict[Ref, str]:
	"""The subject that each content document belongs to now; those without one are left out."""
	found: dict[Ref, str] = {}
	for doctype, names in _by_doctype(refs).items():
		line, top = _to_subject(doctype)
		for name, subject in frappe.db.sql(
			f"select n0.name, {top}.name from {line} where n0.name in %s", (tuple(names),)
		):
			if subject:
				found[(doctype, name)] = subject
	return found


def former_parent(doctype: str, event: str, was: str) -> Ref | None:
	"""The former parent of a document that was moved or deleted, as the change tracker noted it."""
	if not was or event == "rename" or doctype not in PARENT_FIELDS:
		return None
	if doctype == SUBJECT:
		return SUBJECT, was
	return CONTENT[CONTENT.index(doctype) - 1], was


def lessons_below(refs: Iterable[Ref]) -> dict[str, set[str]]:
	"""The lessons below these tracks, units and topics, by the subject that they belong to now."""
	found: dict[str, set[str]] = defaultdict(set)
	line, levels = line_of(LESSON)
	aliases = {doctype: alias for alias, doctype in levels.items()}
	for doctype, names in _by_doctype(refs).items():
		if doctype not in CONTENT[1:-1]:
			continue
		for lesson, subject in frappe.db.sql(
			f"select n0.name, {aliases[SUBJECT]}.name from {line} where {aliases[doctype]}.name in %s",
			(tuple(names),),
		):
			if subject:
				found[subject].add(lesson)
	return found


def plans_of(subjects: Iterable[str]) -> dict[str, set[str]]:
	"""The plans that list each subject, published or not."""
	plans: dict[str, set[str]] = defaultdict(set)
	if names := tuple(subjects):
		for subject, plan in frappe.db.sql(
			f"select {LISTED_SUBJECT}, parent from `tabMemora Plan Subject` listed where parenttype = %s and subject in %s",
			(PLAN, names),
		):
			plans[subject].add(plan)
	return plans


def subjects_listed(plans: Iterable[str]) -> set[str]:
	"""The subjects that these plans list."""
	names = tuple(plans)
	if not names:
		return set()
	rows = frappe.db.sql(
		f"select {LISTED_SUBJECT} from `tabMemora Plan Subject` listed where parenttype = %s and parent in %s",
		(PLAN, names),
	)
	return {subject for (subject,) in rows}


def _add_content(affected: Affected, doctype: str, names: set[str]) -> None:
	line, top = _to_subject(doctype)
	rows = frappe.db.sql(
		f"""select n0.name, {top}.name, listed.parent
		from {line}
		left join `tabMemora Plan Subject` listed
			on listed.subject = {top}.name and listed.parenttype = %(plan)s
		where n0.name in %(names)s""",
		{"names": tuple(names), "plan": PLAN},
	)
	for name, subject, plan in rows:
		if not subject:
			affected.orphans.add((doctype, name))
			continue
		affected.subjects[subject].add((doctype, name))
		affected.resolved.add(subject)
		if plan:
			affected.plans.add(plan)
			affected.showing[SUBJECT, subject].add(plan)


def _to_subject(doctype: str) -> tuple[str, str]:
	"""SQL: a document after those above it (`line_of`), and what its subject's table is called there."""
	line, levels = line_of(doctype)
	return line, list(levels)[-1]


def _plans_titled(link_field: str, names: set[str]) -> Iterable[tuple[str, str]]:
	return frappe.db.sql(
		f"select {link_field}, name from `tab{PLAN}` where {link_field} in %s", (tuple(names),)
	)


def _by_doctype(refs: Iterable[Ref]) -> dict[str, set[str]]:
	grouped: dict[str, set[str]] = defaultdict(set)
	for doctype, name in refs:
		grouped[doctype].add(name)
	return grouped
