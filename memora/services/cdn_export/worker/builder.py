"""Builds what waits: a scope, or plans that need the same and nothing else as a group. Lease, build, record.

One failing plan is one caught, recorded failure. What is no build's failure ends the whole drain: a place that is another
site's, tables of another release.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import takewhile

import frappe
from frappe.utils import now_datetime

from memora.exceptions import LeaseLostError, MemoraError, PlaceRefusedError, ScopeBusyError
from memora.services.cdn_export.builds import plan_group, scope_build
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model.counts import Tell
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.state import database, publish_state
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.worker import outcome


@dataclass(slots=True)
class Drained:
	"""What a drain did."""

	published: int = 0
	failed: int = 0
	left: int = 0
	refused: str = ""
	"""Why nothing may be written to the place, if that is so: what waits goes on waiting."""


@dataclass(slots=True)
class Builder:
	"""Builds for one drain, which ends at a moment of the monotonic clock, and counts what it did in `done`."""

	triggered_by: str
	ends: float = float("inf")
	tell: Tell | None = None
	done: Drained = field(default_factory=Drained)

	def goes_on(self, target: PublishTarget | None) -> bool:
		"""Whether there is time for another build, and export has not been switched off, as the first build after that sees."""
		return time.monotonic() < self.ends and (target is None or target.options.enabled)

	def fail_all(self, waiting: Sequence[State], error: Exception) -> None:
		"""Record as the failure of all that waits what keeps the storage from being opened."""
		for state in waiting:
			if lease := leases.acquire(state.scope):
				with lease:
					outcome.failed(state, lease, error, now_datetime(), state.triggered_by or "Scheduler")
		self.done.failed = len(waiting)

	def build_all(self, target: PublishTarget, left: Sequence[State]) -> int:
		"""Build what waits, plans in groups where that can be done. Returns how many were built, or found to need no build."""
		built = 0
		while left and self.goes_on(target):
			self._tell(len(left))
			if group := _group_of(left):
				published, alone, without_room = self._build_together(target, group)
				built += published
				left = [*without_room, *left[len(group) :]]
				for place, state in enumerate(alone):
					if self.goes_on(target):
						self._tell(len(alone) - place + len(left))
						built += self._build_one(target, state)
			elif self._build_one(target, left[0]):
				built += 1
				left = left[1:]
			else:
				left = publish_state.unbuilt(left[1:])  # others have come this way
		return built

	def _tell(self, left: int) -> None:
		if self.tell:
			done = self.done.published + self.done.failed
			self.tell(done, done + left)

	def _build_together(
		self, target: PublishTarget, group: Sequence[State]
	) -> tuple[int, Sequence[State], Sequence[State]]:
		"""Build those plans as a group that can be. Returns how many, which have to be built alone, and which found no room.
		What others build meanwhile is left to them."""
		started_at = now_datetime()
		with ExitStack() as stack:
			lease = leases.acquire_free([state.scope for state in group])
			if lease is None:
				return 0, (), ()
			for scope in lease.scopes:
				stack.enter_context(target.progress.shown(scope))
			with lease:
				try:
					published, alone, without_room = plan_group.run(Build.begin(target, lease))
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
					return 0, [state for state in group if state.scope in lease.scopes], ()
			self.done.published += len(published)
			outcome.published(target, published, started_at, self.triggered_by)
		return len(published), alone, without_room

	def _build_one(self, target: PublishTarget, state: State) -> bool:
		"""Build a scope if its lease is free. Returns whether anything was done."""
		lease = leases.acquire(state.scope)
		if lease is None:
			return False
		with target.progress.shown(
			state.scope
		):  # until its record is written, which those who are told look for
			return self._build_leased(target, lease)

	def _build_leased(self, target: PublishTarget, lease: leases.Lease) -> bool:
		with lease:
			build = Build.begin(target, lease)
			state, started_at = build.state, now_datetime()
			if state.is_current or state.is_backing_off(started_at):
				return True
			try:
				if build.follows_settings():
					return False  # what is due may be another thing now
				counts = scope_build.run(build)
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
				outcome.no_longer_dead(state)
		if counts is not None:  # else it is held: nothing was published that could be told of
			self.done.published += 1
			outcome.published(target, [(state, counts)], started_at, self.triggered_by)
		return True


def _group_of(left: Sequence[State]) -> list[State]:
	"""The next of what is left, if they are plans that may be built as a group; [] if they are not."""
	group = list(takewhile(plan_group.may_join, left[: plan_group.MOST_PLANS]))
	return group if len(group) > 1 else []


def _ends_the_drain(error: Exception) -> bool:
	"""Whether an error is no fault of what was built: all of it waits, until an admin has decided whose the place is, or
	the site is migrated."""
	return isinstance(error, PlaceRefusedError) or database.errno(error) in database.OTHER_SCHEMA
