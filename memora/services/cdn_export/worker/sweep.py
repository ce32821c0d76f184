"""What is due outside any build: graces that are over, subjects that no plan reads, signatures that end, purges to repeat,
addresses to ask for after a purge."""

from __future__ import annotations

import frappe

from memora.exceptions import LeaseLostError, ScopeBusyError
from memora.services.cdn_export.builds import due_removals, media_removal, subject_removal
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import renewals
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.state import database, due, refused_removals


def settle() -> None:
	"""Forget refused removals of what was published again: it is no longer to be removed."""
	database.transaction(refused_removals.settle)


def run(target: PublishTarget) -> None:
	"""Do what is due."""
	renewals.run(target)  # what must be renewed must not wait for a storage that refuses removals
	for scope in due.to_clean_up():
		again = scope.type == "removal"
		try:
			if scope.owner == scopes.MEDIA:
				media_removal.remove_due(target, again=again)
			elif scope.type == "subject":
				subject_removal.clean_up(target, scope)
			else:
				due_removals.clean_up(target, scope.owner, again=again)
		except (LeaseLostError, ScopeBusyError) as error:  # what remains is removed with the next check
			database.rollback()
			frappe.logger("memora").warning(str(error))
	purge_queue.run(target)
	purge_queue.forget_without_cache(target)
	renewals.after_purges(target)
