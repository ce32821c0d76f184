"""The case `model`: real drains by 1, 2 and 4 workers beside what the model says of them with the costs of the first.

    dev/benchmark model

Each worker is a process, where it can be on a host of its own (`benchmarks/hosts.py`). Edits in all subjects wait, and the
workers begin at one moment. Uploads take 30 ms each and nothing of the processors. Then the model alone answers for a fleet.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime

from benchmarks import generate, meter, site
from benchmarks.cases import LESSON, Bench, Row, result_of
from benchmarks.generate import Bulk, Shape, plan_of
from benchmarks.hosts import hosts
from benchmarks.model import Costs, Fleet, Model, Report, Site, Work, poisson
from memora.exceptions import PreconditionFailedError
from memora.services.cdn_export import settings
from memora.services.cdn_export.builds import plan_reading
from memora.services.cdn_export.model.paths import MARK
from memora.services.cdn_export.model.scopes import Scope, plan
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import due, lease, publish_state
from memora.services.cdn_export.storage import StorageSettings, Upload
from memora.services.cdn_export.worker import builder
from memora.services.cdn_export.worker import drain as worker

SUBJECTS, PLANS, LISTED, RUNS, FIRST_SECONDS = 24, 240, 4, 2, 5
EDITED = (24, 6)
"""In so many subjects is an edit: more than a worker remembers, and fewer."""
LATENCY = 0.03
LOOKS = 10
PUT = Work(0.00025)
"""Of a file's upload, which these runs leave out: the page's measurement of obstore."""


class Far(meter.Nowhere):
	"""A storage 30 ms away that keeps nothing but the mark, in a file for all workers."""

	at = Path()
	seconds = LATENCY

	def read(self, path: str) -> tuple[bytes, str] | None:
		if path != MARK:
			return super().read(path)
		return (self.at.read_bytes(), "mark") if self.at.exists() else None

	def put(self, upload: Upload, **condition: Any) -> str:
		time.sleep(self.seconds)
		if upload.path != MARK:
			return super().put(upload, **condition)
		if condition.get("if_absent") and self.at.exists():
			raise PreconditionFailedError(MARK)  # else each batch would wait a second to read the mark again
		self.at.write_bytes(upload.body)
		return "mark"


def model(bench: Bench) -> Iterable[Row]:
	"""What 1, 2 and 4 workers really take, what the model says they take, and what it says of a fleet."""
	listed = Site.spread(SUBJECTS, PLANS, LISTED)
	lessons = _published(bench, listed)
	with hosts(4) as found:
		if found[0] and _fails(bench, found[0]):
			found = [[] for _ in found]
		where = (
			"in namespaces" if found[0] else "on loopback: no namespaces can be had, or MariaDB lets none in"
		)
		told = {
			(edited, workers): [_run(bench, found[:workers], lessons[:edited]) for _ in range(RUNS)]
			for edited in EDITED
			for workers in (1, 2, 4)
		}
	costs = _costs(
		[result for edited in EDITED for run in told[edited, 1] for result in run["results"]], sum(EDITED) / 2
	)
	for (edited, workers), runs in told.items():
		real = sorted(runs, key=lambda run: run["all"])[RUNS // 2]
		fleet_here = Fleet(workers=workers, cores=2, latency=LATENCY)
		said = Model(listed, costs, fleet_here, iter(())).burst(range(edited))
		yield from _beside(f"{edited} edits, workers {workers}", real, said, runs, where)
	yield from fleet(costs)


def _beside(name: str, real: dict, said: Report, runs: list[dict], where: str) -> Iterator[Row]:
	live = sorted(said.finished.values())
	kinds = dict(real["kinds"])
	kinds["in vain"] = kinds.pop("look", 0) - LOOKS * len(real["results"])
	counts = ", ".join(f"{kinds.get(kind, 0)} {kind} ({said.builds[kind]})" for kind in said.builds)
	for what, measured, predicted in (
		("all plans live", real["all"], live[-1]),
		("half of the plans live", real["half"], live[len(live) // 2]),
	):
		yield Row(
			f"{name}: {what}",
			measured,
			note=f"the model says {predicted:.2f} s, {(predicted / measured - 1) * 100:+.0f} %; runs "
			+ ", ".join(f"{run['all']:.2f}" for run in runs)
			+ f"; real builds (and the model's): {counts}; {where}",
			more={"predicted": predicted, "runs": runs},
		)


def _published(bench: Bench, listed: Site) -> list[str]:
	"""Everything live; returns a lesson of each subject."""
	site.empty(bench.server)
	_mark().unlink(missing_ok=True)
	bulk = Bulk()
	titles = []
	for piece in generate.subjects(Shape(subjects=SUBJECTS)):
		bulk.add_subject(piece)
		titles.append(piece.title)
	for number, subjects in enumerate(listed.plans):
		bulk.add_plan(plan_of([titles[subject] for subject in subjects], number))
	frappe.db.commit()
	with _uploads(), patch.object(Far, "seconds", 0.0):
		worker.drain(seconds=None)
	if left := due.to_build(now_datetime()):
		raise RuntimeError(f"{len(left)} scopes were not published")
	return [bulk.planted.lessons[title][0] for title in titles]


def _fails(bench: Bench, inside: list[str]) -> bool:
	return bool(_child(bench, inside, "reach").wait())


def _run(bench: Bench, places: list[list[str]], lessons: Sequence[str]) -> dict[str, Any]:
	for lesson in lessons:
		site.edit(LESSON, lesson, stage_title=f"Edited {time.time()}")
	begin = time.time() + FIRST_SECONDS
	since = now_datetime()
	children = [_child(bench, place, "drain", begin) for place in places]
	try:
		results = [result_of(child) for child in children]
	finally:
		for child in children:  # the others, where one has failed
			child.kill()
	frappe.db.commit()
	if left := due.to_build(now_datetime()):
		raise RuntimeError(f"{len(left)} scopes were not published")
	moments = sorted(moment for result in results for moment in result["live"])
	logged = frappe.db.count("CDN Sync Log", {"creation": [">=", since], "status": "Success"})
	kinds: dict[str, int] = {}
	for build in (build for result in results for build in result["builds"]):
		kinds[build["kind"]] = kinds.get(build["kind"], 0) + 1
	return {
		"all": moments[-1],
		"half": moments[len(moments) // 2],
		"kinds": kinds,
		"logged": logged,
		"results": results,
	}


def _child(bench: Bench, inside: list[str], *arguments: object) -> subprocess.Popen:
	command = [*inside, sys.executable, "-m", "benchmarks.model_check", bench.site_name, *map(str, arguments)]
	return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _mark() -> Path:
	return Path(frappe.get_site_path("private", "files", "benchmark-mark.json")).resolve()


def _costs(results: Sequence[dict], edits: float) -> Costs:
	"""From what one worker's builds took: medians, and a line where a cost goes with a number."""
	builds = [build for result in results for build in result["builds"]]

	def of(kind: str) -> list[dict]:
		return [build for build in builds if build["kind"] == kind]

	def line(kind: str, number: str) -> tuple[Work, Work]:
		found = of(kind)
		if not found:
			return Work(), Work()
		numbers = [build[number] for build in found]
		parts = []
		for part in ("cpu", "server", "statements"):
			taken = [build[part] for build in found]
			if len(set(numbers)) > 1:
				slope, fixed = statistics.linear_regression(numbers, taken)
			else:
				slope, fixed = 0.0, statistics.mean(taken)
			if fixed < 0 or slope < 0:
				slope, fixed = sum(taken) / max(1, sum(numbers)), 0.0
			parts.append((fixed, slope))
		return Work(*(fixed for fixed, _ in parts)), Work(*(slope for _, slope in parts))

	def middle(kind: str) -> Work:
		return Work(
			*(statistics.mean(build[part] for build in of(kind)) for part in ("cpu", "server", "statements"))
		)

	group, each = line("group", "plans")
	return Costs(
		start=Work(),
		change=middle("relay") * (1 / edits),
		listed=middle("listed") * (1 / (SUBJECTS + PLANS)),
		look=middle("look"),
		tried=middle("tried") if of("tried") else group,
		subject=middle("subject"),
		lesson=Work(0.0005),
		group=group,
		plan=each,
		alone=middle("alone") if of("alone") else group + each,
		read=middle("read"),
	)


def fleet(costs: Costs) -> Iterator[Row]:
	"""What the model says of 100 workers on 20 machines, with an upload's work and a job's start added."""
	costs = Costs(
		**{**{name: getattr(costs, name) for name in Costs.__slots__}, "put": PUT, "start": Work(0.1)}
	)
	many = Site.spread(5_000, 10_000, 10)
	for workers, an_hour in ((5, 5), (5, 20), (1, 20), (5, 60)):
		rate, hour = 1000 * an_hour / 3600, 600.0
		machines = Fleet(20, workers, 4, 16, round_trip=0.0005, latency=LATENCY, key_seconds=1.0)
		report = Model(many, costs, machines, poisson([rate], 5_000, hour=hour)).run()
		used = ", ".join(f"{name} {share:.1%}" for name, share in report.used.items())
		day = 8 * 3600 / hour
		yield Row(
			f"model: {20 * workers} workers, {rate:.1f} edits a second: 99 % live after",
			report.after(0.99),
			note=f"half after {report.after(0.5):.1f} s, the last {report.live[-1]:.1f}; backlog at most {report.backlog:,}"
			f" scopes; {report.puts * day / 1e6:.1f} million PUTs in 8 hours, $ {report.puts * day * 5e-6:.2f} at S3 and"
			f" {report.puts * day * 4.5e-6:.2f} at R2; {report.builds}; used: {used}; first: {report.first}",
			more={"report": {"builds": report.builds, "used": report.used}},
		)


# In the worker's process


@contextmanager
def _uploads() -> Iterator[None]:
	Far.at = _mark()
	with patch.object(settings, "open_storage", lambda doc: Far(_place(doc))):
		yield


def _place(doc: Any) -> StorageSettings:
	return StorageSettings(
		provider=doc.storage_provider,
		endpoint_url=doc.endpoint_url,
		region=doc.region,
		bucket_name=doc.bucket_name,
		access_key=doc.access_key,
		secret_key=doc.get_password("secret_key"),
	)


def drain(begin: float) -> dict[str, Any]:
	"""Drain from that moment on; says what each build took, and when each plan was live."""
	builds: list[dict[str, Any]] = []
	live: list[float] = []
	inside: list[meter.Span] = []
	build_one, build_together = builder.Builder._build_one, builder.Builder._build_together
	relayed, listed, read_shared = relay.run, due.to_build, plan_reading._Subjects._shared

	def measured(kind: Callable[[Any], dict[str, Any]], work: Callable[[], Any]) -> Any:
		inside.clear()
		with meter.span() as span:
			done = work()
		note(kind(done), span, inside)
		return done

	def note(kind: dict[str, Any], span: meter.Span, inside: Sequence[meter.Span] = ()) -> None:
		"""What it took, without what of it is noted by itself."""
		builds.append(
			{
				**kind,
				"cpu": span.cpu - sum(part.cpu for part in inside),
				"server": span.server - sum(part.server for part in inside),
				"statements": span.count - sum(part.count for part in inside),
			}
		)

	def one(run: builder.Builder, target: Any, state: Any) -> bool:
		before = run.done.published

		def kind(_: bool) -> dict[str, Any]:
			if run.done.published == before:
				return {"kind": "look"}
			if state.scope_type == "plan":
				live.append(time.time() - begin)
			return {"kind": "alone" if state.scope_type == "plan" else state.scope_type}

		return measured(kind, lambda: build_one(run, target, state))

	def together(run: builder.Builder, target: Any, group: list[Any]) -> tuple[int, Any, Any]:
		def kind(done: tuple[int, Any, Any]) -> dict[str, Any]:
			published, _alone, _without_room = done
			live.extend([time.time() - begin] * published)
			return {"kind": "group" if published else "tried", "plans": published}

		return measured(kind, lambda: build_together(run, target, group))

	def shared(subjects: Any, subject: str) -> Any:
		is_known = subjects._memory.recall(subject, subjects._snapshot.generation(subject))
		with meter.span() as span:
			found = read_shared(subjects, subject)
		if not is_known:
			inside.append(span)
			note({"kind": "read"}, span)
		return found

	with (
		_uploads(),
		meter.counting_statements(),
		patch.object(builder.Builder, "_build_one", one),
		patch.object(builder.Builder, "_build_together", together),
		patch.object(plan_reading._Subjects, "_shared", shared),
		patch.object(relay, "run", lambda: measured(lambda n: {"kind": "relay" if n else "idle"}, relayed)),
		patch.object(
			due,
			"to_build",
			lambda now: measured(lambda n: {"kind": "listed" if n else "idle"}, lambda: listed(now)),
		),
	):
		time.sleep(max(0.0, begin - time.time()))
		frappe.db.commit()
		worker.drain("Scheduler", seconds=None)
		_looks(measured)
	return {"live": live, "builds": builds}


def _looks(measured: Callable[..., Any]) -> None:
	"""What it takes to find a scope up to date."""

	def look(scope: Scope) -> None:
		if taken := lease.acquire(scope):
			with taken:
				publish_state.read([scope])

	for name in frappe.get_all("Memora Academic Plan", pluck="name", limit=LOOKS):
		measured(lambda _: {"kind": "look"}, partial(look, plan(name)))


if __name__ == "__main__":
	frappe.init(site=sys.argv[1])
	frappe.connect()
	meter.as_in_use()
	if sys.argv[2] == "drain":
		print(json.dumps(drain(float(sys.argv[3]))))
	frappe.destroy()
