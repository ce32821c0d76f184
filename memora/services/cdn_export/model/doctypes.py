"""The DocTypes that are published: their names, their parents, and the SQL conditions that every query shares."""

from __future__ import annotations

from collections.abc import Mapping

from memora.services.cdn_export.model.tree import KINDS, Kind

PLAN = "Memora Academic Plan"
SUBJECT = "Memora Subject"
TRACK = "Memora Track"
UNIT = "Memora Unit"
TOPIC = "Memora Topic"
LESSON = "Memora Lesson"

#: Content DocTypes from the top down, each with the field that names its parent.
PARENT_FIELDS: Mapping[str, str] = {
	SUBJECT: "",
	TRACK: "parent_subject",
	UNIT: "parent_track",
	TOPIC: "parent_unit",
	LESSON: "parent_topic",
}

CONTENT: tuple[str, ...] = tuple(PARENT_FIELDS)

OF_KIND: Mapping[str, str] = dict(zip(KINDS, CONTENT, strict=True))
KIND_OF: Mapping[str, Kind] = dict(zip(CONTENT, KINDS, strict=True))

WITHOUT_FILES = (TRACK, TOPIC)
"""Those that have no file of their own: others show them."""


def line_of(doctype: str) -> tuple[str, dict[str, str]]:
	"""SQL: the table of a content DocType and those above it, joined up to its subject's and called `n0`, `n1` and so on;
	and the DocType that each of these names is of."""
	joins, levels = [f"`tab{doctype}` n0"], {"n0": doctype}
	while parent := PARENT_FIELDS[doctype]:
		doctype = CONTENT[CONTENT.index(doctype) - 1]
		below, above = f"n{len(levels) - 1}", f"n{len(levels)}"
		joins.append(f"left join `tab{doctype}` {above} on {above}.name = {below}.{parent}")
		levels[above] = doctype
	return " ".join(joins), levels


def down_to(doctype: str) -> str:
	"""SQL: the table of subjects, called `l0`, joined down to a content DocType's, each called by its depth: `l1` and so on."""
	joins = [f"`tab{SUBJECT}` l0"]
	for depth, child in enumerate(CONTENT[1 : CONTENT.index(doctype) + 1], start=1):
		joins.append(f"join `tab{child}` l{depth} on l{depth}.{PARENT_FIELDS[child]} = l{depth - 1}.name")
	return " ".join(joins)


#: DocTypes whose title is in manifests, each with the plan's field that links to it.
PLAN_TITLES: Mapping[str, str] = {
	"Memora Season": "season",
	"Memora Grade": "grade",
	"Memora Stream": "stream",
}


_NAMES_OF_TARGETS = " ".join(
	f"when '{doctype}' then (select node.name from `tab{doctype}` node where node.name = changed.target_name)"
	for doctype in CONTENT
)

TARGET_NAME = f"case changed.target_doctype {_NAMES_OF_TARGETS} end"
"""SQL: the name of what the override called `changed` has for its target, NULL when that is gone. MariaDB takes another
case for the same name, Python does not."""

LISTED_SUBJECT = f"""coalesce(
	(select node.name from `tab{SUBJECT}` node where node.name = listed.subject), listed.subject)"""
"""SQL: the name of what the row called `listed` has for its subject, as that one itself has it; or as it is written there
when the subject is gone. MariaDB takes other spellings for the same name, Python does not."""

SEASON_IS_PUBLISHED = """not exists (
	select 1 from `tabMemora Season` closed where closed.name = plan.season and closed.is_published = 0)"""
"""SQL: whether the season of the plan called `plan` lets it be published."""

SEASON_TITLE = """coalesce(
	(select named.title from `tabMemora Season` named where named.name = plan.season), plan.season, '')"""
"""SQL: what the season of the plan called `plan` is called."""

PLAN_IS_PUBLISHED = f"(plan.is_published = 1 and {SEASON_IS_PUBLISHED})"
"""SQL: whether the plan called `plan` belongs on the CDN. An unpublished season unpublishes its plans, even before they have
been saved so."""

Ref = tuple[str, str]
"""A document: DocType and name."""
