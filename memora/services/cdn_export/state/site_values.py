"""What memora has to remember on a site beyond its documents: when it last did something. Rows of Frappe's defaults.

Written here and not by `frappe.db.set_default`, which empties the whole site's cache: every form would load its
DocTypes anew after each batch.
"""

from __future__ import annotations

import frappe

from memora.services.cdn_export.state import database

_TABLE = "DefaultValue"


def read(key: str) -> str:
	"""What was noted under a key; "" for nothing."""
	row = frappe.db.sql(f"select defvalue from `tab{_TABLE}` where name = %s", (key,))
	return (row[0][0] or "") if row else ""


def write(key: str, value: str) -> None:
	"""Note a value, in the caller's transaction."""
	database.upsert(
		_TABLE,
		("name", "parent", "parenttype", "parentfield", "defkey", "defvalue"),
		[(key, key, "__default", "system_defaults", key, value)],
		"defvalue = values(defvalue)",
	)
