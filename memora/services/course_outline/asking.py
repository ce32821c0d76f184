"""What is asked before a change: which lessons it would make live or free, and what it would delete, by title.

A change is described by the trees, or the overrides, that it would leave. Every plan that lists a subject is looked at, whether
it is published yet or not, as the builds would; the caller is told only titles that they may read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from memora.services.cdn_export import dependency_resolver
from memora.services.cdn_export.curriculum import content_tree
from memora.services.cdn_export.model.doctypes import Ref
from memora.services.cdn_export.model.tree import Node, Override
from memora.services.course_outline import permissions, reading
from memora.services.course_outline.rules import consequences
from memora.services.course_outline.rules.consequences import Consequences, World

MOST_TITLES = 50
"""So many of each are named; `counts` has them all."""

Ask = dict[str, Any]


def world(subjects: Collection[str], plan: str = "") -> World:
	"""These subjects as they are, for every plan that lists one of them, or for this plan alone."""
	trees = {name: reading.tree_of(name) for name in sorted(subjects)}
	listing = {plan} if plan else set().union(*dependency_resolver.plans_of(subjects).values())
	overrides = content_tree.plan_overrides(listing)
	lists: dict[str, set[str]] = defaultdict(set)
	for subject, plans in dependency_resolver.plans_of(subjects).items():
		for name in plans:
			lists[name].add(subject)
	groups: dict[tuple[frozenset[str], tuple[Override, ...]], None] = {}
	for name in sorted(listing):
		changed = [
			override for subject in sorted(trees) for override in overrides.get(name, {}).get(subject, ())
		]
		groups[frozenset(lists[name]), tuple(changed)] = None
	unlisted = frozenset(trees) - frozenset().union(*lists.values())
	if unlisted and not plan:
		groups[unlisted, ()] = None
	return World(trees, list(groups))


def with_trees(before: World, trees: Mapping[str, Node]) -> World:
	"""The same plans with other trees."""
	return replace(before, subjects=trees)


def question(
	found: Consequences, agreed: str, deletes: Mapping[Ref, str] | None = None, notes: Sequence[str] = ()
) -> Ask | None:
	"""What to ask the caller before a change with these consequences, None where nothing is to ask, or all is agreed to."""
	deletes = deletes or {}
	things = [*found.things(), *(f"deleted {doctype} {name}" for doctype, name in deletes), *notes]
	if not things or (agreed and consequences.is_covered(things, agreed)):
		return None
	# Who may see a stage is who may read its lesson, which is in the caller's hand.
	documents = [ref for ref in (*found.live, *found.free, *deletes) if ref[0] != permissions.STAGE]
	hidden = permissions.unreadable(documents)

	def named(refs: Mapping[Ref, str]) -> list[str]:
		return [title for ref, title in refs.items() if ref not in hidden][:MOST_TITLES]

	return {
		"live": named(found.live),
		"free": named(found.free),
		"deletes": named(deletes),
		"counts": {"live": len(found.live), "free": len(found.free), "deletes": len(deletes)},
		"agreed": consequences.agreement(things),
	}


def agreed_before(found: Consequences) -> str:
	"""What the undo of a change is agreed to from the start: to make live and free what was so."""
	return consequences.agreement(found.things())
