"""All that keeps a document from being live, at once: each with the document where it is fixed. `rules.publication_status`
says the first of it in a line.

Pure. `admin.obstacles` reads the facts, and `admin.status_words` has the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from memora.services.cdn_export.model.doctypes import PLAN, SUBJECT, Ref
from memora.services.cdn_export.rules.publication_status import State, Verdict

_TROUBLE: tuple[State, ...] = ("failed", "dead", "held")


class Placed(NamedTuple):
	"""A document above another, or that one itself."""

	doctype: str
	name: str
	title: str
	is_published: bool = True

	@property
	def ref(self) -> Ref:
		return self.doctype, self.name


class Obstacle(NamedTuple):
	"""One thing that keeps a document from being live. `at` is where it is fixed, None where an admin has to look. `plan`
	is the name of the plan that it is about, "" for all; `is_draft` says that publishing `at` fixes it."""

	verdict: Verdict
	at: Placed | None = None
	plan: str = ""
	is_draft: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
	"""A plan that lists the document's subject: what it hides of the line, what it sells there without an item (`unsold`, and
	whether by an override), and what keeps its changes from going out."""

	name: str
	title: str
	is_published: bool = True
	is_in_season: bool = True
	season: Placed | None = None
	hidden: tuple[Placed, ...] = ()
	unsold: Placed | None = None
	is_sold_by_override: bool = False
	trouble: Verdict | None = None

	@property
	def shows(self) -> bool:
		"""Whether the document would be live here, were it published."""
		return self.is_published and self.is_in_season and not self.hidden


def of_document(line: Sequence[Placed], plans: Sequence[Listing]) -> list[Obstacle]:
	"""Of a document after all above it, from the top down. What single plans say counts only where none shows it."""
	own, above = line[-1], line[-2::-1]
	found = [] if own.is_published else [Obstacle(Verdict("draft", "draft"), own, is_draft=True)]
	found += [
		Obstacle(Verdict("above", "draft_above", (node.doctype, node.title)), node, is_draft=True)
		for node in above
		if not node.is_published
	]
	if line[0].doctype != SUBJECT:
		return [*found, Obstacle(Verdict("no_plan", "no_subject"), own)]
	if not plans:
		about = () if own.doctype == SUBJECT else (line[0].title,)
		return [*found, Obstacle(Verdict("no_plan", "no_plan", about), Placed(PLAN, "", ""))]
	if not any(plan.shows for plan in plans):
		for plan in plans:
			found += _left_out(own, plan)
	for plan in plans:
		found += _failing(plan)
	return found


def of_plan(plan: Placed, season: Placed | None, trouble: Verdict | None) -> list[Obstacle]:
	"""Of a plan, in a season that is published or not."""
	found = [] if plan.is_published else [Obstacle(Verdict("draft", "draft"), plan, is_draft=True)]
	if season and not season.is_published:
		found.append(Obstacle(Verdict("draft", "draft_season", (season.title,)), season))
	if trouble and trouble.state in _TROUBLE:
		found.append(Obstacle(trouble, plan=plan.name))
	return found


def drafts(found: Iterable[Obstacle]) -> list[Placed]:
	"""What to publish for the document, and for all above it, to be no draft."""
	return [obstacle.at for obstacle in found if obstacle.is_draft and obstacle.at]


def _left_out(own: Placed, plan: Listing) -> list[Obstacle]:
	at, found = Placed(PLAN, plan.name, plan.title), []
	if not plan.is_published:
		found.append(Obstacle(Verdict("draft", "draft_plan", (plan.title,)), at, plan.name))
	if not plan.is_in_season:
		season = plan.season or at
		verdict = Verdict("draft", "draft_plan_season", (plan.title, season.title))
		found.append(Obstacle(verdict, season, plan.name))
	for node in plan.hidden:
		verdict = (
			Verdict("hidden", "hidden", (plan.title,))
			if node.ref == own.ref
			else Verdict("hidden", "hidden_above", (plan.title, node.doctype, node.title))
		)
		found.append(Obstacle(verdict, at, plan.name))
	return found


def _failing(plan: Listing) -> list[Obstacle]:
	found = []
	if node := plan.unsold:
		by_plan = plan.is_sold_by_override
		at = Placed(PLAN, plan.name, plan.title) if by_plan else node
		verdict = Verdict("failed", "no_item", (node.doctype, node.title))
		found.append(Obstacle(verdict, at, plan.name if by_plan else ""))
	if plan.trouble and plan.trouble.state in _TROUBLE:
		found.append(Obstacle(plan.trouble, plan=plan.name))
	return found
