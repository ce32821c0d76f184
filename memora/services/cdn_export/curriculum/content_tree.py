"""From rows to one immutable tree: a subject in a constant number of statements, whatever its size.

The skeleton (all but the stages) is always loaded whole, since navigation and counts need it; stages only for
the lessons whose body is needed. Plain SELECTs in the caller's snapshot.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import frappe
import orjson

from memora.exceptions import BuildError
from memora.services.cdn_export import dependency_resolver as resolver
from memora.services.cdn_export.curriculum import public_files
from memora.services.cdn_export.model import doctypes, plain_text
from memora.services.cdn_export.model.tree import KINDS, Kind, Node, Override, Plan, Stage
from memora.services.cdn_export.state import bulk_rows, database

_COMMON = frozenset(
	{"name", "title", "description", "image", "sort_order", "is_published", "is_free_preview", "creation"}
)
_OWN: dict[Kind, tuple[str, ...]] = {
	"subject": ("color_code", "is_public", "required_item"),
	"track": ("is_sold_separately", "parent_item_required", "required_item"),
	"unit": ("badge_image",),
	"topic": (),
	"lesson": (),
}
_FLAGS = frozenset(
	{"is_published", "is_free_preview", "is_public", "is_sold_separately", "parent_item_required"}
)
_COLUMNS = (
	"kind",
	"parent",
	"creation",
	"sort_order",
	"name",
	"title",
	"description",
	"image",
	"badge_image",
	"is_published",
	"is_free_preview",
	"is_public",
	"is_sold_separately",
	"parent_item_required",
	"required_item",
	"color_code",
	"stage_count",
)
"""What a row of the skeleton holds, in this order."""

_KIND, _PARENT, _NAME = map(_COLUMNS.index, ("kind", "parent", "name"))
_PICTURES = itemgetter(_COLUMNS.index("image"), _COLUMNS.index("badge_image"))


Pictures = Callable[[Iterable[str]], dict[str, str]]
"""What a document has for each picture that a field names; what is left out is not shown."""


def load(subject: str, pictures: Pictures | None = public_files.published_paths) -> Node | None:
	"""The subject with all below it, published or not; None when it is gone.

	One statement for the rows of all kinds, and what `pictures` takes; without it no node has one.
	"""
	rows: dict[str, list[list[str]]] = {kind: [] for kind in KINDS}
	for row in bulk_rows.texts(_skeleton, {"subject": subject}, len(_COLUMNS)):
		rows[row[_KIND]].append(row)
	if [row[_NAME] for row in rows["subject"]] != [subject]:
		return None  # gone, or renamed to what is the same name but for its case
	urls = (url for kind_rows in rows.values() for row in kind_rows for url in _PICTURES(row) if url)
	files = pictures(urls) if pictures else {}
	children: dict[str, list[Node]] = {}
	for kind in reversed(KINDS):
		by_parent: dict[str, list[Node]] = defaultdict(list)
		for row in sorted(rows[kind], key=_place):
			by_parent[row[_PARENT]].append(_node(kind, row, files, tuple(children.get(row[_NAME], ()))))
		children = by_parent
	return children[""][0]


def subjects(names: Collection[str], pictures: Pictures = public_files.published_paths) -> dict[str, Node]:
	"""Subjects without what is below them, by name. One statement, and what `pictures` takes."""
	if not names:
		return {}
	rows = bulk_rows.texts(_subject_rows, {"subjects": tuple(names)}, len(_COLUMNS))
	files = pictures(url for row in rows for url in _PICTURES(row) if url)
	return {row[_NAME]: _node("subject", row, files, ()) for row in rows}


def stages(lessons: Collection[str]) -> dict[str, tuple[Stage, ...]]:
	"""The stages of these lessons, in order, by lesson. One statement, and another where a lesson is very large.

	Raises BuildError for a config that is no JSON object, naming lesson and row.
	"""
	if not lessons:
		return {}
	found: dict[str, tuple[Stage, ...]] = {}
	others = []
	# One row a lesson: PyMySQL takes longer for a row than for all that is in it.
	for lesson, count, texts in frappe.db.sql(
		f"""select named.name, count(*), concat('[', group_concat({_AS_JSON} order by {_PLACE}), ']')
			from {_STAGES} group by named.name""",
		(json.dumps(list(lessons)), doctypes.LESSON),
	):
		read = _together(texts)
		if read is None or len(read) != count:
			others.append(lesson)  # cut off at `group_concat_max_len`, or to be complained of
		else:
			found[lesson] = read
	return found | _one_by_one(others) if others else found


def _together(texts: str | None) -> tuple[Stage, ...] | None:
	"""The stages of one lesson from an array of their texts; None where that is not all as it should be."""
	try:
		return tuple(
			[
				Stage(plain_text.read(title or ""), type_ or "", _object(config))
				for title, type_, config in orjson.loads(texts or "")
			]
		)
	except (ValueError, TypeError):
		return None


def _object(config: Any) -> dict[str, Any]:
	if config is None:
		return {}
	if not isinstance(config, dict):
		raise TypeError("a config must be an object")
	return config


def _one_by_one(lessons: Collection[str]) -> dict[str, tuple[Stage, ...]]:
	"""The stages of lessons, a row each, however large."""
	found: dict[str, list[Stage]] = defaultdict(list)
	for lesson, title, type_, config in frappe.db.sql(
		f"select named.name, stage.title, stage.type, stage.config from {_STAGES} order by named.name, {_PLACE}",
		(json.dumps(list(lessons)), doctypes.LESSON),
	):
		place = len(found[lesson]) + 1
		config = _config(config, lesson, place)
		found[lesson].append(Stage(plain_text.read(title or ""), type_ or "", config))
	return {lesson: tuple(items) for lesson, items in found.items()}


class ListedPlan(NamedTuple):
	"""A plan with the titles of its season, grade and stream, and the subjects that it lists (`plan_subjects`).

	`is_published` counts its season too, `is_changed` says that it has overrides.
	"""

	plan: Plan
	is_published: bool
	subjects: dict[str, int]
	is_changed: bool


def plans(names: Collection[str]) -> dict[str, ListedPlan]:
	"""Those of these plans that exist, published or not, by name. One statement."""
	if not names:
		return {}
	rows = frappe.db.sql(
		f"""select {_PLAN}, exists(select 1 from `tabMemora Plan Override` changed where changed.parent = plan.name),
			subject.name, listed.sort_order
		from {_PLANS}
		left join `tabMemora Plan Subject` listed on listed.parent = plan.name and listed.parenttype = %s
		left join `tab{doctypes.SUBJECT}` subject on subject.name = listed.subject
		where plan.name in %s order by plan.name, listed.idx, listed.name""",
		(doctypes.PLAN, tuple(names)),
	)
	found = {}
	for name, group in groupby(rows, key=itemgetter(0)):
		if name not in names:
			continue  # renamed to what is the same name but for its case
		listed = list(group)
		*plan, is_published, is_changed = listed[0][:-2]
		subjects = {subject: sort_order or 0 for *_, subject, sort_order in listed if subject}
		found[name] = ListedPlan(_plan(*plan), bool(is_published), subjects, bool(is_changed))
	return found


def every_plan() -> list[tuple[Plan, bool]]:
	"""Every plan, and whether it is published. One statement."""
	rows = frappe.db.sql(f"select {_PLAN} from {_PLANS} order by plan.title, plan.name")
	return [(_plan(*plan), bool(is_published)) for *plan, is_published in rows]


_PLAN = f"plan.name, plan.title, season.title, grade.title, stream.title, {doctypes.PLAN_IS_PUBLISHED}"
_PLANS = f"""`tab{doctypes.PLAN}` plan
	left join `tabMemora Season` season on season.name = plan.season
	left join `tabMemora Grade` grade on grade.name = plan.grade
	left join `tabMemora Stream` stream on stream.name = plan.stream"""


def _plan(name: str, *titles: str | None) -> Plan:
	return Plan(name, *(plain_text.read(title or "") for title in titles))


def published_plans(
	names: Sequence[str],
) -> dict[str, tuple[Plan, dict[str, int], dict[str, tuple[Override, ...]]]]:
	"""Plans with the titles of their season, grade and stream, their `plan_subjects` and their `plan_overrides`, by
	name; without those that are gone, or unpublished by themselves or with their season. One statement, and one or two
	for overrides where there are any."""
	found = {name: listed for name, listed in plans(names).items() if listed.is_published}
	overrides = plan_overrides({name for name, listed in found.items() if listed.is_changed})
	return {name: (listed.plan, listed.subjects, overrides.get(name, {})) for name, listed in found.items()}


def plan_overrides(plans: Collection[str]) -> dict[str, dict[str, tuple[Override, ...]]]:
	"""The overrides of these plans, by plan and then by the subject that their target belongs to now, in row order;
	stranded ones are left out. One statement, and those that find the subjects."""
	if not plans:
		return {}
	rows = _override_rows(plans)
	subjects = resolver.subjects_of(
		{(doctype, name) for _, doctype, name, _, _ in rows if doctype in doctypes.KIND_OF and name}
	)
	found: dict[str, dict[str, tuple[Override, ...]]] = defaultdict(dict)
	for plan, doctype, name, action, value in rows:
		if subject := subjects.get((doctype, name)):
			override = Override(doctypes.KIND_OF[doctype], name, action, plain_text.read(value or ""))
			found[plan][subject] = (*found[plan].get(subject, ()), override)
	return found


def overrides_of(plan: str) -> list[Override]:
	"""A plan's overrides in row order, stranded ones too. One statement."""
	return [
		Override(doctypes.KIND_OF[doctype], name, action, plain_text.read(value or ""))
		for _, doctype, name, action, value in _override_rows([plan])
		if doctype in doctypes.KIND_OF and name
	]


def _override_rows(plans: Collection[str]) -> Sequence[tuple[Any, ...]]:
	return frappe.db.sql(
		f"""select changed.parent, changed.target_doctype, {doctypes.TARGET_NAME}, changed.action, changed.override_value
		from `tabMemora Plan Override` changed
		where changed.parent in %s and changed.parenttype = %s order by changed.idx, changed.name""",
		(tuple(plans), doctypes.PLAN),
	)


@cache
def _skeleton(pack: bulk_rows.Pack) -> str:
	"""All kinds in one statement, a row packed into one column."""
	return " union all ".join(
		_select_of(kind, doctype, pack, "l0.name = %(subject)s") for doctype, kind in doctypes.KIND_OF.items()
	)


@cache
def _subject_rows(pack: bulk_rows.Pack) -> str:
	return _select_of("subject", doctypes.SUBJECT, pack, "l0.name in %(subjects)s")


def _select_of(kind: Kind, doctype: str, pack: bulk_rows.Pack, where: str) -> str:
	"""The part of the skeleton that reads one kind; what the kind does not have is read as 0 or ''."""
	depth = KINDS.index(kind)
	parts = {
		"kind": f"'{kind}'",
		"parent": f"l{depth - 1}.name" if depth else "''",
		"sort_order": f"coalesce(l{depth}.sort_order, 0)",
		"stage_count": f"({_STAGE_COUNT})" if kind == "lesson" else "0",
		# as text, which sorts alike: parsing a date takes longer than all the rest of a row
		"creation": f"coalesce(cast(l{depth}.creation as char), '')",
	}
	for column in _COLUMNS:
		missing = "0" if column in _FLAGS else "''"
		present = column in _COMMON or column in _OWN[kind]
		parts.setdefault(column, f"coalesce(l{depth}.{column}, {missing})" if present else missing)
	row = f"{pack(parts[column] for column in _COLUMNS)} collate utf8mb4_bin"
	# From the top down: by its own estimates MariaDB may begin with all topics there are, of every subject.
	return f"select straight_join {row} from {doctypes.down_to(doctype)} where {where}"


_STAGES = f"""{database.NAMES} straight_join `tabMemora Lesson Stage` stage on stage.parent = named.name
	where stage.parenttype = %s"""
_PLACE = "stage.idx, stage.name"
"""Rows that were added one by one, not in their form, all have 0: then by name, as the form shows them."""
# By hand, since `json_array` would read through each body only to write it down as it is.
_AS_JSON = """concat('[', json_quote(coalesce(stage.title, '')), ',', json_quote(coalesce(stage.type, '')), ',',
	coalesce(stage.config, 'null'), ']')"""
# By the index on `parent` alone, without a look at the rows: they hold the bodies, and only lessons have stages.
_STAGE_COUNT = "select count(*) from `tabMemora Lesson Stage` stage where stage.parent = l4.name"


def _place(row: list[str]) -> tuple[int, str, str]:
	"""Siblings are sorted by sort_order, then creation, then name by code point (spec, "Navigation")."""
	_, _, creation, sort_order, name, *_ = row
	return int(sort_order), creation, name


def _node(kind: Kind, row: list[str], files: dict[str, str], children: tuple[Node, ...]) -> Node:
	_, _, _, sort_order, name, title, description, image, badge, published, free, *of_kind = row
	public, separate, parent_item, item, color, stage_count = of_kind
	return Node(
		kind=kind,
		name=name,
		title=plain_text.read(title),
		description=plain_text.read(description),
		image=files.get(image, ""),
		sort_order=int(sort_order),
		is_published=published != "0",
		is_free_preview=free != "0",
		required_item=plain_text.read(item),
		is_public=public != "0",
		is_sold_separately=separate != "0",
		parent_item_required=parent_item != "0",
		color_code=color,
		badge_image=files.get(badge, ""),
		stage_count=int(stage_count),
		children=children,
	)


def _config(text: str | None, lesson: str, place: int) -> dict[str, Any]:
	if not text:
		return {}
	try:
		config = orjson.loads(text)
	except orjson.JSONDecodeError as error:
		raise BuildError(
			f"Lesson {lesson}, stage {place}: its config is no valid JSON ({error}). Correct it in the lesson."
		) from error
	if config is None:
		return {}
	if not isinstance(config, dict):
		raise BuildError(
			f"Lesson {lesson}, stage {place}: its config is {json.dumps(config)[:60]}, but must be a JSON object"
			" such as {}. Correct it in the lesson."
		)
	return config
