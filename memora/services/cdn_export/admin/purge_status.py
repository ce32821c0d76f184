"""What the CDN's cache has not forgotten yet, and what of the month's budget of purges is used."""

from __future__ import annotations

from typing import Any

from frappe import _

from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import edge_status
from memora.services.cdn_export.delivery import purge_budget, purge_queue

_NAMED = 20


def read(options: settings.ExportSettings) -> dict[str, Any]:
	"""For operators: `purges_failing` addresses and why, how many addresses and tags the CDN was asked for this month, and the
	`purge_budget` (0 for no limit); `edge_stale` is how many addresses the CDN shows as they were before a purge, `edge_stale_urls`
	some of them with what they show."""
	count, why = purge_queue.failing()
	stale = edge_status.stale(options)
	return {
		"purges_failing": count,
		"purge_error": why,
		"purges_this_month": purge_budget.used(),
		"purge_budget": options.purge_budget,
		"edge_stale": len(stale),
		"edge_stale_urls": stale[:_NAMED],
	}


def this_month(options: settings.ExportSettings) -> dict[str, int] | None:
	"""How many addresses and tags the CDN was asked to forget this month, and of how many; None where no CDN is purged."""
	if not settings.open_purge().active:
		return None
	return {"used": purge_budget.used(), "budget": options.purge_budget}


def warnings(options: settings.ExportSettings) -> list[dict[str, str]]:
	"""What keeps the cache from forgetting, and that the budget is nearly used, each with how to fix it."""
	found = []
	count, why = purge_queue.failing()
	if count:
		message = _("{0} addresses could not be purged from the CDN's cache, and are tried again.")
		found.append({"message": message.format(count), "fix": why})
	found += edge_status.warnings(options)
	said = purge_budget.warning(options.purge_budget)
	if said:
		fix = _("Switch Purge by Tags on in CDN Settings, or raise the number there.")
		found.append({"message": said, "fix": fix})
	return found
