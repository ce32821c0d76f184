"""What is due outside any build: graces that are over, subjects that no plan reads, signatures that end, purges to repeat."""

from __future__ import annotations

import frappe
from frappe.utils import now_datetime

from memora.exceptions import LeaseLostError, ScopeBusyError
from memora.services.cdn_export import settings
from memora.services.cdn_export.builds import commit, media, subject_removal
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import metadata_renewal, signature_renewal
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.state import database, due
from memora.services.cdn_export.state import lease as leases


def to_be_renewed(options: settings.ExportSettings) -> str:
	"""What of live files must be renewed: "signature", "metadata" or "". One statement."""
	((signatures, metadata),) = frappe.db.sql(
		f"""select exists(select 1 from {signature_renewal.DUE}), exists(select 1 from {metadata_renewal.DUE})""",
		(signature_renewal.due_before(options.signed_url_hours),),
	)
	return "signature" if signatures else "metadata" if metadata else ""


def has_leftovers() -> bool:
	"""Whether files or caches have something to be taken out that no build will come by for."""
	now = now_datetime()
	return bool(due.to_clean_up() or purge_queue.is_due(now))


def run(target: PublishTarget) -> None:
	"""Remove what is due outside any build: graces that are over, subjects that no plan reads,
	signatures that end, purges to repeat."""
	signature_renewal.run(target)  # what must be renewed must not wait for a storage that refuses removals
	metadata_renewal.run(target)
	for scope in due.to_clean_up():
		again = scope.type == "removal"
		try:
			if scope.owner == scopes.MEDIA:
				media.remove_due(target, again=again)
			elif scope.type == "subject":
				subject_removal.clean_up(target, scope)
			elif lease := leases.acquire(scope.owner):
				with lease:
					commit.remove_due(target, lease, again=again)
		except (LeaseLostError, ScopeBusyError) as error:  # what remains is removed with the next check
			database.rollback()
			frappe.logger("memora").warning(str(error))
	purge_queue.run(target)
	purge_queue.forget_without_cache(target)
