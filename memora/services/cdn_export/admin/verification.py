"""Everything that is published, read as a learner's app reads it, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from memora.services.cdn_export import settings
from memora.services.cdn_export.builds import media_removal
from memora.services.cdn_export.delivery import ownership
from memora.services.cdn_export.maintenance import audit
from memora.services.cdn_export.model import doctypes, paths
from memora.services.cdn_export.model.counts import Tell
from memora.services.cdn_export.rules import crawl, published_check
from memora.services.cdn_export.rules.crawl import Problem
from memora.services.cdn_export.state import database, publish_state, refused_removals

_MOST_TRIES = 3


def verify(tell: Tell | None = None) -> dict[str, Any]:
	"""Read everything that is published as a learner's app does, and say what is wrong.

	A batch that publishes meanwhile can look like a mistake, so what is found is looked at again when one did. On a site
	that has no plan to publish, nothing has to be there.
	"""
	for _try in range(_MOST_TRIES):
		before = _publishing_state()
		report, removing = _check(tell)
		if report.ok or _publishing_state() == before:
			break
	nothing_yet = not (
		report.files or report.unlinked or frappe.db.exists(doctypes.PLAN, {"is_published": 1})
	)
	problems = [(problem.path, problem.message) for problem in ([] if nothing_yet else report.problems)]
	doc = settings.saved()
	with settings.open_storage(doc) as storage:
		refusal = ownership.inspector(storage, doc)()
	if refusal:
		problems.insert(0, (paths.MARK, str(refusal)))
	return {
		"ok": not refusal and (report.ok or nothing_yet),
		"files": report.files,
		"bytes": report.bytes,
		"links": report.links,
		"plans": [
			{
				"plan_id": plan.plan_id,
				"title": plan.title,
				"subjects": plan.subjects,
				"own_subjects": plan.own_subjects,
				"units": plan.units,
				"lessons": len(plan.lessons),
				"levels": dict(plan.levels),
			}
			for plan in report.plans
		],
		"problems": [{"path": path, "message": message} for path, message in problems],
		"unlinked": report.unlinked,
		"in_their_grace": removing,
	}


def _check(tell: Tell | None) -> tuple[crawl.Report, int]:
	"""Check the storage; files that stay on purpose for a while after they were dropped are no fault."""
	database.fresh()
	total = frappe.db.count("CDN File", {"state": ("in", ("live", "in_flight"))})
	seen = 0
	with settings.open_storage() as storage:

		def read(path: str) -> bytes | None:
			nonlocal seen
			seen += 1
			if tell:
				tell(min(seen, total), total)
			return storage.get(path)

		report = published_check.check(read, lambda: (found.path for found in audit.listed(storage)))
	refused = set(refused_removals.paths())
	report.problems += [
		Problem(path, _("Still on the CDN, since the storage refuses to remove it."))
		for path in report.unlinked
		if path in refused
	]
	# A picture that was replaced is live until the daily sweep.
	leaving = {*frappe.get_all("CDN File", {"state": "removing"}, pluck="path"), *media_removal.unnamed()}
	staying = [path for path in report.unlinked if path not in leaving]
	waiting = len(report.unlinked) - len(staying) - len(refused.intersection(report.unlinked))
	report.unlinked = staying
	return report, waiting


def _publishing_state() -> tuple[Any, ...]:
	"""What differs when anything was published since: attempts, and builds at work."""
	database.fresh()
	return frappe.db.sql(
		f"""select max(last_attempt_at), sum(published_generation), sum(lease_token is not null)
		from `tab{publish_state.TABLE}`"""
	)[0]
