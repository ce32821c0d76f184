"""What each `bench memora` command does: ask `operations`, and put its answer into words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from memora.commands.answer import Answer, Progress
from memora.commands.wording import ask as _ask
from memora.commands.wording import count as _count
from memora.commands.wording import moment as _moment
from memora.commands.wording import shortened as _shortened
from memora.commands.wording import size as _size
from memora.commands.wording import table as _table
from memora.services.cdn_export.admin import (
	dead_letters,
	decisions,
	operations,
	pipeline_status,
	publish_requests,
	verification,
)
from memora.services.cdn_export.admin import doctor as doctors
from memora.services.cdn_export.admin import preview as previews

_MOST_NAMED = 5
_MARKS = {"ok": "✓", "warning": "!", "error": "✗"}


def status(progress: Progress) -> Answer:
	found = pipeline_status.status()
	bad = bool(
		found["dead_letter_count"]
		or found["failing"]
		or found["overdue"]
		or found["still_on_cdn"]
		or found["purges_failing"]
		or found["edge_stale"]
		or found["place_refused"]
	)
	return Answer(found, list(_status_lines(found)), bad)


def process(progress: Progress) -> Answer:
	with progress.of("Publishing") as tell:
		done = operations.process(tell)
	lines = [
		f"{_count(done['published'], 'build')} done, {done['failed']} failed"
		+ (f", {done['left']} left to others" if done["left"] else ""),
		*(f"  {_called(failure)}: {failure['error_message']}" for failure in done["failures"]),
	]
	return Answer(done, lines, bool(done["failed"] or done["failures"]))


def rebuild(progress: Progress, plans: Sequence[str], everything: bool, now: bool) -> Answer:
	if bool(plans) == everything:
		raise click.UsageError("Name the plans to rebuild, or say --all and name none.")
	if everything:
		count = publish_requests.rebuild_everything()
	else:
		publish_requests.rebuild(plans)
		count = len(plans)
	if now:
		done = process(progress)
		return Answer({"plans": count, **done.data}, done.lines, done.found)
	started = operations.start_batch()
	return Answer({"plans": count, **started}, [f"{_count(count, 'plan')}: {started['message']}"])


def verify(progress: Progress) -> Answer:
	with progress.of("Reading what is published") as tell:
		found = verification.verify(tell)
	if found["ok"] and not found["files"]:
		return Answer(found, ["Nothing has been published yet."])
	lines = [
		*_table(
			("plan", "ID", "subjects", "units", "lessons"),
			(
				(plan["title"], plan["plan_id"], plan["subjects"], plan["units"], f"{plan['lessons']:,}")
				for plan in found["plans"]
			),
			right=(2, 3, 4),
		),
		f"{found['links']:,} links followed to {found['files']:,} files, {_size(found['bytes'])}",
		*(f"{problem['path']}: {problem['message']}" for problem in found["problems"]),
		*(f"{path}: nothing links to it" for path in found["unlinked"]),
	]
	if found["in_their_grace"]:
		lines.append(
			f"{_count(found['in_their_grace'], 'file')} will be removed when their grace is over, or by the daily sweep"
		)
	problems = len(found["problems"]) + len(found["unlinked"])
	lines.append("All is well." if found["ok"] else f"{_count(problems, 'problem')} found.")
	return Answer(found, lines, not found["ok"])


def repair(progress: Progress, dry_run: bool, lost_ledger: bool) -> Answer:
	with progress.of("Comparing ledger and storage") as tell:
		found = operations.repair(tell, only_look=dry_run, lost_ledger=lost_ledger)
	lines = [
		f"{_count(found['files'], 'file')} of the ledger looked at, {_count(found['objects'], 'object')} listed"
	]
	if found["entered"]:
		lines.append(f"{_count(found['entered'], 'file')} entered into the ledger")
	for word, said in (
		("fixed", "fixed"),
		("queued", "queued to be published again"),
		("left", "found" if dry_run else "left for you to look at"),
	):
		if found[word]:
			lines.append(f"{_count(len(found[word]), 'file')} {said}")
			lines += (f"  {finding['path']}: {finding['message']}" for finding in found[word])
	lines += (f"  {_called(failure)}: {failure['error_message']}" for failure in found["failures"])
	if not (found["fixed"] or found["queued"] or found["left"]):
		lines.append("All is well.")
	return Answer(found, lines, bool(found["left"] or found["failures"]))


def take_over(progress: Progress, yes: bool) -> Answer:
	if not yes:
		refused = pipeline_status.place_refused()
		_ask(
			f"{refused} Take it over? Everything is published there again; no other site may go on publishing there.",
			"Nothing was taken over.",
		)
	done = decisions.take_over()
	return Answer(done, [f"Taken over. {_count(done['plans'], 'plan')}: {done['message']}"])


def list_dead_letters(progress: Progress) -> Answer:
	found = pipeline_status.dead_letters()
	lines = ["There are no dead letters."]
	if found:
		lines = list(
			_table(
				("label", "title", "since", "cause"),
				(
					(letter["label"], letter["title"], _moment(letter["dead_since"]), letter["error_message"])
					for letter in found
				),
			)
		)
	return Answer(found, lines, bool(found))


def retry_dead_letters(progress: Progress, labels: Sequence[str], everything: bool) -> Answer:
	labels = _labels(labels, everything)
	for label in labels:
		dead_letters.retry(label)
	if not labels:
		return Answer({"retried": []}, ["There are no dead letters."])
	started = operations.start_batch()
	lines = [f"{_count(len(labels), 'dead letter')} put back. {started['message']}"]
	return Answer({"retried": labels, **started}, lines)


def dismiss_dead_letters(progress: Progress, labels: Sequence[str], everything: bool, yes: bool) -> Answer:
	labels = _labels(labels, everything)
	if labels and not yes:
		titles = {letter["label"]: letter["title"] for letter in pipeline_status.dead_letters()}
		_ask(
			f"Dismiss {_all_called(labels, titles)}? What is live stays until its content changes again.",
			"Nothing was dismissed.",
		)
	for label in labels:
		dead_letters.dismiss(label)
	former = {"cleared": labels}  # what `dismissed` was called until 0.2; goes with 0.4
	return Answer({"dismissed": labels, **former}, [f"{_count(len(labels), 'dead letter')} dismissed."])


def history(progress: Progress, plan: str, failed: bool, limit: int) -> Answer:
	name = publish_requests.find_plan(plan) if plan else None
	found = pipeline_status.sync_history(name, limit, failed=failed)
	lines = ["Nothing has been published yet."] if not failed else ["No attempt at a plan has failed."]
	if found:
		lines = list(
			_table(
				(
					"completed",
					"plan",
					"status",
					"uploaded",
					"removed",
					"unchanged",
					"bytes",
					"seconds",
					"by",
					"cause",
					"",
				),
				(_attempt(log) for log in found),
				right=(3, 4, 5, 6, 7),
			)
		)
	return Answer(found, lines, failed and bool(found))


def preview(progress: Progress, plan: str, paths: bool) -> Answer:
	found = previews.of_plan(publish_requests.find_plan(plan)).as_dict()
	return Answer(found, list(_preview_lines(found, paths)), found["is_large"])


def doctor(progress: Progress, no_storage: bool, strict: bool) -> Answer:
	with progress.of("Looking") as tell:
		findings = doctors.run(tell, bucket=not no_storage)
	lines = []
	for finding in findings:
		lines.append(f"{_MARKS[finding.level]} {finding.check + ':':<28} {finding.message}")
		if finding.fix and finding.level != "ok":
			lines.append(f"{'':<31}Fix: {finding.fix}")
	errors = sum(finding.level == "error" for finding in findings)
	warnings = sum(finding.level == "warning" for finding in findings)
	lines.append(f"{_count(errors, 'error')}, {_count(warnings, 'warning')}")
	return Answer([finding.as_dict() for finding in findings], lines, bool(errors or (strict and warnings)))


_CAUSES = {
	"hidden": "hidden in this plan",
	"unpublished": "unpublished, itself or what is above it",
	"deleted": "deleted",
	"moved": "moved out of this plan",
}


def _preview_lines(found: dict[str, Any], paths: bool) -> Iterator[str]:
	changes = [word for word in ("added", "moved", "changed", "removed") if found[word]]
	if not changes and not found["lost"]:
		yield "Nothing would change."
		return
	if found["lost"]:
		yield f"Learners lose {_count(len(found['lost']), 'live lesson')}:"
		yield from (
			f"  “{each['title']}” ({each['lesson']}): {_CAUSES[each['cause']]}" for each in found["lost"]
		)
	for word, level in (("narrowed", "fewer people"), ("widened", "MORE people")):
		for lesson in found[word]:
			yield f"{level} may read “{lesson['title']}” ({lesson['lesson']}): {lesson['before']} → {lesson['after']}"
	if found["large_removal"]:
		yield f"{found['others_lost']} of {found['live_lessons']} lessons would be gone"
	for word in changes:
		yield f"{_count(len(found[word]), 'file')} {word}"
		if paths:
			yield from (f"  {' → '.join(path) if word == 'moved' else path}" for path in found[word])
	if found["purges"]:
		yield f"{_count(len(found['purge_urls']), 'address')} purged from the CDN's cache"
	if found["is_large"]:
		yield (
			"This is a large change: it waits for an admin's word on the dashboard."
			if found["guard_is_on"]
			else "This is a large change, and CDN Settings do not have it wait."
		)


def _labels(labels: Sequence[str], everything: bool) -> list[str]:
	if bool(labels) == everything:
		raise click.UsageError("Name the dead letters, or say --all and name none.")
	return [letter["label"] for letter in pipeline_status.dead_letters()] if everything else list(labels)


def _status_lines(found: dict[str, Any]) -> Iterator[str]:
	enabled = "enabled" if found["enabled"] else "DISABLED: changes wait"
	yield f"{found['site']}: export to {found['provider']} is {enabled}"
	if found["place_refused"]:
		yield _field("REFUSED", found["place_refused"])
	waits = f"{_count(found['pending_count'], 'plan')}, {_count(found['unfolded_changes'], 'new change')}"
	if found["oldest_waiting_since"]:
		waits += f", since {_moment(found['oldest_waiting_since'])}"
	yield _field(
		"waiting", waits + (", which is TOO LONG: see bench memora doctor" if found["overdue"] else "")
	)
	if found["building"]:
		yield _field("being built", _all_called(found["building"], found["titles"]))
	for failing in found["failing"]:
		yield _field(
			"failed",
			f"{_called(failing)}, retry {failing['retry_count']} at {_moment(failing['next_retry_at'])}: "
			f"{_shortened(failing['error_message'])}",
		)
	if found["held_plans"]:
		yield _field("held", f"{_all_called(found['held_plans'], found['titles'])}: for an admin to approve")
	if remaining := found["still_on_cdn"]:
		named = ", ".join(found["still_on_cdn_paths"][:_MOST_NAMED])
		more = f" and {remaining - _MOST_NAMED} more" if remaining > _MOST_NAMED else ""
		yield _field("still on CDN", f"{named}{more}: the storage refuses to remove this")
	yield from _purge_lines(found)
	letters = found["dead_letter_count"]
	yield _field("dead letters", f"{letters}: see bench memora dead-letters" if letters else "none")
	yield _field(
		"live",
		f"{_count(found['live_plans'], 'plan')}, {_count(found['live_files'], 'file')}, {_size(found['live_bytes'])}",
	)
	if progress := found["metadata"]:
		yield _field(
			"metadata", f"{progress['renewed']:,} of {progress['files']:,} files, the rest in the background"
		)
	if gate := found["gate"]:
		yield _field("gate", gate["message"])
	yield _field("read at", found["base_url"] or "unknown: CDN Base URL is empty")
	yield _field("last success", _moment(found["last_success_at"]) or "never")
	yield _field("last batch", _moment(found["last_batch_at"]) or "never")
	if found["dormant"]:
		yield _field("scheduler", "dormant, since no user has logged in for days: see bench memora doctor")
	if not found["redis_available"]:
		yield _field("Redis", "the queue's Redis does not answer: see bench memora doctor")


def _purge_lines(found: dict[str, Any]) -> Iterator[str]:
	if found["purges_failing"]:
		count = _count(found["purges_failing"], "address")
		yield _field("not purged", f"{count}, tried again: {_shortened(found['purge_error'])}")
	if found["edge_stale"]:
		count = _count(found["edge_stale"], "address")
		yield _field("still old", f"{count} at the CDN: {_shortened('; '.join(found['edge_stale_urls']))}")
	if found["purges_this_month"]:
		of = f" of {found['purge_budget']:,}" if found["purge_budget"] else ""
		yield _field("purged", f"{found['purges_this_month']:,}{of} addresses and tags this month")


def _called(named: dict[str, Any]) -> str:
	"""What people call it, with what commands take."""
	return f"“{named['title']}” ({named['label']})" if named.get("title") else named["label"]


def _all_called(labels: Sequence[str], titles: dict[str, str]) -> str:
	return ", ".join(_called({"label": label, "title": titles.get(label)}) for label in labels)


def _attempt(log: dict[str, Any]) -> tuple[Any, ...]:
	started, completed = log["started_at"], log["completed_at"]
	seconds = f"{(completed - started).total_seconds():.1f}" if started and completed else ""
	return (
		_moment(completed),
		_called({"title": log["plan_title"], "label": log["plan_id"]}),
		log["status"],
		log["files_uploaded"],
		log["files_deleted"],
		log["files_unchanged"],
		_size(log["bytes_uploaded"] or 0),
		seconds,
		log["triggered_by"] or "",
		_shortened(log["cause"]),
		_shortened(log["error_message"] or ""),
	)


def _field(name: str, text: str) -> str:
	return f"  {name:<14}{text}"
