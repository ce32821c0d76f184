"""A drain: builds one due scope after another, until nothing waits or its time is over, then does what is due beside builds.

`builder` builds, `sweep` does the rest.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import frappe
from frappe.utils import now_datetime

from memora.exceptions import PlaceRefusedError, StorageConfigurationError
from memora.services.cdn_export import settings
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model.counts import Tell
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import database, due, job_queue, relocation
from memora.services.cdn_export.worker import due_work, sweep
from memora.services.cdn_export.worker.builder import Builder, Drained

DRAIN_SECONDS = 600
"""After this a drain starts no further build and leaves the rest to a fresh job."""

_BUSY_PAUSE_SECONDS = 0.2


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
	ends = time.monotonic() + seconds if seconds else float("inf")
	batch = batch or frappe.generate_hash(length=16)
	builder = Builder(triggered_by, ends, tell)
	try:
		if Drain(builder, batch).run() and seconds:
			# Where there is no worker, `check_due` sees what is left.
			job_queue.enqueue_drains(1, triggered_by, batch)
	except PlaceRefusedError as error:
		database.rollback()
		builder.done.refused = str(error)
		builder.done.left = len(due.to_build(now_datetime()))
	return builder.done


@dataclass(slots=True)
class Drain:
	"""One drain: what builds for it, the batch that it belongs to, and what it has opened."""

	builder: Builder
	batch: str
	target: PublishTarget | None = None

	def run(self) -> int:
		"""Build what waits, then do what is due outside any build. Returns how much is left. Raises PlaceRefusedError."""
		database.limit_idling()
		options = settings.load(settings.saved())
		if not options.enabled:
			return 0
		done = self.builder.done
		try:
			if not self._build_what_waits():
				return 0
			if done.published:
				sweep.settle()
			done.left = len(due.to_build(now_datetime()))
			if due_work.has_any(options):
				self._sweep()
		finally:
			if self.target:
				self.target.progress.flush()
				self.target.close()
		if not done.left and relocation.settled():
			job_queue.enqueue_audit()
		return done.left

	def _build_what_waits(self) -> bool:
		"""Build until nothing waits any more. Returns whether the storage could be opened where anything did."""
		while self.builder.goes_on(self.target):
			relay.run()
			waiting = due.to_build(now_datetime())
			if not waiting:
				break
			if self.target is None:
				try:
					self.target = PublishTarget.open(self.batch)
				except StorageConfigurationError as error:
					self.builder.fail_all(waiting, error)
					return False
				if self.target.ownership.is_refused():
					self.target.ownership.check()  # sooner than after a build that would be for nothing
			built = self.builder.build_all(self.target, waiting)
			self.target.progress.flush()
			if not built:
				_let_others_build()
		return True

	def _sweep(self) -> None:
		self.target = self.target or PublishTarget.open(self.batch)
		self.target.follow_settings()
		if self.target.options.enabled:
			sweep.run(self.target)
		if self.target.options.is_gated:
			self._build_what_waits()  # films of lessons that were written just now


def _let_others_build() -> None:
	"""All that waits is held by others, or waits for what they hold: look again in a moment."""
	threading.Event().wait(_BUSY_PAUSE_SECONDS)
