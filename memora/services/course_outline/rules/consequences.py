"""What a change would make live, or free, for learners: decided before it is made, as the builds and the large-change guard
decide it. Pure.

Whoever agrees to it does so for what was shown: `agreement` is a text that says what that was, `is_covered` whether a change
still does no more.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from memora.services.cdn_export.access_calculator import widens
from memora.services.cdn_export.model.doctypes import LESSON, SUBJECT, Ref
from memora.services.cdn_export.model.tree import AccessLevel, Node, Override, ResolvedNode, walk
from memora.services.course_outline.rules import tree_changes
from memora.services.course_outline.rules.access import ref_of, resolved

_LETTERS = 6
"""Of the digest of each thing that is agreed to: as many as an endpoint's longest text has room for."""

_MOST_PIECES = 1_500


@dataclass(frozen=True, slots=True)
class World:
	"""Subjects by name, with what each group of plans overrides in them. Plans that override the same are one group; where no
	plan lists a subject, it is looked at as it is."""

	subjects: Mapping[str, Node]
	plans: Sequence[tuple[frozenset[str], tuple[Override, ...]]]


@dataclass(slots=True)
class Consequences:
	"""What becomes live, and what paid becomes free: documents with their titles, in content order."""

	live: dict[Ref, str] = field(default_factory=dict)
	free: dict[Ref, str] = field(default_factory=dict)

	def __bool__(self) -> bool:
		return bool(self.live or self.free)

	def things(self) -> list[str]:
		"""Each as a text of its own, for `agreement`."""
		return [
			f"{what} {doctype} {name}"
			for what, refs in (("live", self.live), ("free", self.free))
			for doctype, name in refs
		]


def between(before: World, after: World, in_hand: Collection[Ref] = ()) -> Consequences:
	"""What learners of any plan could read after a change and not before, beyond what is `in_hand`, and what they had to pay
	for and no longer would, in hand or not.

	Of what becomes live the lessons are named, and other nodes only where nothing below them becomes live.
	"""
	found = Consequences()
	for (listed, overrides), (listed_after, overrides_after) in zip(before.plans, after.plans, strict=True):
		was = _shown(before, listed, overrides)
		now = _shown(after, listed_after, overrides_after)
		for ref, node in now.items():
			if ref not in was:
				is_last = not any(ref_of(child) not in was for child in node.children)
				if is_last and ref not in in_hand:
					found.live.setdefault(ref, node.title)
			elif ref[0] == LESSON and widens(_level(was[ref]), _level(node)):
				found.free.setdefault(ref, node.title)
	return found


def made_by(world: World, refs: Collection[Ref]) -> Consequences:
	"""What is live, and free, in a world because these documents are in it."""
	trees = {name: tree_changes.without(tree, refs) for name, tree in world.subjects.items()}
	left = {name: tree for name, tree in trees.items() if (SUBJECT, name) not in refs}
	return between(replace(world, subjects=left), world)


def is_freed(world: World, home: Ref, target: Ref) -> bool:
	"""Whether a stage of one lesson, which every learner pays for, would be read without paying in another one."""
	levels: dict[Ref, list[AccessLevel]] = {home: [], target: []}
	for listed, overrides in world.plans:
		shown = _shown(world, listed, overrides)
		for ref, found in levels.items():
			if ref in shown:
				found.append(_level(shown[ref]))
	were = levels[home]
	return bool(were) and all(any(widens(was, now) for now in levels[target]) for was in were)


def agreement(things: Iterable[str]) -> str:
	"""A text that says what was shown: a piece for each thing, or one digest where they are very many."""
	pieces = sorted({_digest(thing) for thing in things})
	if len(pieces) > _MOST_PIECES:
		return f"={_digest(''.join(pieces))}"
	return "".join(pieces)


def is_covered(things: Iterable[str], agreed: str) -> bool:
	"""Whether each of these was among what was agreed to."""
	things = list(things)
	if agreed.startswith("="):
		return agreement(things) == agreed
	known = {agreed[start : start + _LETTERS] for start in range(0, len(agreed), _LETTERS)}
	return all(_digest(thing) in known for thing in things)


def _shown(world: World, listed: Collection[str], overrides: Sequence[Override]) -> dict[Ref, ResolvedNode]:
	found: dict[Ref, ResolvedNode] = {}
	for name, subject in world.subjects.items():
		if name in listed and (top := resolved(subject, overrides)):
			found.update((ref_of(node), node) for node in walk(top))
	return found


def _level(node: ResolvedNode) -> AccessLevel:
	return node.access.level


def _digest(text: str) -> str:
	digest = hashlib.sha256(text.encode()).digest()
	return base64.b32encode(digest).decode()[:_LETTERS].lower()
