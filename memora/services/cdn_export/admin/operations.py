"""What starts, stops or repairs the pipeline as a whole: a batch, a run to the end, a repair.

The API (`memora/api`), the Desk through it, and `bench memora` call it; they check who asks. Answers are plain data.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import frappe
from frappe import _

from memora.exceptions import JobQueueError
from memora.services.cdn_export import batch_processor, settings
from memora.services.cdn_export.admin import pipeline_status
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import adoption, audit
from memora.services.cdn_export.maintenance import repair as repairs
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.counts import Tell
from memora.services.cdn_export.state import (
	database,
	job_queue,
)


def start_batch() -> dict[str, Any]:
	"""Start a batch in the background; without a queue the scheduler's next one takes what waits."""
	if not settings.load().enabled:
		message = _("Export is disabled in CDN Settings; this waits until it is enabled.")
		return {"queued": True, "message": message}
	try:
		job_queue.enqueue_batch("Manual")
	except JobQueueError:
		message = _("Queued; the job queue takes no job, so the scheduler's next batch takes it.")
		return {"queued": True, "message": message}
	return {"queued": True, "message": _("Queued; a batch starts now.")}


def process(tell: Tell | None = None) -> dict[str, Any]:
	"""Run the relay and build in this process until nothing waits.

	`left` is how many are due by now all the same; `failures` names what could not be published.
	"""
	if not settings.load().enabled:
		frappe.throw(_("Export is disabled in CDN Settings; enable it there first."))
	done = batch_processor.process("Manual", tell=tell)
	database.fresh()
	refused = [{"label": paths.MARK, "error_message": done.refused}] if done.refused else []
	return {**asdict(done), "failures": refused + pipeline_status.current_failures()}


def repair(tell: Tell | None = None, *, only_look: bool = False, lost_ledger: bool = False) -> dict[str, Any]:
	"""Compare ledger, storage and content, and repair what differs; publishes what that queues.

	`lost_ledger` first enters every file of memora's that the ledger does not know. `left` is for people: foreign
	files, and pictures whose original is gone.
	"""
	target = PublishTarget.open()
	try:
		if not only_look:
			target.ownership.check()
		entered = adoption.rebuild_ledger(target) if lost_ledger and not only_look else 0
		found = audit.verify(target, tell=tell)
		done = repairs.Repair(left=found.findings) if only_look else repairs.repair(target, found.findings)
	finally:
		target.close()
	answer: dict[str, Any] = {
		"files": found.files,
		"objects": found.objects,
		"entered": entered,
		**{
			word: [asdict(finding) for finding in getattr(done, word)] for word in ("fixed", "queued", "left")
		},
		"failures": [],
	}
	answer["mended"] = answer["fixed"]  # what `fixed` was called until 0.1; goes with 0.3
	if (done.queued or entered) and settings.load().enabled:
		answer["failures"] = process()["failures"]
	return answer
