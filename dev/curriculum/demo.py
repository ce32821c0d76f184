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
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import frappe
import requests
from frappe.utils import get_bench_path, now_datetime
from pymysql.err import OperationalError
from redis.exceptions import RedisError

from memora.exceptions import MemoraError
from memora.frappe_versions import desk_route
from memora.services.cdn_export import settings
from memora.services.cdn_export.delivery import http_session
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.rules import published_check
from memora.services.cdn_export.storage import Storage

from . import batch, console, editor, gate, load, mapping, package, place, school
from .pieces import Curriculum, TitlePath

SCHEMAS = "schemas/"
LEVELS = ("public", "authenticated", "free_preview", "paid")
KINDS = ("Season", "Grade", "Stream", "Subject", "Track", "Unit", "Topic", "Lesson", "Academic Plan")


class Demo:
	def __init__(self, options: argparse.Namespace) -> None:
		self._folder: Path = options.folder
		self._gate: str = options.gate
		self._is_genuine: bool = options.genuine
		self._web: str = options.web
		self._login: str = options.login
		self._problems = 0
		self._known: batch.Snapshot = {}

	def run(self) -> bool:
		"""Show everything; return whether all was as it should be."""
		console.line(f"Frappe {frappe.__version__} in {get_bench_path()}, site {frappe.local.site}")
		curriculum = self._read()
		batch.let_jobs_end()  # what migrating has queued
		loaded = self._load(curriculum)
		# With export still off, what the first changes have set going by themselves ends without publishing.
		batch.let_jobs_end()
		place.enable()
		with settings.open_storage() as storage:
			self._publish(storage, curriculum, loaded)
			self._edit(storage, loaded)
			self._repeat(storage, loaded)
			self._behind_the_gate(storage, curriculum, loaded)
		if self._web:
			self._addresses()
			self._path(curriculum, loaded)
		if self._problems and loaded.found["Lesson"]:
			console.line("the site was not empty before: dev/demo --fresh starts from one that is")
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

	# The three runs

	def _publish(self, storage: Storage, curriculum: Curriculum, loaded: load.Loaded) -> None:
		console.heading("The batch, as the scheduler runs it")
		since = now_datetime()
		done = self._batch(storage)
		if not self._is_genuine and place.forget_former():
			console.line("what an earlier demo had published to the site's public folder is removed")
		self._logs(since)
		console.line(
			f"{len(done.written):,} files written, {console.size(done.bytes)}, in {done.seconds:.1f} s"
			+ (f"; {len(done.removed):,} removed" if done.removed else "")
		)

		console.heading("What is published")
		notes = {paths.plan_folder(name): f"← {title}" for title, name in loaded.plans.items()}
		console.tree({path: seen.size for path, seen in done.after.items()}, notes)

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
		done = self._batch(storage)
		console.table(
			[
				("written", "was", "is"),
				*(
					(
						path,
						done.before[path].version if path in done.before else "",
						done.after[path].version,
					)
					for path in sorted(done.written, key=_from_the_leaf_up)
				),
			]
		)
		untouched = len(done.after) - len(done.written)
		console.line(f"{len(done.written)} files in {done.seconds:.1f} s, the other {untouched:,} untouched")
		expected = set(self._way_up(loaded))
		# The contract beside the content follows memora's version, which may be newer than the last run's.
		content = {path for path in done.written if not path.startswith(SCHEMAS)}
		self._expect(
			content == expected and not done.removed,
			"exactly the way from that lesson up to the plans was written",
			f"the way up from that lesson is {', '.join(sorted(expected))}",
		)

	def _repeat(self, storage: Storage, loaded: load.Loaded) -> None:
		console.heading("Everything built once more")
		plans = list(loaded.plans.values())
		subjects = [name for path, name in loaded.names.items() if len(path) == 1]
		relay.touch(plans, subjects, triggered_by="Manual")
		frappe.db.commit()
		done = self._batch(storage)
		count = len(done.written) + len(done.removed)
		console.line(f"{count} files written or removed, in {done.seconds:.1f} s")
		self._expect(not count, "a second run changes nothing", f"it wrote {', '.join(done.written[:5])}")

	def _behind_the_gate(self, storage: Storage, curriculum: Curriculum, loaded: load.Loaded) -> None:
		console.heading("A paid lesson, behind the gate")
		if not self._gate:
			console.line(
				f"{settings.place_label(settings.saved())} was chosen in CDN Settings: the demo leaves that as it is, and starts no gate"
			)
			return
		way = school.paid_lesson(curriculum)
		paid, public = paths.lesson(loaded.names[way]), self._edited_path(loaded)
		console.line(f"“{way[-1]}” of “{way[0]}”, asked for at {self._gate}/{paid}")
		gate.let_key_sign()
		answers = list(gate.asked(self._gate, paid, school.SECURITY_ITEM, public))
		console.table((one.who, one.status or "no answer", one.error) for one in answers)
		self._expect(
			all(one.fine for one in answers),
			"strangers are refused what is paid, and its owner reads it",
			"the gate should have answered " + ", ".join(str(one.expected) for one in answers),
		)
		self._expect(
			all(one.body == storage.get(one.path) for one in answers if one.expected == 200),
			"",
			"what the gate sends is not what was published",
		)
		findings = gate.tested()
		said = next((one for one in findings if one.check == "paid lessons"), None)
		for one in findings:
			self._expect(one.level != "error", "", f"Test Connection: {one.message} {one.fix}")
		self._expect(
			bool(said and said.ok),
			f"Test Connection: {said.message}" if said else "",
			"Test Connection does not call paid lessons private",
		)

	def _addresses(self) -> None:
		console.heading("Left running")
		# The demo starts a scheduler only where it has set up the site itself.
		edits = "edits in the Desk" if self._login else "edits in the Desk, if the bench's scheduler runs,"
		published = f"{place.read_from(self._web)}/{paths.PLAN_INDEX}"
		reader = (
			f"{self._web}/assets/memora/reader/index.html?base={published.removesuffix(paths.PLAN_INDEX)}"
		)
		console.table(
			[
				("the learner's reader", reader, ""),
				("Desk", f"{self._web}/login?redirect-to={desk_route('memora')}", self._login),
				("published files", published, ""),
				("to stop", "dev/down", f"until then {edits} are published every five minutes"),
			]
		)
		self._is_served(published)

	def _path(self, curriculum: Curriculum, loaded: load.Loaded) -> None:
		"""What to try next. On a bench of somebody's own no user is made, since the password would be public."""
		console.heading("Try it")
		published = place.read_from(self._web)
		lesson = loaded.names[school.EDITED_LESSON]
		plan = loaded.plans[school.WHOLE_PLAN]
		steps = list(editor.path(self._web, published, lesson, plan))
		if self._gate:
			paid = loaded.names[school.paid_lesson(curriculum)]
			steps += gate.path(self._web, published, plan, paid, school.SECURITY_ITEM)
		if self._login:
			console.line(f"the editor: {editor.user()}")
		console.table(steps)

	def _is_served(self, index: str) -> None:
		"""That the list of plans can be read at its address, and is the one that was just published."""
		with settings.open_storage() as storage:
			ours = storage.get(paths.PLAN_INDEX)
		try:
			with http_session.open_session() as http:
				answer = http.get(index, timeout=10)
		except requests.RequestException as error:
			self._expect(False, "", f"{index} is not served: {error}")
			return
		plans = len(json.loads(ours or b'{"plans": []}')["plans"])
		self._expect(
			answer.content == ours and plans > 0,
			f"the index is served, with {plans} plans",
			f"{index} answers {answer.status_code} with something else than what was published",
		)

	# Their parts

	def _batch(self, storage: Storage) -> batch.Batch:
		done = batch.run(storage, self._known)
		self._known = done.after
		return done

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
		report = published_check.check(
			storage.get, lambda: (found.path for found in batch.published(storage))
		)
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


def _from_the_leaf_up(path: str) -> tuple[int, str]:
	order = ("lessons/", "units/", "search/", "subjects/", "search_index", "manifest", "index")
	return next((place for place, part in enumerate(order) if part in path), len(order)), path


def main(arguments: Iterable[str]) -> int:
	parser = argparse.ArgumentParser(prog="dev/demo")
	parser.add_argument("--site", required=True)
	parser.add_argument("--folder", type=Path, required=True, help="where the fetched package is kept")
	parser.add_argument("--worker-log", required=True)
	parser.add_argument("--genuine", action="store_true", help="the site is somebody's own")
	parser.add_argument("--gate", default="", help="where memora's gate serves what is published, if it does")
	parser.add_argument("--web", default="", help="where the site is being served")
	parser.add_argument("--login", default="", help="how to log in there")
	options = parser.parse_args(list(arguments))
	# Of Frappe's, for each text that looks like a file's name.
	warnings.filterwarnings("ignore", message="The input looks more like a")
	try:
		with place.site(options.site):
			return 0 if Demo(options).run() else 1
	except BrokenPipeError:  # of a pager that was left, say
		os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
		return 1
	except KeyboardInterrupt:
		return _fail("Interrupted. Run it again: what is there is left alone.")
	except batch.BatchError as error:
		return _fail(
			f"{error}\nThe worker's log is {options.worker_log}. Run dev/demo again when the cause is gone."
		)
	except (OperationalError, RedisError) as error:
		return _fail(f"MariaDB or Redis does not answer; is the bench running? {error}")
	except (place.PlaceError, MemoraError, load.LoadError, package.PackageError) as error:
		return _fail(str(error))


def _fail(message: str) -> int:
	console.done_passing()
	print(f"\ndev/demo: {message}", file=sys.stderr)
	return 1


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
