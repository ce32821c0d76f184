"""A large site, measured: 200,000 lessons in 200 subjects of 1,000, and 10,000 plans of eight subjects each.

Plans are built once for each subject and then copied with all that memora knows of them (`many`). What a copy's files hold
is known only once it was built, so the first edit and the first night count for nothing.
"""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import frappe

from benchmarks import cases, many, meter, site
from benchmarks.cases import LESSON, Bench, Row, result_of
from benchmarks.generate import Bulk, Shape, plan_of
from benchmarks.meter import Span
from benchmarks.site import Drain, Warm
from memora.api import cdn_admin, links, outline, publishing
from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.admin import metrics
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.doctypes import PLAN
from memora.services.cdn_export.outbox import reconciliation, relay

LESSONS, PLANS = 200_000, 10_000
_SUBJECT = Shape(subjects=2, tracks=2, units=5, topics=10, lessons=10)
"""1,000 lessons in each subject."""

_LISTED = 8
"""Subjects of a plan."""

_TABLES = 9
_SLOW_NET = 1.6e6
"""Bits a second of a phone on a slow connection."""


def scale(bench: Bench) -> Iterator[Row]:
	"""200,000 lessons and 10,000 plans, or so many as `--lessons` and `--plans` say."""
	lessons, plans = bench.lessons or LESSONS, bench.plans or PLANS
	subjects = max(2, lessons // _SUBJECT.lessons_a_subject // 2 * 2)
	sharing = plans * min(_LISTED, subjects) // subjects
	_fill(bench, 2)
	with site.opened(bench.server) as warm:
		cases.publish_all(warm)
		many.plans(frappe.get_all(PLAN, pluck="name"), sharing)
		few = _edits(bench, warm)
	_fill(bench, subjects)
	yield from _full(bench, lessons)
	many.plans(frappe.get_all(PLAN, pluck="name"), plans)
	with site.opened(bench.server) as warm:
		yield from _idle(bench, plans)
		yield from _editing(bench, warm, few, sharing)
		yield from _plan_changes(warm, plans)
		yield from _asking(bench, plans)
		yield from _night(warm, plans)
	yield from _tables()


def _fill(bench: Bench, subjects: int) -> None:
	"""Subjects of 1,000 lessons, each in one plan. Nothing is published."""
	site.empty(bench.server)
	bulk = Bulk(changes=False)
	many.subjects(bulk, replace(_SUBJECT, subjects=subjects))
	many.families(bulk, _LISTED)


def _full(bench: Bench, lessons: int) -> Iterator[Row]:
	site.forget_all_published()
	child = result_of(bench.child("memory"))
	yield Row(
		f"peak memory, full rebuild of {lessons:,} lessons in {frappe.db.count(PLAN)} plans",
		child["peak"],
		"MB",
		200,
		child["before"],
		of_floor="the process before it",
	)
	yield Row(
		f"full rebuild of {lessons:,} lessons",
		child["seconds"],
		work=child["work"],
		note=f"{child['work'] / lessons * 1000:.2f} ms of work a lesson",
	)


def _idle(bench: Bench, plans: int) -> Iterator[Row]:
	batch_processor.run_batch()
	for name, look in (
		("the minute's check", batch_processor.check_due),
		("the five-minute batch", batch_processor.run_batch),
	):
		row = _row(f"nothing changed, {plans:,} plans: {name}", _spans(look, bench.runs))
		row.target = 30
		yield row


def _edits(bench: Bench, warm: Warm) -> list[Drain]:
	"""One lesson's body edited again and again; the first time does not count."""
	lesson = _lesson()
	return [
		warm.drain_edit(LESSON, lesson, stage_title=f"Edited {number} {time.time():.0f}")
		for number in range(bench.full_runs + 1)
	][1:]


def _lesson() -> str:
	found = f"select name from `tab{LESSON}` where {many.GENERATED.format('name')} order by name limit 1"
	return frappe.db.sql(found)[0][0]


def _editing(bench: Bench, warm: Warm, few: Sequence[Drain], sharing: int) -> Iterator[Row]:
	doc = frappe.get_doc(LESSON, _lesson())

	def save() -> None:
		doc.title = f"Saved {time.time()}"
		doc.save()
		frappe.db.commit()

	yield _row("a lesson saved", _spans(save, bench.runs))
	relayed = []
	for _ in range(bench.runs):
		save()
		with meter.span() as span:
			relay.run()
		relayed.append(span)
	yield _row(f"its relay to {sharing:,} plans", relayed)
	warm.drain()
	edits = _edits(bench, warm)
	for what, work in {
		"whole drain": lambda drain: drain.whole.work,
		"the subject": lambda drain: _work_of(drain, "subject:"),
		"each plan": lambda drain: _work_of(drain, "plan:") / sharing,
	}.items():
		now, before = (statistics.median(map(work, drains)) * 1000 for drains in (edits, few))
		yield Row(
			f"one lesson's body edited, in {sharing:,} plans: {what}",
			now,
			"ms",
			work=now,
			note=f"{now / before:.2f} × the work on a site of 2,000 lessons and {sharing:,} plans, target 1.3",
			more={"ratio": now / before},
		)
	yield Row("its PUTs", len(edits[-1].puts), "", note=f"{edits[-1].whole.count} statements")


def _work_of(drain: Drain, scope: str) -> float:
	return sum(span.work for name, span in drain.builds.items() if name.startswith(scope))


def _plan_changes(warm: Warm, plans: int) -> Iterator[Row]:
	"""A Hide, and a new plan with what the list of plans costs."""
	warm.storage.bodies = {}
	plan = frappe.get_doc(PLAN, {"title": "Plan 1 1"})
	subject = plan.subjects[0].subject
	plan.append("overrides", {"target_doctype": LESSON, "target_name": _lesson_of(subject), "action": "Hide"})
	plan.save()
	frappe.db.commit()
	yield _drained("one Hide on a subject of 1,000 lessons", warm.drain())
	bulk = Bulk(seed=7)
	bulk.planted.subjects = {"it": subject}
	bulk.add_plan(plan_of(["it"], plans))
	frappe.db.commit()
	made = warm.drain()
	yield _drained("a new plan, live and listed", made)
	listed, warm.storage.bodies = warm.storage.bodies[paths.PLAN_INDEX], None
	packed = len(gzip.compress(listed, 6))
	yield Row(
		f"plans/index.json of {plans + 1:,} plans",
		len(listed) / 1024,
		"KB",
		note=f"{packed / 1024:,.0f} KB as gzip, which a phone loads in {packed * 8 / _SLOW_NET:.1f} s at 1.6 Mbit/s when plans "
		f"came, went or were renamed; written in {_work_of(made, 'index') * 1000:.0f} ms of work",
	)


def _drained(what: str, drain: Drain) -> Row:
	note = f"{len(drain.puts):,} PUTs, {drain.whole.count:,} statements"
	return Row(what, drain.whole.seconds, work=drain.whole.work, note=note)


def _lesson_of(subject: str) -> str:
	return frappe.db.sql(
		"""select lesson.name from `tabMemora Track` track join `tabMemora Unit` unit on unit.parent_track = track.name
		join `tabMemora Topic` topic on topic.parent_unit = unit.name
		join `tabMemora Lesson` lesson on lesson.parent_topic = topic.name
		where track.parent_subject = %s limit 1""",
		(subject,),
	)[0][0]


def _asking(bench: Bench, plans: int) -> Iterator[Row]:
	lesson, (plan, *_others) = _lesson(), (names := frappe.get_all(PLAN, pluck="name", limit=500))
	subject = frappe.db.get_value("Memora Plan Subject", {"parent": plan}, "subject")
	for what, ask in {
		"dashboard": cdn_admin.get_dashboard,
		"queue status": cdn_admin.get_queue_status,
		"metrics": metrics.render,
		"recent failures": cdn_admin.get_recent_failures,
		"status of a lesson": lambda: publishing.document_status(LESSON, lesson),
		"status of a plan": lambda: publishing.document_status(PLAN, plan),
		"states in a list of 500 plans": lambda: publishing.list_states(PLAN, names),
		"a list's first plans": lambda: frappe.get_list(PLAN, fields=["name", "title"], limit=20),
		"how many lessons a list has": lambda: frappe.db.count(LESSON),
		"a link box that offers lessons": lambda: links.search_content(LESSON),
		"a link box that looks for a word": lambda: links.search_content(LESSON, "light"),
		"the course page": lambda: outline.outline(subject),
	}.items():
		yield _row(f"{what}, {plans:,} plans", _spans(ask, bench.full_runs, fresh=True))


def _night(warm: Warm, plans: int) -> Iterator[Row]:
	"""The nightly check queues all, and finds nothing."""
	for _ in range(2):
		with meter.span() as queued:
			reconciliation.daily()
		drain = warm.drain()
	row = _drained(f"a night without a change, {plans:,} plans", drain)
	row.note += f"; {_work_of(drain, 'plan:') / plans * 1000:.1f} ms of work a plan, {queued.seconds:.1f} s to queue all"
	yield row


def _tables() -> Iterator[Row]:
	for table, count, data, index in frappe.db.sql(
		"""select table_name, table_rows, data_length / 1048576, index_length / 1048576 from information_schema.tables
		where table_schema = database() and (table_name like 'tabMemora%%' or table_name like 'tabCDN%%')
		order by data_length + index_length desc limit %s""",
		(_TABLES,),
	):
		note = f"about {count:,} rows; {index:,.0f} MB of it are indexes"
		yield Row(f"table {table.removeprefix('tab')}", float(data + index), "MB", note=note)


def _spans(work: Callable[[], Any], times: int, *, fresh: bool = False) -> list[Span]:
	"""So many runs, after one that does not count; each with a `fresh` snapshot, as requests have one."""
	spans = []
	for _ in range(times + 1):
		if fresh:
			frappe.db.rollback()
		with meter.span() as span:
			work()
		spans.append(span)
	return spans[1:]


def _row(what: str, spans: Sequence[Span]) -> Row:
	return Row(
		what,
		statistics.median(span.seconds for span in spans) * 1000,
		"ms",
		work=statistics.median(span.work for span in spans) * 1000,
		note=f"{spans[-1].count} statements",
	)
