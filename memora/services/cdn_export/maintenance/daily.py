"""Once a day, in the background: what is published is looked at and repaired, and people hear of what was wrong.

Pictures that nothing shows go; the audit finds damage and queues its repair; the public check reads what a
learner can read. A large site takes several jobs; each goes on where the last one stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

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
from memora.services.cdn_export.state import database, job_queue
from memora.services.cdn_export.state.job_queue import AUDIT, JOB_SECONDS, QUEUE

_AUDIT_SECONDS = 600
_SHOWN = 50


def daily() -> None:
	"""The scheduler's entry, on its long queue. Nothing is done while export is disabled."""
	if settings.load().enabled:
		run()


def run(after: str = "") -> None:
	"""Audit, go on later where there is more, and check at the end what is public."""
	try:
		target = PublishTarget.open()
		try:
			_run(target, after)
		finally:
			target.close()
	except (StorageError, ScopeBusyError, JobQueueError) as error:
		database.rollback()
		_log(_("The daily audit could not be done"), [str(error)])


def _run(target: PublishTarget, after: str) -> None:
	target.ownership.check()
	if not after:
		media_removal.sweep(target)
	found = audit.verify(target, after=after, seconds=_AUDIT_SECONDS)
	if found.findings:
		repair.repair(target, found.findings)
		_say_findings(found.findings)
	if found.after:
		job_queue.enqueue(AUDIT, queue=QUEUE, timeout=JOB_SECONDS, after=found.after)
		return
	if exposures := public_check.check(target).exposures:
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
