"""Whether a document is live, waiting, failed or left out, and why: ordered rules over plain facts.

Pure. Of rules in a row the first that applies decides. `admin.status_facts` reads the facts, and
`admin.status_words` has the words for what is decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.doctypes import LESSON, SUBJECT, Ref

State = Literal[
	"live",
	"waiting",
	"building",
	"leaving",
	"remains",
	"failed",
	"dead",
	"held",
	"draft",
	"above",
	"hidden",
	"no_plan",
]

Reason = Literal[
	"live",
	"changed",
	"not_live_yet",
	"leaving",
	"building",
	"failed",
	"dead",
	"held",
	"draft",
	"draft_above",
	"draft_season",
	"draft_plan",
	"draft_plan_season",
	"hidden",
	"hidden_above",
	"hidden_by_all",
	"shown_by_none",
	"no_subject",
	"no_plan",
	"no_item",
]

WORST_FIRST: tuple[State, ...] = ("dead", "failed", "held", "building", "leaving", "waiting", "live")

FAILING: tuple[State, ...] = ("dead", "failed", "remains")
WAITING: tuple[State, ...] = ("held", "waiting", "building", "leaving")
"""What an editor looks for, the worst first."""
"""What is said of a document as a whole: the first of these that holds in any of its plans."""

LEFT_OUT: tuple[State, ...] = ("draft", "above", "hidden")
"""The states of a document that should not be live, and is not."""

_MARGIN = timedelta(minutes=1)
"""An edit this long before a build ended may have come too late for it."""


class Verdict(NamedTuple):
	"""What holds of a document, and why. `about` are the titles and causes that the words for it name."""

	state: State
	reason: Reason
	about: tuple[str, ...] = ()
	next_try: datetime | None = None


class Hider(NamedTuple):
	"""What a plan hides: the document itself, or something above it."""

	doctype: str
	title: str
	is_itself: bool


@dataclass(frozen=True, slots=True)
class ScopeFacts:
	"""What the state row of a scope says. `waits` says that its newest content is not published."""

	is_dead: bool = False
	is_building: bool = False
	has_failed: bool = False
	is_held: bool = False
	waits: bool = False
	last_error: str = ""
	held_reason: str = ""
	next_retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DocumentFacts:
	"""What decides about a document in one plan.

	`left_out` says why it is shown in no plan, `hider` what this plan hides of it. `is_live` says that the file which shows
	it is live, `is_shown` that this file does show it, `has_file` that it is the document's own. `waits` says that something
	has changed since, `trouble` what keeps changes from going out.
	"""

	plan: str
	left_out: Verdict | None = None
	is_plan_published: bool = True
	is_in_season: bool = True
	hider: Hider | None = None
	is_live: bool = False
	is_shown: bool = True
	has_file: bool = True
	waits: bool = False
	trouble: Verdict | None = None


@dataclass(frozen=True, slots=True)
class PlanFacts:
	"""What decides about a plan itself: `is_ticked` as published, in a season that is, live, changed since, in trouble."""

	is_ticked: bool = True
	is_in_season: bool = True
	is_live: bool = False
	waits: bool = False
	trouble: Verdict | None = None


_LIVE = Verdict("live", "live")
_LEAVING = Verdict("leaving", "leaving")
_CHANGED = Verdict("waiting", "changed")
_NOT_LIVE_YET = Verdict("waiting", "not_live_yet")


def trouble(scopes: Iterable[ScopeFacts]) -> Verdict | None:
	"""What keeps changes of these scopes from going out, or that they are about to: the worst of it."""
	found = [verdict for scope in scopes if (verdict := _trouble_of(scope))]
	return min(found, key=lambda verdict: WORST_FIRST.index(verdict.state), default=None)


def _trouble_of(scope: ScopeFacts) -> Verdict | None:
	if scope.is_dead:
		return Verdict("dead", "dead", (scope.last_error,))
	if scope.is_building:
		return Verdict("building", "building")
	if scope.has_failed:
		return Verdict("failed", "failed", (scope.last_error,), scope.next_retry_at)
	if scope.is_held and scope.waits:
		return Verdict("held", "held", (scope.held_reason,))
	return None


def is_too_late(changed: datetime, last_success: datetime | None) -> bool:
	"""Whether an edit may have come too late for the last build that succeeded."""
	return last_success is None or changed > last_success - _MARGIN


def in_plan(facts: DocumentFacts) -> Verdict:
	"""What holds of a document in one plan."""
	if left_out := _why_left_out(facts):
		if facts.is_live and facts.is_shown and (facts.has_file or facts.waits):
			return facts.trouble or (_LEAVING if facts.waits else left_out)
		return left_out
	if facts.waits or not facts.is_live:
		return facts.trouble or (_CHANGED if facts.is_live else _NOT_LIVE_YET)
	return _LIVE


def _why_left_out(facts: DocumentFacts) -> Verdict | None:
	"""Why the document should not be live in the plan: for itself, then for the plan."""
	if facts.left_out:
		return facts.left_out
	if not facts.is_plan_published:
		return Verdict("draft", "draft_plan", (facts.plan,))
	if not facts.is_in_season:
		return Verdict("draft", "draft_plan_season", (facts.plan,))
	if facts.hider and facts.hider.is_itself:
		return Verdict("hidden", "hidden", (facts.plan,))
	if facts.hider:
		return Verdict("hidden", "hidden_above", (facts.plan, facts.hider.doctype, facts.hider.title))
	return None


def of_plan(plan: PlanFacts) -> Verdict:
	"""What holds of a plan."""
	is_published = plan.is_ticked and plan.is_in_season
	if plan.trouble and (plan.waits or (is_published and not plan.is_live)):
		return plan.trouble
	if not is_published:
		if plan.is_live:
			return _LEAVING
		return Verdict("draft", "draft_season" if plan.is_ticked else "draft")
	if not plan.is_live:
		return _NOT_LIVE_YET
	return _CHANGED if plan.waits else _LIVE


class Whole(NamedTuple):
	"""What holds of a document in all of its plans, `said` one after the other."""

	state: State
	said: tuple[Verdict, ...]


def as_a_whole(left_out: Verdict | None, in_plans: Sequence[Verdict]) -> Whole:
	"""What holds of a document, by what holds in each plan: the worst, unless it is left out of all of them."""
	worst = next((one for state in WORST_FIRST for one in in_plans if one.state == state), None)
	if left_out:
		if worst and worst.state not in ("waiting", "live"):
			return Whole(worst.state, (left_out, worst))
		return Whole(left_out.state, (left_out,))
	if not in_plans:
		return _only(Verdict("no_plan", "no_plan"))
	if worst:
		return _only(worst)
	if len(in_plans) == 1:
		return _only(in_plans[0])
	if all(one.state == "hidden" for one in in_plans):
		return _only(Verdict("hidden", "hidden_by_all"))
	return _only(Verdict("draft", "shown_by_none"))


def _only(verdict: Verdict) -> Whole:
	return Whole(verdict.state, (verdict,))


def file_of(line: Sequence[Ref], plan: str, own: str | None) -> str:
	"""The path of the file that shows the last document of a line: a topic is in its unit's, a track in its
	subject's. `own` is the plan where the subject is its own."""
	names = dict(line)
	if LESSON in names:
		return paths.lesson(names[LESSON], own)
	if "Memora Unit" in names:
		return paths.unit(names["Memora Unit"], own)
	return paths.plan_subject(plan, names[SUBJECT])
