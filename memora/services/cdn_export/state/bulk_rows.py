"""The quick ways to read and write thousands of rows. All that is clever about SQL for speed's sake is here.

PyMySQL is pure Python: each column of a row that it reads, and each value that it escapes, costs more than all else a
build does with it. So many columns are read as one, and all values of an insert are escaped at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import frappe
import orjson

_BETWEEN, _NEXT_ROW, _NULL = "\x1f", "\x1e", "\x1d"
"""ASCII's separators of units, records and groups: hardly ever in a text."""

Pack = Callable[[Iterable[str]], str]
"""Makes SQL of one column from that of several."""


def packed(columns: Iterable[str]) -> str:
	"""SQL: these columns as one, a JSON array for `orjson.loads`; dates come as text in ISO 8601.

	PyMySQL, which is pure Python, takes longer to learn of one more column than orjson for a whole row.
	"""
	return f"json_array({', '.join(columns)})"


def texts(
	statement: Callable[[Pack], str], values: Sequence[Any] | dict[str, Any], width: int
) -> list[list[str]]:
	"""Many rows of `width` texts each, numbers in digits: the quickest way to read them.

	`statement` is given what makes one column of such a row; no column may be NULL. One statement, and another where
	a text holds the very character that is put between them.
	"""
	found = [row.split(_BETWEEN) for (row,) in frappe.db.sql(statement(_joined), values)]
	if any(len(row) != width for row in found):
		found = [orjson.loads(row) for (row,) in frappe.db.sql(statement(_quoted), values)]
	return found


def _joined(columns: Iterable[str]) -> str:
	# MariaDB escapes JSON character by character: half the time of a statement that packs hundreds of rows.
	return f"concat_ws({ord(_BETWEEN):#04x}, {', '.join(columns)})"


def _quoted(columns: Iterable[str]) -> str:
	return packed(f"concat({column}, '')" for column in columns)


def literals(rows: Sequence[Sequence[Any]], alike: Sequence[Any] = ()) -> str | None:
	"""SQL: these rows, each followed by the values that are alike in all. Escaped all at once: one by one, thousands of
	values take longer than all else on this side.

	None where a text holds a separator, or what Frappe would change: it reads `ifnull(` as its own function wherever
	a statement has it.
	"""
	ends = ""
	if alike:
		row = literals([alike])
		if row is None:
			return None
		ends = f",{row[1:-1]}"
	text = _NEXT_ROW.join(
		[_BETWEEN.join([value if type(value) is str else _as_text(value) for value in row]) for row in rows]
	)
	used = (text.count(_BETWEEN), text.count(_NEXT_ROW), text.count(_NULL))
	nulls = sum(row.count(None) for row in rows)
	if used != (len(rows) * (len(rows[0]) - 1), len(rows) - 1, nulls) or "ifnull(" in text.lower():
		return None
	escaped = frappe.db.escape(text, percent=False)[1:-1]
	quoted = escaped.replace(_BETWEEN, "','").replace(_NEXT_ROW, f"'{ends}),('")
	return f"('{quoted}'{ends})".replace(f"'{_NULL}'", "null")


def _as_text(value: Any) -> str:
	"""A value as MariaDB reads it between quotes; a moment without its zone, as the drivers write it."""
	if value is None:
		return _NULL
	if isinstance(value, bool):
		return str(int(value))
	if isinstance(value, datetime):
		return str(value.replace(tzinfo=None))
	return str(value)
