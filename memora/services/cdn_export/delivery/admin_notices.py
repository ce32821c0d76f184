"""What admins are told in their Desk: one Notification Log for each, in their language."""

from __future__ import annotations

from collections.abc import Callable

import frappe

from memora.frappe_versions import desk_route
from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.model.doctypes import PLAN, SUBJECT
from memora.services.cdn_export.model.roles import ADMINS
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import database

DASHBOARD = desk_route("cdn-export-dashboard")


def tell_admins(subject: Callable[[str | None], str], message: str) -> None:
	"""Notify each admin in their language, which `subject` takes, in a transaction of its own.

	Never raises for what a site's own hooks do to a notification: what it tells of is recorded elsewhere, too.
	"""
	try:
		database.transaction(lambda: _notify(subject, message))
	except Exception:  # noqa: BLE001 - whatever a site's hooks raise
		frappe.logger("memora").exception("admins could not be notified")


def title_of(scope: Scope) -> str:
	"""What people call a scope: its document's title, or its label where there is none."""
	scope = scope.owner
	doctype = {"plan": PLAN, "subject": SUBJECT}.get(scope.type)
	return (doctype and frappe.db.get_value(doctype, scope.ref, "title")) or scope.label


def _notify(subject: Callable[[str | None], str], message: str) -> None:
	"""One Notification Log for each enabled admin; Frappe mails it to those who want mail."""
	admins = frappe.get_all(
		"Has Role",
		filters={"role": ("in", ADMINS), "parenttype": "User"},
		pluck="parent",
		distinct=True,
	)
	for user in frappe.get_all(
		"User", filters={"name": ("in", admins), "enabled": 1}, fields=["name", "language"]
	):
		frappe.get_doc(
			{
				"doctype": "Notification Log",
				"for_user": user.name,
				"type": "Alert",
				"subject": plain_text.as_html(subject(user.language)),
				"email_content": plain_text.as_html(message),
				"document_type": "CDN Settings",
				"document_name": "CDN Settings",
				"link": DASHBOARD,  # where Frappe has the field, it leads there instead
			}
		).insert(ignore_permissions=True)
