"""What goes with a subject: its shared files, when no plan reads them any more."""

from __future__ import annotations

from frappe.utils import now_datetime

from memora.services.cdn_export.builds import due_removals, subject_reading
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.rules import file_removals
from memora.services.cdn_export.state import database, due, ledger, redis_mirror, renditions
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state.lease import Lease


def clean_up(target: PublishTarget, scope: Scope) -> int:
	"""Remove what no plan reads any more of a subject. Returns how many files went.

	Left to the next batch when another worker holds the subject.
	"""
	lease = leases.acquire(scope)
	if lease is None:
		return 0
	with lease:
		release(lease)
		return due_removals.remove(target, lease)


def release(lease: Lease) -> bool:
	"""Unpublish a subject's shared files, and forget a failure to build them, when no published plan reads them;
	`due_removals.remove` then removes them: after a grace if they have merely moved into plans' own folders, at once if anything
	in them is withdrawn or no plan shows the subject any more.
	"""
	subject = lease.scope.ref

	def stop_publishing() -> bool:
		lease.hold()
		if due.has_coming_reader(subject):
			return False  # else it would have to be written again for that plan, though nothing has changed
		unread = due.release(lease.scope)
		if unread:
			now = now_datetime()
			plans = renditions.plans_showing(subject)
			levels = subject_reading.levels_of(subject, plans) if plans else {}
			files = [e for e in ledger.of_scope(lease.scope).values() if e.state in ("live", "in_flight")]
			gone = levels is not None and any(file_removals.is_withdrawn(entry, levels) for entry in files)
			remove_at = now if gone else now + file_removals.GRACE
			ledger.drop([entry.path for entry in files], remove_at=remove_at)
		return unread

	if unread := database.transaction(stop_publishing):
		redis_mirror.remove_dead_letter(lease.scope.label)
	return unread
