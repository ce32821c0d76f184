"""What people ask to have published: a plan with all its subjects, everything, or what a document has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import frappe
from frappe import _

from memora.services.cdn_export import dependency_resolver
from memora.services.cdn_export.admin import operations, schedule
from memora.services.cdn_export.builds import index_build
from memora.services.cdn_export.model import causes, doctypes, plain_text, scopes
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import database, redis_mirror, retries


def find_plan(name_or_title: str) -> str:
	"""The name of the plan that has this name or title. Throws when there is none."""
	found = frappe.db.exists(doctypes.PLAN, name_or_title) or frappe.db.get_value(
		doctypes.PLAN, {"title": plain_text.store(name_or_title)}
	)
	if not found:
		frappe.throw(
			_("There is no Academic Plan {0}.").format(plain_text.as_html(name_or_title)),
			frappe.DoesNotExistError,
		)
	return found


def rebuild(plans: Sequence[str]) -> None:
	"""Queue plans, and all their subjects, to be read again; what differs is published with the next batch, also in other
	plans that list these subjects."""
	plans = [find_plan(plan) for plan in plans]
	_queue(plans, sorted(dependency_resolver.subjects_listed(plans)))
	redis_mirror.notify(plans)


def rebuild_everything() -> int:
	"""`rebuild` for every plan there is, and every subject. Returns how many plans."""
	plans = frappe.get_all(doctypes.PLAN, pluck="name")
	_queue(plans, frappe.get_all(doctypes.SUBJECT, pluck="name"))
	redis_mirror.notify(plans)
	return len(plans)


def publish_now(doctype: str, name: str) -> dict[str, Any]:
	"""Start a batch for what waits, a document's changes among it, those that failed and wait for their next try too.

	Dead letters stay: they wait for an admin, who uses `retry`.
	"""
	affected = dependency_resolver.affected_by([(doctype, name)])
	plans = affected.plans.union(*dependency_resolver.plans_of(affected.subjects).values())
	involved = [*map(scopes.subject, sorted(affected.subjects)), *map(scopes.plan, sorted(plans))]
	involved += map(scopes.removal, tuple(involved))
	database.transaction(lambda: retries.try_at_once(involved))
	started = operations.start_batch()
	if schedule.lacks_workers():
		started["message"] = _("Queued, but no worker listens, so it waits until one does.")
	return started


def _queue(plans: Sequence[str], subjects: Sequence[str]) -> None:
	"""Queue them to be read again, at once even where they have failed before."""

	def work() -> None:
		cause = causes.action(frappe.session.user, causes.REBUILD)
		relay.touch(plans, subjects, triggered_by="Manual", cause=cause)
		index_build.touch()
		retries.reset_back_off(
			[scopes.INDEX, *map(scopes.plan, plans), *map(scopes.subject, subjects)], triggered_by="Manual"
		)

	database.transaction(work)
