"""What an operator or admin can ask of the pipeline: see what waits and what failed, start, retry, verify.

One way in with three doors: the API (`memora/api`), the Desk through it, and `bench memora`. None of these
functions asks who calls; the doors do. Answers are plain data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import frappe
import redis
from frappe import _
from frappe.utils import cint, get_datetime, now_datetime
from frappe.utils.scheduler import is_dormant

from memora.services.cdn_export import batch_processor, dependency_resolver, settings
from memora.services.cdn_export.builds import index_build, media
from memora.services.cdn_export.delivery import ownership, purge_queue, refused_place
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import audit
from memora.services.cdn_export.maintenance import repair as repairs
from memora.services.cdn_export.model import causes, doctypes, paths, plain_text, scopes
from memora.services.cdn_export.model.counts import Tell
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.rules import published_check
from memora.services.cdn_export.rules.published_check import Problem
from memora.services.cdn_export.state import (
	database,
	due,
	job_queue,
	ledger,
	publish_state,
	redis_mirror,
	refused_removals,
	retries,
	site_values,
	sync_log,
)

OVERDUE = timedelta(minutes=10)
"""Spec, "Success": a change is live within ten minutes; with a longer interval, within that and this."""

_MOST_ROWS = 200
_MOST_TRIES = 3
_MOST_NAMED = 20
_FAILED = {"status": ("in", ("Failed", "Dead Letter"))}
_FAILURE_FIELDS = (
	"name",
	"plan_id",
	"plan_title",
	"status",
	"error_message",
	"retry_count",
	"next_retry_at",
	"creation",
)
_HISTORY_FIELDS = (
	"name",
	"plan_id",
	"plan_title",
	"status",
	"started_at",
	"completed_at",
	"files_uploaded",
	"files_deleted",
	"files_unchanged",
	"bytes_uploaded",
	"error_message",
	"retry_count",
	"triggered_by",
	"changed_by",
	"changes",
)


def queue_status() -> dict[str, Any]:
	"""What waits, since when, and how many dead letters there are; from MariaDB, so also without Redis."""
	waiting, dead = due.waiting_and_dead()
	unfolded, oldest_change = frappe.db.sql("select count(*), min(creation) from `tabCDN Change`")[0]
	since = [moment for moment in (oldest_change, *(state.waiting_since for state in waiting)) if moment]
	in_redis = redis_mirror.waiting()
	return {
		"enabled": settings.load().enabled,
		"pending_count": len(waiting),
		"pending_plans": [state.ref for state in waiting],
		"retrying": [
			{"plan_id": state.ref, "retry_count": state.retry_count, "next_retry_at": state.next_retry_at}
			for state in waiting
			if state.next_retry_at
		],
		"unfolded_changes": unfolded,
		"oldest_waiting_since": min(since) if since else None,
		"dead_letter_count": len(dead),
		"redis_available": in_redis is not None,
		"place_refused": place_refused(),
	}


def place_refused() -> str:
	"""Why nothing may be written to the bucket or folder, by the last look at its mark; "" where it may. No network."""
	refusal = ownership.last_refusal()
	return str(refusal) if refusal else ""


def metadata_progress() -> dict[str, int] | None:
	"""How many live files have the metadata of this release and key, of how many; None where all have."""
	outdated, files = ledger.count_outdated()
	return {"renewed": files - outdated, "files": files} if outdated else None


def take_over() -> dict[str, Any]:
	"""Make a place that is refused this site's: everything is published there anew, then audited. Starts a batch.

	Throws where the place is this site's already, with what `ownership.take_over` raises."""
	plans = ownership.take_over()
	redis_mirror.notify(plans)
	return {"plans": len(plans), **start_batch()}


def status() -> dict[str, Any]:
	"""`queue_status` and what an operator wants beside it: what is being built, what is live, the last batch.

	`overdue` says that something has waited longer than the spec promises, though export is enabled. `still_on_cdn` is
	how many files should be gone that the storage refuses to remove, with some of their paths;
	`purges_failing` how many addresses the CDN's cache has not forgotten yet though it was asked to.
	`dormant` says that Frappe schedules next to nothing, since nobody has logged in for days.
	"""
	refused = refused_removals.paths()
	purges, why = purge_queue.failing()
	found = queue_status()
	options = settings.load()
	allowed = OVERDUE + timedelta(minutes=max(0, options.interval_minutes - 5))
	oldest = found["oldest_waiting_since"]
	building = frappe.db.sql(
		f"select scope_type, ref from `tab{publish_state.TABLE}`"
		" where lease_token is not null and lease_expires > now(6) order by name"
	)
	live_plans, last_success = frappe.db.sql(
		f"select sum(scope_type = 'plan' and is_live), max(last_success_at) from `tab{publish_state.TABLE}`"
	)[0]
	files, size = frappe.db.sql(
		"select count(*), sum(size) from `tabCDN File` where state in ('live', 'in_flight')"
	)[0]
	failing = due.failing()
	held = frappe.get_all(publish_state.TABLE, {"held": 1, "scope_type": "plan"}, pluck="ref")
	at_work = [Scope(scope_type, ref or "") for scope_type, ref in building]
	titles = _titles_of([*at_work, *map(scopes.plan, held), *(state.scope for state, _error in failing)])
	return {
		"site": frappe.local.site,
		"provider": options.provider,
		"base_url": options.base_url,
		**found,
		"failing": [
			{
				"label": state.scope.label,
				"title": titles.get(state.scope.label, ""),
				"retry_count": state.retry_count,
				"next_retry_at": state.next_retry_at,
				"error_message": error,
			}
			for state, error in failing
		],
		"held_plans": held,
		"still_on_cdn": len(refused),
		"still_on_cdn_paths": refused[:_MOST_NAMED],
		"purges_failing": purges,
		"purge_error": why,
		"building": [scope.label for scope in at_work],
		"titles": titles,
		"overdue": bool(options.enabled and oldest and now_datetime() - oldest > allowed),
		"live_plans": int(live_plans or 0),
		"live_files": files,
		"live_bytes": int(size or 0),
		"metadata": metadata_progress(),
		"last_success_at": last_success,
		"last_batch_at": site_values.last_batch_at(),
		"dormant": bool(is_dormant()),
	}


def recent_failures(limit: int = 20) -> list[dict[str, Any]]:
	"""The latest failed attempts at plans, and what fails now beside them (a shared subject, the list of plans, a removal,
	the place as a whole), newest first, each with its cause. `name` is the record of an attempt, or the label of what fails:
	"place" for a bucket or folder that is not this site's."""
	_waiting, dead = due.waiting_and_dead()
	failing = [(state, error) for state, error in [*dead, *due.failing()] if state.scope_type != "plan"]
	titles = _titles_of([state.scope for state, _error in failing])
	others = [
		{
			"name": state.scope.label,
			"plan_id": state.scope.label,
			"plan_title": titles.get(state.scope.label, ""),
			"status": "Dead Letter" if state.dead_since else "Failed",
			"error_message": error,
			"retry_count": state.retry_count,
			"next_retry_at": state.next_retry_at,
			"creation": state.dead_since or state.waiting_since or state.next_retry_at,
		}
		for state, error in failing
	]
	found = [*_refused_place(), *others, *_logs(_FAILED, _FAILURE_FIELDS, limit)]
	return sorted(found, key=lambda row: row["creation"], reverse=True)[: _rows(limit)]


def _refused_place() -> list[dict[str, Any]]:
	"""The bucket or folder as a row of `recent_failures`, if nothing may be written to it."""
	refused = place_refused()
	if not refused:
		return []
	return [
		{
			"name": "place",
			"plan_id": "",
			"plan_title": settings.place_label(settings.saved()),
			"status": "Failed",
			"error_message": refused,
			"retry_count": 0,
			"next_retry_at": None,
			"creation": get_datetime(ownership.known().refused_since),
		}
	]


def sync_history(plan: str | None = None, limit: int = 50, *, failed: bool = False) -> list[dict[str, Any]]:
	"""The latest attempts, of one plan or of all, newest first; with `failed` only those that failed.

	`cause` says who and what, with the titles that the caller may read.
	"""
	filters = {**({"plan_id": plan} if plan else {}), **(_FAILED if failed else {})}
	return sync_log.explain(_logs(filters, _HISTORY_FIELDS, limit))


def dead_letters() -> list[dict[str, Any]]:
	"""What is out of retries, longest dead first: its label, title, cause, and since when."""
	_waiting, dead = due.waiting_and_dead()
	titles = _titles_of([state.scope for state, _error in dead])
	return [
		{
			"label": state.scope.label,
			"title": titles.get(state.scope.label, ""),
			"error_message": error,
			"dead_since": state.dead_since,
			"is_live": state.is_live,
		}
		for state, error in sorted(dead, key=lambda pair: (pair[0].dead_since, pair[0].name))
	]


def retry(label: str) -> None:
	"""Put a dead letter back; the next batch builds it. Throws when it is not among them."""
	scope = scopes.of_label(label)
	if not database.transaction(lambda: retries.retry(scope, triggered_by="Manual")):
		frappe.throw(
			_("{0} is not among the dead letters, so there is nothing to retry.").format(
				plain_text.as_html(label)
			)
		)
	redis_mirror.remove_dead_letter(scope.label)
	if scope.type == "plan":
		redis_mirror.notify([scope.ref])


def retry_all() -> int:
	"""Put every dead letter back; returns how many there were."""
	_waiting, dead = due.waiting_and_dead()
	labels = [state.scope.label for state, _error in dead]
	for label in labels:
		try:
			retry(label)
		except frappe.ValidationError:
			frappe.clear_last_message()  # somebody was quicker
	return len(labels)


def clear(label: str) -> None:
	"""Give a dead letter up: what is live stays until its content changes again. Throws when it is not dead.

	A removal goes on being tried every hour, and until its files are gone everybody is told that they are still there.
	"""
	scope = scopes.of_label(label)
	if not database.transaction(lambda: retries.dismiss(scope)):
		frappe.throw(
			_("{0} is not among the dead letters, so there is nothing to dismiss.").format(
				plain_text.as_html(label)
			)
		)
	redis_mirror.remove_dead_letter(scope.label)


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
	"""Queue plans, and all their subjects, to be read anew; what differs is published with the next batch, also in other
	plans that list these subjects."""
	plans = [find_plan(plan) for plan in plans]
	_queue(plans, dependency_resolver.subjects_listed(plans))
	redis_mirror.notify(plans)


def rebuild_everything() -> int:
	"""`rebuild` for every plan there is, and every subject. Returns how many plans."""
	plans = frappe.get_all(doctypes.PLAN, pluck="name")
	_queue(plans, frappe.get_all(doctypes.SUBJECT, pluck="name"))
	redis_mirror.notify(plans)
	return len(plans)


def publish_now(doctype: str, name: str) -> dict[str, Any]:
	"""Start a batch for what waits, a document's changes among it, those that failed and were to be tried later too.

	Dead letters stay: they wait for an admin, who uses `retry`.
	"""
	affected = dependency_resolver.affected_by([(doctype, name)])
	plans = affected.plans.union(*dependency_resolver.plans_of(affected.subjects).values())
	involved = [*map(scopes.subject, sorted(affected.subjects)), *map(scopes.plan, sorted(plans))]
	involved += map(scopes.removal, tuple(involved))
	database.transaction(lambda: retries.try_at_once(involved))
	return start_batch()


def start_batch() -> dict[str, Any]:
	"""Start a batch in the background; without a queue the scheduler's next one takes what waits."""
	if not settings.load().enabled:
		message = _("Export is disabled in CDN Settings; this waits until it is enabled.")
		return {"queued": True, "message": message}
	try:
		job_queue.enqueue_batch("Manual")
	except redis.RedisError:
		message = _("Queued; the job queue does not answer, so the scheduler's next batch takes it.")
		return {"queued": True, "message": message}
	return {"queued": True, "message": _("Queued; a batch starts now.")}


def process(tell: Tell | None = None) -> dict[str, Any]:
	"""Relay and build in this process until nothing waits.

	`left` is how many are due by now all the same; `failures` names what could not be published.
	"""
	if not settings.load().enabled:
		frappe.throw(_("Export is disabled in CDN Settings; enable it there first."))
	done = batch_processor.process("Manual", tell=tell)
	refused = [{"label": paths.MARK, "error_message": done.refused}] if done.refused else []
	return {**asdict(done), "failures": refused + _current_failures()}


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
	if refusal := _refusal():
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


def repair(tell: Tell | None = None, *, only_look: bool = False, lost_ledger: bool = False) -> dict[str, Any]:
	"""Hold ledger, storage and content against each other, and fix what differs; publishes what that queues.

	`lost_ledger` first enters every file of memora's that the ledger does not know. `left` is for people: foreign
	files, and pictures of which the original is gone.
	"""
	target = PublishTarget.open()
	try:
		if not only_look:
			target.ownership.check()
		entered = repairs.rebuild_ledger(target) if lost_ledger and not only_look else 0
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


def _queue(plans: Sequence[str], subjects: Sequence[str]) -> None:
	"""Queue them to be read anew, at once even where they have failed before."""

	def work() -> None:
		cause = causes.action(frappe.session.user, causes.REBUILD)
		relay.touch(plans, subjects, triggered_by="Manual", cause=cause)
		index_build.touch()
		retries.reset_back_off(
			[scopes.INDEX, *map(scopes.plan, plans), *map(scopes.subject, subjects)], triggered_by="Manual"
		)

	database.transaction(work)


def _check(tell: Tell | None) -> tuple[published_check.Report, int]:
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
	leaving = {*frappe.get_all("CDN File", {"state": "removing"}, pluck="path"), *media.unnamed()}
	staying = [path for path in report.unlinked if path not in leaving]
	waiting = len(report.unlinked) - len(staying) - len(refused.intersection(report.unlinked))
	report.unlinked = staying
	return report, waiting


def _refusal() -> refused_place.Refusal | None:
	"""Why the place is refused, by its mark as it is now."""
	doc = settings.saved()
	with settings.open_storage(doc) as storage:
		return ownership.inspector(storage, doc)()


def _publishing_state() -> tuple[Any, ...]:
	"""What differs when anything was published since: attempts, and builds at work."""
	database.fresh()
	return frappe.db.sql(
		f"""select max(last_attempt_at), sum(published_generation), sum(lease_token is not null)
		from `tab{publish_state.TABLE}`"""
	)[0]


def _current_failures() -> list[dict[str, str]]:
	"""What could not be published as things are now, with its cause."""
	database.fresh()
	rows = frappe.db.sql(
		f"""select scope_type, ref, last_error from `tab{publish_state.TABLE}`
		where published_generation < generation and (retry_count > 0 or dead_since is not null) order by name"""
	)
	failed = [(Scope(scope_type, ref or ""), error) for scope_type, ref, error in rows]
	titles = _titles_of([scope for scope, _error in failed])
	return [
		{"label": scope.label, "title": titles.get(scope.label, ""), "error_message": error}
		for scope, error in failed
	]


def _logs(filters: dict[str, Any], fields: Iterable[str], limit: int) -> list[dict[str, Any]]:
	return frappe.get_all(
		sync_log.DOCTYPE, filters=filters, fields=list(fields), order_by="creation desc", limit=_rows(limit)
	)


def _rows(limit: int) -> int:
	return max(1, min(cint(limit) or 1, _MOST_ROWS))


def _titles_of(named: Sequence[Scope]) -> dict[str, str]:
	"""The titles of the documents that own these scopes' files, by label; one SELECT a DocType."""
	found: dict[str, str] = {}
	for kind, doctype in (("plan", doctypes.PLAN), ("subject", doctypes.SUBJECT)):
		owners = {scope.label: scope.owner.ref for scope in named if scope.owner.type == kind}
		if owners:
			names = {"name": ("in", list(set(owners.values())))}
			titles = dict(frappe.get_all(doctype, names, ["name", "title"], as_list=True))
			found |= {label: titles[ref] for label, ref in owners.items() if ref in titles}
	return found


def seconds_since(moment: datetime | None) -> float:
	"""Seconds from a moment, as the database holds it, till now; 0 for none."""
	return max(0.0, (now_datetime() - moment).total_seconds()) if moment else 0.0
