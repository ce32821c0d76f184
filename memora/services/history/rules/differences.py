"""What differs between two states of a document: all of it, and nothing where they are the same.

Rows are the same row by their name, or, where one was made again, by what is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from memora.services.history.rules.state import Row, Scalar, State, content, tables


@dataclass(frozen=True, slots=True)
class FieldChange:
	"""A field with another value. A field that a state does not have counts as empty there."""

	field: str
	old: Scalar
	new: Scalar


@dataclass(frozen=True, slots=True)
class RowChange:
	"""A row that was added, removed or changed; `place` is where it is now, or was."""

	table: str
	what: Literal["added", "removed", "changed"]
	place: int
	old: Row | None
	new: Row | None

	def fields(self) -> list[FieldChange]:
		"""What differs within a row that was changed."""
		return _fields(content(self.old or {}), content(self.new or {}))


@dataclass(slots=True)
class Differences:
	"""Fields, rows and orders that differ; `reordered` names tables whose rows are in another order."""

	fields: list[FieldChange] = field(default_factory=list)
	rows: list[RowChange] = field(default_factory=list)
	reordered: list[str] = field(default_factory=list)

	def __bool__(self) -> bool:
		return bool(self.fields or self.rows or self.reordered)

	def of(self, table: str, what: str) -> list[RowChange]:
		"""The rows of a table to which this has happened."""
		return [row for row in self.rows if (row.table, row.what) == (table, what)]


def between(was: State, now: State) -> Differences:
	"""What there is to say of a document that was one way and is another now."""
	found = Differences(_fields(_plain(was), _plain(now)))
	before, after = tables(was), tables(now)
	for table in dict.fromkeys((*before, *after)):
		_compare(table, before.get(table, []), after.get(table, []), found)
	return found


def _plain(state: State) -> dict[str, Scalar]:
	return {name: value for name, value in state.items() if not isinstance(value, list)}


def _fields(was: dict[str, Scalar], now: dict[str, Scalar]) -> list[FieldChange]:
	names = dict.fromkeys((*was, *now))
	changes = (FieldChange(name, was.get(name, ""), now.get(name, "")) for name in names)
	return [change for change in changes if change.old != change.new and (change.old or change.new)]


def _compare(table: str, was: Sequence[Row], now: Sequence[Row], found: Differences) -> None:
	if len(was) == len(now) and all(map(_is_same, was, now)):
		return
	if [content(row) for row in was] == [content(row) for row in now]:
		return  # whatever their names are
	pairs = _pairs(was, now)
	matched = set(pairs.values())
	for place, row in enumerate(was):
		if place not in pairs:
			found.rows.append(RowChange(table, "removed", place, row, None))
	for place, row in enumerate(now):
		if place not in matched:
			found.rows.append(RowChange(table, "added", place, None, row))
	for old, new in pairs.items():
		if not _is_same(was[old], now[new]):
			found.rows.append(RowChange(table, "changed", new, was[old], now[new]))
	order = [pairs[place] for place in sorted(pairs)]
	if order != sorted(order):
		found.reordered.append(table)


def _pairs(was: Sequence[Row], now: Sequence[Row]) -> dict[int, int]:
	"""By its place before, the place of each row that is still there."""
	by_name = {row["name"]: place for place, row in enumerate(now)}
	pairs = {place: by_name[row["name"]] for place, row in enumerate(was) if row["name"] in by_name}
	matched = set(pairs.values())
	free = [place for place in range(len(now)) if place not in matched]
	for old, row in enumerate(was):
		if old in pairs:
			continue
		same = next((new for new in free if _is_same(now[new], row)), None)
		if same is not None:
			pairs[old] = same
			free.remove(same)
	return pairs


def _is_same(one: Row, other: Row) -> bool:
	return not _fields(content(one), content(other))
