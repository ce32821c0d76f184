"""The relay: from rows that editors left to generations that builders follow. One at a time, short, no network.

In one transaction it reads the CDN Change rows there are, resolves them in that same snapshot, raises the
generation of every subject and plan they touch, notes which lessons' bodies are new, and deletes exactly the
rows it read. A row committed meanwhile is not seen, so it stays for the next run: nothing is lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import frappe

from memora.services.cdn_export import dependency_resolver as resolver
from memora.services.cdn_export.curriculum import known_files
from memora.services.cdn_export.model import causes, doctypes, scopes
from memora.services.cdn_export.model.causes import Cause
from memora.services.cdn_export.state import database, ledger, publish_state

EVERY_LESSON = "*"
"""In CDN Node Change: all lessons of the subject must be read again."""

_ROWS_A_RUN = 5_000
FILE = "File"
"""In CDN Change: a file that was published, by its row in CDN Media, was changed, deleted or made private."""

_PATIENCE_SECONDS = 5
"""How long to wait for another run, which may have begun before a change of ours was committed."""


def run() -> int:
	"""Work through all committed changes. Returns how many there were; 0 too when another run takes very long. Commits."""
	database.fresh()  # a caller's snapshot would hide what was committed since
	if not frappe.db.sql("select 1 from `tabCDN Change` limit 1"):
		return 0
	database.limit_idling()
	total = 0
	with database.alone("memora_fold", _PATIENCE_SECONDS) as is_alone:
		while is_alone and (relayed := database.transaction(_relay_rows)):
			total += relayed
			if relayed < _ROWS_A_RUN:
				break
	return total


def raise_for(
	affected: resolver.Affected,
	changes: Iterable[tuple[Cause, Collection[doctypes.Ref]]] = (),
	*,
	triggered_by: str = "",
) -> None:
	"""Raise the generation of all that changes touch, and of every plan that lists a touched subject, and
	note the touched lessons. In the caller's transaction.

	`changes` are what the plans' log will name, each with the documents whose plans it concerns.
	"""
	for subject, plans in resolver.plans_of(set(affected.subjects) - affected.resolved).items():
		affected.plans |= plans
		affected.showing[doctypes.SUBJECT, subject] |= plans
	ledger.end_grace(_hiding(affected))
	generations = publish_state.raise_generations(
		[*map(scopes.plan, affected.plans), *map(scopes.subject, affected.subjects)],
		triggered_by=triggered_by,
		causes=_causes(affected, changes),
	)
	_note_lessons(
		{
			subject: {name for doctype, name in nodes if doctype == doctypes.LESSON}
			for subject, nodes in affected.subjects.items()
		},
		generations,
	)


def touch(
	plans: Iterable[str] = (),
	subjects: Iterable[str] = (),
	*,
	triggered_by: str = "",
	cause: str = "",
	shown_again: bool = True,
) -> None:
	"""Queue plans and whole subjects as if all in them had changed, in the caller's transaction; `cause` is a text of
	`causes` for the plans' log. Not `shown_again`, a subject in which nothing is found to have changed is read, and its plans
	keep their files of it unread.

	With a subject every plan that lists it: their files say what the subject's files say.
	"""
	subjects = set(subjects)
	plans = set(plans).union(*resolver.plans_of(subjects).values())
	generations = publish_state.raise_generations(
		[*map(scopes.plan, plans), *map(scopes.subject, subjects)],
		triggered_by=triggered_by,
		causes={scopes.plan(plan).id: cause for plan in plans},
	)
	if shown_again:
		publish_state.show_again(map(scopes.subject, subjects))
	_note_lessons({subject: {EVERY_LESSON} for subject in subjects}, generations)


def call_plans(subject: str) -> None:
	"""Have the plans of a subject built again, which went on without it, in the caller's transaction."""
	plans = resolver.plans_of([subject]).get(subject, set())
	cause = causes.text([Cause("", doctypes.SUBJECT, subject)])
	publish_state.raise_generations(
		map(scopes.plan, plans), causes={scopes.plan(plan).id: cause for plan in plans}
	)


def lessons_changed_since(subject: str, generation: int) -> set[str] | None:
	"""The lessons whose body may have changed after `generation`; None for all of them."""
	statement = "select node from `tabCDN Node Change` where subject = %s and generation > %s"
	names = set(frappe.db.sql(statement, (subject, generation), pluck=True))
	return None if EVERY_LESSON in names else names


def _relay_rows() -> int:
	rows = frappe.db.sql(
		f"select name, ref_doctype, ref_name, event, was, owner from `tabCDN Change` limit {_ROWS_A_RUN}"
	)
	if not rows:
		return 0
	refs, former, moved = set(), set(), set()
	for _, doctype, name, event, was, _who in rows:
		refs.add((doctype, name))
		if parent := resolver.former_parent(doctype, event, was):
			former.add(parent)
		if event in ("move", "rename"):
			moved.add((doctype, name))
	shown = known_files.shown_in({name for doctype, name in refs if doctype == FILE})
	affected = resolver.affected_by(refs | former | shown)
	_warn_of(affected.orphans & refs)
	for _, doctype, name, event, was, _who in rows:
		if event != "rename":
			continue
		# A removal and a creation: what is published under the old name goes, where that tells paths or scopes.
		if doctype == doctypes.PLAN:
			affected.plans.add(was)
			affected.showing[doctype, was].add(was)
		elif doctype == doctypes.SUBJECT:
			affected.subjects[was].add((doctype, was))
			affected.subjects[name].add((doctypes.LESSON, EVERY_LESSON))
	for doctype, name in former:
		if doctype == doctypes.SUBJECT:  # that may be gone by now
			affected.subjects[name].add((doctype, name))
	# What was edited elsewhere is noted there, so what comes from there is read again.
	for subject, lessons in resolver.lessons_below(moved).items():
		affected.subjects[subject] |= {(doctypes.LESSON, name) for name in lessons}

	ledger.end_grace(_left_by(rows, affected))
	raise_for(affected, _changes(rows, shown))
	database.delete_names("CDN Change", [row[0] for row in rows])
	return len(rows)


def _changes(
	rows: Sequence[tuple], shown: Collection[doctypes.Ref]
) -> Iterable[tuple[Cause, Collection[doctypes.Ref]]]:
	"""What each row says of who and what, with the documents whose plans it concerns. Of a file: what shows it."""
	owners = {who for _, doctype, _, _, _, who in rows if doctype == FILE}
	owner = owners.pop() if len(owners) == 1 else ""
	for ref in sorted(shown):
		yield Cause(owner, *ref), [ref]
	for _, doctype, name, event, was, who in rows:
		if doctype == FILE:
			continue
		parent = (doctype, was) if event == "rename" else resolver.former_parent(doctype, event, was)
		yield Cause(who or "", doctype, name), [(doctype, name), *([parent] if parent else [])]


def _causes(
	affected: resolver.Affected, changes: Iterable[tuple[Cause, Collection[doctypes.Ref]]]
) -> Mapping[str, str]:
	"""What the log of each plan will say of these changes, by the plan's scope. As long for one change as for thousands."""
	homes: dict[doctypes.Ref, set[str]] = defaultdict(set)
	for subject, refs in affected.subjects.items():
		for ref in refs:
			homes[ref].add(subject)
	found: dict[doctypes.Ref, dict[Cause, None]] = defaultdict(dict)
	for cause, of_cause in changes:
		for ref in of_cause:
			for shown in (ref, *((doctypes.SUBJECT, subject) for subject in homes.get(ref, ()))):
				if shown in affected.showing:
					found[shown][cause] = None
	named: dict[str, list[Cause]] = defaultdict(list)
	more: dict[str, int] = defaultdict(int)
	for shown, of_it in found.items():
		listed = list(of_it)
		for plan in affected.showing[shown]:
			named[plan] += listed[: causes.MOST_NAMED]
			more[plan] += len(listed[causes.MOST_NAMED :])
	return {scopes.plan(plan).id: causes.text(named[plan], more[plan]) for plan in named}


def _left_by(rows: Sequence[tuple], affected: resolver.Affected) -> set[str]:
	"""The subjects that a track or topic has left, by deletion, by a move elsewhere or for another name.

	Units and lessons have files, so that builds see where they are missing; of tracks and topics only others' files tell.
	"""
	homes = {ref: subject for subject, refs in affected.subjects.items() for ref in refs}
	left = set()
	for _, doctype, name, event, was, _who in rows:
		if doctype not in doctypes.WITHOUT_FILES or event == "change":
			continue
		parent = resolver.former_parent(doctype, event, was)
		before = homes.get(parent if parent else (doctype, name), "")
		if event == "rename" or before != homes.get((doctype, name)):
			left.add(before)
	return left - {""}


def _hiding(affected: resolver.Affected) -> set[str]:
	"""The subjects in which a track or topic that was changed is not published."""
	found = set()
	for doctype in doctypes.WITHOUT_FILES:
		homes = {
			name: subject
			for subject, refs in affected.subjects.items()
			for kind, name in refs
			if kind == doctype
		}
		if homes:
			drafts = frappe.db.sql(
				f"select name from `tab{doctype}` where name in %s and is_published = 0", (tuple(homes),)
			)
			found |= {homes[name] for (name,) in drafts if name in homes}
	return found


def _note_lessons(lessons: dict[str, set[str]], generations: dict[str, int]) -> None:
	"""Remember per lesson the generation its body last changed in: every reader knows how far it has read."""
	rows = defaultdict(tuple)
	for subject, names in lessons.items():
		for name in names:
			row_name = database.key(subject, name)
			rows[row_name] = (
				row_name,
				subject,
				doctypes.LESSON,
				name,
				generations[scopes.subject(subject).id],
			)
	database.upsert(
		"CDN Node Change",
		("name", "subject", "node_doctype", "node", "generation"),
		list(rows.values()),
		"generation = values(generation)",
	)


def _warn_of(orphans: set[doctypes.Ref]) -> None:
	for doctype, name in sorted(orphans):
		frappe.logger("memora").warning(
			f"{doctype} {name} belongs to no subject, so no plan is queued: give it a parent that exists"
		)
