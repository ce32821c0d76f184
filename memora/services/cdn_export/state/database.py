"""What memora needs of MariaDB beyond `frappe.db`: error numbers, affected rows, multi-row upserts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, TypeVar

import frappe
from frappe.utils import now

from memora.frappe_versions import server_errors
from memora.services.cdn_export.state import bulk_rows

T = TypeVar("T")
SERVER_ERRORS = server_errors()
"""What a driver raises for a server that refuses, or cannot be reached; also before there is a `frappe.db`."""

ERRORS = (*SERVER_ERRORS, frappe.QueryDeadlockError, frappe.QueryTimeoutError)
"""Everything `frappe.db.sql` raises for a statement that the server refused or never got."""

CONFLICTS = frozenset({1020, 1205, 1213})
"""Record changed since the snapshot, lock wait time-out, deadlock: the transaction must be run again."""

TRANSACTION_ENDING = CONFLICTS | {2006, 2013, 2055}
"""The above and a lost connection: what the transaction had written is gone."""

OTHER_SCHEMA = frozenset({1054, 1146})
"""Unknown column, unknown table: the code is not the release that the site was migrated to."""

IDLE_SECONDS = 20
"""How long a transaction that has written may do nothing: ours ask for nothing but the database meanwhile."""

_ATTEMPTS = 10
_UNKNOWN_VARIABLE = 1193


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
	"""Let the server end this connection when a transaction of ours has written and then does nothing.

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


def key(*parts: str) -> str:
	"""The primary key of a row by what tells it apart, which can be longer than a Frappe name."""
	return hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()


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
	if literals := bulk_rows.literals(rows, alike):
		frappe.db.sql(f"{insert} {literals} {update}")
	else:
		whole = [(*row, *alike) for row in rows]
		frappe.db.sql(f"{insert} {', '.join(['%s'] * len(whole))} {update}", whole)


def replaced(columns: Iterable[str]) -> str:
	"""SQL for `on_duplicate`: these columns take the new row's values."""
	return ", ".join(f"{column} = values({column})" for column in columns)


def update_names(
	doctype: str,
	names: Iterable[str],
	assignments: str,
	values: Sequence[Any] = (),
	condition: str = "true",
	condition_values: Sequence[Any] = (),
) -> int:
	"""Update the rows of these names, in one statement that touches and locks no other row. Returns how many changed.

	`where name in (…)` would not do: MariaDB rather scans a table whose rows are mostly named, and then waits
	for rows that others have not committed yet, and lets others wait for the locks it leaves on all of them.
	Of a table that it takes for nearly empty it scans all in a join, too, unless it is told the index.
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
		f"update {_named(doctype)} set {assignments} where {condition}",
		(json.dumps(listed), *values, *condition_values),
	)


def _named(doctype: str) -> str:
	return f"{NAMES} straight_join `tab{doctype}` target force index (primary) on target.name = named.name"


def delete_names(doctype: str, names: Iterable[str]) -> None:
	"""Delete the rows of these names, as `update_names` updates them."""
	if listed := list(names):
		frappe.db.sql(
			f"delete target from {_named(doctype)}",
			(json.dumps(listed),),
		)


NAMES = "json_table(%s, '$[*]' columns (name varchar(140) path '$')) named"
"""SQL: the names in a JSON array as a table, to be joined to others by `straight_join`."""
