"""The publication status of documents: live, waiting, failed or left out, and why. For a form's line and for lists.

Set-based: a constant handful of statements for any number of documents of one DocType. What *should* be live comes
from the content as it is now, what *is* live from the ledger; what lies between the two waits, and for what.
`status_facts` reads, `rules.publication_status` decides, `status_words` says it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import frappe

from memora.services.cdn_export.admin import obstacles, status_facts
from memora.services.cdn_export.admin import status_words as words
from memora.services.cdn_export.admin.status_facts import Content, Line, ListingPlan, Node, ScopeRows
from memora.services.cdn_export.admin.status_words import short
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.doctypes import CONTENT, PLAN, SEASON_IS_PUBLISHED, SEASON_TITLE, Ref
from memora.services.cdn_export.rules import publication_status as rules
from memora.services.cdn_export.rules.obstacles import Obstacle, Placed, of_plan
from memora.services.cdn_export.rules.publication_status import (
	PlanFacts,
	State,
	Verdict,
)
from memora.services.cdn_export.state import ledger, refused_removals

# These say a cause, which can name what only its own plan shows.
_WITH_CAUSE: tuple[State, ...] = ("remains", "dead", "failed", "held")


@dataclass(slots=True)
class PlanStatus:
	"""The publication status of a document in one plan."""

	plan: str
	title: str
	state: State
	text: str
	path: str = ""
	version: int = 0
	next_try: datetime | None = None
	held_reason: str = ""
	scope: str = ""
	line: Sequence[tuple[str, str]] = ()
	required_item: str = ""

	@property
	def is_live(self) -> bool:
		return self.version > 0


@dataclass(slots=True)
class PublicationStatus:
	"""The publication status of a document as a whole, with `text` that says why in plain words, and what to publish first."""

	state: State
	text: str
	plans: list[PlanStatus] = field(default_factory=list)
	draft_above: Node | None = None
	line: Sequence[Node] = ()
	obstacles: list[Obstacle] = field(default_factory=list)
	also_next_try: datetime | None = None

	@property
	def since(self) -> datetime | None:
		"""When what is live last changed, in the site's time."""
		return words.moment(max((item.version for item in self.plans), default=0))

	@property
	def next_try(self) -> datetime | None:
		tries = [self.also_next_try, *(item.next_try for item in self.plans)]
		return min((moment for moment in tries if moment), default=None)


def of_documents(
	doctype: str, names: Collection[str], *, with_obstacles: bool = False
) -> dict[str, PublicationStatus]:
	"""The publication status of these documents, by name; those that do not exist are left out. `with_obstacles` also reads
	all that keeps each from being live, by two statements a document."""
	if not names:
		return {}
	if doctype not in CONTENT:
		found = _plans(names)
		_say_remaining(
			found, refused_removals.by_document("scope", {scopes.plan(name).id: name for name in names})
		)
		return found
	content = Content(doctype, names)
	found = {name: _of_document(content, line) for name, line in content.lines.items()}
	for name, line in content.lines.items() if with_obstacles else ():
		if found[name].state != "live":
			found[name].obstacles = obstacles.of_line(content, line)
	_say_remaining(found, refused_removals.by_document("node", content.shown_as()))
	return found


def _say_remaining(
	found: dict[str, PublicationStatus], refused: Collection[refused_removals.RefusedFile]
) -> None:
	"""Say of documents that files which show them are still on the CDN, whatever else holds of them."""
	for file in refused:
		standing = found.get(file.document)
		if standing is None or standing.state == "remains":
			continue
		said = words.sentence(file.message)
		if file.owner.type == "plan":
			# Another plan than those that list it now may have it still; who may not read that plan is not told of it.
			plan = next((item for item in standing.plans if item.plan == file.owner.ref), None)
			if plan is None:
				title = frappe.db.get_value(PLAN, file.owner.ref, "title") or file.owner.ref
				plan = PlanStatus(file.owner.ref, title, "remains", said)
				standing.plans.append(plan)
			plan.state, plan.text, plan.next_try = "remains", said, file.next_try
		standing.text = said if standing.state == "live" else f"{standing.text.rstrip('.')}. {said}"
		standing.state, standing.also_next_try = "remains", file.next_try


def keep_to(found: PublicationStatus, plans: Collection[str]) -> None:
	"""Leave out what names a plan that is not among `plans`, and why only such a plan fails. The status of the document
	as a whole counts them all."""
	told = {item.text for item in found.plans if item.plan in plans}
	for item in found.plans:
		if item.plan in plans or item.text in told:
			continue
		if item.title in item.text or item.state in _WITH_CAUSE:
			found.text = found.text.replace(item.text, short(item.state))
	found.plans = [item for item in found.plans if item.plan in plans]
	found.obstacles = [item for item in found.obstacles if not item.plan or item.plan in plans]


def line_of(doctype: str, name: str) -> list[Ref]:
	"""A document after its parents, from as far up as they exist."""
	return [node.ref for node in status_facts.lines(doctype, [name]).get(name, [])]


def _of_document(content: Content, line: Line) -> PublicationStatus:
	if not line.subject:
		return PublicationStatus("no_plan", words.text(Verdict("no_plan", "no_subject")), line=line.nodes)
	verdicts = [(plan, rules.in_plan(content.in_plan(line, plan))) for plan in content.plans(line)]
	whole = rules.as_a_whole(line.left_out, [verdict for _plan, verdict in verdicts])
	return PublicationStatus(
		whole.state,
		". ".join(map(words.text, whole.said)),
		[_in_plan(content, line, plan, verdict) for plan, verdict in verdicts],
		line.draft_above if line.left_out and line.left_out.state == "above" else None,
		line.nodes,
	)


def _in_plan(content: Content, line: Line, plan: ListingPlan, verdict: Verdict) -> PlanStatus:
	entry = content.file(line, plan.name)
	is_live = content.is_live(line, plan.name) and verdict.state not in rules.LEFT_OUT
	return PlanStatus(
		plan.name,
		plan.title,
		verdict.state,
		words.text(verdict),
		content.path(line, plan.name),
		entry.live_version if is_live and entry else 0,
		verdict.next_try,
		content.held_reason(line, plan.name) if verdict.state == "live" else "",
		scopes.plan(plan.name).id,
		line.refs,
		entry.required_item if entry else "",
	)


def _plans(names: Collection[str]) -> dict[str, PublicationStatus]:
	rows = frappe.db.sql(
		f"""select plan.name, plan.title, plan.is_published, {SEASON_IS_PUBLISHED}, plan.season, {SEASON_TITLE}
		from `tab{PLAN}` plan where plan.name in %s""",
		(tuple(names),),
	)
	states = ScopeRows([scopes.plan(name) for name, *_rest in rows])
	files = ledger.of_paths(paths.manifest(name) for name, *_rest in rows)
	unfolded = status_facts.plans_changed()
	found = {}
	for name, title, is_ticked, is_in_season, season, season_title in rows:
		scope, path = scopes.plan(name), paths.manifest(name)
		entry = files.get(path)
		is_live = states.is_live(scope) and status_facts.is_live(entry)
		trouble = rules.trouble([states.facts(scope)])
		waits = states.waits(scope) or name in unfolded
		verdict = rules.of_plan(PlanFacts(bool(is_ticked), bool(is_in_season), is_live, waits, trouble))
		item = PlanStatus(
			name,
			title,
			verdict.state,
			words.text(verdict),
			path,
			entry.live_version if is_live and entry else 0,
			verdict.next_try,
			states.held_reason([scope]),
			scope.id,
		)
		found[name] = PublicationStatus(item.state, item.text, [item])
		if item.state != "live":
			found[name].obstacles = of_plan(
				Placed(PLAN, name, title, bool(is_ticked)),
				Placed("Memora Season", season or "", season_title, bool(is_in_season)),
				trouble,
			)
	return found
