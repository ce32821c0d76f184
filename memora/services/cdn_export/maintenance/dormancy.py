"""Frappe's scheduler stays awake while published content has work to come.

Frappe 15 takes a site for dormant when Activity Log has had no entry for `dormant_days`, which logins alone make, and
then schedules jobs once a day at most (`frappe.utils.scheduler.is_dormant`). Learners read from the CDN and never log in.
So while something waits for its moment, a retry, a removal, a signature that ends, memora makes an entry itself.
Newer releases ask this on Frappe Cloud alone, and look at users there: then the entry changes nothing.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime

import frappe
import redis
from frappe import _
from frappe.utils.scheduler import is_dormant, schedule_jobs_based_on_activity

from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.state import ledger, publish_state, site_values

_NOTE = "memora_kept_awake"
_AGAIN_SECONDS = 43_200
"""So often an entry is made at most, also where it changes nothing. `dormant_days` are whole days."""

_ANYTHING_TO_COME = f"""select
	exists(select 1 from `tabCDN Change`)
	or exists(select 1 from `tab{publish_state.TABLE}` where scope_type = 'removal' or ({publish_state.GOES_ON}))
	or exists(select 1 from `tab{ledger.TABLE}` where state = 'removing' and remove_at is not null)
	or exists(select 1 from `tab{ledger.TABLE}` where state = 'live' and signed_until is not null)
	or exists(select 1 from `tab{ledger.TABLE}` where state = 'live' and outdated = 1)
	or exists(select 1 from `tab{purge_queue.TABLE}`)"""
"""SQL: whether the minute's check will find something to do that no save and no admin has to bring about."""


def will_sleep(at: datetime, *, keep_awake: bool = True) -> bool:
	"""Whether Frappe takes the site for dormant at a moment; with `keep_awake` after that was prevented where there is
	work to come. Commits then."""
	if not is_dormant(at):
		return False
	if not keep_awake or not frappe.db.sql(_ANYTHING_TO_COME)[0][0]:
		return True
	if time.time() - float(site_values.read(_NOTE) or 0) < _AGAIN_SECONDS:
		return True
	site_values.write(_NOTE, str(time.time()))
	entry = frappe.get_doc(
		{
			"doctype": "Activity Log",
			"subject": _("memora keeps the scheduler awake, since published content has work to come"),
			"user": "Administrator",
		}
	)
	entry.db_insert()  # past hooks of the site: what they refuse must stop no batch
	frappe.db.commit()
	forget()
	return bool(is_dormant(at))


def forget() -> None:
	"""Let the scheduler ask again: later releases of Frappe 15 remember for an hour that they shall not schedule."""
	if clear := getattr(schedule_jobs_based_on_activity, "clear_cache", None):
		with suppress(redis.RedisError):
			clear()
