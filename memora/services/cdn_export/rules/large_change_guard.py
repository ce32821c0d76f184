"""The large-change guard: paid content stays paid, and large removals wait, until an admin approves (spec, "Publishing").

Pure. Where a run would make paid lessons readable without paying, just those lessons keep their price and all else
goes out: what was unpublished, deleted or hidden in the same run is so never held. A run that would take out
more than 30 % of a plan's lessons for another reason (a subject taken off the plan, lessons moved elsewhere)
waits as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from memora.services.cdn_export.access_calculator import narrows, resolve, widens
from memora.services.cdn_export.model.plan_subject import PlanSubject
from memora.services.cdn_export.model.tree import Node, Override, ResolvedNode, Rights, walk

LARGEST_SHARE = 0.3
"""Of a plan's lessons: a run that removes more than this is large."""


@dataclass(slots=True)
class Losses:
	"""The lessons a run takes out of a plan. `taken_down` were unpublished, deleted or hidden, which is never
	held; `others` counts the rest, `live` those that the plan has now."""

	live: int = 0
	taken_down: set[str] = field(default_factory=set)
	others: int = 0

	@property
	def are_held(self) -> bool:
		"""Too many at once, and nothing among them that must not stay."""
		return not self.taken_down and is_large(self.others, self.live)


def lessons(subject: ResolvedNode | None) -> list[ResolvedNode]:
	"""The lessons below a resolved subject, in order."""
	return [node for node in walk(subject) if node.kind == "lesson"] if subject else []


def widened(live: Rights, shown: Iterable[ResolvedNode]) -> list[ResolvedNode]:
	"""The lessons that had to be paid for and no longer would be."""
	return [node for node in shown if node.name in live and widens(live[node.name].level, node.access.level)]


def narrowed(live: Rights, shown: Iterable[ResolvedNode]) -> list[ResolvedNode]:
	"""The lessons that fewer might read."""
	return [node for node in shown if node.name in live and narrows(live[node.name].level, node.access.level)]


def keep_paid(
	subject: Node, overrides: Collection[Override], live: Rights
) -> tuple[ResolvedNode | None, list[ResolvedNode]]:
	"""Resolve a subject so that no lesson which is live as paid becomes readable without paying.

	Returns it with the lessons that would have; without any this is `resolve`.
	"""
	resolved = resolve(subject, overrides)
	wide = widened(live, lessons(resolved)) if live else []
	if not wide:
		return resolved, []
	names = {node.name for node in wide}
	kept = [
		override
		for override in overrides
		if override.kind != "lesson" or override.name not in names or not override.action.startswith("Set ")
	]
	kept += [Override("lesson", name, "Set Sold Separately", live[name].item) for name in sorted(names)]
	return resolve(subject, kept), wide


def is_large(lost: int, live: int) -> bool:
	"""Whether a plan would lose too many of its lessons at once."""
	return lost > live * LARGEST_SHARE


def losses(
	known: Mapping[str, PlanSubject],
	changed: Collection[str],
	*,
	shown: int,
	lost: int,
	taken_down: set[str],
) -> Losses:
	"""What a plan loses when the `changed` of its `known` subjects now show so many lessons. `known` is what the live manifest
	shows, `lost` counts its lessons that are no longer shown; the `taken_down` are among those."""
	before = sum(known[subject].summary.get("lessons", 0) for subject in changed if subject in known)
	return Losses(
		live=sum(rendition.summary.get("lessons", 0) for rendition in known.values()),
		taken_down=taken_down,
		# A lesson that moved is in the ledger under its new subject by now: the counts still know of it.
		others=max(lost, before - shown) - len(taken_down),
	)
