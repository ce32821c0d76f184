"""What happens when a build fails: tried again after 2, 4 and 8 minutes, then a dead letter that people see."""

from __future__ import annotations

import frappe
from frappe import _
from frappe.utils import now_datetime

from memora.exceptions import MemoraError
from memora.services.cdn_export.delivery import admin_notices
from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.state import database, redis_mirror, renditions, retries
from memora.services.cdn_export.state.lease import Lease

_LONGEST_MESSAGE = 5_000
"""In characters: it must fit wherever it is recorded, since recording a failure must never fail."""


def record(state: State, lease: Lease, error: Exception) -> retries.Failure | None:
	"""Record a failed attempt; None when the lease was lost, since its new holder will publish.

	A scope that is out of retries becomes a dead letter: in its state row, in the Redis hash, and as a
	notification to each admin.
	"""
	message = describe(error)
	failure = database.transaction(lambda: retries.failed(state, lease.token, state.generation, message))
	if failure is None:
		return None
	frappe.logger("memora").error(f"{lease.scope.label} was not published: {message}")
	if failure.is_dead:
		if lease.scope.type == "plan":
			database.transaction(lambda: renditions.release(lease.scope.ref))
		redis_mirror.add_dead_letter(lease.scope.label, message, failure.retries, now_datetime())
		if not state.dead_since:
			title = admin_notices.title_of(lease.scope)
			admin_notices.tell_admins(
				lambda lang: _("Publishing {0} has failed permanently", lang).format(title),
				message,
			)
	return failure


def describe(error: Exception) -> str:
	"""The error as it is recorded: memora's own say all there is to say, others their kind as well.

	It quotes titles, and what a server answered, so it is stored as any plain text.
	"""
	text = str(error).strip()
	if not isinstance(error, MemoraError):
		text = f"{type(error).__name__}: {text}"
	return plain_text.store(text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]} …")
