"""Plans and subjects that are live under a name which no document has any more are queued, so that their files go.

Releases before this one kept a renamed plan's old folder until the plan was out under its new name.
"""

import frappe

from memora.services.cdn_export.model import doctypes
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import database, publish_state


def execute() -> None:
	database.transaction(_queue)


def _queue() -> None:
	plans = set(publish_state.live("plan")).difference(frappe.get_all(doctypes.PLAN, pluck="name"))
	subjects = set(publish_state.live("subject")).difference(frappe.get_all(doctypes.SUBJECT, pluck="name"))
	relay.touch(plans, subjects)
