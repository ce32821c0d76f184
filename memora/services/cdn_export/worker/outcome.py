"""What became of a build: one event for log collectors, and for plans one record in CDN Sync Log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from frappe.utils import now_datetime

from memora.services.cdn_export.builds import event_log, failures
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.state import redis_mirror, sync_log
from memora.services.cdn_export.state.lease import Lease


def published(
	target: PublishTarget, builds: Sequence[tuple[State, Counts]], started_at: datetime, triggered_by: str
) -> None:
	"""Record builds that went well, and what the storage has refused to remove meanwhile. A plan that was not live and has
	no file is in no record: nothing was published that anybody could have seen."""
	recorded = []
	for state, counts in builds:
		cause = state.triggered_by or triggered_by
		_record(
			"built",
			state,
			started_at,
			triggered_by=cause,
			uploaded=counts.uploaded,
			deleted=counts.deleted,
			unchanged=counts.unchanged,
			bytes=counts.bytes,
		)
		if state.scope_type == "plan" and (state.is_live or counts.uploaded or counts.deleted):
			recorded.append((state, cause, counts))
	if recorded:
		refused = target.take_refusals()
		sync_log.write(
			[sync_log.Attempt(state, started_at, cause, counts, refused) for state, cause, counts in recorded]
		)


def failed(state: State, lease: Lease, error: Exception, started_at: datetime, triggered_by: str) -> None:
	"""Record a failure: a retry or a dead letter. Nothing where the lease was lost, since its new holder publishes."""
	failure = failures.record(state, lease, error)
	if not failure:
		return
	message = failures.describe(error)
	_record(
		"failed",
		state,
		started_at,
		triggered_by=triggered_by,
		error=message,
		retries=failure.retries,
		next_try=failure.next_try,
		dead=failure.is_dead,
	)
	if state.scope_type == "plan":
		sync_log.write(
			[
				sync_log.Attempt(
					state, started_at, triggered_by, Counts(), error_message=message, failure=failure
				)
			]
		)


def no_longer_dead(state: State) -> None:
	"""Take a dead letter off the list in Redis."""
	redis_mirror.remove_dead_letter(state.scope.label)


def _record(event: str, state: State, started_at: datetime, **fields: Any) -> None:
	event_log.record(
		event,
		scope=state.scope.label,
		generation=state.generation,
		seconds=round((now_datetime() - started_at).total_seconds(), 3),
		**fields,
	)
