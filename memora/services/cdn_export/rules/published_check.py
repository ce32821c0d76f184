"""Reads what is published the way a learner's app does, from plans/index.json down, and says what is wrong.

Pure, and without any knowledge of the ledger or the database: it is given a function that reads a path and
one that lists all of them, so the same check serves a directory, a bucket and plain HTTP.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from memora.services.cdn_export.model import paths, stage_files
from memora.services.cdn_export.rules.crawl import Crawl, Document, ListPaths, PlanSeen, Read, Report, path_of

MAX_SEARCH_BYTES = 102_400
MAX_UNSHARDED_LESSONS = 500

_ENTRY_FIELDS = ("id", "title", "description", "image", "access")


def check(read: Read, list_paths: ListPaths | None = None) -> Report:
	"""Follow every link from plans/index.json and return what was found.

	`read` returns a file's bytes, or None where there is none. Without `list_paths` (over plain HTTP, say)
	files that nothing links to are not looked for.
	"""
	crawl = _Crawl(read)
	crawl.index()
	crawl.schemas()
	crawl.gate_keys()
	if list_paths is not None:
		# Nothing links to what the gate alone reads.
		found = {path for path in list_paths() if not path.startswith(paths.ACCESS)}
		crawl.report.unlinked = sorted(found - crawl.sizes.keys())
	# A shared file is seen from several plans; what is wrong with it is said once.
	crawl.report.problems = list(dict.fromkeys(crawl.report.problems))
	return crawl.report


@dataclass(slots=True)
class _Subject:
	"""A subject of a plan while its units and lessons are followed, and what was found in it."""

	plan: str
	id: str
	title: str
	own: bool
	search_entries: list[Document] = field(default_factory=list)
	lessons: list[tuple[Document, Document | None]] = field(default_factory=list)

	@property
	def folder(self) -> str | None:
		"""The plan whose folder holds the subject's units and lessons; None for shared ones."""
		return self.plan if self.own else None


class _Crawl(Crawl):
	# What a file must be by itself

	def index(self) -> None:
		index = self._document(paths.PLAN_INDEX, "plans_index")
		if index is None:
			return
		plans = index["plans"]
		if plans != sorted(plans, key=lambda plan: (plan["title"], plan["plan_id"])):
			self._problem(paths.PLAN_INDEX, "the plans are not in the order of their titles")
		for entry in plans:
			manifest = self._follow(paths.PLAN_INDEX, entry["url"], "manifest", versioned=False)
			self._expect_path(paths.PLAN_INDEX, entry["url"], paths.manifest(entry["plan_id"]))
			if manifest is not None:
				path = path_of(entry["url"])
				self._same(path, manifest, entry, ("plan_id", "title", "season", "grade", "stream"))
				self._plan(path, manifest)

	def schemas(self) -> None:
		"""The contract beside the content: not there before the first build of a release that has it."""
		if self._read(paths.SCHEMA_INDEX) is None:
			return
		index = self._document(paths.SCHEMA_INDEX, "schemas_index")
		for entry in index["schemas"] if index else ():
			self._expect_path(paths.SCHEMA_INDEX, entry["url"], paths.schema(entry["name"]))
			self._follow(paths.SCHEMA_INDEX, entry["url"], "schema")

	def gate_keys(self) -> None:
		"""The public keys of the gate: there once the site has made one."""
		if self._read(paths.GATE_KEYS) is not None:
			self._document(paths.GATE_KEYS, "gate_keys")

	# From a plan down

	def _plan(self, path: str, manifest: Document) -> None:
		plan = manifest["plan_id"]
		entries: list[Document] = []
		levels: Counter[str] = Counter()
		own = units = 0
		self._ordered(path, manifest["subjects"], "subjects")
		for entry in manifest["subjects"]:
			self._expect_path(path, entry["url"], paths.plan_subject(plan, entry["id"]))
			self._access(path, entry, None)
			document = self._follow(path, entry["url"], "subject")
			if document is not None:
				subject = self._subject(plan, entry, document)
				entries += subject.search_entries
				levels.update(lesson["access"]["access_level"] for lesson, _ in subject.lessons)
				own += subject.own
				units += document["stats"]["total_units"]
		search_files = self._search(path, manifest, entries)
		lessons = tuple(entry["lesson_id"] for entry in entries)
		subjects = len(manifest["subjects"])
		seen = PlanSeen(plan, manifest["title"], subjects, own, units, lessons, levels, search_files)
		self.report.plans.append(seen)

	def _subject(self, plan: str, entry: Document, document: Document) -> _Subject:
		path = path_of(entry["url"])
		self._same(path, document, entry, (*_ENTRY_FIELDS, "color_code"))
		self._media(path, document)
		units = [(track, unit) for track in document["tracks"] for unit in track["units"]]
		own = any(unit["url"].startswith(paths.plan_folder(plan)) for _, unit in units)
		subject = _Subject(plan, document["id"], document["title"], own)
		self._ordered(path, document["tracks"], "tracks")
		for track in document["tracks"]:
			self._access(path, track, document)
			self._media(path, track)
			self._ordered(path, track["units"], "units")
		for track, unit_entry in units:
			self._access(path, unit_entry, track)
			self._expect_path(path, unit_entry["url"], paths.unit(unit_entry["id"], subject.folder))
			unit = self._follow(path, unit_entry["url"], "unit")
			if unit is not None:
				self._unit(subject, track, unit_entry, unit)
		stats = document["stats"]
		self._count(path, "stats.total_units", stats["total_units"], len(units))
		self._count(
			path, "stats.total_topics", stats["total_topics"], sum(u["topic_count"] for _, u in units)
		)
		self._count(path, "stats.total_lessons", stats["total_lessons"], len(subject.lessons))
		self._navigation(subject)
		return subject

	def _unit(self, subject: _Subject, track: Document, entry: Document, unit: Document) -> None:
		path = path_of(entry["url"])
		above = {
			"subject_id": subject.id,
			"subject_title": subject.title,
			"track_id": track["id"],
			"track_title": track["title"],
		}
		self._same(path, unit, entry, (*_ENTRY_FIELDS, "badge_image", "sort_order"))
		self._same(path, unit["parent"], above, above)
		self._media(path, unit)
		self._ordered(path, unit["topics"], "topics")
		for topic in unit["topics"]:
			self._access(path, topic, unit)
			self._media(path, topic)
			self._ordered(path, topic["lessons"], "lessons")
			parent = {
				**above,
				"unit_id": unit["id"],
				"unit_title": unit["title"],
				"topic_id": topic["id"],
				"topic_title": topic["title"],
			}
			for lesson_entry in topic["lessons"]:
				self._access(path, lesson_entry, topic)
				self._expect_path(path, lesson_entry["url"], paths.lesson(lesson_entry["id"], subject.folder))
				lesson = self._follow(path, lesson_entry["url"], "lesson")
				if lesson is not None:
					self._lesson(parent, lesson_entry, lesson)
				subject.lessons.append((lesson_entry, lesson))
				subject.search_entries.append(_search_entry(lesson_entry, parent))
		lessons = sum(len(topic["lessons"]) for topic in unit["topics"])
		self._count(path, "topic_count above it", entry["topic_count"], len(unit["topics"]))
		self._count(path, "lesson_count above it", entry["lesson_count"], lessons)
		self._count(path, "stats.total_topics", unit["stats"]["total_topics"], len(unit["topics"]))
		self._count(path, "stats.total_lessons", unit["stats"]["total_lessons"], lessons)

	def _lesson(self, parent: Document, entry: Document, lesson: Document) -> None:
		path = path_of(entry["url"])
		self._same(path, lesson, entry, (*_ENTRY_FIELDS, "sort_order"))
		self._same(path, lesson["parent"], parent, parent)
		self._media(path, lesson)
		folder = f"{path.removesuffix('.json')}/"
		for link in stage_files.links([stage["config"] for stage in lesson["stages"]]):
			file = link.url.partition("#")[0]
			if paths.lesson_of_file(file):
				self.report.links += 1
				self._bytes(file) if file.startswith(folder) else self._problem(
					path, f"the link {link.url!r} leads to another lesson's file"
				)
		self._count(path, "stage_count", entry["stage_count"], len(lesson["stages"]))
		if [stage["idx"] for stage in lesson["stages"]] != list(range(1, len(lesson["stages"]) + 1)):
			self._problem(path, "its stages are not numbered 1 to n")

	def _navigation(self, subject: _Subject) -> None:
		entries = [entry for entry, _ in subject.lessons]
		for place, (entry, lesson) in enumerate(subject.lessons):
			expected = {}
			for name, there in (("previous_lesson", place - 1), ("next_lesson", place + 1)):
				if 0 <= there < len(entries):
					neighbour = entries[there]
					url = paths.lesson(neighbour["id"], subject.folder)
					expected[name] = {"id": neighbour["id"], "title": neighbour["title"], "url": url}
			if lesson is not None:
				self.report.links += len(expected)
				self._same(
					path_of(entry["url"]), lesson["navigation"], expected, ("previous_lesson", "next_lesson")
				)

	# Search

	def _search(self, source: str, manifest: Document, expected: Sequence[Document]) -> int:
		"""Compare a plan's search index with its lessons; return of how many files it consists."""
		url = manifest["search_index_url"]
		self._expect_path(source, url, paths.search_index(manifest["plan_id"]))
		index = self._follow(source, url, "search_index")
		if index is None:
			return 0
		path = path_of(url)
		self._same(path, index, manifest, ("plan_id",))
		self._count(path, "total_lessons", index["total_lessons"], len(expected))
		if not index["is_sharded"]:
			if len(index["entries"]) > MAX_UNSHARDED_LESSONS or self.sizes[path] > MAX_SEARCH_BYTES:
				self._problem(path, "is too large not to be sharded")
			self._same_entries(path, index["entries"], expected)
			return 1
		entries: list[Document] = []
		numbers: dict[str, int] = {}
		parts = [shard["subject_id"] for shard in index["shards"]]
		for shard in index["shards"]:
			subject = shard["subject_id"]
			numbers[subject] = numbers.get(subject, 0) + 1
			part = numbers[subject] if parts.count(subject) > 1 else None
			self._expect_path(path, shard["url"], paths.search_shard(manifest["plan_id"], subject, part))
			document = self._follow(path, shard["url"], "search_shard")
			if document is None:
				continue
			shard_path = path_of(shard["url"])
			self._same(shard_path, document, index, ("plan_id",))
			self._same(shard_path, document, shard, ("subject_id", "subject_name"))
			self._count(
				path, f"lesson_count of {shard['url']}", shard["lesson_count"], len(document["entries"])
			)
			if self.sizes[shard_path] > MAX_SEARCH_BYTES:
				self._problem(shard_path, f"is larger than a shard may be: {self.sizes[shard_path]:,} bytes")
			if any(entry["subject_id"] != subject for entry in document["entries"]):
				self._problem(shard_path, "lists a lesson of another subject")
			entries += document["entries"]
		self._same_entries(path, entries, expected)
		return 1 + len(index["shards"])

	def _same_entries(self, path: str, found: Sequence[Document], expected: Sequence[Document]) -> None:
		if list(found) == list(expected):
			return
		there = {entry["lesson_id"]: entry for entry in found}
		wanted = {entry["lesson_id"]: entry for entry in expected}
		missing = [lesson for lesson in wanted if lesson not in there]
		extra = [lesson for lesson in there if lesson not in wanted]
		different = [lesson for lesson in wanted if lesson in there and there[lesson] != wanted[lesson]]
		for lessons, what in (
			(missing, "does not list the lessons"),
			(extra, "lists what is no lesson of the plan:"),
			(different, "says something else than the lesson's own file about"),
		):
			if lessons:
				self._problem(path, f"{what} {_some(lessons)}")
		if not (missing or extra or different):
			self._problem(path, "lists the lessons twice or out of their order")


def _search_entry(lesson: Document, parent: Document) -> dict[str, str]:
	return {
		"lesson_id": lesson["id"],
		"lesson_name": lesson["title"],
		"subject_id": parent["subject_id"],
		"subject_name": parent["subject_title"],
		"unit_id": parent["unit_id"],
		"unit_name": parent["unit_title"],
		"topic_id": parent["topic_id"],
		"topic_name": parent["topic_title"],
	}


def _some(names: Sequence[str]) -> str:
	more = f" and {len(names) - 5} more" if len(names) > 5 else ""
	return ", ".join(names[:5]) + more
