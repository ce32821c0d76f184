"""What a scope's row says of it (CDN Publish State): what waits, what is live, what has failed, what is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from memora.services.cdn_export.model.scopes import Scope, ScopeType

NO_RETRY_AFTER = timedelta(minutes=30)
"""From now, even where machines' clocks differ. What was noted for later was noted before the clock was set back: by the end
of summer time, or with the site's time zone."""


@dataclass(frozen=True, slots=True)
class State:
	"""A scope's state as one snapshot saw it."""

	name: str
	scope_type: ScopeType
	ref: str
	generation: int
	published_generation: int
	failed_generation: int
	waiting_since: datetime | None
	retry_count: int
	next_retry_at: datetime | None
	dead_since: datetime | None
	is_live: bool
	live_version: int
	triggered_by: str
	index_entry: str
	held: bool = False
	held_generation: int = 0
	approved_generation: int = 0
	causes: str = ""
	shown_generation: int = 0
	shown_digest: str = ""

	@property
	def scope(self) -> Scope:
		return Scope(self.scope_type, self.ref or "")

	@property
	def is_current(self) -> bool:
		"""Nothing waits: every change that the relay has read is published."""
		return self.published_generation >= self.generation

	@property
	def is_behind(self) -> bool:
		"""A build has failed since the last that succeeded, so that what reads this has gone on without the newest. It
		stays so until it is published, whatever becomes of the retries and the dead letter meanwhile."""
		return self.failed_generation > self.published_generation

	@property
	def is_dismissed(self) -> bool:
		"""An admin has cleared its dead letter, and nothing has changed since: what is live is not the content, but
		nothing waits."""
		return self.is_current and self.is_behind

	@property
	def is_ready(self) -> bool:
		"""What it publishes is there, and as new as its generation."""
		return self.is_live and self.is_current and not self.is_behind

	@property
	def is_approved(self) -> bool:
		"""An admin has let through what there was to publish, and nothing has changed since."""
		return self.approved_generation >= self.generation

	def is_backing_off(self, now: datetime) -> bool:
		"""Whether the scope has failed and is not to be tried at `now`."""
		if self.dead_since:
			return self.failed_generation >= self.generation
		return self.next_retry_at is not None and now < self.next_retry_at <= now + NO_RETRY_AFTER
