"""The siblings below one parent: locked, read in learners' order, numbered again where no gap is left."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import frappe
from frappe import _

from memora.services.cdn_export import change_tracker, dependency_resolver
from memora.services.cdn_export.model.doctypes import CONTENT, PARENT_FIELDS, SUBJECT, Ref
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.cdn_export.rules import sibling_order
from memora.services.cdn_export.state import database

_NUMBERED = "json_table(%s, '$[*]' columns (name varchar(140) path '$[0]', place int path '$[1]')) numbered"


def parent_type(doctype: str) -> str:
	"""The DocType that this one is below, "" for a subject."""
	return CONTENT[CONTENT.index(doctype) - 1] if PARENT_FIELDS[doctype] else ""


def subjects(refs: Collection[Ref]) -> set[Ref]:
	"""The subjects that these documents belong to."""
	return {(SUBJECT, name) for name in dependency_resolver.subjects_of(refs).values()}


def lock(refs: Iterable[Ref]) -> None:
	"""Lock these documents until the transaction ends, from the top down, so that two callers never lock each other out.

	The first statement of a transaction: whatever is read after it, others have committed. Callers lock the subjects that they
	change, too, so that no two of them decide at the same time.
	"""
	for doctype, name in sorted(set(refs), key=lambda ref: (CONTENT.index(ref[0]), ref[1])):
		frappe.db.sql(f"select name from `tab{doctype}` where name = %s for update", (name,))


def refuse_changed(title: str) -> None:
	"""Refuse a move whose neighbours are no longer neighbours."""
	frappe.throw(
		_(
			"The order here has changed meanwhile, so “{0}” was not moved. Look at it again, then move it."
		).format(as_html(title)),
		title=_("Not Moved"),
	)


@dataclass(slots=True)
class Siblings:
	"""What is directly below a parent: names in learners' order, and the `sort_order` of each."""

	doctype: str
	parent: str
	order: list[str]
	places: dict[str, int]

	def neighbours(self, name: str) -> tuple[str, str]:
		"""The names before and after a sibling, "" at the start and the end."""
		line = ["", *self.order, ""]
		place = line.index(name, 1)
		return line[place - 1], line[place + 1]

	def place(self, name: str, after: str, before: str) -> tuple[int, bool]:
		"""The `sort_order` that puts a document between two of the siblings, and whether all had to be numbered again for
		it: in one statement, which is noted at their parent."""
		found = sibling_order.between(self.places.get(after), self.places.get(before))
		if found is not None:
			return found, False
		order = [each for each in self.order if each != name]
		order.insert(order.index(after) + 1 if after else 0, name)
		numbers = sibling_order.renumbered(self.places, order)
		found = numbers.pop(name, self.places.get(name, 0))
		self._write(numbers)
		return found, True

	def behind(self, after: str) -> tuple[int, str]:
		"""The `sort_order` of a new document behind the sibling `after`, or behind all where there is none of that name; and
		the name of the sibling that is behind it, "" at the end."""
		if not self.order:
			return 0, ""
		if after not in self.order:
			after = self.order[-1]
		before = self.neighbours(after)[1]
		if before:
			return self.place("", after, before)[0], before
		return sibling_order.last(self.places[after]), ""

	def _write(self, numbers: dict[str, int]) -> None:
		if not numbers:
			return
		database.execute(
			f"""update {_NUMBERED} straight_join `tab{self.doctype}` target on target.name = numbered.name
			set target.sort_order = numbered.place""",
			(json.dumps(list(numbers.items())),),
		)
		if above := parent_type(self.doctype):
			change_tracker.note(above, self.parent)


def read(doctype: str, parent: str) -> Siblings:
	"""The siblings below a parent as learners see them; all subjects where there is none."""
	field = PARENT_FIELDS[doctype]
	rows = frappe.db.sql(
		f"""select name, coalesce(sort_order, 0), coalesce(cast(creation as char), '') from `tab{doctype}`
		where {f"{field} = %s" if field else "%s = ''"}""",
		(parent,),
	)
	rows = sorted(rows, key=lambda row: (row[1], row[2], row[0]))
	return Siblings(doctype, parent, [row[0] for row in rows], {row[0]: row[1] for row in rows})
