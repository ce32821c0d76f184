"""Dead letters, by an admin's word: tried again, or dismissed."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from memora.services.cdn_export.admin import operations
from memora.services.cdn_export.model import plain_text, scopes
from memora.services.cdn_export.state import database, due, redis_mirror, retries


def retry(label: str) -> None:
	"""Put a dead letter back; the next batch builds it. Throws when it is not among them."""
	scope = scopes.of_label(label)
	if not database.transaction(lambda: retries.retry(scope, triggered_by="Manual")):
		frappe.throw(
			_("{0} is not among the dead letters, so there is nothing to retry.").format(
				plain_text.as_html(label)
			)
		)
	redis_mirror.remove_dead_letter(scope.label)
	if scope.type == "plan":
		redis_mirror.notify([scope.ref])


def retry_all() -> dict[str, Any]:
	"""Put every dead letter back, and start a batch that builds them."""
	_waiting, dead = due.waiting_and_dead()
	labels = [state.scope.label for state, _error in dead]
	for label in labels:
		try:
			retry(label)
		except frappe.ValidationError:
			frappe.clear_last_message()  # somebody was quicker
	return operations.start_batch()


def dismiss(label: str) -> None:
	"""Take a dead letter off the list: what is live stays until its content changes again. Throws when it is not dead.

	A removal goes on being tried every hour, and until its files are gone everybody is told that they are still there.
	"""
	scope = scopes.of_label(label)
	if not database.transaction(lambda: retries.dismiss(scope)):
		frappe.throw(
			_("{0} is not among the dead letters, so there is nothing to dismiss.").format(
				plain_text.as_html(label)
			)
		)
	redis_mirror.remove_dead_letter(scope.label)
