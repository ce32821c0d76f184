"""What waits for an admin's decision: a change that the large-change guard holds, a place that may be another site's."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from memora.services.cdn_export import dependency_resolver
from memora.services.cdn_export.admin import operations
from memora.services.cdn_export.delivery import ownership
from memora.services.cdn_export.model import plain_text, scopes
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import database, publish_state, redis_mirror


def approve(label: str) -> dict[str, Any]:
	"""Let through what the large-change guard holds of a plan (or of `subject:{name}`) and of the subjects it lists. Starts a
	batch.

	Only what is there now: a change committed meanwhile is checked again. Throws when nothing is held.
	"""
	scope = scopes.of_label(label)
	involved = [scope]
	if scope.type == "plan":
		involved += map(scopes.subject, sorted(dependency_resolver.subjects_listed([scope.ref])))
	relay.run()
	if not database.transaction(lambda: publish_state.approve(involved)):
		frappe.throw(
			_("Nothing of {0} is held, so there is nothing to approve.").format(plain_text.as_html(label))
		)
	if scope.type == "plan":
		redis_mirror.notify([scope.ref])
	return operations.start_batch()


def take_over() -> dict[str, Any]:
	"""Make a place that is refused this site's: everything is published there again, then audited. Starts a batch.

	Throws where the place is this site's already, with what `ownership.take_over` raises."""
	plans = ownership.take_over()
	redis_mirror.notify(plans)
	return {"plans": len(plans), **operations.start_batch()}
