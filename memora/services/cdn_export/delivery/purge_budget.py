"""How many addresses and tags were purged this month, and the warning when that comes near what CDN Settings allow.

Purging never stops for it: what is stale must go. CloudFront bills what goes beyond a thousand a month.
"""

from __future__ import annotations

from typing import NamedTuple

import frappe
from frappe import _
from frappe.utils import now_datetime

from memora.services.cdn_export.delivery import admin_notices
from memora.services.cdn_export.state import database, site_values

_KEY = "memora_purges_spent"
_LEVELS = (100, 80)
"""Per cent of the budget at which admins are told, once a month each."""


class Spent(NamedTuple):
	"""What a month has cost so far, and the level that admins were told."""

	month: str
	purged: int = 0
	told: int = 0


def used() -> int:
	"""How many addresses and tags were purged this month, in the site's time."""
	return _read().purged


def spend(count: int) -> None:
	"""Note that so many more were purged, in the caller's transaction."""
	if count:
		frappe.db.sql("select defvalue from `tabDefaultValue` where name = %s for update", (_KEY,))
		_write(spent := _read(), purged=spent.purged + count)


def level(limit: int, count: int) -> int:
	"""80 or 100 where so many per cent of the budget are used, else 0. A limit of 0 is none."""
	return next((each for each in _LEVELS if limit and count * 100 >= limit * each), 0)


def warning(limit: int) -> str:
	"""What admins should know of the budget, in the user's language; "" for nothing."""
	count = used()
	return _text(level(limit, count), limit, count, None)


def warn(limit: int) -> None:
	"""Tell admins when 80 or 100 per cent are used, once each in a month. Commits where it does."""
	if not limit:
		return
	spent = _read()
	reached = level(limit, spent.purged)
	if reached > spent.told:
		database.transaction(lambda: _write(_read(), told=reached))
		admin_notices.tell_admins(lambda lang: _text(reached, limit, spent.purged, lang), "")


def _text(reached: int, limit: int, count: int, lang: str | None) -> str:
	if reached == 100:
		said = _(
			"The CDN's budget for this month is used up: {0} of {1} addresses and tags were purged. Purging goes on.",
			lang=lang,
		)
	elif reached:
		said = _(
			"The CDN's budget for this month is used to 80 %: {0} of {1} addresses and tags were purged.",
			lang=lang,
		)
	else:
		return ""
	return said.format(count, limit)


def _read() -> Spent:
	month = f"{now_datetime():%Y-%m}"
	noted, count, told = [*site_values.read(_KEY).split("|"), "0", "0"][:3]
	return Spent(month, int(count), int(told)) if noted == month else Spent(month)


def _write(spent: Spent, purged: int | None = None, told: int | None = None) -> None:
	fresh = spent._replace(
		purged=spent.purged if purged is None else purged, told=spent.told if told is None else told
	)
	site_values.write(_KEY, "|".join(map(str, fresh)))
