"""Content found by its title and by the titles above it, for link boxes and for the lists' filters.

"angles geometry" finds the Topic "Angles" of the Unit "Geometry". Each is told with its way: the titles above it from the
subject down. One statement of ours, in which Frappe itself says what the user may see.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import frappe
from frappe import _

from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.model.doctypes import CONTENT, Ref, line_of

MOST_FOUND = 100
"""How many documents a search answers with at most, whatever is asked for."""

_MOST_WORDS = 8
_BETWEEN = " › "

_OPERATORS = frozenset({"=", "!=", ">", "<", ">=", "<=", "like", "not like", "in", "not in", "is", "between"})

Found = tuple[str, str, str]
"""A document's name, its title, and its way."""


def find(
	doctype: str,
	text: str,
	start: int,
	rows: int,
	*,
	filters: Sequence[Sequence[Any]] = (),
	subjects: Collection[str] | None = None,
	reference_doctype: str | None = None,
) -> list[Found]:
	"""Documents of one kind that the user may see and whose titles, with those above them, hold each word of the text; or
	the one of this name. Those whose own title fits come first; without a text, the last changed.

	Titles hold no markup, also where SQL has written some: many of Frappe's screens show them as HTML. Raises
	PermissionError where the user may not read such documents at all.
	"""
	line, levels = line_of(doctype)
	top = len(levels) - 1
	words = [word for word in text.split() if word != _BETWEEN.strip()][:_MOST_WORDS]
	given: dict[str, Any] = {"text": text, "rows": min(max(rows, 0), MOST_FOUND), "start": max(start, 0)}
	conditions = [f"n0.name in ({_visible(doctype, filters, reference_doctype)})"]
	if subjects is not None:
		given["subjects"] = tuple(subjects) or ("",)
		conditions.append(f"n{top}.name in %(subjects)s")
	way = f"concat_ws('{_BETWEEN}', {', '.join(f'n{depth}.title' for depth in range(top, 0, -1))})"
	# As an index has them: no document is read that is not shown.
	order = ["n0.modified desc", "n0.name desc"]
	if words:
		given.update({f"word{place}": plain_text.as_like(word) for place, word in enumerate(words)})
		given["begins"] = plain_text.as_like(text)[1:]
		given["holds"] = plain_text.as_like(text)
		each = [
			" or ".join(f"n{depth}.title like %(word{place})s" for depth in range(top + 1))
			for place in range(len(words))
		]
		conditions.append(f"(({') and ('.join(each)}) or n0.name = %(text)s)")
		order = [
			"n0.name = %(text)s desc",  # Frappe asks so for what was picked (after v15)
			"n0.title like %(begins)s desc",
			"n0.title like %(holds)s desc",
			"n0.title",
			way if top else "n0.sort_order",
			"n0.name",
		]
	found = frappe.db.sql(
		f"""select n0.name, n0.title, {way if top else "''"} from {line}
		where {" and ".join(conditions)}
		order by {", ".join(order)} limit %(rows)s offset %(start)s""",
		given,
	)
	return [(name, plain_text.store(title or name), plain_text.store(way)) for name, title, way in found]


def parents_within(doctype: str, within: Collection[Ref]) -> list[str]:
	"""The parents that documents of this kind have where all of `within` is above them: what a list filters by. Only
	parents that the user may see."""
	parent = CONTENT[CONTENT.index(doctype) - 1]
	line, levels = line_of(parent)
	kinds = list(levels.values())
	conditions = [f"n0.name in ({_visible(parent)})"]
	for kind, _name in within:
		conditions.append(f"n{kinds.index(kind)}.name = %s")
	return frappe.db.sql_list(
		f"select n0.name from {line} where {' and '.join(conditions)} order by n0.name",
		tuple(name for _kind, name in within),
	)


def read_filters(doctype: str, given: dict[str, Any] | list[Any] | None) -> list[list[Any]]:
	"""The filters that a link box brings along, each as field, operator and value. Raises ValidationError for any other."""
	if isinstance(given, dict):
		rows = [[field, *(value if _is_pair(value) else ("=", value))] for field, value in given.items()]
	else:
		rows = [list(row)[-3:] if _is_row(row, doctype) else _refuse() for row in given or []]
	columns = frappe.get_meta(doctype).get_valid_columns()
	for field, operator, value in rows:
		values = value if isinstance(value, list | tuple) else [value]
		if (
			field not in columns
			or str(operator).lower() not in _OPERATORS
			or not all(isinstance(each, str | int | float | None) for each in values)
		):
			_refuse()
	return rows


def _is_pair(value: Any) -> bool:
	return isinstance(value, list | tuple) and len(value) == 2


def _is_row(row: Any, doctype: str) -> bool:
	"""Whether it is field, operator, value, with or without the DocType before them."""
	return isinstance(row, list | tuple) and (len(row) == 3 or (len(row) == 4 and row[0] == doctype))


def _refuse() -> Any:
	frappe.throw(_("Such a filter is not known here."))


def _visible(
	doctype: str, filters: Sequence[Sequence[Any]] = (), reference_doctype: str | None = None
) -> str:
	"""SQL: the names of the documents that the user may see, by all that Frappe asks."""
	query = frappe.get_list(
		doctype,
		filters=[[doctype, *row] for row in filters],
		fields=["name"],
		reference_doctype=reference_doctype,
		run=0,
	)
	return str(query).replace("%", "%%")


def is_filtered_by(doctype: str) -> tuple[str, ...]:
	"""The kinds of content that a list of this kind can be filtered by, from the subject down: those above its parent."""
	return CONTENT[: max(CONTENT.index(doctype) - 1, 0)]
