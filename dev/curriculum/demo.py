"""memora's main job on real input: load a curriculum, publish it, change one lesson, publish that.

Run by dev/demo, in the bench's Python and its sites folder, while a worker of that bench is running.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import frappe
from frappe.utils import get_bench_path, now_datetime
from frappe.utils.background_jobs import get_queue

from memora.exceptions import MemoraError
from memora.services.cdn_export import fold, paths, published_check, settings
from memora.services.cdn_export.storage import Storage

from . import console, load, mapping, package, school
from .pieces import Curriculum, TitlePath

ENTRY_POINT = "memora.services.cdn_export.batch_processor.process_pending_plans"
BATCH_SECONDS = 180
SETTLE_SECONDS = 20
POLL_SECONDS = 0.1
LEVELS = ("public", "authenticated", "free_preview", "paid")
KINDS = ("Season", "Grade", "Stream", "Subject", "Track", "Unit", "Topic", "Lesson", "Academic Plan")
QUEUES = ("short", "default", "long")


class DemoError(Exception):
	"""The demo cannot go on; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Seen:
	"""One published file: what tells a write apart, its size, and its version (0: it has none)."""

	written: tuple[str, datetime | None]
	size: int
	version: int


@dataclass(frozen=True, slots=True)
class Batch:
	"""What one batch run did to the storage."""

	seconds: float
	before: dict[str, Seen]
	after: dict[str, Seen]

	@property
	def written(self) -> list[str]:
		"""The files that were written, changed or not."""
		return [
			path
			for path, seen in self.after.items()
			if path not in self.before or seen.written != self.before[path].written
		]

	@property
	def removed(self) -> list[str]:
		return [path for path in self.before if path not in self.after]

	@property
	def bytes(self) -> int:
		return sum(self.after[path].size for path in self.written)


class Demo:
	def __init__(self, options: argparse.Namespace) -> None:
		self._folder: Path = options.folder
		self._worker_log: str = options.worker_log
		self._web: str = options.web
		self._login: str = options.login
		self._problems = 0

	def run(self) -> bool:
		"""Show everything; return whether all was as it should be."""
		console.line(f"Frappe {frappe.__version__} in {get_bench_path()}, site {frappe.local.site}")
		curriculum = self._read()
		loaded = self._load(curriculum)
		self._enable()
		with settings.open_storage() as storage:
			self._publish(storage, curriculum, loaded)
			self._edit(storage, loaded)
			self._repeat(storage, loaded)
		if self._web:
			self._addresses()
		return not self._problems

	def _read(self) -> Curriculum:
		console.heading("The curriculum")
		started = time.monotonic()
		blocks = package.read(package.fetch(self._folder))
		curriculum = school.curriculum(mapping.subjects(blocks))
		challenges = sum(len(block.content["challenges"]) for block in blocks)
		console.line(package.CREDIT)
		console.line(
			f"{len({block.folder for block in blocks})} superblocks, {len(blocks)} blocks, {challenges:,} challenges, "
			f"and a small subject of our own ({time.monotonic() - started:.1f} s)"
		)
		return curriculum

	def _load(self, curriculum: Curriculum) -> load.Loaded:
		console.heading("Into Frappe, document by document")
		started = time.monotonic()
		lessons = sum(piece.kind == "Lesson" for _, piece in curriculum.paths())

		def progress(title: str, so_far: load.Loaded) -> None:
			done = so_far.inserted["Lesson"] + so_far.found["Lesson"]
			console.passing(f"{done:,} of {lessons:,} lessons  {title}")

		loaded = load.load(curriculum, progress)
		console.done_passing()
		console.table(
			[
				("", "inserted", "found there"),
				*((kind, f"{loaded.inserted[kind]:,}", f"{loaded.found[kind]:,}") for kind in KINDS),
			],
			right=(1, 2),
		)
		seconds = time.monotonic() - started
		count = loaded.inserted.total()
		console.line(f"{count:,} documents inserted in {seconds:.1f} s" if count else "nothing to insert")
		for plan in curriculum.plans:
			console.line()
			console.line(
				f"“{plan.title}”: {len(plan.subjects)} subjects, {len(plan.overrides) or 'no'} overrides"
			)
			console.table(
				("", override.action, override.value, " › ".join(override.path))
				for override in plan.overrides
			)
		return loaded

	def _enable(self) -> None:
		"""Publish to the site's own Local Directory, unless the site already publishes there."""
		doc = frappe.get_doc("CDN Settings")
		if doc.enabled and doc.storage_provider != settings.LOCAL:
			raise DemoError(
				f"this site publishes to {doc.storage_provider}, and the demo will not write there: "
				"use another site, or choose Local Directory in its CDN Settings"
			)
		if not doc.enabled:
			doc.update({"enabled": 1, "storage_provider": settings.LOCAL})
			doc.save()
			frappe.db.commit()

	# The three runs

	def _publish(self, storage: Storage, curriculum: Curriculum, loaded: load.Loaded) -> None:
		console.heading("The batch, as the scheduler runs it")
		since = now_datetime()
		batch = self._batch(storage)
		self._logs(since)
		console.line(
			f"{len(batch.written):,} files written, {console.size(batch.bytes)}, in {batch.seconds:.1f} s"
			+ (f"; {len(batch.removed):,} removed" if batch.removed else "")
		)

		console.heading("What is published")
		notes = {paths.plan_folder(name): f"← {title}" for title, name in loaded.plans.items()}
		console.tree({path: seen.size for path, seen in batch.after.items()}, notes)

		console.heading("One lesson of it")
		path = self._edited_path(loaded)
		console.line(console.faint(path))
		document = json.loads(storage.get(path) or b"{}")
		text = json.dumps(console.shortened(document), ensure_ascii=False, indent=2)
		for line in text.splitlines():
			console.line(line)

		self._check(storage, curriculum, loaded)

	def _edit(self, storage: Storage, loaded: load.Loaded) -> None:
		console.heading("One lesson edited")
		lesson = frappe.get_doc("Memora Lesson", loaded.names[school.EDITED_LESSON])
		stage = next(stage for stage in lesson.stages if stage.type == "Text")
		config = json.loads(stage.config)
		original, _, _ = config["html"].partition("\n<p>Edited ")
		config["html"] = f"{original}\n<p>Edited by the demo at {now_datetime():%H:%M:%S}.</p>"
		stage.config = json.dumps(config, ensure_ascii=False)
		lesson.save()
		frappe.db.commit()
		console.line(f"a line added to “{lesson.title}”, in a subject that both plans share")
		batch = self._batch(storage)
		console.table(
			[
				("written", "was", "is"),
				*(
					(
						path,
						batch.before[path].version if path in batch.before else "",
						batch.after[path].version,
					)
					for path in sorted(batch.written, key=_from_the_leaf_up)
				),
			]
		)
		untouched = len(batch.after) - len(batch.written)
		console.line(
			f"{len(batch.written)} files in {batch.seconds:.1f} s, the other {untouched:,} untouched"
		)
		expected = set(self._way_up(loaded))
		self._expect(
			set(batch.written) == expected and not batch.removed,
			"exactly the way from that lesson up to the plans was written",
			f"the way up from that lesson is {', '.join(sorted(expected))}",
		)

	def _repeat(self, storage: Storage, loaded: load.Loaded) -> None:
		console.heading("Everything built once more")
		plans = list(loaded.plans.values())
		subjects = [name for path, name in loaded.names.items() if len(path) == 1]
		fold.touch(plans, subjects, triggered_by="Manual")
		frappe.db.commit()
		batch = self._batch(storage)
		count = len(batch.written) + len(batch.removed)
		console.line(f"{count} files written or removed, in {batch.seconds:.1f} s")
		self._expect(not count, "a second run changes nothing", f"it wrote {', '.join(batch.written[:5])}")

	def _addresses(self) -> None:
		console.heading("Left running")
		published = f"{self._web}{urlsplit(settings.load().base_url).path}/{paths.PLAN_INDEX}"
		console.table(
			[
				("Desk", f"{self._web}/login?redirect-to=/app/memora", self._login),
				("published files", published, ""),
				("to stop", "dev/down", "edits in the Desk are published every five minutes until then"),
			]
		)
		# By number: not every machine resolves names under localhost.
		address = urlsplit(published)
		local = address._replace(netloc=f"127.0.0.1:{address.port}").geturl()
		try:
			with urlopen(local, timeout=10) as response:
				plans = len(json.load(response)["plans"])
			self._expect(
				plans > 0, f"the index is served, with {plans} plans", "the index is served without a plan"
			)
		except (OSError, ValueError) as error:
			self._expect(False, "", f"{local} is not served: {error}")

	# Their parts

	def _batch(self, storage: Storage) -> Batch:
		"""Run the batch through the queue, as the scheduler does, and return when nothing waits any more."""
		before = _snapshot(storage)
		started = time.monotonic()
		job = frappe.get_doc("Scheduled Job Type", {"method": ENTRY_POINT})
		if not job.enqueue(force=True):
			# RQ still calls the job before this one started: its worker was killed.
			frappe.enqueue(ENTRY_POINT, queue="long")
		self._wait_until_nothing_waits(started + BATCH_SECONDS)
		return Batch(time.monotonic() - started, before, _snapshot(storage))

	def _wait_until_nothing_waits(self, deadline: float) -> None:
		settled = None
		while True:
			frappe.db.rollback()  # a new snapshot of the database
			changes, waiting, failed = _state()
			console.passing(f"{changes:,} changes and {waiting} plans and subjects wait")
			if failed:
				console.done_passing()
				raise DemoError(f"{failed[0][0]} could not be published: {failed[0][1]}")
			now = time.monotonic()
			if changes or waiting:
				settled = None
			else:
				settled = settled or now
				if not _jobs() or now - settled > SETTLE_SECONDS:
					console.done_passing()
					return
			if now > deadline:
				console.done_passing()
				raise DemoError(
					f"the batch has not ended in {BATCH_SECONDS} s: {changes:,} changes and {waiting} plans and subjects "
					f"still wait. Does the worker run? Its log is {self._worker_log}; run the demo again when it does"
				)
			time.sleep(POLL_SECONDS)

	def _logs(self, since: datetime) -> None:
		logs = frappe.get_all(
			"CDN Sync Log",
			{"creation": (">=", since)},
			[
				"plan_title",
				"status",
				"files_uploaded",
				"files_unchanged",
				"files_deleted",
				"bytes_uploaded",
				"error_message",
			],
			order_by="creation",
		)
		if not logs:
			console.line("nothing was waiting")
			return
		console.table(
			[
				("plan", "", "uploaded", "unchanged", "removed", "bytes"),
				*(
					(
						log.plan_title,
						log.status,
						f"{log.files_uploaded:,}",
						f"{log.files_unchanged:,}",
						f"{log.files_deleted:,}",
						console.size(log.bytes_uploaded),
					)
					for log in logs
				),
			],
			right=(2, 3, 4, 5),
		)
		for log in logs:
			self._expect(log.status == "Success", "", f"{log.plan_title}: {log.error_message}")

	def _check(self, storage: Storage, curriculum: Curriculum, loaded: load.Loaded) -> None:
		console.heading("Read back as a learner's app does, from plans/index.json down")
		started = time.monotonic()
		report = published_check.check(storage.get, lambda: (found.path for found in storage.list()))
		seconds = time.monotonic() - started
		console.table(
			[
				("plan", "subjects", "own", "units", "search files", "lessons", *LEVELS),
				*(
					(
						plan.title,
						plan.subjects,
						plan.own_subjects,
						plan.units,
						plan.search_files,
						f"{len(plan.lessons):,}",
						*(f"{plan.levels.get(level, 0):,}" for level in LEVELS),
					)
					for plan in report.plans
				),
			],
			right=range(1, 6 + len(LEVELS)),
		)
		console.line(
			f"{report.links:,} links followed to {report.files:,} files, {console.size(report.bytes)}, in {seconds:.1f} s"
		)
		for problem in report.problems[:10]:
			console.line(console.bad(str(problem)))
		for path in report.unlinked[:10]:
			console.line(console.bad(f"{path}: nothing links to it"))
		self._expect(
			report.ok,
			"every link resolves, versions and access fit, every document is valid, no file is unlinked",
			f"{len(report.problems)} problems, {len(report.unlinked)} files that nothing links to",
		)
		seen = {plan.title: set(plan.lessons) for plan in report.plans}
		for plan in curriculum.plans:
			expected = {loaded.names[path] for path in school.lessons_of(curriculum, plan)}
			self._expect(
				seen.get(plan.title) == expected,
				f"“{plan.title}” has exactly the {len(expected):,} lessons it should have, also in its search",
				f"“{plan.title}” should have {len(expected):,} lessons, and {len(seen.get(plan.title, ())):,} are there",
			)

	def _edited_path(self, loaded: load.Loaded) -> str:
		return paths.lesson(loaded.names[school.EDITED_LESSON])

	def _way_up(self, loaded: load.Loaded) -> Iterator[str]:
		"""Yield what changes with the edited lesson: it, its unit, and its subject and manifest in each plan."""
		way: TitlePath = school.EDITED_LESSON
		yield self._edited_path(loaded)
		yield paths.unit(loaded.names[way[:3]])
		for plan in loaded.plans.values():
			yield paths.plan_subject(plan, loaded.names[way[:1]])
			yield paths.manifest(plan)

	def _expect(self, fine: bool, good: str, bad: str) -> None:
		if not fine:
			self._problems += 1
			console.line(console.bad(f"✗ {bad}"))
		elif good:
			console.line(console.good(f"✓ {good}"))


def _snapshot(storage: Storage) -> dict[str, Seen]:
	seen = {}
	for found in storage.list():
		body = storage.get(found.path) if found.path.endswith(".json") else None
		version = json.loads(body)["version"] if body else 0
		seen[found.path] = Seen((found.etag, found.modified), found.size, version)
	return seen


def _from_the_leaf_up(path: str) -> tuple[int, str]:
	order = ("lessons/", "units/", "search/", "subjects/", "search_index", "manifest", "index")
	return next((place for place, part in enumerate(order) if part in path), len(order)), path


def _state() -> tuple[int, int, Sequence[tuple[str, str]]]:
	"""Return the changes not folded yet, the plans and subjects that wait, and what failed, with its reason."""
	changes = frappe.db.count("CDN Change")
	waiting = frappe.db.sql(
		"""select count(*) from `tabCDN Publish State` where published_generation < generation
		and (scope_type != 'subject'
			or exists (select 1 from `tabCDN Rendition` r where r.subject = ref and r.mode = 'shared'))"""
	)[0][0]
	failed = frappe.db.sql(
		"""select ref, last_error from `tabCDN Publish State`
		where (retry_count > 0 or dead_since is not null) and published_generation < generation"""
	)
	return changes, waiting, failed


def _jobs() -> int:
	"""Return how many of the site's jobs are queued or at work."""
	ours = frappe.local.site
	return sum(
		job.startswith(ours)
		for queue in map(get_queue, QUEUES)
		for job in (*queue.get_job_ids(), *queue.started_job_registry.get_job_ids())
	)


@contextmanager
def _site(site: str) -> Iterator[None]:
	frappe.init(site=site)
	frappe.connect()
	frappe.set_user("Administrator")
	try:
		yield
	finally:
		frappe.destroy()


def main(arguments: Iterable[str]) -> int:
	parser = argparse.ArgumentParser(prog="dev/demo")
	parser.add_argument("--site", required=True)
	parser.add_argument("--folder", type=Path, required=True, help="where the fetched package is kept")
	parser.add_argument("--worker-log", required=True)
	parser.add_argument("--web", default="", help="where the site is being served")
	parser.add_argument("--login", default="", help="how to log in there")
	options = parser.parse_args(list(arguments))
	# Of Frappe's, for each text that looks like a file's name.
	warnings.filterwarnings("ignore", message="The input looks more like a")
	try:
		with _site(options.site):
			return 0 if Demo(options).run() else 1
	except BrokenPipeError:  # of a pager that was left, say
		os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
		return 1
	except (DemoError, MemoraError, load.LoadError, package.PackageError) as error:
		console.done_passing()
		print(f"\ndev/demo: {error}", file=sys.stderr)
		return 1


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
