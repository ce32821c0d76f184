"""A drain: builds one due scope after another, until nothing waits or its time is over.

Lease, build, record; plans that need the same and nothing else as a group. One failing plan is one caught, recorded
failure. What is no build's failure ends the whole drain: a place that is another site's, tables of another release.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import takewhile

import frappe
from frappe.utils import now_datetime

from memora.exceptions import (
	LeaseLostError,
	MemoraError,
	PlaceRefusedError,
	ScopeBusyError,
	StorageConfigurationError,
)
from memora.services.cdn_export import settings
from memora.services.cdn_export.builds import commit, index_build, plan_build, plan_group, subject_build
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model.counts import Tell
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import (
	database,
	due,
	job_queue,
	redis_mirror,
	refused_removals,
	relocation,
)
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state.lease import Lease
from memora.services.cdn_export.worker import outcome, sweep

DRAIN_SECONDS = 600
"""After this a drain starts no further build and leaves the rest to a fresh job."""

_BUSY_PAUSE_SECONDS = 0.2
_BUILDERS = {"plan": plan_build, "subject": subject_build, "index": index_build}


@dataclass(slots=True)
class Drained:
	"""What a drain did."""

	published: int = 0
	failed: int = 0
	left: int = 0
	refused: str = ""
	"""Why nothing may be written to the place, if that is so: what waits goes on waiting."""


def drain(
	triggered_by: str = "Scheduler",
	seconds: float | None = DRAIN_SECONDS,
	tell: Tell | None = None,
	batch: str = "",
	place: int | None = None,
) -> Drained:
	"""Build one due scope after another until none is left, or until `seconds` have passed.

	What others hold is checked again after a pause. Changes committed meanwhile are relayed and built too.
	`tell` hears how many are done of how many, before each build. `batch` names the batch that this is a drain of,
	and `place` is that of the job among those that may be queued at once; it is free again from here on.

	Where the place is another site's, nothing is built, and nothing has failed.
	"""
	if place is not None:
		job_queue.drain_begins(place)
	run = Drain(triggered_by, seconds, tell, batch or frappe.generate_hash(length=16))
	try:
		run.run()
	except PlaceRefusedError as error:
		database.rollback()
		run.done.refused = str(error)
		run.done.left = len(due.to_build(now_datetime()))
	return run.done


@dataclass(slots=True)
class Drain:
	"""One drain: what it was told, what it has opened, and what it has done so far."""

	triggered_by: str
	seconds: float | None
	tell: Tell | None
	batch: str
	done: Drained = field(default_factory=Drained)
	target: PublishTarget | None = None
	_ends: float = float("inf")

	@property
	def opened(self) -> PublishTarget:
		"""The target of a drain that builds."""
		assert self.target
		return self.target

	def run(self) -> None:
		"""Build what waits, then do what is due outside any build. Raises PlaceRefusedError."""
		database.limit_idling()
		options = settings.load(settings.saved())
		if not options.enabled:
			return
		if self.seconds:
			self._ends = time.monotonic() + self.seconds
		try:
			if not self._build_what_waits():
				return
			if self.done.published:  # what was published again is no longer to be removed
				database.transaction(refused_removals.settle)
			self.done.left = len(due.to_build(now_datetime()))
			if sweep.has_leftovers() or sweep.to_be_renewed(options):
				self._sweep()
		finally:
			if self.target:
				self.target.progress.flush()
				self.target.close()
		if not self.done.left and relocation.settled():
			job_queue.enqueue_audit()
		if self.done.left and self.seconds:
			# Where there is no worker, `check_due` sees what is left.
			job_queue.enqueue_drains(1, self.triggered_by, self.batch)

	def _build_what_waits(self) -> bool:
		"""Build until nothing waits any more. Returns whether the storage could be opened where anything did."""
		while self._goes_on():
			relay.run()
			waiting = due.to_build(now_datetime())
			if not waiting:
				break
			if self.target is None and not self._open(waiting):
				return False
			built = self._build_all(waiting)
			self.opened.progress.flush()
			if not built:
				_let_others_build()
		return True

	def _goes_on(self) -> bool:
		"""Whether there is time for another build, and export has not been switched off, as the first build after that sees."""
		return time.monotonic() < self._ends and (self.target is None or self.target.options.enabled)

	def _open(self, waiting: Sequence[State]) -> bool:
		"""Open storage and purge; when the settings cannot work, that is a failure of all that waits."""
		try:
			self.target = PublishTarget.open(self.batch)
		except StorageConfigurationError as error:
			for state in waiting:
				if lease := leases.acquire(state.scope):
					with lease:
						outcome.failed(state, lease, error, now_datetime(), state.triggered_by or "Scheduler")
			self.done.failed = len(waiting)
			return False
		if self.target.ownership.is_refused():
			self.target.ownership.check()  # sooner than after a build that would be for nothing
		return True

	def _sweep(self) -> None:
		self.target = self.target or PublishTarget.open(self.batch)
		self.target.follow_settings()
		if self.target.options.enabled:
			sweep.run(self.target)

	def _build_all(self, left: Sequence[State]) -> int:
		"""Build what waits, plans in groups where that can be done. Returns how many need no build now."""
		built = 0
		while left and self._goes_on():
			if self.tell:
				done = self.done.published + self.done.failed
				self.tell(done, done + len(left))
			group = self._group_of(left)
			published = self._build_together(group) if group else set()
			for state in group or left[:1]:
				if state.name in published:
					built += 1
				elif self._goes_on():
					built += self._build_one(state)
			left = left[len(group) or 1 :]
		return built

	def _group_of(self, left: Sequence[State]) -> list[State]:
		"""The next of what is left, if they are plans that may be built as a group; [] if they are not."""
		if not self.opened.shared.has_any():
			return []
		group = list(takewhile(plan_group.may_join, left[: plan_group.MOST_PLANS]))
		return group if len(group) > 1 else []

	def _build_together(self, group: Sequence[State]) -> set[str]:
		"""Build those plans as a group that can be. Returns their states' names; the others are as they were."""
		started_at = now_datetime()
		with ExitStack() as stack:
			lease = leases.acquire_free([state.scope for state in group])
			if lease is None:
				return set()
			for scope in lease.scopes:
				stack.enter_context(self.opened.progress.shown(scope))
			with lease:
				try:
					published = plan_group.run(self.opened, lease)
					lease.published = tuple(state.ref for state, _ in published)
				except Exception as error:
					database.rollback()
					if _ends_the_drain(error):
						raise
					# Each says by itself what is wrong with it, and the others are published.
					if isinstance(error, MemoraError):
						frappe.logger("memora").warning(f"{lease.label} are built one by one: {error}")
					else:
						frappe.logger("memora").exception(
							f"building {lease.label} as a group; now one by one"
						)
					return set()
			self.done.published += len(published)
			outcome.published(self.opened, published, started_at, self.triggered_by)
		return {state.name for state, _ in published}

	def _build_one(self, state: State) -> bool:
		"""Build a scope if its lease is free. Returns whether anything was done."""
		lease = leases.acquire(state.scope)
		if lease is None:
			return False
		with self.opened.progress.shown(
			state.scope
		):  # until its record is written, which those who are told look for
			return self._build_leased(lease)

	def _build_leased(self, lease: Lease) -> bool:
		with lease:
			state, seen = commit.read_state(lease)
			started_at = now_datetime()
			if state.is_current or state.is_backing_off(started_at):
				return True
			try:
				if self.opened.follow_settings(seen):
					return False  # what is due may be another thing now
				counts = _BUILDERS[state.scope_type].run(self.opened, lease, state)
			except (ScopeBusyError, LeaseLostError) as error:
				database.rollback()
				frappe.logger("memora").info(f"{lease.scope.label}: {error}")
				return False
			except Exception as error:
				database.rollback()
				if _ends_the_drain(error):
					raise
				frappe.logger("memora").exception(f"building {lease.scope.label}")
				self.done.failed += 1
				outcome.failed(state, lease, error, started_at, state.triggered_by or self.triggered_by)
				return True
			if state.scope_type == "plan" and counts is not None:
				lease.published = (state.ref,)  # which takes its dead letter off Redis, too
			elif state.dead_since:
				redis_mirror.remove_dead_letter(state.scope.label)
		if counts is not None:  # else it is held: nothing was published that could be told of
			self.done.published += 1
			outcome.published(self.opened, [(state, counts)], started_at, self.triggered_by)
		return True


def _let_others_build() -> None:
	"""All that waits is held by others, or waits for what they hold: look again in a moment."""
	threading.Event().wait(_BUSY_PAUSE_SECONDS)


def _ends_the_drain(error: Exception) -> bool:
	"""Whether an error is no fault of what was built: all of it waits, until an admin has decided whose the place is, or
	the site is migrated."""
	return isinstance(error, PlaceRefusedError) or database.errno(error) in database.OTHER_SCHEMA
