"""A share of all files, by the hash of their paths: what a day looks at, so that all are looked at in turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import frappe

from memora.services.cdn_export.state import database
from memora.services.cdn_export.state.ledger.reading import TABLE

SLICES = 256
"""One for each pair of hex digits that a row's name can begin with."""

_AFTER_ALL = "g"
_DOCUMENTS = """state = 'live'
	and kind not in ('access', 'media', 'lesson_file', 'schema', 'schemas_index', 'gate_keys')"""


@dataclass(frozen=True, slots=True)
class Share:
	"""The files of `count` slices from `first` on; after the last comes the first again."""

	first: int = 0
	count: int = SLICES

	def has(self, path: str) -> bool:
		"""Whether a file belongs to it."""
		return (int(database.key(path)[:2], 16) - self.first) % SLICES < self.count

	def ranges(self) -> list[tuple[str, str]]:
		"""The names of its rows: each comes after the first of one of these pairs, and before the second."""
		end = self.first + self.count
		if self.count >= SLICES:
			return [("", _AFTER_ALL)]
		if end > SLICES:
			return [("", _begins(end - SLICES)), (_begins(self.first), _AFTER_ALL)]
		return [(_begins(self.first), _begins(end))]


ALL = Share()


def has_documents() -> bool:
	"""Whether any document of content is live."""
	return bool(frappe.db.sql(f"select 1 from `tab{TABLE}` where {_DOCUMENTS} limit 1"))


def documents(share: Share, *, limit: int) -> Iterator[Sequence[tuple[str, str, str]]]:
	"""The live documents of content in a share, so many at a time: path, scope and kind."""
	for after, before in share.ranges():
		while page := frappe.db.sql(
			f"""select name, path, scope, kind from `tab{TABLE}`
			where name > %s and name < %s and {_DOCUMENTS} order by name limit {int(limit)}""",
			(after, before),
		):
			yield [row[1:] for row in page]
			after = page[-1][0]


def _begins(slice_: int) -> str:
	return f"{slice_:02x}" if slice_ < SLICES else _AFTER_ALL
