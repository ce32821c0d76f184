"""What happens when a build fails: tried again after 2, 4 and 8 minutes, then a dead letter that people see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import frappe
from frappe import _
from frappe.utils import now_datetime

from memora.exceptions import MemoraError
from memora.services.cdn_export.delivery import admin_notices
from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.model.doctypes import PLAN, SUBJECT
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.model.tree import ResolvedNode
from memora.services.cdn_export.state import database, redis_mirror, renditions, retries
from memora.services.cdn_export.state.lease import Lease

_NAMED_AT_MOST = 3
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
		redis_mirror.add_dead_letter(
			lease.scope.label, letter(lease.scope.label, message, failure.retries, now_datetime())
		)
		if not state.dead_since:
			title = _title(lease.scope)
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


def letter(label: str, message: str, retries: int, since: Any) -> dict[str, Any]:
	"""A dead letter as the Redis hash has it."""
	return {"name": label, "error_message": message, "retry_count": retries, "dead_since": str(since)}


def kept_paid(lessons: Sequence[ResolvedNode]) -> str:
	"""Why a scope is held whose lessons would no longer be paid, as an admin reads it."""
	titles = ", ".join(f"“{lesson.title}”" for lesson in lessons[:_NAMED_AT_MOST])
	if len(lessons) > _NAMED_AT_MOST:
		titles = _("{0} and {1} more").format(titles, len(lessons) - _NAMED_AT_MOST)
	return plain_text.store(
		_("Paid lessons would be readable without paying, and stay paid until approved: {0}").format(titles)
	)


def would_lose(lessons: int, live: int) -> str:
	"""Why a plan is held that would lose many of its lessons."""
	return _("{0} of {1} lessons would be removed, and stay until approved.").format(lessons, live)


def say_held(scope: Scope, reason: str) -> None:
	"""Tell each admin that a scope waits for their word, in a transaction of its own."""
	title = _title(scope)
	admin_notices.tell_admins(lambda lang: _("{0} waits for your approval", lang).format(title), reason)


def say_remaining(scope: Scope, message: str) -> None:
	"""Tell each admin what the storage refuses to remove, in a transaction of its own."""
	title = _title(scope)
	admin_notices.tell_admins(
		lambda lang: _("Files of {0} cannot be removed from the CDN", lang).format(title), message
	)


def _title(scope: Scope) -> str:
	"""What people call a scope: its document's title, or its label where there is none."""
	scope = scope.owner
	doctype = {"plan": PLAN, "subject": SUBJECT}.get(scope.type)
	return (doctype and frappe.db.get_value(doctype, scope.ref, "title")) or scope.label
