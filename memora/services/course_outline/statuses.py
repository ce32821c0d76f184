"""The publication status of documents as this caller is told it: without any plan that they may not read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import frappe

from memora.services.cdn_export.admin import publication_status
from memora.services.cdn_export.admin.publication_status import PublicationStatus
from memora.services.cdn_export.model.doctypes import PLAN

FAILING = ("dead", "failed", "remains")
WAITING = ("held", "waiting", "building", "leaving")


def of(doctype: str, names: Collection[str]) -> dict[str, PublicationStatus]:
	"""The publication status of these documents, which the caller must be allowed to read."""
	found = publication_status.of_documents(doctype, names)
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


def brief(status: PublicationStatus) -> dict[str, Any]:
	"""A status as a row shows it."""
	return {
		"state": status.state,
		"label": publication_status.short(status.state),
		"color": publication_status.COLORS[status.state],
		"text": status.text,
	}
