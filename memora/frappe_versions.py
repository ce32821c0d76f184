"""What differs between the versions of Frappe that memora runs on, each said once, with when it can go.

Nothing asks for a version's number: each looks at what this Frappe does.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import Any

import frappe
from frappe import hooks as frappe_hooks


def _desk() -> str:
	"""The Desk's first path. Frappe sends those who ask for the other one there."""
	redirects = getattr(frappe_hooks, "website_redirects", ())
	return "/desk" if any(rule["target"].startswith("/desk") for rule in redirects) else "/app"


DESK = _desk()
"""Where the Desk is: `/app` in v15, `/desk` later. A link to the other one loads the whole page again. With v15 gone it is
`/desk`."""


def desk_route(page: str) -> str:
	"""The path of a page or workspace of the Desk, by its name in the address: `memora`, `cdn-export-dashboard`."""
	return f"{DESK}/{page}"


def sites_of(given: Any) -> list[str]:
	"""The sites that a `bench` command was given: click's object is a dict in v15, and has attributes later. Goes with v15."""
	return (given.get("sites") if isinstance(given, dict) else getattr(given, "sites", None)) or []


def server_errors() -> tuple[type[Exception], ...]:
	"""What the drivers of MariaDB raise: PyMySQL in v15; later mysqlclient, or PyMySQL if the configuration says so. Goes
	when Frappe has one driver."""
	found = []
	for driver in ("pymysql", "MySQLdb"):
		with suppress(ImportError):
			found.append(import_module(driver).MySQLError)
	return tuple(found)


QUEUE_IS_FULL: tuple[type[Exception], ...] = tuple(
	error for error in (getattr(frappe, "QueueOverloaded", None),) if error
)
"""What `frappe.enqueue` raises when too many jobs wait: it counts them only after v15. Goes with v15."""
