"""What a plan may override, and what keeps its overrides fitting when nodes are renamed or merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import frappe
from frappe.model.document import Document

from memora.memora.texts import titles
from memora.services.cdn_export.access_calculator import contradict
from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.model.doctypes import CONTENT, PARENT_FIELDS, PLAN, SUBJECT, Ref
from memora.services.cdn_export.model.tree import KINDS, Node, Override

OVERRIDE = "Memora Plan Override"
LISTED = "Memora Plan Subject"

_FLAGS = {
	SUBJECT: ("is_free_preview", "is_public", "required_item"),
	"Memora Track": ("is_free_preview", "is_sold_separately", "parent_item_required", "required_item"),
}
_KIND = dict(zip(CONTENT, KINDS, strict=True))


def contradictions(rows: Iterable[Document]) -> Iterator[tuple[Document, Document]]:
	"""Each row that an earlier one rules out, with that one (spec: one of Hide, Set Free and Set Sold Separately
	a node; Rename once, not beside Hide)."""
	kept: dict[Ref, list[Document]] = {}
	for row in rows:
		others = kept.setdefault((row.target_doctype, row.target_name), [])
		other = next((other for other in others if contradict(row.action, other.action)), None)
		if other:
			yield row, other
		else:
			others.append(row)


def as_override(row: Document) -> Override:
	"""A row as plain data."""
	return Override(_KIND[row.target_doctype], row.target_name, row.action, row.override_value or "")


class Ancestry:
	"""Some nodes of the curriculum with everything above them: at most one SELECT per level."""

	def __init__(self, refs: Iterable[Ref]):
		wanted: dict[str, set[str]] = {doctype: set() for doctype in CONTENT}
		for doctype, name in refs:
			wanted[doctype].add(name)
		self._rows: dict[Ref, frappe._dict] = {}
		for level in reversed(range(len(CONTENT))):
			doctype, parent_field = CONTENT[level], PARENT_FIELDS[CONTENT[level]]
			if not wanted[doctype]:
				continue
			fields = ["name", "title", *_FLAGS.get(doctype, ("is_free_preview",))]
			if parent_field:
				fields.append(f"{parent_field} as parent")
			for row in frappe.get_all(doctype, {"name": ("in", wanted[doctype])}, fields):
				self._rows[doctype, row.name] = row
				if row.get("parent"):
					wanted[CONTENT[level - 1]].add(row.parent)

	def title(self, ref: Ref) -> str:
		"""The node's title, or its name where it does not exist."""
		return self._rows[ref].title if ref in self._rows else ref[1]

	def subject(self, ref: Ref) -> str:
		"""The subject that a node belongs to, "" for an orphan."""
		doctype, name = self._line(ref)[0]
		return name if doctype == SUBJECT and (doctype, name) in self._rows else ""

	def chain(self, ref: Ref) -> Node:
		"""The subject of `ref` as a tree that holds just the way down to it, all published."""
		below: tuple[Node, ...] = ()
		for doctype, name in reversed(self._line(ref)):
			row = self._rows[doctype, name]
			node = Node(
				kind=_KIND[doctype],
				name=name,
				title=row.title,
				is_published=True,
				is_free_preview=bool(row.is_free_preview),
				required_item=row.get("required_item") or "",
				is_public=bool(row.get("is_public")),
				is_sold_separately=bool(row.get("is_sold_separately")),
				parent_item_required=bool(row.get("parent_item_required")),
				children=below,
			)
			below = (node,)
		return below[0]

	def _line(self, ref: Ref) -> list[Ref]:
		"""From as far up as the parents exist down to `ref`."""
		line = [ref]
		while row := self._rows.get(line[0]):
			if not row.get("parent"):
				break
			line.insert(0, (CONTENT[CONTENT.index(line[0][0]) - 1], row.parent))
		return line


def search_plans(subject: str, text: str) -> list[str]:
	"""The names of the plans that list a subject and hold this text in their titles, or have it as their name.

	Frappe asks for the name that was picked (after v15), and clears the field if it is not found. In SQL of its own: Frappe's filters take no LIKE with an escaped `%` or `_`.
	"""
	return frappe.db.sql_list(
		f"""select distinct plan.name from `tab{PLAN}` plan join `tab{LISTED}` listed on listed.parent = plan.name
		where listed.parenttype = %s and listed.subject = %s and (plan.title like %s or plan.name = %s)""",
		(PLAN, subject, plain_text.as_like(text), text),
	)


def plans_naming(doctype: str, name: str) -> dict[str, str]:
	"""The plans with an override of a node, straight from the table, with their titles."""
	return _plans(OVERRIDE, {"target_doctype": doctype, "target_name": name})


def plans_listing(subject: str) -> dict[str, str]:
	"""The plans that list a subject, with their titles."""
	return _plans(LISTED, {"subject": subject})


def follow_rename(doctype: str, old: str, new: str, merge: bool) -> None:
	"""Let overrides, and after a merge the plans' lists of subjects, name the node by its new name.

	Frappe renames in dynamic links only what its map knows, which a long-running process has from before.
	After a merge a plan may name the same node twice: the earlier row stays.
	"""
	frappe.db.sql(
		f"update `tab{OVERRIDE}` set target_name = %s where target_doctype = %s and target_name = %s",
		(new, doctype, old),
	)
	if not merge:
		return
	rows = frappe.get_all(
		OVERRIDE,
		{"target_doctype": doctype, "target_name": new},
		["name", "parent", "target_doctype", "target_name", "action"],
		order_by="parent, idx",
	)
	for plan in {row.parent for row in rows}:
		for row, _kept in contradictions(row for row in rows if row.parent == plan):
			frappe.db.delete(OVERRIDE, {"name": row.name})
	if doctype == SUBJECT:
		seen: set[str] = set()
		for row in frappe.get_all(LISTED, {"subject": new}, ["name", "parent"], order_by="parent, idx"):
			if row.parent in seen:
				frappe.db.delete(LISTED, {"name": row.name})
			seen.add(row.parent)


def _plans(rows: str, filters: dict[str, str]) -> dict[str, str]:
	names = frappe.get_all(rows, {**filters, "parenttype": PLAN}, pluck="parent", distinct=True)
	return titles(PLAN, {"name": ("in", names)}) if names else {}
