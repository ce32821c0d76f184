"""What a plan's next run would change: which files, and for whom (`next_run` decides them)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import frappe

from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import next_run
from memora.services.cdn_export.admin.next_run import NextRun
from memora.services.cdn_export.builds import held_changes
from memora.services.cdn_export.curriculum import removed_lessons
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.model import tree
from memora.services.cdn_export.model.doctypes import LESSON, PLAN, SUBJECT
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.model.tree import ResolvedNode
from memora.services.cdn_export.rules import large_change_guard
from memora.services.cdn_export.rules.large_change_guard import Losses
from memora.services.cdn_export.state import ledger

_DOCTYPES = {"manifest": PLAN, "subject": SUBJECT, "unit": "Memora Unit", "lesson": LESSON}

MOST_NAMED = 200
"""Of each list that somebody who waits is answered; all are counted."""

_LISTS = ("lost", "added", "moved", "changed", "removed", "widened", "narrowed", "purge_urls")


@dataclass(slots=True)
class Preview:
	"""A plan's next run. `lost` are the live lessons that its learners can no longer open, each with why; `widened` and
	`narrowed` those that more or fewer may read. Paths by what happens to them: a file of the same document at another
	address has `moved`, from the first path to the second. `titles` are of what these files show, where it has one."""

	lost: list[dict[str, str]] = field(default_factory=list)
	added: list[str] = field(default_factory=list)
	moved: list[tuple[str, str]] = field(default_factory=list)
	changed: list[str] = field(default_factory=list)
	removed: list[str] = field(default_factory=list)
	widened: list[dict[str, str]] = field(default_factory=list)
	narrowed: list[dict[str, str]] = field(default_factory=list)
	purge_urls: list[str] = field(default_factory=list)
	purges: bool = False
	titles: dict[str, str] = field(default_factory=dict)
	lessons: int = 0
	losses: Losses = field(default_factory=Losses)
	is_large: bool = False
	guard_is_on: bool = False

	def as_dict(self, *, most: int | None = None) -> dict[str, Any]:
		"""Plain data, for an API's answer: of each list the first `most`, all unless it is given; `counts` are of all."""
		lists: dict[str, list[Any]] = {name: getattr(self, name) for name in _LISTS}
		shown = {name: found[:most] for name, found in lists.items()}
		named = {*shown["added"], *shown["changed"], *shown["removed"], *(new for _, new in shown["moved"])}
		return {
			**shown,
			"counts": {name: len(found) for name, found in lists.items()},
			"purges": self.purges,
			"titles": {path: title for path, title in self.titles.items() if path in named},
			"live_lessons": self.losses.live,
			"lessons": self.lessons,
			"taken_down": len(self.losses.taken_down),
			"others_lost": self.losses.others,
			"large_removal": self.losses.are_held,
			"is_large": self.is_large,
			"guard_is_on": self.guard_is_on,
			"brake_is_on": self.guard_is_on,  # what it was called until 0.1; goes with 0.3
		}


def of_plan(plan: str) -> Preview:
	"""What the plan's next run would do. Raises BuildError where it would fail."""
	run = next_run.decide(plan)
	snapshot = run.snapshot
	options = settings.load()
	entries = run.entries()
	found = Preview(guard_is_on=options.hold_large_changes)
	found.moved = [(old, new) for old, new in run.moves() if old != new]
	sources, targets = {old for old, _ in found.moved}, {new for _, new in found.moved}
	gone = list(run.gone())
	left = {entry.path for entry in gone}
	stale = []
	for file in run.planned():
		if not file.changed:
			continue
		if title := (file.document or {}).get("title"):
			found.titles[file.path] = title
		entry = entries.get(file.path)
		if file.path in left:  # a lesson of another subject now, at the same address
			found.changed.append(file.path)
		elif entry and entry.live_version and entry.state != "removed":
			found.changed.append(file.path)
			stale.append(entry)
		elif file.path not in targets:
			found.added.append(file.path)
	found.removed = sorted(left - sources - set(found.changed))
	found.titles |= _titles(gone)
	found.purges = settings.open_purge().active
	if found.purges and options.base_url:
		found.purge_urls = [
			f"{options.base_url}/{url}"
			for entry in (*stale, *gone)
			for url in purge_queue.urls(entry.path, entry.live_version or entry.version)
		]
	shown = run.plan.lessons if run.plan else []
	live = ledger.rights_shown(plan, snapshot.renditions)
	found.lost = _lost(run, live.keys() - {node.name for node in shown})
	found.lessons = len(shown)
	found.widened = [_access_change(node, live) for node in large_change_guard.widened(live, shown)]
	found.narrowed = [_access_change(node, live) for node in large_change_guard.narrowed(live, shown)]
	if run.plan:
		found.losses = held_changes.losses(run.plan)
	found.is_large = bool(found.widened) or found.losses.are_held
	return found


def _lost(run: NextRun, lessons: Collection[str]) -> list[dict[str, str]]:
	"""These lessons by title, each with why learners of the plan lose it: "deleted", "unpublished", "hidden" or "moved"."""
	snapshot = run.snapshot
	causes = removed_lessons.causes(lessons, snapshot.all_overrides)
	if run.plan is None:
		causes = dict.fromkeys(lessons, "unpublished")
	titles = removed_lessons.titles(lessons)
	rows = [
		{
			"lesson": name,
			"title": titles.get(name) or name,
			"cause": causes.get(name, "moved"),
		}
		for name in lessons
	]
	return sorted(rows, key=lambda row: (row["cause"], row["title"], row["lesson"]))


def _titles(entries: Sequence[LedgerEntry]) -> dict[str, str]:
	"""What the documents of these files are called now, by path; those that are deleted are left out."""
	nodes: dict[str, set[str]] = defaultdict(set)
	for entry in entries:
		if entry.kind in _DOCTYPES:
			nodes[_DOCTYPES[entry.kind]].add(entry.node)
	titles = {
		(doctype, row.name): row.title
		for doctype, names in nodes.items()
		for row in frappe.get_all(doctype, {"name": ("in", names)}, ["name", "title"])
	}
	return {
		entry.path: titles[key]
		for entry in entries
		if (key := (_DOCTYPES.get(entry.kind, ""), entry.node)) in titles
	}


def _access_change(node: ResolvedNode, live: tree.Rights) -> dict[str, str]:
	return {
		"lesson": node.name,
		"title": node.title,
		"before": live[node.name].level,
		"after": node.access.level,
	}
