"""What happens when a build fails: tried again after 2, 4 and 8 minutes, then a dead letter that people see."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.utils import now_datetime

from memora.exceptions import MemoraError
from memora.services.cdn_export import database, pending_queue, publish_state, renditions
from memora.services.cdn_export.lease import Lease
from memora.services.cdn_export.publish_state import State

ADMIN_ROLES = ("System Manager", "Memora CDN Admin")


def record(state: State, lease: Lease, error: Exception) -> publish_state.Failure | None:
	"""Record a failed attempt; None when the lease was lost, since its new holder will publish.

	A scope that is out of retries becomes a dead letter: in its state row, in the Redis hash, and as a
	notification to each admin.
	"""
	message = describe(error)
	failure = database.transaction(
		lambda: publish_state.failed(state, lease.token, state.generation, message)
	)
	if failure is None:
		return None
	frappe.logger("memora").error(f"{lease.scope.label} was not published: {message}")
	if failure.is_dead:
		if lease.scope.type == "plan":
			database.transaction(lambda: renditions.withdraw(lease.scope.ref))
		pending_queue.bury(
			lease.scope.label, letter(lease.scope.label, message, failure.retries, now_datetime())
		)
		if not state.dead_since:
			database.transaction(lambda: _notify(lease.scope.label, message))
	return failure


def describe(error: Exception) -> str:
	"""The error as an admin reads it: memora's own say all there is to say, others their kind as well."""
	text = str(error).strip()
	return text if isinstance(error, MemoraError) else f"{type(error).__name__}: {text}"


def letter(label: str, message: str, retries: int, since: Any) -> dict[str, Any]:
	"""A dead letter as it stands in the Redis hash."""
	return {"name": label, "error_message": message, "retry_count": retries, "dead_since": str(since)}


def _notify(label: str, message: str) -> None:
	"""One Notification Log for each enabled admin; Frappe mails it to those who want mail."""
	admins = frappe.get_all(
		"Has Role",
		filters={"role": ("in", ADMIN_ROLES), "parenttype": "User"},
		pluck="parent",
		distinct=True,
	)
	for user in frappe.get_all("User", filters={"name": ("in", admins), "enabled": 1}, pluck="name"):
		frappe.get_doc(
			{
				"doctype": "Notification Log",
				"for_user": user,
				"type": "Alert",
				"subject": _("Publishing {0} has failed for good").format(label),
				"email_content": frappe.utils.escape_html(message),
				"document_type": "CDN Settings",
				"document_name": "CDN Settings",
			}
		).insert(ignore_permissions=True)
