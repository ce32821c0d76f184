"""What memora needs of MariaDB beyond `frappe.db`: error numbers, affected rows, multi-row upserts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import itemgetter
from typing import Any, TypeVar

import frappe
import orjson
from frappe.utils import now

from memora.frappe_versions import server_errors

T = TypeVar("T")

Pack = Callable[[Iterable[str]], str]
"""Makes SQL of one column from that of several."""


SERVER_ERRORS = server_errors()
"""What a driver raises for a server that refuses, or cannot be reached; also before there is a `frappe.db`."""

ERRORS = (*SERVER_ERRORS, frappe.QueryDeadlockError, frappe.QueryTimeoutError)
"""Everything `frappe.db.sql` raises for a statement that the server refused or never got."""

CONFLICTS = frozenset({1020, 1205, 1213})
"""Record changed since the snapshot, lock wait time-out, deadlock: the transaction is to be run again."""

TRANSACTION_ENDING = CONFLICTS | {2006, 2013, 2055}
"""The above and a lost connection: what the transaction had written is gone."""

OTHER_SCHEMA = frozenset({1054, 1146})
"""Unknown column, unknown table: the code is not the release that the site was migrated to."""

IDLE_SECONDS = 20
"""How long a transaction that has written may stand still: ours ask for nothing but the database meanwhile."""

_ATTEMPTS = 10
_UNKNOWN_VARIABLE = 1193
_BETWEEN, _NEXT_ROW, _NULL = "\x1f", "\x1e", "\x1d"
"""ASCII's separators of units, records and groups: hardly ever in a text."""


def errno(error: BaseException) -> int:
	"""The server's error number, also when Frappe has wrapped the error; 0 for none."""
	first = error.args[0] if error.args else 0
	if isinstance(first, BaseException):
		return errno(first)
	return first if isinstance(first, int) else 0


def transaction(work: Callable[[], T], *, reads: bool = True) -> T:
	"""Run `work` in a transaction of its own and commit; on a conflict roll back and run it again.

	Whatever was open before is committed first, so that the first statement of `work` makes the snapshot. Work that
	reads nothing (`reads` is False) goes on in a transaction that has only read: a commit less. Raises the conflict
	itself after ten attempts, and any other error at once, both after a rollback.
	"""
	if reads or frappe.db.transaction_writes:
		fresh()
	for attempt in range(1, _ATTEMPTS + 1):
		try:
			result = work()
			frappe.db.commit()
			return result
		except ERRORS as error:
			rollback()
			if errno(error) not in CONFLICTS or attempt == _ATTEMPTS:
				raise
		except BaseException:
			rollback()
			raise
	raise AssertionError("unreachable: the last attempt returns or raises")


def fresh() -> None:
	"""Begin a new transaction, so that the next statement makes its snapshot; nothing to do in an untouched one.

	Commits what was open. Frappe begins each transaction with START TRANSACTION.
	"""
	cursor = getattr(frappe.db, "_cursor", None)  # there is none before the first statement
	last = getattr(cursor, "_executed", None) or b"START TRANSACTION"
	if (last.encode() if isinstance(last, str) else last).strip().upper() != b"START TRANSACTION":
		frappe.db.commit()


def rollback() -> None:
	"""Roll back; where the connection broke, which did that already, go on with a new one.

	It breaks when the server ends it, and when a signal's exception (Ctrl-C, the time-out of a job) comes amid a
	statement: the driver cannot know any more where the server's answer begins. Raises what the driver raises when
	there is no server to connect to.
	"""
	try:
		frappe.db.rollback()
	except SERVER_ERRORS:
		frappe.db.close()
		limit_idling()
		frappe.db.rollback()


def limit_idling() -> None:
	"""Let the server end this connection when a transaction of ours has written and then stands still.

	A worker that is stopped amid one (a suspended machine, a debugger) would hold up all others for as long as
	that lasts. MariaDB only; elsewhere nothing happens.
	"""
	try:
		frappe.db.sql("set idle_write_transaction_timeout = %s", (IDLE_SECONDS,))
	except ERRORS as error:
		if errno(error) != _UNKNOWN_VARIABLE:
			raise


@contextmanager
def alone(name: str, seconds: int) -> Iterator[bool]:
	"""Whether this worker is the site's only one within a block of this name, after waiting at most `seconds` for others."""
	lock = f"{frappe.conf.db_name}.{name}"[-64:]
	is_alone = bool(frappe.db.sql("select get_lock(%s, %s)", (lock, seconds))[0][0])
	try:
		yield is_alone
	finally:
		if is_alone:
			frappe.db.sql("select release_lock(%s)", (lock,))


def execute(statement: str, values: Sequence[Any] | dict[str, Any]) -> int:
	"""Run a writing statement and return how many rows it changed."""
	frappe.db.sql(statement, values)
	return frappe.db._cursor.rowcount


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


def exactly(column: str, value: str) -> str:
	"""SQL: whether a name is just this one. By `=` alone MariaDB takes names for one that differ in case or
	accents, which are two to us; it finds the row by an index, though."""
	return f"({column} = {value} and binary {column} = {value})"


def among(column: str, values: str) -> str:
	"""SQL: whether a text is just one of these; `values` names the statement's value. `exactly` for many."""
	return f"({column} in {values} and binary {column} in {values})"


def upsert(
	doctype: str,
	columns: Sequence[str],
	rows: Sequence[Sequence[Any]],
	on_duplicate: str,
	*,
	same: Mapping[str, Any] | None = None,
	stamped: bool = True,
) -> None:
	"""Insert `rows` in one statement, in the order of their names; where the name exists, apply `on_duplicate` (SQL)
	instead. The name is a row's first value.

	`same` are further columns that have one value in every row. Adds creation, modified, owner and modified_by,
	as Frappe's own inserts have them; not unless `stamped`, for rows that exist and have just been changed:
	`modified` is an index.
	"""
	if not rows:
		return
	rows = sorted(rows, key=itemgetter(0))  # so that two who write the same rows never lock each other out
	constants = dict(same or {})
	if stamped:
		moment, user = now(), frappe.session.user
		constants |= {"creation": moment, "modified": moment, "owner": user, "modified_by": user}
		on_duplicate = f"modified = values(modified), {on_duplicate}"
	names = ", ".join(f"`{column}`" for column in (*columns, *constants))
	alike = tuple(constants.values())
	insert, update = f"insert into `tab{doctype}` ({names}) values", f"on duplicate key update {on_duplicate}"
	if literals := _literals(rows, alike):
		frappe.db.sql(f"{insert} {literals} {update}")
	else:
		whole = [(*row, *alike) for row in rows]
		frappe.db.sql(f"{insert} {', '.join(['%s'] * len(whole))} {update}", whole)


def replaced(columns: Iterable[str]) -> str:
	"""SQL for `on_duplicate`: these columns take the new row's values."""
	return ", ".join(f"{column} = values({column})" for column in columns)


def _literals(rows: Sequence[Sequence[Any]], alike: Sequence[Any] = ()) -> str | None:
	"""SQL: these rows, each followed by the values that are alike in all. Escaped all at once: one by one, thousands of
	values take longer than all else on this side.

	None where a text holds a separator, or what Frappe would change: it reads `ifnull(` as its own function wherever
	it stands in a statement.
	"""
	ends = ""
	if alike:
		literals = _literals([alike])
		if literals is None:
			return None
		ends = f",{literals[1:-1]}"
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


def update_names(
	doctype: str,
	names: Iterable[str],
	assignments: str,
	values: Sequence[Any] = (),
	condition: str = "true",
	condition_values: Sequence[Any] = (),
) -> int:
	"""Update the rows of these names, in one statement that touches and locks no other row. Returns how many changed.

	`where name in (…)` would not do: MariaDB rather scans a table of which most rows are named, and then waits
	for rows that others have not committed yet, and lets others wait for the locks it leaves on all of them.
	"""
	listed = list(names)
	if not listed:
		return 0
	if len(listed) == 1:  # found by its key alone
		return execute(
			f"update `tab{doctype}` target set {assignments} where ({condition}) and target.name = %s",
			(*values, *condition_values, listed[0]),
		)
	return execute(
		f"update {NAMES} straight_join `tab{doctype}` target on target.name = named.name"
		f" set {assignments} where {condition}",
		(json.dumps(listed), *values, *condition_values),
	)


def delete_names(doctype: str, names: Iterable[str]) -> None:
	"""Delete the rows of these names, as `update_names` updates them."""
	if listed := list(names):
		frappe.db.sql(
			f"delete target from {NAMES} straight_join `tab{doctype}` target on target.name = named.name",
			(json.dumps(listed),),
		)


NAMES = "json_table(%s, '$[*]' columns (name varchar(140) path '$')) named"
"""SQL: the names in a JSON array as a table, to be joined to others by `straight_join`."""
