"""Once a day, in the background: what is published is looked at and repaired, and people hear of what was wrong.

Pictures that nothing shows go; the audit finds damage and queues its repair; the public check reads what a
learner can read. A large site takes several jobs. How far the audit is, is noted every half minute: the next job, or
tomorrow's after a worker that died, goes on there.

Each day some files are looked at closely, their headers and what a learner can read: 4,000, or one in 256 where that is more.
The next day's are others, until all were.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import frappe
from frappe import _

from memora.exceptions import JobQueueError, ScopeBusyError, StorageError
from memora.services.cdn_export import settings
from memora.services.cdn_export.builds import media_removal
from memora.services.cdn_export.delivery import admin_notices
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import audit, public_check, repair
from memora.services.cdn_export.maintenance.audit import Difference
from memora.services.cdn_export.rules.crawl import Problem
from memora.services.cdn_export.state import audit_progress, database, job_queue
from memora.services.cdn_export.state.audit_progress import AuditProgress
from memora.services.cdn_export.state.job_queue import AUDIT, JOB_SECONDS, QUEUE

_AUDIT_SECONDS = 600
_PART_SECONDS = 30
_SHOWN = 50


def daily() -> None:
	"""The scheduler's entry, on its long queue. Nothing is done while export is disabled, or an audit is at work."""
	if settings.load().enabled and not audit_progress.is_at_work():
		run()


def run(after: str = "", *, anew: bool = False) -> None:
	"""Audit, go on later where there is more, and check at the end what is public.

	An audit that was stopped goes on, unless all must be looked at `anew`. `after` is the token of the run whose next
	job this is: nothing is done if another has taken over.
	"""
	try:
		target = PublishTarget.open()
		try:
			target.ownership.check()
			if not after:
				media_removal.sweep(target)
				_run(target, audit_progress.begin(target.storage.target, anew=anew))
			elif progress := audit_progress.resume(after):
				_run(target, progress)
		finally:
			target.close()
	except (StorageError, ScopeBusyError, JobQueueError) as error:
		database.rollback()
		_log(_("The daily audit could not be done"), [str(error)])


def _run(target: PublishTarget, progress: AuditProgress) -> None:
	ends = time.monotonic() + _AUDIT_SECONDS
	while not progress.ended_at:
		found = audit.verify(target, after=progress.after, seconds=_PART_SECONDS, headers=progress.share)
		if found.findings:
			repair.repair(target, found.findings)
			_say_findings(found.findings)
		# What was found is repaired by now: a worker that dies here finds it again, and one that died before does, too.
		progress = replace(
			progress,
			after=found.after,
			files=progress.files + found.files,
			objects=progress.objects + found.objects,
			asked=progress.asked + found.asked,
			found=progress.found + len(found.findings),
			noted_at=time.time(),
			ended_at=0 if found.after else time.time(),
		)
		if not audit_progress.note(progress):
			return
		if found.after and time.monotonic() >= ends:
			job_queue.enqueue(AUDIT, queue=QUEUE, timeout=JOB_SECONDS, after=progress.token)
			return
	frappe.logger("memora").info(
		f"The daily audit is through: {progress.files} files in the ledger, {progress.objects} in the storage,"
		f" {progress.asked} asked for by HEAD, {progress.found} findings"
	)
	if exposures := public_check.check(target, share=progress.share).exposures:
		say_exposed(exposures)


def _say_findings(findings: Sequence[Difference]) -> None:
	counts = Counter(finding.fault for finding in findings)
	summary = ", ".join(f"{count} {fault}" for fault, count in sorted(counts.items()))
	_log(_("Published files were not as they should be: {0}").format(summary), [str(one) for one in findings])


def say_exposed(exposures: Sequence[Problem]) -> None:
	"""Tell every admin what can be read and should not be, and keep it in the Error Log."""

	def title(lang: str | None = None) -> str:
		return _("Learners can read what they should not", lang)

	_log(title(), [str(one) for one in exposures])
	admin_notices.tell_admins(title, str(exposures[0]))


def _log(title: str, lines: Sequence[str]) -> None:
	shown = "\n".join(lines[:_SHOWN])
	if len(lines) > _SHOWN:
		shown += "\n" + _("and {0} more").format(len(lines) - _SHOWN)
	frappe.logger("memora").error(f"{title}\n{shown}")
	database.transaction(
		lambda: frappe.log_error("What is published is not as it should be", f"{title}\n{shown}")
	)
