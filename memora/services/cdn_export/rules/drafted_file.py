"""One published file, drafted before it is live: what *Preview as Learner* shows, by the builds' own code.

Pure. `admin.learner_preview` reads what is needed. With drafts everything counts as published and nothing as hidden, and
`marks` say of each node what keeps it from learners. A drafted link has the version that is live, or 1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

from memora.services.cdn_export import json_generator
from memora.services.cdn_export.access_calculator import resolve
from memora.services.cdn_export.json_generator import LessonPlace
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.document_bytes import Document
from memora.services.cdn_export.model.published_file import FileKind, LedgerEntry, Planned
from memora.services.cdn_export.model.stage_files import Link, PublicFile
from memora.services.cdn_export.model.tree import Kind, Node, Override, Plan, ResolvedNode, Stage, walk
from memora.services.cdn_export.rules import subject_files
from memora.services.cdn_export.rules.subject_files import LessonDraft

NO_PLAN = "~preview"
"""The name of the plan in which a document is seen that no plan lists. No plan's folder is called so."""

Key = tuple[Kind, str]
Marks = Mapping[Key, Sequence[str]]
"""What keeps nodes from learners: "draft", "hidden"."""


@dataclass(frozen=True, slots=True)
class Shown:
	"""A subject as a preview shows it. `own` is the plan where the subject is the plan's own."""

	resolved: ResolvedNode
	own: str | None
	marks: Marks = field(default_factory=dict)


def readable(node: Node, names: Collection[Key]) -> Node | None:
	"""The tree without what is not among `names`, nor what is below that."""
	if (node.kind, node.name) not in names:
		return None
	children = [readable(child, names) for child in node.children]
	return node._replace(children=tuple([child for child in children if child is not None]))


def kept_to(node: Node, key: Key) -> Node | None:
	"""The tree kept to one document, with all below it. Of what is above it the title stays, and what decides access. None
	where the document is not in it."""
	if (node.kind, node.name) == key:
		return node
	children = [kept for child in node.children if (kept := kept_to(child, key))]
	return titled(node)._replace(children=tuple(children)) if children else None


def titled(node: Node) -> Node:
	"""A node without what it says of itself but its title."""
	return node._replace(description="", image="", badge_image="")


def shown(subject: Node, plan: str | None, overrides: Iterable[Override], *, drafts: bool) -> Shown | None:
	"""The subject in a plan, None for a plan that is made up. None where it is left out. `drafts` says that nothing is left
	out. Raises AccessError as a build does."""
	nodes = {(node.kind, node.name): node for node in walk(subject)}
	here = [override for override in overrides if (override.kind, override.name) in nodes]
	own = plan if here else None
	if not drafts:
		resolved = resolve(subject, here)
		return Shown(resolved, own) if resolved else None
	marks: dict[Key, list[str]] = {key: ["draft"] for key, node in nodes.items() if not node.is_published}
	for override in here:
		if override.action == "Hide":
			marks.setdefault((override.kind, override.name), []).append("hidden")
	resolved = resolve(_published(subject), [override for override in here if override.action != "Hide"])
	return Shown(resolved, own, marks) if resolved else None


def _published(node: Node) -> Node:
	return node._replace(is_published=True, children=tuple([_published(child) for child in node.children]))


@dataclass(frozen=True, slots=True)
class Target:
	"""What a path of a subject leads to: `node`, the last of `line`. `nodes` are those whose pictures its document shows,
	`links` the paths whose versions it carries."""

	path: str
	kind: FileKind
	node: ResolvedNode
	line: tuple[ResolvedNode, ...]
	nodes: tuple[ResolvedNode, ...]
	links: tuple[str, ...] = ()
	place: LessonPlace | None = None


class Body(NamedTuple):
	"""A lesson's stages, and the public files that they name, by the links to them."""

	stages: Sequence[Stage] = ()
	files: Mapping[Link, PublicFile] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Drafted:
	"""A file as it would be: `document` with a stamp, what its live file is to it ("same", "changed", or "new" where none is
	live), and the files of its stages, by their paths."""

	document: Document
	live: Literal["same", "changed", "new"]
	files: Mapping[str, PublicFile]


class Known(NamedTuple):
	"""What the ledger says of the draft's file and of those that it links to, and what documents have for the pictures that
	fields name; what is left out is not shown."""

	entries: Mapping[str, LedgerEntry]
	pictures: Mapping[str, str] = MappingProxyType({})

	def diff(self, links: Iterable[str] = ()) -> Diff:
		"""What files are offered to, with the versions of these links."""
		live = {path: entry.live_version for path, entry in self.entries.items()}
		return Diff({}, 1, elsewhere={path: live.get(path) or 1 for path in links})

	def drafted(self, planned: Planned, files: Mapping[str, PublicFile] = MappingProxyType({})) -> Drafted:
		"""A file that was offered, beside the live one."""
		assert planned.document is not None  # an empty ledger has nothing that stays
		entry = self.entries.get(planned.path)
		if entry is None or not entry.live_version or entry.state == "removed":
			return Drafted(planned.document, "new", files)
		same = entry.content_hash == planned.content_hash
		return Drafted(planned.document, "same" if same else "changed", files)


def find(path: str, plan: str, shown: Shown) -> Target | None:
	"""What a path shows of this subject; None for any other path."""
	subject, own = shown.resolved, shown.own
	if path == paths.plan_subject(plan, subject.name):
		units = [unit for track in subject.children for unit in track.children]
		links = tuple(paths.unit(unit.name, own) for unit in units)
		return Target(path, "subject", subject, (subject,), (subject, *subject.children, *units), links)
	for track in subject.children:
		for unit in track.children:
			if path == paths.unit(unit.name, own):
				lessons = [lesson for topic in unit.children for lesson in topic.children]
				links = tuple(paths.lesson(lesson.name, own) for lesson in lessons)
				return Target(
					path, "unit", unit, (subject, track, unit), (unit, *unit.children, *lessons), links
				)
	for place in json_generator.lesson_places(subject):
		if path == paths.lesson(place.lesson.name, own):
			line = (subject, place.track, place.unit, place.topic, place.lesson)
			return Target(path, "lesson", place.lesson, line, (place.lesson,), place=place)
	return None


def manifest(plan: Plan, subjects: Sequence[tuple[ResolvedNode, int]], known: Known) -> Drafted:
	"""A plan's manifest. `subjects` come in row order, each with the plan's own sort_order."""
	path, search = paths.manifest(plan.name), paths.search_index(plan.name)
	links = [paths.plan_subject(plan.name, subject.name) for subject, _ in subjects]
	offered = known.diff([search, *links])
	entries = [
		json_generator.subject_entry(_drawn(subject, known.pictures), plan.name, offered.link, order)
		for subject, order in subjects
	]
	document = json_generator.manifest_document(plan, entries, offered.link(search))
	return known.drafted(offered.offer(path, "manifest", plan.name, document))


def index(plans: Iterable[Plan], known: Known) -> Drafted:
	"""The list of plans."""
	document = json_generator.plan_index_document(map(json_generator.plan_index_entry, plans))
	return known.drafted(known.diff().offer(paths.PLAN_INDEX, "plans_index", "", document))


def draft(target: Target, shown: Shown, known: Known, body: Body) -> Drafted:
	"""The document that a path of a subject leads to. `body` is of a lesson."""
	offered = known.diff(target.links)
	node = _drawn(target.node, known.pictures)
	files: dict[str, PublicFile] = {}
	if target.place:
		head = json_generator.lesson_head(target.place._replace(lesson=node), shown.resolved, shown.own)
		lesson = LessonDraft(target.path, node, head, "", "")
		document, files = subject_files.body(lesson, body.stages, body.files, shown.own)
	elif target.kind == "subject":
		document = json_generator.subject_document(node, offered.link, shown.own)
	else:
		track = target.line[1]
		document = json_generator.unit_document(node, track, shown.resolved, offered.link, shown.own)
	planned = offered.offer(target.path, target.kind, node.name, document, access=node.access)
	return known.drafted(planned, files)


def pictures(nodes: Iterable[Node | ResolvedNode]) -> set[str]:
	"""The pictures that fields of these nodes name."""
	return {picture for node in nodes for picture in (node.image, node.badge_image) if picture}


def _drawn(node: ResolvedNode, pictures: Mapping[str, str]) -> ResolvedNode:
	"""The tree with what documents have for its pictures."""
	return node._replace(
		image=pictures.get(node.image, ""),
		badge_image=pictures.get(node.badge_image, ""),
		children=tuple([_drawn(child, pictures) for child in node.children]),
	)
