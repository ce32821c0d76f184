"""The rows of the table: each case puts the site into a state, does one thing, and says what that took."""

from __future__ import annotations

import gzip
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import frappe
from curriculum import mapping, package, school

from benchmarks import floors, generate, meter, site
from benchmarks.generate import Bulk, Planted, Shape, plan_of
from benchmarks.s3_server import S3Server
from benchmarks.site import Drain, Warm
from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.state import due
from memora.services.cdn_export.storage.s3 import S3Storage

LESSON, UNIT, TRACK, SUBJECT = "Memora Lesson", "Memora Unit", "Memora Track", "Memora Subject"
STANDARD = Shape()
"""2,000 lessons in 10 subjects, 5 stages each with one video: that of the earlier build's figures."""


@dataclass(slots=True)
class Row:
	"""A line of the table. Seconds unless `unit` says otherwise.

	`work` is what of the figure this process and MariaDB worked, in the same unit; with others on the machine the
	figure itself also has waiting in it. `floor` is the same run's bare work, and the ratio is between these two.
	"""

	name: str
	figure: float
	unit: str = "s"
	target: float | None = None
	floor: float | None = None
	work: float | None = None
	of_floor: str = ""
	note: str = ""
	more: dict[str, Any] = field(default_factory=dict)

	@property
	def ratio(self) -> float | None:
		return (self.work or self.figure) / self.floor if self.floor else None

	@property
	def is_reached(self) -> bool | None:
		return None if self.target is None else self.figure <= self.target


@dataclass(slots=True)
class Bench:
	"""What all cases have at hand. `runs` is how often a short measure is repeated, `full_runs` a long one."""

	server: S3Server
	site_name: str
	quick: bool = False
	runs: int = 15
	full_runs: int = 5
	lessons: int = 0
	plans: int = 0
	"""How large the site of the case scale is; 0 for as large as it is meant to be."""

	def child(self, what: str, *arguments: object) -> subprocess.Popen:
		"""Start work in a process of its own."""
		command = [sys.executable, "-m", "benchmarks.child", what, self.site_name, *map(str, arguments)]
		return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def result_of(process: subprocess.Popen) -> dict[str, Any]:
	"""What a child said. Raises when it failed."""
	told, _ = process.communicate()
	if process.returncode:
		raise RuntimeError(f"a measured process ended with {process.returncode}")
	return json.loads(told.splitlines()[-1])


# A full rebuild, and edits


def full_and_edits(bench: Bench) -> Iterable[Row]:
	"""2,000 lessons: a full rebuild and either edit; then edits with 20,000, and the search of that."""
	small = yield from _standard(bench)
	yield from _twenty_thousand(bench, small)


def _standard(bench: Bench):
	site.empty(bench.server)
	planted = site.fill(STANDARD)
	with site.opened(bench.server) as warm:
		rebuilds = [publish_all(warm) for _ in range(bench.full_runs + 1)][1:]
		warm.storage.bodies = {}
		publish_all(warm)
		bodies, warm.storage.bodies = warm.storage.bodies, None
		read = meter.median(lambda: meter.work(floors.read_everything), bench.full_runs)
		write = meter.median(lambda: floors.serialise(bodies), bench.full_runs)
		full = _middle(rebuilds)
		yield Row(
			"full rebuild of 2,000 lessons, uploads replaced by nothing",
			full.seconds,
			target=0.6,
			floor=read + write,
			of_floor="read + serialise",
			work=full.work,
			note=f"{len(bodies):,} files, {_size(bodies.values())}",
			more={"all": [drain.seconds for drain in rebuilds], "files": len(bodies)},
		)
		yield _statements_of_full(bench, warm, full, STANDARD)
		yield from _unchanged(bench, warm)
		edits = yield from _edits(bench, warm, planted, "")
	return edits


def publish_all(warm: Warm) -> Drain:
	site.forget_all_published()
	return warm.drain()


def _statements_of_full(bench: Bench, warm: Warm, full: Drain, shape: Shape) -> Row:
	most = _statements_a_scope(full)
	site.empty(bench.server)
	site.fill(Shape(subjects=shape.subjects, lessons=1, stages=2))
	fewer = _statements_a_scope(publish_all(warm))
	site.empty(bench.server)
	site.fill(shape)
	publish_all(warm)
	return Row(
		"SQL statements of a full rebuild, a subject and plan",
		most,
		"",
		25,
		note=f"{full.statements} for {shape.subjects} subjects and the plan; with a fifth of the lessons {fewer:.1f} each",
	)


def _statements_a_scope(drain: Drain) -> float:
	"""The subjects' builds run within the plan's, so their sum is divided by how many scopes that was."""
	listed = frappe.db.count("Memora Plan Subject")
	return round(sum(span.count for name, span in drain.builds.items() if name != "index") / (listed + 1), 1)


def _unchanged(bench: Bench, warm: Warm) -> Iterable[Row]:
	spans = []
	for _ in range(bench.full_runs):
		site.touch_all()
		spans.append(warm.drain())
	drain = _middle(spans)
	yield Row(
		"the same where nothing has changed",
		drain.seconds,
		work=drain.work,
		note=f"{len(drain.puts)} PUTs",
	)


def _edits(bench: Bench, warm: Warm, planted: Planted, where: str, floor: bool = True):
	subject, names = next(iter(planted.lessons.items()))
	lesson = names[len(names) // 2]
	found = {}
	for what, fieldname, target in (("body", "stage_title", 0.04), ("title", "title", 0.04)):
		drains = [
			warm.drain_edit(LESSON, lesson, **{fieldname: f"Edited {number} {time.time():.0f}"})
			for number in range(bench.runs + 1)
		][1:]
		drain = found[what] = _middle(drains)
		bare = meter.median(
			lambda: meter.work(lambda: floors.read_for_an_edit(planted.subjects[subject], lesson)),
			bench.runs,
		)
		yield Row(
			f"one lesson's {what} edited{where}, uploads replaced by nothing",
			drain.seconds * 1000,
			"ms",
			target * 1000 if not where else None,
			bare * 1000,
			statistics.median(d.work for d in drains) * 1000,
			"read",
			f"fastest {min(d.seconds for d in drains) * 1000:.0f} ms; the whole drain {drain.whole.seconds * 1000:.0f} ms",
			{"all": [d.seconds for d in drains], "work": [d.work for d in drains]},
		)
		if where:
			continue
		yield Row(
			f"its SQL statements ({what})",
			drain.statements,
			"",
			20,
			note=f"{drain.whole.count} in the whole drain",
		)
		yield Row(f"its PUTs ({what})", len(drain.puts), "", note=_kinds(drain.puts))
	return found


def _twenty_thousand(bench: Bench, small: dict[str, Drain]) -> Iterable[Row]:
	site.empty(bench.server)
	shape = Shape(subjects=20 if bench.quick else 100)
	planted = site.fill(shape)
	lessons = f"{shape.all_lessons:,}"
	site.forget_all_published()
	process = result_of(bench.child("memory"))
	yield Row(
		f"peak memory, full rebuild of {lessons} lessons",
		process["peak"],
		"MB",
		250,
		process["before"],
		None,
		"the process before it",
		f"{process['published']} builds",
	)
	with site.opened(bench.server) as warm:
		warm.storage.bodies = {}
		full = publish_all(warm)
		bodies, warm.storage.bodies = warm.storage.bodies, None
		yield Row(
			f"full rebuild of {lessons} lessons",
			full.seconds,
			floor=meter.work(floors.read_everything) + floors.serialise(bodies),
			of_floor="read + serialise",
			work=full.work,
		)
		yield from _search(bodies, lessons)
		del bodies
		for row in _edits(bench, warm, planted, f" among {lessons}"):
			what = "body" if "body" in row.name else "title"
			row.note = (
				f"{row.work / (small[what].work * 1000):.2f} × the work among 2,000, target 1.5; {row.note}"
			)
			yield row


def _search(bodies: dict[str, bytes], lessons: str) -> Iterable[Row]:
	index = next(path for path in bodies if path.endswith("/search_index.json"))
	shards = {path: body for path, body in bodies.items() if "/search/" in path}
	largest = max(map(len, shards.values()), default=0)
	per_subject = Counter[str]()
	for path, body in shards.items():
		per_subject[path.split("/search/")[1].split("/")[0]] += len(body)
	one = max(per_subject.values(), default=0)
	everything = sum(map(len, shards.values()))
	packed = sum(len(gzip.compress(body, 6)) for body in shards.values())
	yield Row(f"largest search file, {lessons} lessons", max(largest, len(bodies[index])) / 1024, "KB", 100)
	yield Row(
		"loaded to answer a query in one subject: index and its shard",
		(len(bodies[index]) + one) / 1024,
		"KB",
		note=f"index {len(bodies[index]) / 1024:.0f} KB; in all subjects {everything / 1024:,.0f} KB in {len(shards)} "
		f"files, {packed / 1024:,.0f} KB as gzip; each immutable for a year, so a second query loads the index only",
	)


# Ticks, plans, renditions


def idle_tick(bench: Bench) -> Iterable[Row]:
	"""1,000 published plans and nothing to do."""
	plans = 100 if bench.quick else 1_000
	site.empty(bench.server)
	site.fill(Shape(subjects=1, tracks=1, units=1, topics=1, lessons=2, stages=1), plans=plans)
	with site.opened(bench.server) as warm:
		first = warm.drain()
		warm.storage.puts = []
		for name, work in (
			("minute's look", batch_processor.check_due),
			("five-minute batch", batch_processor.run_batch),
		):
			spans = []
			for _ in range(bench.runs + 1):
				with meter.span() as span:
					work()
				spans.append(span)
			span = sorted(spans[1:], key=lambda span: span.seconds)[bench.runs // 2]
			bare = meter.median(lambda span=span: floors.statements(span.count), 5)
			yield Row(
				f"a tick when nothing changed, {plans:,} plans: the {name}",
				span.seconds * 1000,
				"ms",
				20,
				bare * 1000,
				span.work * 1000,
				f"{span.count} × select 1",
				f"{len(warm.storage.puts)} PUTs",
			)
	yield Row(
		f"first build of {plans:,} small plans, each",
		first.seconds / plans * 1000,
		"ms",
		note="uploads to nowhere",
	)


def shared_by_fifty(bench: Bench) -> Iterable[Row]:
	"""50 plans that share a subject, one edit in it."""
	site.empty(bench.server)
	plans = 50
	planted = site.fill(Shape(subjects=1), plans=plans)
	lesson = next(iter(planted.lessons.values()))[100]
	with site.opened(bench.server) as warm:
		warm.drain()
		each, shared, worked = [], [], []
		for number in range(bench.runs):
			drain = warm.drain_edit(LESSON, lesson, stage_title=f"Edited {number} {time.time():.0f}")
			builds = [span for name, span in drain.builds.items() if name.startswith("plan:")]
			each.append(sum(span.seconds for span in builds) / plans)
			worked.append(sum(span.work for span in builds) / plans)
			shared.append(sum(path.startswith(("units/", "lessons/")) for path in drain.puts))
		statements = sum(span.count for span in builds)
		bare = meter.median(lambda: floors.statements(statements), 5) / plans
	yield Row(
		"50 plans that share a subject, one edit in it: each further plan",
		statistics.median(each) * 1000,
		"ms",
		10,
		bare * 1000,
		statistics.median(worked) * 1000,
		f"{statements / plans:.2g} × select 1",
		f"{len(builds)} builds; the shared part once: {shared[-1]} shared files, {len(drain.puts)} PUTs in all",
		{"all": each},
	)


def one_hide(bench: Bench) -> Iterable[Row]:
	"""One Hide in a plan on a shared subject of 200 lessons, then an edit in that subject."""
	site.empty(bench.server)
	planted = site.fill(Shape(subjects=1), plans=2)
	names = next(iter(planted.lessons.values()))
	with site.opened(bench.server) as warm:
		warm.drain()
		doc = frappe.get_doc("Memora Academic Plan", planted.plans[0])
		doc.append("overrides", {"target_doctype": LESSON, "target_name": names[10], "action": "Hide"})
		doc.save()
		frappe.db.commit()
		first = warm.drain()
		drains = [
			warm.drain_edit(LESSON, names[100], stage_title=f"Edited {number}")
			for number in range(bench.runs)
		]
		drain = _middle(drains)
	yield Row(
		"one Hide on a subject of 200 lessons: its own rendition, once",
		first.seconds * 1000,
		"ms",
		work=first.work * 1000,
		note=f"{len(first.puts)} PUTs",
	)
	yield Row(
		"then one lesson's body edited, for both plans",
		drain.seconds * 1000,
		"ms",
		work=drain.work * 1000,
		note=f"{len(drain.puts)} PUTs: {_kinds(drain.puts)}; {drain.statements} statements",
	)


def signatures(bench: Bench) -> Iterable[Row]:
	"""20,000 links signed."""
	count = 20_000
	until = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
	with S3Storage(site.storage_settings(bench.server)) as storage:
		links = [generate.BUCKET_VIDEO.format(name=f"{number:010x}") for number in range(count)]
		taken = meter.median(
			lambda: meter.seconds(
				lambda: [storage.sign(link, until, since=until - timedelta(hours=4)) for link in links]
			),
			3,
		)
	yield Row(f"{count:,} signatures", taken, target=1.5, note=f"{taken / count * 1e6:.0f} µs each")


# Load


def sustained(bench: Bench) -> Iterable[Row]:
	"""An editor that saves without a pause beside one worker that publishes to the S3 server."""
	site.empty(bench.server)
	planted = site.fill(STANDARD)
	with site.opened(bench.server, S3Storage(site.storage_settings(bench.server))) as warm:
		warm.drain()
	lessons = [name for names in planted.lessons.values() for name in names]
	seconds = 15 if bench.quick else 60
	begin = time.time() + 4
	worker = bench.child("drain", begin, begin + seconds, "s3")
	time.sleep(max(0.0, begin - time.time()))
	edits, waits = 0, []
	while time.time() < begin + seconds:
		site.edit(LESSON, lessons[edits * 37 % len(lessons)], stage_title=f"Edit {edits}")
		edits += 1
		if edits % 50 == 0:
			waits.append(_oldest_wait())
	ended = time.time()
	worker_said = result_of(worker)
	left = frappe.db.count("CDN Change") + len(due.to_build(frappe.utils.now_datetime()))
	yield Row(
		"sustained lesson edits a minute, one worker",
		edits / (ended - begin) * 60,
		"/min",
		note=f"{edits:,} saves in {ended - begin:.0f} s, as fast as one editor's process saves; the longest that a plan "
		f"waited {max(waits, default=0):.1f} s, {worker_said['published']} builds, {left} left at the end, all of it "
		f"live {max(0.0, worker_said['seconds'] - seconds):.1f} s after the last",
		more={"at_least": 1000, "left": left},
	)


def _oldest_wait() -> float:
	frappe.db.commit()
	since = frappe.db.sql(
		"select min(waiting_since) from `tabCDN Publish State` where published_generation < generation"
	)[0][0]
	return (frappe.utils.now_datetime() - since).total_seconds() if since else 0.0


def two_workers(bench: Bench) -> Iterable[Row]:
	"""20 plans, each with a subject of its own, built by one process and then by two."""
	site.empty(bench.server)
	bulk = Bulk()
	shape = Shape(subjects=20)
	for number, piece in enumerate(generate.subjects(shape)):
		bulk.add_subject(piece)
		bulk.add_plan(plan_of([piece.title], number))
	frappe.db.commit()

	def build(workers: int) -> tuple[float, int]:
		site.forget_all_published()
		begin = time.time() + 4
		children = [bench.child("drain", begin, begin, "nowhere") for _ in range(workers)]
		results = [result_of(child) for child in children]
		return max(result["seconds"] for result in results), sum(result["published"] for result in results)

	def read(workers: int) -> float:
		begin = time.time() + 4
		children = [bench.child("read", begin) for _ in range(workers)]
		return max(result_of(child)["seconds"] for child in children)

	alone, _ = build(1)
	together, builds = build(2)
	frappe.db.commit()
	logs = frappe.db.count("CDN Sync Log", {"status": "Success"})
	live = frappe.db.count("CDN Publish State", {"is_live": 1, "scope_type": "plan"})
	gain, bare = alone / together, read(1) * 2 / read(2)
	yield Row(
		"two workers, 20 plans: speed-up",
		gain,
		"×",
		floor=bare,
		of_floor="that of a bare two-process SQL read",
		note=f"{alone:.2f} s and {together:.2f} s; {builds} builds, {live} plans live, {logs} logs of success",
		more={"builds": builds, "live": live, "logs": logs},
	)


def process_start(bench: Bench) -> Iterable[Row]:
	"""What comes before the first build of a process that is started for it."""
	taken = [result_of(bench.child("nothing")) for _ in range(3)]
	yield Row(
		"process start, until it could build",
		statistics.median(each["whole"] for each in taken),
		note=f"imports and connecting {statistics.median(each['ready'] for each in taken):.2f} s, the rest is botocore's",
	)


# Bad input, and real input


def bad_input(bench: Bench) -> Iterable[Row]:
	"""Shapes that none should have."""
	for name, shape in (
		("a unit with 5,000 lessons", Shape(subjects=1, tracks=1, units=1, topics=50, lessons=100, stages=2)),
		("a plan of 200 subjects", Shape(subjects=200, tracks=1, units=2, topics=2, lessons=5, stages=2)),
	):
		site.empty(bench.server)
		planted = site.fill(shape)
		with site.opened(bench.server) as warm:
			full = warm.drain()
			lesson = next(iter(planted.lessons.values()))[7]
			drains = [warm.drain_edit(LESSON, lesson, stage_title=f"Edited {number}") for number in range(5)]
			edit = _middle(drains)
			largest = max(warm.storage.sizes.items(), key=lambda item: item[1])
		yield Row(
			f"{name}: full",
			full.seconds,
			work=full.work,
			note=f"largest file {largest[0].split('/')[-2]}, {largest[1] / 1024:,.0f} KB",
		)
		yield Row(
			f"{name}: one body edited",
			edit.seconds * 1000,
			"ms",
			work=edit.work * 1000,
			note=f"{edit.statements} statements",
		)

	site.empty(bench.server)
	planted = site.fill(Shape(subjects=2))
	subjects = list(planted.subjects.values())
	track = frappe.get_all(TRACK, {"parent_subject": subjects[0]}, pluck="name")[0]
	with site.opened(bench.server) as warm:
		warm.drain()
		moved = warm.drain_edit(TRACK, track, parent_subject=subjects[1])
	yield Row(
		"a track of 100 lessons moved to another subject",
		moved.seconds * 1000,
		"ms",
		work=moved.work * 1000,
		note=f"{len(moved.puts)} PUTs, {moved.statements} statements",
	)


def demo(bench: Bench, folder: Path) -> Iterable[Row]:
	"""freeCodeCamp's curriculum, the demo's: real texts, two plans, one of them with overrides."""
	curriculum = school.curriculum(mapping.subjects(package.read(package.fetch(folder))))
	site.empty(bench.server)
	planted = Bulk().curriculum(curriculum)
	frappe.db.commit()
	lessons = sum(map(len, planted.lessons.values()))
	with site.opened(bench.server) as warm:
		warm.drain()
		drains = [publish_all(warm) for _ in range(3)]
		full = _middle(drains)
		warm.storage.bodies = {}
		publish_all(warm)
		bodies, warm.storage.bodies = warm.storage.bodies, None
		bare = meter.work(floors.read_everything) + floors.serialise(bodies)
		lesson = planted.names[school.EDITED_LESSON]
		edit = _middle(
			[warm.drain_edit(LESSON, lesson, description=f"Edited {n}") for n in range(bench.runs)]
		)
	yield Row(
		f"the demo's curriculum, {lessons:,} lessons in two plans: full",
		full.seconds,
		floor=bare,
		work=full.work,
		of_floor="read + serialise",
		note=f"{len(bodies):,} files, {_size(bodies.values())}",
	)
	yield Row(
		"the demo's edit, live for both plans",
		edit.seconds * 1000,
		"ms",
		work=edit.work * 1000,
		note=f"{len(edit.puts)} PUTs",
	)


def curve(bench: Bench) -> Iterable[Row]:
	"""Cost against the plan's size, for the plot."""
	for subjects in (1, 5, 10, 25) if bench.quick else (1, 5, 10, 25, 50, 100):
		site.empty(bench.server)
		shape = Shape(subjects=subjects)
		planted = site.fill(shape)
		lesson = next(iter(planted.lessons.values()))[100]
		with site.opened(bench.server) as warm:
			full = _middle([publish_all(warm) for _ in range(3)])
			warm.storage.bodies = {}
			publish_all(warm)
			bodies, warm.storage.bodies = warm.storage.bodies, None
			floor = meter.work(floors.read_everything) + floors.serialise(bodies)
			edit = _middle([warm.drain_edit(LESSON, lesson, stage_title=f"Edited {n}") for n in range(9)])
		yield Row(
			f"{shape.all_lessons:,} lessons",
			full.seconds,
			floor=floor,
			work=full.work,
			of_floor="read + serialise",
			note=f"body edit {edit.seconds * 1000:.0f} ms, {edit.statements} statements",
			more={"lessons": shape.all_lessons, "edit": edit.work, "full": full.work, "floor": floor},
		)


def _middle(drains: Sequence[Drain]) -> Drain:
	"""The drain of median work."""
	return sorted(drains, key=lambda drain: drain.work)[len(drains) // 2]


def _kinds(puts: Iterable[str]) -> str:
	counted = Counter(_kind(path) for path in puts)
	return ", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in counted.items())


def _kind(path: str) -> str:
	for kind in ("lessons", "units", "subjects", "search"):
		if f"{kind}/" in path:
			return {"search": "search shard"}.get(kind, kind.removesuffix("s"))
	return {"search_index.json": "search index"}.get(
		path.split("/")[-1], path.split("/")[-1].removesuffix(".json")
	)


def _size(bodies: Iterable[bytes]) -> str:
	return f"{sum(map(len, bodies)) / 1e6:.1f} MB"


CASES: dict[str, Callable[[Bench], Iterable[Row]]] = {
	"full": full_and_edits,
	"tick": idle_tick,
	"shared": shared_by_fifty,
	"hide": one_hide,
	"signatures": signatures,
	"sustained": sustained,
	"workers": two_workers,
	"start": process_start,
	"bad": bad_input,
	"curve": curve,
}
