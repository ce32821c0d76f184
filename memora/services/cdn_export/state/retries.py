"""When a failed build is tried again, and what an admin may say of it: retry, reset its back-off, dismiss it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import frappe
from frappe.utils import now_datetime

from memora.services.cdn_export.model import causes as causes_text
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import database
from memora.services.cdn_export.state.publish_state import ADDED_CAUSES, TABLE

RETRY_MINUTES: tuple[int, ...] = (2, 4, 8)
"""Spec, "Publishing": a failed build is retried after these, then it is a dead letter."""


@dataclass(frozen=True, slots=True)
class Failure:
	"""Where a failed build leaves its scope: a next try, or none for a dead letter."""

	retries: int
	next_try: datetime | None

	@property
	def is_dead(self) -> bool:
		return self.next_try is None


def failed(state: State, token: str, generation: int, message: str) -> Failure | None:
	"""Record a failed build in the caller's transaction: the scope waits again, however far it came.

	None when the lease is lost.
	"""
	now = now_datetime()
	was_dead = state.dead_since is not None
	dead = was_dead or state.retry_count >= len(RETRY_MINUTES)
	retries = state.retry_count if dead else state.retry_count + 1
	next_try = None if dead else now + timedelta(minutes=RETRY_MINUTES[retries - 1])
	changed = database.execute(
		f"""update `tab{TABLE}` set retry_count = %s, next_retry_at = %s, dead_since = %s,
			failed_generation = %s, published_generation = least(published_generation, %s),
			waiting_since = coalesce(waiting_since, %s), last_error = %s, last_attempt_at = %s
		where name = %s and lease_token = %s""",
		(
			retries,
			next_try,
			(state.dead_since or now) if dead else None,
			generation,
			generation - 1,
			now,
			message,
			now,
			state.name,
			token,
		),
	)
	return Failure(retries, next_try) if changed else None


def retry(scope: Scope, *, triggered_by: str) -> bool:
	"""Put a dead letter back: it is due at once, with all its retries, and its log says who did. False when it was not
	dead."""
	cause = causes_text.action(frappe.session.user, causes_text.RETRY)
	return bool(
		database.execute(
			f"""update `tab{TABLE}` set dead_since = null, retry_count = 0, next_retry_at = null,
				waiting_since = coalesce(waiting_since, %s), triggered_by = %s, causes = {ADDED_CAUSES.format(new="%s")}
			where name = %s and dead_since is not null""",
			(now_datetime(), triggered_by, cause, cause, scope.id),
		)
	)


def reset_back_off(scopes: Iterable[Scope], *, triggered_by: str) -> None:
	"""Let scopes that have failed be tried at once, with all their retries. In the caller's transaction."""
	database.update_names(
		TABLE,
		[scope.id for scope in scopes],
		"dead_since = null, retry_count = 0, next_retry_at = null, triggered_by = %s",
		(triggered_by,),
		"dead_since is not null or next_retry_at is not null",
	)


def try_at_once(scopes: Iterable[Scope]) -> None:
	"""Let scopes that have failed be tried with the next batch; their retries go on counting. In the caller's
	transaction."""
	database.update_names(
		TABLE,
		[scope.id for scope in scopes],
		"next_retry_at = null",
		(),
		"(dead_since is null or scope_type = 'removal') and next_retry_at is not null",
	)


def dismiss(scope: Scope) -> bool:
	"""Close a dead letter without publishing: what is live counts as current, until its content changes again.

	It stays behind (`State.is_behind`): what reads it keeps to what was published. A removal goes on being tried every
	hour, and its files go on being told of. False when it was not dead.
	"""
	return bool(
		database.execute(
			f"""update `tab{TABLE}` set dead_since = null, retry_count = 0,
				last_error = if(scope_type = 'removal', last_error, null),
				next_retry_at = if(scope_type = 'removal', next_retry_at, null),
				published_generation = generation, failed_generation = generation + 1, waiting_since = null, causes = ''
			where name = %s and dead_since is not null""",
			(scope.id,),
		)
	)
