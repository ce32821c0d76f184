"""Plan subjects: what each live manifest reads of each subject, shared or own, and its generation (CDN Rendition).

A row with generation 0 is a reservation: the plan is being built and will read the shared files, so no worker removes
them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import frappe
import orjson

from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.model.plan_subject import PlanSubject
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.state import bulk_rows, database, publish_state

TABLE = "CDN Rendition"

# A subject that looks otherwise now is rendered again, unless it cannot be built; then it stays as it is.
_SEARCH_READ = """if(if(state.shown_generation > 0, state.shown_generation, state.generation) > reader.generation
	and state.failed_generation <= state.published_generation, null, reader.search)"""

_UNCERTAIN = "in doubt"
"""Instead of a digest: like no other."""


def of_plans(plans: Sequence[str]) -> dict[str, tuple[dict[str, PlanSubject], list[State]]]:
	"""The plan subjects of these plans by subject, and the states of those subjects, by plan. One statement."""
	states = bulk_rows.packed(f"state.{column}" for column in publish_state.COLUMNS)
	same_subject = database.exactly("state.ref", "reader.subject")
	by_plan: dict[str, tuple[dict[str, PlanSubject], list[State]]] = {plan: ({}, []) for plan in plans}
	for plan, subject, mode, generation, digest, summary, search, values in frappe.db.sql(
		f"""select reader.plan, reader.subject, mode, reader.generation, digest, summary, {_SEARCH_READ}, {states}
		from `tab{TABLE}` reader
		left join `tab{publish_state.TABLE}` state on state.scope_type = 'subject' and {same_subject}
		where reader.plan in %s""",
		(tuple(plans),),
	):
		if plan not in by_plan:
			continue  # the same name to MariaDB, but for its case or accents
		found, known = by_plan[plan]
		found[subject] = PlanSubject(
			subject,
			mode,
			generation,
			digest or "",
			orjson.loads(summary) if summary else {},
			orjson.loads(search) if search else None,
		)
		state = orjson.loads(values)
		if state[0]:
			known.append(publish_state.of_row(state))
	return by_plan


def with_search(plan: str, renditions: Iterable[PlanSubject]) -> dict[str, PlanSubject]:
	"""These plan subjects by subject, with the search entries that `of_plans` has left out."""
	by_row = {database.key(plan, known.subject): known for known in renditions}
	rows = frappe.db.sql(f"select name, search from `tab{TABLE}` where name in %s", (tuple(by_row),))
	return {
		by_row[name].subject: replace(by_row[name], search=orjson.loads(search) if search else None)
		for name, search in rows
	}


def is_read_by_others(subject: str, plan: str) -> bool:
	"""Whether another plan than this one reads a subject's shared files."""
	return bool(
		frappe.db.sql(
			f"select 1 from `tab{TABLE}` where subject = %s and mode = 'shared' and plan != %s limit 1",
			(subject, plan),
		)
	)


def plans_showing(subject: str) -> list[str]:
	"""The plans that show a subject, shared or of their own, or are about to."""
	this = database.exactly("subject", "%(subject)s")
	statement = f"select plan from `tab{TABLE}` where {this} order by plan"
	return frappe.db.sql(statement, {"subject": subject}, pluck=True)


def shown_by_others(subjects: Collection[str], plan: str) -> set[str]:
	"""Those of these subjects that another plan than this one shows, shared or of its own."""
	if not subjects:
		return set()
	statement = f"select distinct subject from `tab{TABLE}` where subject in %s and plan != %s"
	return set(frappe.db.sql(statement, (tuple(subjects), plan), pluck=True))


def reserve(plan: str, subjects: Iterable[str]) -> None:
	"""Say that a plan will read these shared subjects. To be committed before it looks at what they hold."""
	_upsert(
		{plan: [PlanSubject(subject, "shared", 0, "", {}) for subject in subjects]},
		"mode = values(mode), generation = 0",
	)


def store(renditions: Mapping[str, Sequence[PlanSubject]]) -> None:
	"""Store what the new manifests of these plans read."""
	_upsert(
		renditions,
		"mode = values(mode), generation = values(generation), digest = values(digest), summary = values(summary),"
		" search = coalesce(values(search), search)",
	)


def raise_generations(newer: Mapping[str, Mapping[str, int]]) -> None:
	"""Note that live manifests show these generations of subjects, too: by plan and subject. No statement for none."""
	rows = [
		(database.key(plan, subject), generation)
		for plan, subjects in newer.items()
		for subject, generation in subjects.items()
	]
	if rows:
		database.execute(
			f"""update json_table(%s, '$[*]' columns (name varchar(140) path '$[0]', generation bigint path '$[1]')) newer
			straight_join `tab{TABLE}` reader force index (primary) on reader.name = newer.name
			set reader.generation = newer.generation""",
			(orjson.dumps(sorted(rows)).decode(),),
		)


def mark_uncertain(plan: str, subjects: Iterable[str]) -> None:
	"""Note that files which show these subjects otherwise are about to be written. To be committed before they are."""
	names = [database.key(plan, subject) for subject in subjects]
	database.update_names(TABLE, names, "digest = %s", (_UNCERTAIN,))


def forget(plan: str, subjects: Iterable[str]) -> None:
	"""A plan's manifest reads these subjects no more."""
	if names := tuple(database.key(plan, subject) for subject in sorted(subjects)):
		frappe.db.sql(f"delete from `tab{TABLE}` where name in %s", (names,))


def release(plan: str) -> None:
	"""Take back what a plan announced and did not come to publish, so that it holds no file any longer."""
	this = database.exactly("plan", "%(plan)s")
	frappe.db.sql(
		f"delete from `tab{TABLE}` where {this} and generation = 0 and coalesce(digest, '') = ''",
		{"plan": plan},
	)
	frappe.db.sql(f"update `tab{TABLE}` set mode = 'own' where {this} and generation = 0", {"plan": plan})


def _upsert(renditions: Mapping[str, Sequence[PlanSubject]], on_duplicate: str) -> None:
	database.upsert(
		TABLE,
		("name", "plan", "subject", "mode", "generation", "digest", "summary", "search"),
		[
			(
				database.key(plan, row.subject),
				plan,
				row.subject,
				row.mode,
				row.generation,
				row.digest,
				plain_text.store_json(orjson.dumps(row.summary)),
				None if row.search is None else plain_text.store_json(orjson.dumps(row.search)),
			)
			for plan, rows in renditions.items()
			for row in rows
		],
		on_duplicate,
	)
