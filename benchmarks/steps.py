"""Where a build's time goes, step by step, measured in place: a profiler would make Python's part look larger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from frappe.database.mariadb.database import MariaDBDatabase

from benchmarks import meter, site
from benchmarks.cases import LESSON, STANDARD, Bench, Row, publish_all
from benchmarks.generate import Shape
from benchmarks.meter import Span
from memora.services.cdn_export import cdn_uploader
from memora.services.cdn_export.builds import event_log, plan_reading, upload
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.curriculum import content_tree
from memora.services.cdn_export.rules import large_change_guard, subject_files
from memora.services.cdn_export.rules.plan_files import PlanFiles
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state import ledger, publish_state, redis_mirror, renditions, sync_log
from memora.services.cdn_export.worker.builder import Builder

_STEPS: dict[str, tuple[tuple[Any, str], ...]] = {
	"lease, state": ((leases, "acquire"), (leases, "acquire_free"), (Build, "begin")),
	"plan and renditions read": ((plan_reading, "snapshot"), (plan_reading, "snapshots")),
	"skeleton read, made a tree": ((content_tree, "load"),),
	"access decided": ((large_change_guard, "keep_paid"),),
	"ledger read": ((ledger, "of_scope"), (ledger, "of_plans"), (ledger, "of_paths")),
	"shapes": ((subject_files, "drafts"),),
	"stages read": ((content_tree, "stages"),),
	"documents made and hashed": ((subject_files, "offer"), (PlanFiles, "offer_subject")),
	"noted as in flight, and signed, checked, serialised": ((upload, "_begin"),),
	"handed to the storage, which is nothing": ((cdn_uploader, "publish"),),
	"noted as live": ((ledger, "close"),),
	"renditions and state stored": (
		(renditions, "store"),
		(publish_state, "succeeded"),
		(publish_state, "succeeded_together"),
	),
	"record in CDN Sync Log": ((sync_log, "write"),),
	"commits": ((MariaDBDatabase, "commit"),),
	"locks shown, events logged": (
		(redis_mirror, "lock"),
		(redis_mirror, "unlock"),
		(event_log, "record"),
	),
}
"""The steps by the functions that do them; one within another counts for the outer one."""

_LEAST = 0.03
"""A smaller share of a build is among the rest."""


def steps(bench: Bench) -> Iterator[Row]:
	"""Where the time of a full rebuild, of an edit and of a further plan goes."""
	site.empty(bench.server)
	planted = site.fill(STANDARD)
	lesson = next(iter(planted.lessons.values()))[100]
	with site.opened(bench.server) as warm:
		publish_all(warm)
		with _timed() as spent:
			drains = [publish_all(warm) for _ in range(bench.full_runs)]
		yield from _rows("full rebuild", spent, drains, len(drains))
		with _timed() as spent:
			drains = [
				warm.drain_edit(LESSON, lesson, stage_title=f"Step {number}") for number in range(bench.runs)
			]
		yield from _rows("a body's edit", spent, drains, len(drains))
	site.empty(bench.server)
	plans = 50
	planted = site.fill(Shape(subjects=1), plans=plans)
	lesson = next(iter(planted.lessons.values()))[100]
	with site.opened(bench.server) as warm:
		warm.drain()
		with _timed("plan") as spent:
			drains = [warm.drain_edit(LESSON, lesson, stage_title=f"Step {number}") for number in range(5)]
		for drain in drains:
			drain.builds = {name: span for name, span in drain.builds.items() if name.startswith("plan:")}
		yield from _rows("a further plan", spent, drains, plans * len(drains))


def _rows(what: str, spent: dict[str, Span], drains: list[site.Drain], times: int) -> Iterator[Row]:
	whole = sum(drain.seconds for drain in drains)
	for name, span in sorted(spent.items(), key=lambda item: -item[1].seconds):
		if span.seconds >= _LEAST * whole:
			yield Row(
				f"{what}: {name}",
				span.seconds / times * 1000,
				"ms",
				work=span.work / times * 1000,
				note=f"{span.seconds / whole:.0%}; {span.server / span.work:.0%} of the work is MariaDB's",
			)
	rest = whole - sum(span.seconds for span in spent.values() if span.seconds >= _LEAST * whole)
	yield Row(f"{what}: the rest", rest / times * 1000, "ms", note=f"{rest / whole:.0%}")


@contextmanager
def _timed(of: str = "") -> Iterator[dict[str, Span]]:
	"""The time of each step in the builds meanwhile; with `of`, only in those of scopes of this type."""
	spent = {name: Span() for name in _STEPS}
	inside = [False]
	busy: list[str] = []

	def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
		def run(*args: Any, **kwargs: Any) -> Any:
			if busy or not inside[-1]:
				return function(*args, **kwargs)
			busy.append(name)
			try:
				with meter.span() as current:
					return function(*args, **kwargs)
			finally:
				busy.pop()
				spent[name].seconds += current.seconds
				spent[name].cpu += current.cpu
				spent[name].server += current.server

		return run

	def of_type(function: Callable[..., bool]) -> Callable[..., bool]:
		def run(builder_: Any, target: Any, state: Any) -> bool:
			inside.append(not of or state.scope_type == of)
			try:
				return function(builder_, target, state)
			finally:
				inside.pop()

		return run

	def of_plans(function: Callable[..., Any]) -> Callable[..., Any]:
		def run(*args: Any) -> Any:
			inside.append(not of or of == "plan")
			try:
				return function(*args)
			finally:
				inside.pop()

		return run

	with ExitStack() as stack:
		for name, functions in _STEPS.items():
			for module, function in functions:
				stack.enter_context(patch.object(module, function, timed(name, getattr(module, function))))
		stack.enter_context(patch.object(Builder, "_build_one", of_type(Builder._build_one)))
		stack.enter_context(patch.object(Builder, "_build_together", of_plans(Builder._build_together)))
		yield spent
