"""A document as plain data, and as the table keeps it."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import orjson

Scalar = str | int | float
Row = dict[str, Scalar]
"""A row of a table: its `name`, and its fields."""

State = dict[str, Scalar | list[Row]]
"""A document: its fields, and its tables as lists of rows in order."""

_LARGE = 500_000


class NoStateError(ValueError):
	"""What was given cannot be packed, or unpacked, as a state."""


def pack(state: State) -> str:
	"""The state as a JSON text of letters and digits, a fraction of its size. Raises NoStateError for what is no state."""
	try:
		document = orjson.dumps(state)
	except TypeError as error:  # which orjson's own error is
		raise NoStateError(f"this is no state: {error}") from error
	# Of ten megabytes, 0.2 s in place of 2, for a third more bytes.
	packed = zlib.compress(document, 1 if len(document) > _LARGE else 6)
	return f'"{base64.b64encode(packed).decode()}"'


def unpack(stored: str) -> State:
	"""What `pack` was given. Raises ValueError for anything else."""
	try:
		return cast(
			"State", orjson.loads(zlib.decompress(base64.b64decode(stored.strip('"'), validate=True)))
		)
	except zlib.error as error:
		raise NoStateError(f"this is no state: {error}") from error


def tables(state: State) -> dict[str, list[Row]]:
	"""The tables of a document."""
	return {field: value for field, value in state.items() if isinstance(value, list)}


def content(row: Mapping[str, Any]) -> Row:
	"""A row without its name."""
	return {field: value for field, value in row.items() if field != "name"}


def like(now: State, then: State, kept: Collection[str]) -> State:
	"""The document `now` as it was `then`: fields that are `kept`, and those that there were none of then, stay as they are
	now; what there is no field for now is left out."""
	wanted: State = {}
	for field, value in now.items():
		was = then.get(field)
		if field in kept or was is None or isinstance(was, list) != isinstance(value, list):
			wanted[field] = value
		elif isinstance(was, list):
			wanted[field] = [_fitting(row, cast("list[Row]", value)) for row in was]
		else:
			wanted[field] = was
	return wanted


def with_rows(now: State, then: State, table: str, names: Collection[str]) -> State:
	"""The document `now` with these rows of a table as they were `then`: those that are gone come back where they were."""
	rows = [dict(row) for row in cast("Sequence[Row]", now.get(table) or [])]
	was = cast("Sequence[Row]", then.get(table) or [])
	for place, row in enumerate(was):
		if row["name"] not in names:
			continue
		here = next((at for at, other in enumerate(rows) if other["name"] == row["name"]), None)
		if here is None:
			before = {other["name"] for other in was[:place]}
			behind = [at for at, other in enumerate(rows) if other["name"] in before]
			rows.insert(behind[-1] + 1 if behind else 0, dict(row))
		else:
			rows[here] = dict(row)
	return {**now, table: rows}


def _fitting(row: Row, of: Sequence[Row]) -> Row:
	"""A row of then with the fields that it has now only."""
	same = next((other for other in of if other["name"] == row["name"]), {})
	return {**same, **row}
