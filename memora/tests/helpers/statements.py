"""What a test counts: the statements that go to MariaDB, and the sums of its tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import frappe


@contextmanager
def statements() -> Iterator[list[str]]:
	"""Every statement that goes to MariaDB meanwhile, but for those that begin and end transactions."""
	seen: list[str] = []
	sql = frappe.db.sql

	def counted(query, *args, **kwargs):
		if (
			kwargs.get("run", True)  # else Frappe asks for the text of a statement
			and not str(query)
			.strip()
			.upper()
			.startswith(("COMMIT", "START TRANSACTION", "ROLLBACK", "SAVEPOINT"))
		):
			seen.append(str(query))
		return sql(query, *args, **kwargs)

	with patch.object(frappe.db, "sql", counted):
		yield seen


class Read:
	"""How many rows MariaDB has read for this connection, of tables and of indexes."""

	def __init__(self) -> None:
		self.rows = 0


@contextmanager
def rows_read() -> Iterator[Read]:
	"""How many rows MariaDB reads meanwhile for this connection."""
	read, counting = Read(), _rows_read()
	counting = _rows_read() - counting  # what to count takes itself
	before = _rows_read()
	yield read
	read.rows = _rows_read() - before - counting


def _rows_read() -> int:
	return sum(int(count) for _, count in frappe.db.sql("show session status like 'Handler\\_read\\_%'"))


def checksums() -> dict[str, Any]:
	"""Of each of memora's tables, and of those of files and errors."""
	tables = frappe.get_all("DocType", {"module": "Memora", "issingle": 0}, pluck="name")
	named = ", ".join(f"`tab{table}`" for table in (*tables, "File", "Singles", "Error Log", "Version"))
	return dict(frappe.db.sql(f"checksum table {named}"))
