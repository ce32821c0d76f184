"""*Preview as Learner*: any file of a plan, drafted when the reader asks for it, with nothing written.

The asked file alone is drafted, from content as it is saved now, by the code that builds it (`rules.drafted_file`), in a
number of statements that does not grow with the subject: ten at most. `readable` says what the caller may read; the rest
is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import frappe
from frappe import _

from memora.services.cdn_export import dependency_resolver, settings
from memora.services.cdn_export.admin import status_facts
from memora.services.cdn_export.curriculum import content_tree, public_files
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.doctypes import KIND_OF, OF_KIND, PLAN, SUBJECT
from memora.services.cdn_export.model.tree import Override, Plan, ResolvedNode, Stage, walk
from memora.services.cdn_export.rules import drafted_file
from memora.services.cdn_export.rules.drafted_file import NO_PLAN, Body, Drafted, Known, Shown
from memora.services.cdn_export.state import ledger

Readable = Callable[[Mapping[str, Collection[str]]], Mapping[str, set[str]]]
"""Those of these documents that the caller may read, by DocType."""

_FILM_LASTS = timedelta(minutes=10)
_CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Preview:
	"""A preview that somebody looks at: its document, and whether drafts and what is hidden are shown.

	`only_in` is the plan that it is kept to, with this document and what is below it; "" lets its reader go anywhere.
	"""

	doctype: str
	name: str
	drafts: bool
	readable: Readable
	only_in: str = ""

	@property
	def key(self) -> drafted_file.Key | None:
		"""The one document of a subject that it is kept to."""
		return (KIND_OF[self.doctype], self.name) if self.only_in and self.doctype in KIND_OF else None


@dataclass(frozen=True, slots=True)
class Answer:
	"""A drafted file, with what the reader has to know beside it. `marks` say by "kind:name" what keeps a node from
	learners, `files` where the site has the files that the document names by their published paths. `films` are the
	stages whose link is signed when the lesson is published."""

	document: dict[str, Any]
	live: str
	marks: Mapping[str, Sequence[str]]
	files: Mapping[str, str] = field(default_factory=dict)
	films: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Listing:
	"""A plan as a preview shows it: the subjects that it lists, and its overrides."""

	plan: Plan
	is_published: bool
	subjects: Mapping[str, int]
	overrides: Sequence[Override] = ()

	def is_shown(self, preview: Preview) -> bool:
		"""Whether a preview shows the plan: one that learners have, or any where drafts are shown."""
		return self.is_published or preview.drafts

	@property
	def refs(self) -> dict[str, list[str]]:
		"""What the caller must be allowed to read."""
		return {} if self.plan.name == NO_PLAN else {PLAN: [self.plan.name]}

	@property
	def marks(self) -> dict[str, Sequence[str]]:
		return {} if self.is_published else {f"plan:{self.plan.name}": ["draft"]}


def file(path: str, preview: Preview, plan: str, subject: str) -> Answer | None:
	"""The file at a path in this plan and, below a manifest, in this subject. None where there is none.

	Raises PermissionError where the caller may not read what it is of, and BuildError where its build would fail.
	"""
	if path == paths.PLAN_INDEX and not preview.only_in:
		return _index(preview)
	listing = listing_of(preview, plan)
	return file_of(path, preview, listing, subject) if listing else None


def file_of(path: str, preview: Preview, listing: Listing, subject: str) -> Answer | None:
	"""The same for a plan that is read already; the list of plans has this one alone."""
	if not listing.is_shown(preview):
		return None
	if path == paths.PLAN_INDEX:
		return _only_plan(preview, listing)
	if path == paths.manifest(listing.plan.name):
		return _manifest(preview, listing)
	return _of_subject(path, preview, listing, subject) if subject in listing.subjects else None


def film(lesson: str, stage: int) -> str | None:
	"""A link that plays the film of a stage, by its number, for ten minutes; None where the stage has no film that is
	signed. The caller may read the lesson. Raises StorageError where a link cannot be signed."""
	stages = content_tree.stages([lesson]).get(lesson, ())
	link = stages[stage - 1].config.get("video_url") if 0 < stage <= len(stages) else None
	if isinstance(link, str) and stages[stage - 1].type == "Video" and settings.load().sign != "None":
		now = datetime.now(timezone.utc)
		with settings.open_storage() as storage:
			return storage.sign(link, now + _FILM_LASTS, since=now - _CLOCKS_DIFFER)
	return None


def subject_of(doctype: str, name: str) -> str:
	"""The subject that a document of the curriculum belongs to, "" where it belongs to none."""
	nodes = status_facts.lines(doctype, [name]).get(name) if doctype in KIND_OF else None
	return nodes[0].name if nodes and nodes[0].doctype == SUBJECT else ""


def _index(preview: Preview) -> Answer:
	"""Every plan that the caller may read, and the one that is made up for what none of them lists."""
	plans = content_tree.every_plan()
	names = preview.readable({PLAN: [plan.name for plan, _published in plans]})[PLAN]
	listings = [Listing(plan, is_published, {}) for plan, is_published in plans if plan.name in names]
	shown = [listing.plan for listing in listings if listing.is_shown(preview)]
	if (subject := subject_of(preview.doctype, preview.name)) and not _listed_in(subject, names):
		shown.append(no_plan())
	drafted = drafted_file.index(shown, Known(ledger.of_paths([paths.PLAN_INDEX])))
	return _answer(drafted, {key: mark for listing in listings for key, mark in listing.marks.items()})


def _only_plan(preview: Preview, listing: Listing) -> Answer:
	"""The list of plans with the one that a preview is kept to."""
	_allowed(preview, listing, {})
	return _answer(drafted_file.index([listing.plan], Known({})), listing.marks)


def _manifest(preview: Preview, listing: Listing) -> Answer:
	plan = listing.plan.name
	nodes = content_tree.subjects(listing.subjects, _as_named)
	allowed = _allowed(preview, listing, {SUBJECT: list(nodes)})
	subjects: list[tuple[Shown, int]] = []
	for name, order in listing.subjects.items():
		if name in nodes and ("subject", name) in allowed:
			node = (
				drafted_file.titled(nodes[name])
				if preview.key not in (None, ("subject", name))
				else nodes[name]
			)
			if shown := drafted_file.shown(node, plan, listing.overrides, drafts=preview.drafts):
				subjects.append((shown, order))
	resolved = [shown.resolved for shown, _order in subjects]
	pictures = _Files.of(resolved)
	known = ledger.of_paths(
		[
			paths.manifest(plan),
			paths.search_index(plan),
			*(paths.plan_subject(plan, node.name) for node in resolved),
		]
	)
	drafted = drafted_file.manifest(
		listing.plan,
		[(shown.resolved, order) for shown, order in subjects],
		Known(known, pictures.paths),
	)
	marks = dict(listing.marks)
	for shown, _order in subjects:
		marks |= _marks(shown, [shown.resolved])
	return _answer(drafted, marks, pictures)


def _of_subject(path: str, preview: Preview, listing: Listing, subject: str) -> Answer | None:
	shown = shown_in(preview, listing, subject)
	target = drafted_file.find(path, listing.plan.name, shown) if shown else None
	if shown is None or target is None:
		return None
	stages: Sequence[Stage] = ()
	if target.kind == "lesson":
		stages = content_tree.stages([target.node.name]).get(target.node.name, ())
	files = _Files.of(target.nodes, stages)
	known = Known(ledger.of_paths([path, *target.links]), files.paths)
	drafted = drafted_file.draft(target, shown, known, Body(stages, files.of_stages))
	films = _films(target.node, stages) if target.kind == "lesson" else []
	return _answer(drafted, _marks(shown, [*target.line, *target.nodes]), files, films)


def shown_in(preview: Preview, listing: Listing, subject: str) -> Shown | None:
	"""A subject in a plan, without what the caller may not read or the preview is not of; None where it is left out."""
	tree = content_tree.load(subject, _as_named)
	if tree is None:
		return None
	names: dict[str, list[str]] = {}
	for node in walk(tree):
		names.setdefault(OF_KIND[node.kind], []).append(node.name)
	kept = drafted_file.readable(tree, _allowed(preview, listing, names))
	if kept is None:
		raise frappe.PermissionError
	if preview.key and (kept := drafted_file.kept_to(kept, preview.key)) is None:
		return None
	return drafted_file.shown(kept, listing.plan.name, listing.overrides, drafts=preview.drafts)


def _allowed(preview: Preview, listing: Listing, names: dict[str, list[str]]) -> set[drafted_file.Key]:
	"""Those of these documents that the caller may read. Raises PermissionError where the plan is none of them."""
	found = preview.readable({**names, **listing.refs})
	if any(not found[doctype] for doctype in listing.refs):
		raise frappe.PermissionError
	return {(KIND_OF[doctype], name) for doctype in names for name in found[doctype]}


def listing_of(preview: Preview, plan: str) -> Listing | None:
	"""A plan, published or not; None where there is none, or the preview is kept to another."""
	if preview.only_in not in ("", plan):
		return None
	if plan == NO_PLAN:
		subject = subject_of(preview.doctype, preview.name)
		return Listing(no_plan(), True, {subject: 0}) if subject else None
	listed = content_tree.plans([plan]).get(plan)
	if listed is None:
		return None
	overrides = content_tree.overrides_of(plan) if listed.is_changed else []
	subjects = listed.subjects
	if preview.key:
		subject = subject_of(preview.doctype, preview.name)
		subjects = {name: order for name, order in subjects.items() if name == subject}
	return Listing(listed.plan, listed.is_published, subjects, overrides)


def no_plan() -> Plan:
	"""The plan in which a document is seen that no plan lists."""
	return Plan(NO_PLAN, _("Not in a plan yet"), "", "", "")


def _listed_in(subject: str, plans: Collection[str]) -> set[str]:
	"""Those of these plans that list a subject."""
	return dependency_resolver.plans_of([subject]).get(subject, set()) & set(plans)


def _as_named(urls: Iterable[str]) -> dict[str, str]:
	"""Pictures stay as the fields name them until it is known which are shown."""
	return {url: url for url in urls}


@dataclass(frozen=True, slots=True)
class _Files:
	"""The files that a document names. `paths` are what it has for its pictures, `urls` where the site serves each."""

	paths: Mapping[str, str]
	urls: Mapping[str, str]
	of_stages: Mapping[Any, Any]

	@classmethod
	def of(cls, nodes: Iterable[ResolvedNode], stages: Sequence[Stage] = ()) -> _Files:
		pictures, of_stages = public_files.in_preview(drafted_file.pictures(nodes), stages)
		named, urls = {}, {}
		for picture, found in pictures.items():
			if isinstance(found, str):
				named[picture] = found
			else:
				named[picture] = path = paths.media(found.digest, found.extension)
				urls[path] = public_files.site_url(found)
		return cls(named, urls, of_stages)


def _films(lesson: ResolvedNode, stages: Sequence[Stage]) -> list[int]:
	"""The stages whose link is signed when the lesson is published, by number."""
	doc = frappe.get_cached_doc(settings.DOCTYPE)
	links, mode = settings.film_links(doc), settings.load(doc).sign
	if links is None or (mode == "Paid" and lesson.access.level != "paid" and not settings.is_gated(doc)):
		return []
	return [
		idx
		for idx, stage in enumerate(stages, start=1)
		if stage.type == "Video" and (link := stage.config.get("video_url")) and isinstance(link, str)
		if links.film(link)
	]


def _marks(shown: Shown, nodes: Iterable[ResolvedNode]) -> dict[str, Sequence[str]]:
	keys = ((node.kind, node.name) for node in nodes)
	return {f"{kind}:{name}": shown.marks[kind, name] for kind, name in keys if (kind, name) in shown.marks}


def _answer(
	drafted: Drafted,
	marks: Mapping[str, Sequence[str]],
	files: _Files | None = None,
	films: Sequence[int] = (),
) -> Answer:
	urls = dict(files.urls) if files else {}
	urls |= {path: public_files.site_url(file) for path, file in drafted.files.items()}
	return Answer(drafted.document, drafted.live, marks, urls, films)
