"""What memora has to remember on a site beyond its documents: when it last did something. Rows of Frappe's defaults.

Written here and not by `frappe.db.set_default`, which empties the whole site's cache: every form would load its
DocTypes again after each batch.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import frappe
from frappe.utils import now_datetime

from memora.services.cdn_export.state import database

_TABLE = "DefaultValue"
LAST_BATCH = "memora_last_batch"


def read(key: str) -> str:
	"""What was noted under a key; "" for nothing."""
	row = frappe.db.sql(f"select defvalue from `tab{_TABLE}` where name = %s", (key,))
	return (row[0][0] or "") if row else ""


def read_all(*keys: str) -> dict[str, str]:
	"""What was noted under each of these keys; "" for nothing. One statement."""
	rows = frappe.db.sql(f"select name, defvalue from `tab{_TABLE}` where name in %s", (keys,))
	return {**dict.fromkeys(keys, ""), **{key: value or "" for key, value in rows}}


def write(key: str, value: str) -> None:
	"""Note a value, in the caller's transaction."""
	_write(key, value, "defvalue = values(defvalue)")


def write_once(key: str, value: str) -> None:
	"""Note a value unless there is one, in the caller's transaction."""
	_write(key, value, "defkey = defkey")


def forget(key: str, value: str) -> None:
	"""Forget what is noted under a key, if it is still this; in the caller's transaction."""
	database.execute(f"delete from `tab{_TABLE}` where name = %s and defvalue = %s", (key, value))


def locked(key: str) -> str:
	"""What was noted under a key, "" for nothing; kept from others until the caller's transaction ends."""
	write_once(key, "")
	((noted,),) = frappe.db.sql(f"select defvalue from `tab{_TABLE}` where name = %s for update", (key,))
	return noted or ""


def _write(key: str, value: str, on_duplicate: str) -> None:
	database.upsert(
		_TABLE,
		("name", "parent", "parenttype", "parentfield", "defkey", "defvalue"),
		[(key, key, "__default", "system_defaults", key, value)],
		on_duplicate,
	)


def last_batch_at(noted: str | None = None) -> datetime | None:
	"""When the last batch began, in the site's time; None before the first. `noted` is what was read under `LAST_BATCH`."""
	last = float((read(LAST_BATCH) if noted is None else noted) or 0)
	return now_datetime() - timedelta(seconds=time.time() - last) if last else None


def since_last_batch() -> float:
	"""Seconds since the last batch; a clock that has been set back since counts as that far on."""
	return abs(time.time() - float(read(LAST_BATCH) or 0))


def note_batch() -> None:
	"""Note that a batch begins, in the caller's transaction."""
	write(LAST_BATCH, str(time.time()))
