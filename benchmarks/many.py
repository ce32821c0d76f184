"""Sites of any size in a minute: a few subjects are generated, all others are copies of them that MariaDB makes.

`subjects` copies content; `plans` copies plans that are published, with all that memora knows of them, as if it had built
each. A copy's name is a hash, as all names are, so that rows of one subject are scattered in every table; it has two digits
more than a name that was generated.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1

import frappe

from benchmarks import generate
from benchmarks.generate import Bulk, Planted, Shape, plan_of
from memora.services.cdn_export.model.doctypes import CONTENT, PARENT_FIELDS, PLAN, SUBJECT

GENERATED = "char_length({}) = 10"
"""SQL: whether this name is of no copy."""

_COPIES_A_STATEMENT = 20
"""Subjects of 1,000 lessons that one statement copies: 100,000 stages."""

_PLANS_A_STATEMENT = 500
_TABLES = (
	*CONTENT,
	"Memora Lesson Stage",
	PLAN,
	"Memora Plan Subject",
	"CDN File",
	"CDN Publish State",
	"CDN Rendition",
)


def subjects(bulk: Bulk, shape: Shape) -> Planted:
	"""Put `shape.subjects` subjects on the site, an even number: one in Arabic and one in English, and copies. Commits."""
	made = [bulk.add_subject(generate.subject(shape, number)) for number in range(2)]
	frappe.db.commit()
	titles = list(bulk.planted.subjects)
	copies = range(1, shape.subjects // 2)
	for first in copies[::_COPIES_A_STATEMENT]:
		for doctype in (*CONTENT, "Memora Lesson Stage"):
			_copy_content(doctype, first, min(first + _COPIES_A_STATEMENT - 1, copies[-1]))
		frappe.db.commit()
	for copy in copies:
		for title, name in zip(titles, made, strict=True):
			bulk.planted.subjects[f"{title} {copy}"] = sha1(f"{name} {copy}".encode()).hexdigest()[:12]
	analyze()
	return bulk.planted


def _copy_content(doctype: str, first: int, last: int) -> None:
	columns, renamed = _columns(doctype), {"name", "parent", PARENT_FIELDS.get(doctype)}
	form = {column: _hashed("made.`{0}`") for column in renamed}
	if doctype == SUBJECT:
		form["title"] = "concat(made.title, ' ', copy.seq)"
	values = ", ".join(form.get(column, "made.`{0}`").format(column) for column in columns)
	frappe.db.sql(
		f"""insert into `tab{doctype}` ({", ".join(f"`{column}`" for column in columns)})
		select {values} from seq_{first}_to_{last} copy straight_join `tab{doctype}` made
		where {GENERATED.format("made.name")}"""
	)


def families(bulk: Bulk, listed: int) -> None:
	"""Put so many plans on the site that each subject is in one, `listed` in each. Commits."""
	titles = list(bulk.planted.subjects)
	for number, place in enumerate(range(0, len(titles), listed)):
		bulk.add_plan(plan_of(titles[place : place + listed], number))
	frappe.db.commit()


def plans(made: Sequence[str], count: int) -> None:
	"""Copy these published plans until there are `count`, each with its files in the ledger. Commits."""
	copies = count // len(made) - 1
	for first in range(1, copies + 1, max(1, _PLANS_A_STATEMENT // len(made))):
		last = min(copies, first + max(1, _PLANS_A_STATEMENT // len(made)) - 1)
		for table, replaced in {
			PLAN: {"name": "{of}", "title": "concat(made.title, ' ', copy.seq)"},
			"Memora Plan Subject": {"name": _hashed("made.name"), "parent": "{of}"},
			"CDN Publish State": {
				"name": "{text}",
				"ref": "{of}",
				"index_entry": "{text}",
			},
			"CDN Rendition": {
				"name": "sha1(concat({of}, char(0), made.subject))",
				"plan": "{of}",
				"summary": "{text}",
			},
			"CDN File": {"name": "sha1({path})", "path": "{path}", "scope": "{text}", "node": "{text}"},
		}.items():
			_copy_of_plans(table, replaced, made, first, last)
		frappe.db.commit()
	analyze()


_BELONGS = {
	PLAN: "made.name = plan.name",
	"Memora Plan Subject": "made.parent = plan.name",
	"CDN Publish State": "made.name = concat('plan:', plan.name)",
	"CDN Rendition": "made.plan = plan.name",
	"CDN File": "made.scope = concat('plan:', plan.name)",
}


def _copy_of_plans(table: str, replaced: dict[str, str], made: Sequence[str], first: int, last: int) -> None:
	of, columns = _hashed("plan.name"), _columns(table)
	values = []
	for column in columns:
		text = f"replace(made.`{column}`, plan.name, {of})"
		form = replaced.get(column, f"made.`{column}`")
		values.append(form.format(of=of, text=text, path=f"replace(made.path, plan.name, {of})"))
	frappe.db.sql(
		f"""insert into `tab{table}` ({", ".join(f"`{column}`" for column in columns)})
		select {", ".join(values)} from `tab{PLAN}` plan
		straight_join seq_{first}_to_{last} copy straight_join `tab{table}` made on {_BELONGS[table]}
		where plan.name in %s""",
		(tuple(made),),
	)


def _hashed(name: str) -> str:
	"""SQL: what the copy of this name is called."""
	return f"left(sha1(concat({name}, ' ', copy.seq)), 12)"


def analyze() -> None:
	"""Let MariaDB know how large the tables are."""
	frappe.db.sql(f"analyze table {', '.join(f'`tab{table}`' for table in _TABLES)}")


def _columns(doctype: str) -> list[str]:
	return frappe.db.get_table_columns(doctype)
