"""The publication status of a document as the Desk is told it: in short for a row, as a whole for its form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import frappe
from frappe.utils import now_datetime

from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import (
	edge_status,
	obstacles,
	publication_status,
	reader_links,
	schedule,
)
from memora.services.cdn_export.admin.publication_status import PlanStatus, PublicationStatus
from memora.services.cdn_export.admin.status_words import COLORS, moment, short
from memora.services.cdn_export.model.doctypes import PLAN
from memora.services.cdn_export.rules.obstacles import drafts
from memora.services.cdn_export.rules.publication_status import WORST_FIRST, State

_MOST_PLANS = 8
_MOST_REASONS = 3
"""What one answer tells of a document's plans."""


def for_caller(
	doctype: str, names: Collection[str], *, with_obstacles: bool = False
) -> dict[str, PublicationStatus]:
	"""`publication_status.of_documents` as this caller is told it: without any plan that they may not read."""
	found = publication_status.of_documents(doctype, names, with_obstacles=with_obstacles)
	plans = {item.plan for status in found.values() for item in status.plans}
	readable = (
		set(frappe.get_list(PLAN, filters={"name": ("in", list(plans))}, pluck="name", limit=len(plans)))
		if plans and frappe.has_permission(PLAN, "read")
		else set()
	)
	if readable < plans:
		for status in found.values():
			publication_status.keep_to(status, readable)
	return found


def brief(status: PublicationStatus | PlanStatus) -> dict[str, str]:
	"""A status as a row shows it."""
	return {
		"state": status.state,
		"label": short(status.state),
		"color": COLORS[status.state],
		"text": status.text,
	}


def as_dict(standing: PublicationStatus) -> dict[str, Any]:
	"""The publication status of a document as the Desk reads it, with where to look and when something happens next.

	Where its plans are many, the worst of them are told, and one that is live: a lesson can be in a thousand.
	"""
	told = standing.plans
	if len(told) > _MOST_PLANS:
		worst = sorted(told, key=lambda item: (_place(item.state), item.title, item.plan))
		live = next((item for item in worst if item.is_live and item.path), worst[0])
		told = worst[:_MOST_PLANS] if live in worst[:_MOST_PLANS] else [*worst[: _MOST_PLANS - 1], live]
	options = settings.load()
	base = options.base_url
	at_edge = edge_status.live_since(options, told)
	read_from = options.gate_url if options.is_gated else base
	waits = standing.state in ("waiting", "leaving")
	above = standing.draft_above
	of = standing.line[-1].name if standing.line else standing.plans[0].plan if standing.plans else ""
	stopped = "" if standing.state == "live" else schedule.obstacle(options)
	return {
		**brief(standing),
		"draft_above": {"doctype": above.doctype, "name": above.name, "title": above.title}
		if above
		else None,
		"since": standing.since,
		"edge_since": _edge_since(standing, told, at_edge),
		"next_run": schedule.next_run(options) if waits and not stopped else None,
		"next_try": standing.next_try,
		"obstacle": stopped if waits else "",
		"line": [{"doctype": node.doctype, "name": node.name, "title": node.title} for node in standing.line],
		"reasons": obstacles.as_dicts(standing.obstacles, of, stopped),
		"drafts": _publishable(standing),
		"now": now_datetime(),
		"plan_count": len(standing.plans),
		"held": list(dict.fromkeys(item.held_reason for item in standing.plans if item.held_reason))[
			:_MOST_REASONS
		],
		"plans": [
			{
				"plan": item.plan,
				"title": item.title,
				**brief(item),
				"since": moment(item.version),
				"edge_since": at_edge.get(item.plan),
				"url": f"{base}/{item.path}" if base and item.is_live and item.path else "",
				"reader": reader_links.address(read_from, item.plan, item.line, item.required_item)
				if read_from and item.is_live
				else "",
				"held": item.held_reason,
			}
			for item in told
		],
	}


def _edge_since(
	status: PublicationStatus, told: Sequence[PlanStatus], at_edge: Mapping[str, datetime]
) -> datetime | None:
	"""Since when the CDN shows what is live, in every plan that is told; None where that was not seen."""
	live = {item.plan for item in told if item.state == "live"}
	if status.state != "live" or not live or not live <= at_edge.keys():
		return None
	return max(at_edge[plan] for plan in live)


def _place(state: State) -> int:
	return WORST_FIRST.index(state) if state in WORST_FIRST else len(WORST_FIRST)


def _publishable(status: PublicationStatus) -> list[dict[str, str]]:
	"""What *Make Live* publishes, if the caller may write all of it."""
	found = drafts(status.obstacles) if status.line else []  # of content, not of a plan
	if not all(frappe.has_permission(node.doctype, "write", node.name) for node in found):
		return []
	return [{"doctype": node.doctype, "name": node.name, "title": node.title} for node in found]
