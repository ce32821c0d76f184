"""The outline of a subject: rows of what is open, in learners' order, each with its access, in a few statements.

The tree is read whole, since access comes from above and counts from below; rows are made only of what is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import frappe
from frappe import _

from memora.services.cdn_export import dependency_resolver
from memora.services.cdn_export.curriculum import content_tree
from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.model.doctypes import (
	KIND_OF,
	LESSON,
	OF_KIND,
	PLAN,
	SUBJECT,
	TARGET_NAME,
	Ref,
)
from memora.services.cdn_export.model.tree import Action, Node, Override, walk
from memora.services.course_outline import permissions, stamp
from memora.services.course_outline.permissions import STAGE
from memora.services.course_outline.rules import access

MOST_BYTES = 260_000
"""Of an answer's rows; with what is around them, and if Frappe indents it, too, it stays below 400 KB."""

_MOST_PLANS = 200
_OWN = {
	"subject": ("is_public", "required_item"),
	"track": ("is_sold_separately", "parent_item_required", "required_item"),
}

Row = dict[str, Any]


class Outline:
	"""A subject that the caller may read, through the eyes of one of its plans or of none."""

	def __init__(self, tree: Node, overrides: Sequence[Override] = (), *, through_plan: bool = False) -> None:
		self.tree = tree
		self._overrides = overrides
		self._through_plan = through_plan
		self.nodes = {access.ref_of(node): node for node in walk(tree)}
		self.parents = access.parents(tree)
		self._unreadable = permissions.unreadable(self.nodes)
		self._may_write: dict[str, bool] = {}

	@cached_property
	def seen(self) -> Mapping[Ref, access.Seen]:
		return access.seen(self.tree, self._overrides)

	@cached_property
	def _changes(self) -> Mapping[Ref, dict[Action, str]]:
		found: dict[Ref, dict[Action, str]] = {}
		for override in self._overrides:
			ref = OF_KIND[override.kind], override.name
			found.setdefault(ref, {})[override.action] = override.value
		return found

	def may_read(self, ref: Ref) -> bool:
		"""Whether the caller may read a node and all above it."""
		while ref not in self._unreadable:
			if ref not in self.parents:
				return True
			ref = access.ref_of(self.parents[ref])
		return False

	def children(self, ref: Ref) -> list[Node]:
		"""The nodes directly below, in learners' order, that the caller may read."""
		return [node for node in self.nodes[ref].children if access.ref_of(node) not in self._unreadable]

	def path(self, ref: Ref) -> list[str]:
		"""The names from the subject's child down to the node."""
		names = []
		while ref in self.parents:
			names.append(ref[1])
			ref = access.ref_of(self.parents[ref])
		return names[::-1]

	def titles_above(self, ref: Ref) -> list[str]:
		"""The titles from the subject's child down to the node's parent."""
		titles = []
		while (parent := self.parents.get(ref)) and (ref := access.ref_of(parent)) in self.parents:
			titles.append(parent.title)
		return titles[::-1]

	def rows(self, nodes: Iterable[Node]) -> list[Row]:
		"""Rows of these nodes, all with the moment of their last change. One statement where there are any."""
		nodes = list(nodes)
		modified = _modified([access.ref_of(node) for node in nodes])
		return [self._row(node, modified) for node in nodes]

	def _row(self, node: Node, modified: Mapping[Ref, str]) -> Row:
		ref = access.ref_of(node)
		parent = self.parents.get(ref)
		seen = self.seen[ref]
		if ref[0] not in self._may_write:
			self._may_write[ref[0]] = permissions.may_write(ref[0])
		row = {
			"doctype": ref[0],
			"name": node.name,
			"parent": parent.name if parent else "",
			"title": node.title,
			"sort_order": node.sort_order,
			"is_published": node.is_published,
			"is_free_preview": node.is_free_preview,
			"children": node.stage_count if ref[0] == LESSON else len(self.children(ref)),
			"modified": modified.get(ref, ""),
			"level": seen.level,
			"required_item": seen.required_item,
			"own": {field: getattr(node, field) for field in _OWN.get(node.kind, ())},
			"can_write": self._may_write[ref[0]],
		}
		if self._through_plan:
			row |= self._in_plan(ref, seen, node.title)
		return row

	def _in_plan(self, ref: Ref, seen: access.Seen, title: str) -> Row:
		actions = self._changes.get(ref, {})
		action = next((action for action in actions if action != "Rename"), next(iter(actions), None))
		return {
			"override": {"action": action, "value": actions[action]} if action else None,
			"hidden": seen.hidden,
			"plan_title": seen.title if seen.title != title else "",
		}


def outline(subject: str, opened: Sequence[str] = (), plan: str = "") -> dict[str, Any]:
	"""The subject, its children, and those of what is `opened`, as many as an answer holds; `left_off` counts the rows that
	are not in it, by their parent. At most eight statements, whatever the size of the subject."""
	name = permissions.document(SUBJECT, subject).name
	mark = stamp.of(name)
	plans = plans_listing(name)
	found = load(name, plan, plans)
	answer = _Answer()
	answer.add(json_size(plans))
	wanted = _opened(found, opened)
	modified = _modified(
		[(SUBJECT, name), *(access.ref_of(child) for ref in wanted for child in found.children(ref))]
	)
	of_lessons = stage_rows([ref[1] for ref in wanted if ref[0] == LESSON])
	for ref in wanted:
		rows = (
			of_lessons.get(ref[1], [])
			if ref[0] == LESSON
			else [found._row(child, modified) for child in found.children(ref)]
		)
		answer.branch(ref[1], rows)
	return {
		"subject": found._row(found.tree, modified),
		"branches": answer.branches,
		"plans": plans[:_MOST_PLANS],
		"stamp": mark,
		"left_off": answer.left_off,
	}


def load(subject: str, plan: str = "", plans: Sequence[Mapping[str, str]] | None = None) -> Outline:
	"""A subject as this plan shows it, which must be one of `plans`, those that list it and that the caller may read.

	Raises DoesNotExistError where the subject, or the plan among them, is gone.
	"""
	tree = tree_of(subject)
	if not plan:
		return Outline(tree)
	listing = plans_listing(subject) if plans is None else plans
	if not any(listed["name"] == plan for listed in listing):
		permissions.gone(_("This plan does not list the subject any more."))
	return Outline(tree, plan_overrides(plan, tree), through_plan=True)


def tree_of(subject: str) -> Node:
	"""A subject with all below it, as editors have written it. Raises DoesNotExistError."""
	tree = content_tree.load(subject, pictures=None)
	if tree is None:
		permissions.gone(_("This subject does not exist any more."))
	return tree


def rows_of(refs: Collection[Ref]) -> list[Row]:
	"""The rows of documents that were just changed, of any subjects, in the order of `refs`; those that are gone are left
	out."""
	found: dict[Ref, Row] = {}
	for subject in dict.fromkeys(dependency_resolver.subjects_of(refs).values()):
		tree = content_tree.load(subject, pictures=None)
		if tree is None:
			continue
		of_subject = Outline(tree)
		here = [ref for ref in refs if ref in of_subject.nodes]
		rows = of_subject.rows([of_subject.nodes[ref] for ref in here])
		found.update(zip(here, rows, strict=True))
	return [found[ref] for ref in refs if ref in found]


def plans_listing(subject: str) -> list[dict[str, str]]:
	"""The plans that list a subject and that the caller may read, by title. One statement."""
	table, allowed = f"`tab{PLAN}`", permissions.condition(PLAN)
	rows = frappe.db.sql(
		f"""select distinct {table}.name, {table}.title from `tabMemora Plan Subject` listed
		join {table} on {table}.name = listed.parent
		where listed.parenttype = '{PLAN}' and listed.subject in {permissions.in_list([subject])}
			{f"and ({allowed})" if allowed else ""} order by {table}.title, {table}.name"""
	)
	return [{"name": name, "title": title or name} for name, title in rows]


def plan_overrides(plan: str, tree: Node) -> list[Override]:
	"""What a plan overrides of the nodes of this tree, in row order. One statement."""
	nodes = {access.ref_of(node) for node in walk(tree)}
	rows = frappe.db.sql(
		f"""select changed.target_doctype, {TARGET_NAME}, changed.action, changed.override_value
		from `tabMemora Plan Override` changed where changed.parent = %s and changed.parenttype = %s
		order by changed.idx, changed.name""",
		(plan, PLAN),
	)
	return [
		Override(KIND_OF[doctype], name, action, plain_text.read(value or ""))
		for doctype, name, action, value in rows
		if (doctype, name) in nodes
	]


def stage_rows(lessons: Collection[str]) -> dict[str, list[Row]]:
	"""The stages of these lessons as rows, in order, by lesson. One statement where there are any lessons."""
	found: dict[str, list[Row]] = {lesson: [] for lesson in lessons}
	if not lessons:
		return found
	for name, parent, title, kind, idx in frappe.db.sql(
		"""select name, parent, title, type, idx from `tabMemora Lesson Stage`
		where parenttype = %s and parent in %s order by parent, idx, name""",
		(LESSON, tuple(lessons)),
	):
		row = {"doctype": STAGE, "name": name, "parent": parent, "title": title, "type": kind, "idx": idx}
		if parent in found:
			found[parent].append(row)
	return found


def json_size(value: Any) -> int:
	"""The bytes of a value as Frappe sends it."""
	return len(json.dumps(plain_text.read_all(value), separators=(",", ":"), default=str))


class _Answer:
	"""Branches as long as an answer has room for them."""

	def __init__(self) -> None:
		self.branches: dict[str, list[Row]] = {}
		self.left_off: dict[str, int] = {}
		self._left = MOST_BYTES

	def add(self, size: int) -> None:
		self._left -= size

	def branch(self, name: str, rows: Sequence[Row]) -> None:
		kept: list[Row] = []
		for row in rows:
			self.add(json_size(row) + 1)
			if self._left <= 0:
				break
			kept.append(row)
		if kept or not rows:
			self.branches[name] = kept
		if len(kept) < len(rows):
			self.left_off[name] = len(rows) - len(kept)


def _opened(found: Outline, names: Sequence[str]) -> list[Ref]:
	"""The subject, and what is called so in it and the caller may read."""
	top = access.ref_of(found.tree)
	wanted = set(names)
	refs = {ref[1]: ref for ref in found.nodes if ref[1] in wanted and ref != top and found.may_read(ref)}
	return [top, *(refs[name] for name in dict.fromkeys(names) if name in refs)]


def _modified(refs: Collection[Ref]) -> dict[Ref, str]:
	names: dict[str, list[str]] = {}
	for doctype, name in refs:
		names.setdefault(doctype, []).append(name)
	if not names:
		return {}
	parts = [
		f"select '{doctype}', name, cast(modified as char) from `tab{doctype}` where name in {permissions.in_list(of)}"
		for doctype, of in names.items()
	]
	return {(doctype, name): modified for doctype, name, modified in frappe.db.sql(" union all ".join(parts))}
