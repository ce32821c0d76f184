"""The units and lessons of one subject as files: which bodies must be read, and what is then offered.

Pure. The same steps serve a shared subject (`plan` None) and a plan's own version of one. Cost follows the
change: a lesson that was not touched and whose shape is the live file's is kept without reading its stages.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from memora.services.cdn_export import search_indexer
from memora.services.cdn_export.access_calculator import required_items
from memora.services.cdn_export.json_generator import (
	lesson_document,
	lesson_head,
	lesson_places,
	subject_document,
	unit_document,
)
from memora.services.cdn_export.model import paths, stage_files
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.document_bytes import Document, shape
from memora.services.cdn_export.model.published_file import listed_items
from memora.services.cdn_export.model.stage_files import Link, PublicFile
from memora.services.cdn_export.model.tree import AccessLevel, ResolvedNode, Stage, walk
from memora.services.cdn_export.search_indexer import SubjectEntries

Levels = dict[tuple[str, str], AccessLevel]
"""Access level by kind and name of node."""

NOTHING = "nothing"
"""The digest of a subject that is not shown."""


class Contents:
	"""A resolved subject, with what a plan's own files say of it: worked out once, however many plans read it."""

	def __init__(self, resolved: ResolvedNode) -> None:
		self.resolved = resolved

	@cached_property
	def entries(self) -> SubjectEntries:
		return search_indexer.subject_entries(self.resolved)

	@cached_property
	def search_size(self) -> int:
		return search_indexer.entries_size(self.entries)

	@cached_property
	def packed_entries(self) -> list[Any]:
		return search_indexer.packed(self.entries)

	@cached_property
	def search_digest(self) -> str:
		"""Tells whether `packed_entries` are those that CDN Rendition has."""
		return shape({"of": self.packed_entries})

	@cached_property
	def shown_digest(self) -> str:
		"""Tells whether plans show this content as another, units' versions aside."""
		return shape({"of": [subject_document(self.resolved, str, None), self.search_digest]})

	@cached_property
	def levels(self) -> Levels:
		return levels(self.resolved)

	@cached_property
	def images(self) -> set[str]:
		"""Every picture that the subject's files show."""
		return _images_of(walk(self.resolved))

	@property
	def shared_images(self) -> set[str]:
		"""Those that its units' and lessons' files show; the others are in a plan's file of the subject alone."""
		return _images_of(node for node in walk(self.resolved) if node.kind not in ("subject", "track"))


def _images_of(nodes: Iterable[ResolvedNode]) -> set[str]:
	return {image for node in nodes for image in (node.image, node.badge_image) if image}


class LessonDraft(NamedTuple):
	"""A lesson's file before its body is known."""

	path: str
	lesson: ResolvedNode
	head: Document
	shape_hash: str
	required_items: str


class Bodies(NamedTuple):
	"""A subject's lessons with what is read for their files: the stages of those `needed`, and the files that they name."""

	lessons: Sequence[LessonDraft]
	needed: Collection[str]
	stages: Mapping[str, Sequence[Stage]]
	files: Mapping[Link, PublicFile]
	"""By the link that leads to each."""


def drafts(subject: ResolvedNode, plan: str | None) -> list[LessonDraft]:
	"""All lessons of a subject, in navigation order, without their stages."""
	found = []
	for place in lesson_places(subject):
		head = lesson_head(place, subject, plan)
		items = listed_items(required_items(place.lesson.access, subject.access))
		path = paths.lesson(place.lesson.name, plan)
		found.append(LessonDraft(path, place.lesson, head, shape(head), items))
	return found


def file_paths(subject: ResolvedNode, plan: str | None) -> list[str]:
	"""The paths of the subject's units and lessons."""
	return [
		paths.unit(node.name, plan) if node.kind == "unit" else paths.lesson(node.name, plan)
		for node in walk(subject)
		if node.kind in ("unit", "lesson")
	]


def bodies_needed(lessons: Sequence[LessonDraft], diff: Diff, touched: Collection[str] | None) -> set[str]:
	"""The lessons whose stages must be read: touched since the last build (None: all), or of another shape."""
	return {
		draft.lesson.name
		for draft in lessons
		if touched is None
		or draft.lesson.name in touched
		or not diff.keeps_shape(draft.path, draft.shape_hash, draft.required_items)
	}


def offer(subject: ResolvedNode, plan: str | None, bodies: Bodies, diff: Diff) -> None:
	"""Offer the subject's lessons, each after the files that its stages name, then its units, which link to them."""
	for draft in bodies.lessons:
		if draft.lesson.name not in bodies.needed:
			diff.keep(draft.path)
			continue
		document, named = body(draft, bodies.stages.get(draft.lesson.name, ()), bodies.files, plan)
		for path, file in named.items():
			diff.offer_file(
				path,
				draft.lesson.name,
				file,
				subject=subject.name,
				access=draft.lesson.access,
				required_items=draft.required_items,
			)
		diff.offer(
			draft.path,
			"lesson",
			draft.lesson.name,
			document,
			subject=subject.name,
			shape_hash=draft.shape_hash,
			access=draft.lesson.access,
			required_items=draft.required_items,
		)
	for track in subject.children:
		for unit in track.children:
			diff.offer(
				paths.unit(unit.name, plan),
				"unit",
				unit.name,
				unit_document(unit, track, subject, diff.link, plan),
				subject=subject.name,
				access=unit.access,
			)


def body(
	draft: LessonDraft, stages: Sequence[Stage], files: Mapping[Link, PublicFile], plan: str | None
) -> tuple[Document, dict[str, PublicFile]]:
	"""A lesson's document, in which links to the site's files lead to where these are published, and those files by
	path."""
	named: dict[str, PublicFile] = {}

	def replace(link: Link) -> str | None:
		if not (file := files.get(link)):
			return None
		path = paths.lesson_file(draft.lesson.name, file.name, plan)
		named[path] = file
		return path + stage_files.fragment(link, file.location)

	if files:
		stages = [stage._replace(config=stage_files.replaced(stage.config, replace)) for stage in stages]
	return lesson_document(draft.head, stages), named


def file_paths_of(
	lessons: Sequence[LessonDraft],
	stages: Mapping[str, Sequence[Stage]],
	files: Mapping[Link, PublicFile],
	plan: str | None,
) -> list[str]:
	"""Where the files that these lessons' stages name are published."""
	if not files:
		return []
	return [
		paths.lesson_file(draft.lesson.name, files[link].name, plan)
		for draft in lessons
		for stage in stages.get(draft.lesson.name, ())
		for link in stage_files.file_links(stage.config)
		if link in files
	]


def levels(subject: ResolvedNode) -> Levels:
	"""Who may read each node of a resolved subject."""
	return {(node.kind, node.name): node.access.level for node in walk(subject)}
