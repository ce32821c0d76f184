"""How documents stand on the CDN: live, waiting, failed or left out, and why. For a form's line and for lists.

Set-based: a constant handful of statements for any number of documents of one DocType. What *should* be live comes
from the content as it is now, what *is* live from the ledger; what lies between the two waits, and for what.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

import frappe
from frappe import _
from frappe.utils import convert_utc_to_system_timezone, get_datetime, now_datetime

from memora.services.cdn_export import dependency_resolver, settings
from memora.services.cdn_export.admin import reader_links, schedule
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.diff import LedgerEntry
from memora.services.cdn_export.model.doctypes import (
	CONTENT,
	LESSON,
	LISTED_SUBJECT,
	PARENT_FIELDS,
	PLAN,
	SEASON_IS_PUBLISHED,
	SUBJECT,
	TARGET_NAME,
	Ref,
)
from memora.services.cdn_export.state import ledger, publish_state
from memora.services.cdn_export.state.ledger import Refused

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

COLORS: dict[State, str] = {
	"live": "green",
	"waiting": "orange",
	"building": "blue",
	"leaving": "orange",
	"remains": "red",
	"failed": "red",
	"dead": "red",
	"held": "purple",
	"draft": "gray",
	"above": "gray",
	"hidden": "gray",
	"no_plan": "gray",
}

# What is said of a document as a whole: the first of these that holds in any of its plans.
_WORST_FIRST: tuple[State, ...] = ("dead", "failed", "held", "building", "leaving", "waiting", "live")

# These say a cause, which can name what only its own plan shows.
_WITH_CAUSE: tuple[State, ...] = ("remains", "dead", "failed", "held")

_WITHOUT_FILE = ("Memora Track", "Memora Topic")
_IN_PLANS_FOLDER = (SUBJECT, "Memora Track")
"""The file that shows these is each plan's own, whoever reads the subject."""

_MOST_CHANGES = 500
_MOST_PLANS = 8
_MOST_REASONS = 3
"""What one answer tells of a document's plans."""

_MARGIN = timedelta(minutes=1)
"""An edit this long before a build ended may have come too late for it."""


def _place(state: State) -> int:
	return _WORST_FIRST.index(state) if state in _WORST_FIRST else len(_WORST_FIRST)


@dataclass(slots=True)
class PlanStatus:
	"""How a document stands in one plan."""

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
	"""How a document stands as a whole, with `text` that says why in plain words, and what to publish first."""

	state: State
	text: str
	plans: list[PlanStatus] = field(default_factory=list)
	draft_above: _Node | None = None
	also_next_try: datetime | None = None

	@property
	def since(self) -> datetime | None:
		"""When what is live last changed, in the site's time."""
		return moment(max((item.version for item in self.plans), default=0))

	@property
	def next_try(self) -> datetime | None:
		tries = [self.also_next_try, *(item.next_try for item in self.plans)]
		return min((moment for moment in tries if moment), default=None)


@dataclass(slots=True)
class _Node:
	doctype: str
	name: str
	title: str
	is_published: bool
	modified: datetime


@dataclass(slots=True)
class _Facts:
	"""What is the same in a plan for all documents of a subject. `behind` says of each scope that waits when it was last
	published."""

	has_own_files: bool
	is_live: bool
	is_unfolded: bool
	behind: list[datetime | None]
	trouble: tuple[State, str, datetime | None] | None
	held_reason: str


@dataclass(slots=True)
class _Line:
	"""A document with what it hangs in, and what is the same of it in each plan."""

	nodes: list[_Node]
	refs: list[tuple[str, str]]
	is_unfolded: bool
	modified: datetime
	left_out: tuple[State, str] | None
	shared_path: str


@dataclass(slots=True)
class _Plan:
	name: str
	title: str
	is_published: bool
	is_in_season: bool
	modified: datetime
	subjects: set[str] = field(default_factory=set)


def of_documents(doctype: str, names: Collection[str]) -> dict[str, PublicationStatus]:
	"""How these documents stand, by name; those that do not exist are left out."""
	if not names:
		return {}
	if doctype not in CONTENT:
		found = _plans(names)
		_say_remaining(found, ledger.refused_files("scope", {scopes.plan(name).id: name for name in names}))
		return found
	content = _Content(doctype, names)
	found = content.statuses()
	_say_remaining(found, ledger.refused_files("node", content.shown_as()))
	return found


def _say_remaining(found: dict[str, PublicationStatus], refused: Collection[Refused]) -> None:
	"""Say of documents that files which show them are still on the CDN, whatever else is to be said of them."""
	for file in refused:
		standing = found.get(file.document)
		if standing is None or standing.state == "remains":
			continue
		said = _sentence(file.message)
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
	"""Leave out what names a plan that is not among `plans`, and why only such a plan fails; how the document stands as
	a whole counts them all."""
	told = {item.text for item in found.plans if item.plan in plans}
	for item in found.plans:
		if item.plan in plans or item.text in told:
			continue
		if item.title in item.text or item.state in _WITH_CAUSE:
			found.text = found.text.replace(item.text, short(item.state))
	found.plans = [item for item in found.plans if item.plan in plans]


def short(state: State) -> str:
	"""A state as a list's indicator says it."""
	return {
		"live": _("Live"),
		"waiting": _("Waiting"),
		"building": _("Being Published"),
		"leaving": _("Being Unpublished"),
		"remains": _("Still on the CDN"),
		"failed": _("Failed"),
		"dead": _("Failed Permanently"),
		"held": _("Waiting for Approval"),
		"draft": _("Draft"),
		"above": _("Parent Not Published"),
		"hidden": _("Hidden"),
		"no_plan": _("In No Plan"),
	}[state]


def moment(version: int) -> datetime | None:
	"""A version is the moment its content last changed; here in the site's time."""
	if not version:
		return None
	return convert_utc_to_system_timezone(
		datetime.fromtimestamp(version, timezone.utc).replace(tzinfo=None)
	).replace(tzinfo=None)


class _Scopes:
	"""The state rows of some scopes, with what `publish_state.State` leaves out."""

	def __init__(self, wanted: Sequence[scopes.Scope]):
		self._rows: dict[str, frappe._dict] = {}
		if wanted:
			for row in frappe.db.sql(
				f"""select name, generation, published_generation, retry_count, next_retry_at, dead_since,
					last_error, last_success_at,
					held = 1 and approved_generation < generation as held, held_reason, is_live,
					coalesce(lease_expires > now(6), 0) as building
				from `tab{publish_state.TABLE}` where name in %s""",
				(tuple(scope.id for scope in wanted),),
				as_dict=True,
			):
				self._rows[row.name] = row

	def row(self, scope: scopes.Scope) -> frappe._dict:
		return self._rows.get(scope.id) or frappe._dict()

	def waits(self, scope: scopes.Scope) -> bool:
		row = self.row(scope)
		return bool(row) and row.published_generation < row.generation

	def trouble(self, scope: scopes.Scope) -> tuple[State, str, datetime | None] | None:
		"""What keeps a scope's changes from going out, or that they are about to."""
		row = self.row(scope)
		if row.get("dead_since"):
			text = _("Publishing has failed permanently: {0} An admin can retry it on the dashboard.")
			return "dead", text.format(_sentence(row.last_error)), None
		if row.get("building"):
			return "building", _("Being published now"), None
		if row.get("retry_count"):
			text = _("Publishing failed and is tried again: {0}")
			return "failed", text.format(_sentence(row.last_error)), row.next_retry_at
		if row.get("held") and self.waits(scope):
			return "held", _("Waits for an admin's approval: {0}").format(_sentence(row.held_reason)), None
		return None


class _Content:
	"""Everything that decides how some documents of the curriculum stand, read in a few statements."""

	def __init__(self, doctype: str, names: Collection[str]):
		self._doctype = doctype
		self._lines = _lines(doctype, names)
		subjects = {line[0].name for line in self._lines.values() if line[0].doctype == SUBJECT}
		self._plans_of: dict[str, list[_Plan]] = defaultdict(list)
		for plan in _plans_listing(subjects):
			for subject in plan.subjects:
				self._plans_of[subject].append(plan)
		plans = {plan.name for found in self._plans_of.values() for plan in found}
		nodes = {(node.doctype, node.name) for line in self._lines.values() for node in line}
		self._states = _Scopes([*map(scopes.plan, sorted(plans)), *map(scopes.subject, sorted(subjects))])
		self._modes = _modes(plans, subjects)
		self._hidden = _hidden(plans, nodes)
		self._unfolded = _unfolded(nodes | {(PLAN, plan) for plan in plans})
		self._known: dict[tuple[str, str], _Facts] = {}
		self._below = self._shown_by()
		self._files = ledger.of_paths(
			{
				path
				for line in self._lines.values()
				for plan in self._plans_of.get(line[0].name, ())
				for shown in (line, *self._below.get(line[-1].name, ()))
				if (path := self._path(shown, plan.name))
			}
		)

	def _shown_by(self) -> dict[str, list[list[_Node]]]:
		"""What hangs in each track or topic that is left out somewhere, and has a file of its own: the file that the
		track or topic stands in is there without it, too, so these tell whether it is still shown."""
		if self._doctype not in _WITHOUT_FILE:
			return {}
		hidden = {(doctype, name) for _plan, doctype, name in self._hidden}
		names = {
			name
			for name, line in self._lines.items()
			if _left_out(line) or any((node.doctype, node.name) in hidden for node in line)
		}
		if not names:
			return {}
		child = CONTENT[CONTENT.index(self._doctype) + 1]
		below: dict[str, list[list[_Node]]] = {name: [] for name in names}
		for parent, *columns in frappe.db.sql(
			f"""select {PARENT_FIELDS[child]}, name, title, is_published, modified from `tab{child}`
			where {PARENT_FIELDS[child]} in %s""",
			(tuple(names),),
		):
			if parent in below:
				below[parent].append([*self._lines[parent], _Node(child, *columns)])
		return below

	def _is_shown(self, line: list[_Node], plan: str) -> bool:
		"""Whether what is live shows the document, which has a file of its own or stands in its parent's."""
		below = self._below.get(line[-1].name)
		if below is None:
			return True
		return any(_is_live(self._files.get(self._path(shown, plan))) for shown in below)

	def shown_as(self) -> dict[str, str]:
		"""Each document by the node of the files that show it: by its own, or by those of what hangs in it."""
		if self._doctype not in _WITHOUT_FILE:
			return {name: name for name in self._lines}
		return {line[-1].name: name for name, below in self._below.items() for line in below}

	def statuses(self) -> dict[str, PublicationStatus]:
		return {name: self._status(line) for name, line in self._lines.items()}

	def _status(self, nodes: list[_Node]) -> PublicationStatus:
		if nodes[0].doctype != SUBJECT:
			return PublicationStatus(
				"no_plan", _("Not published: it hangs in no subject. Give it a parent that exists.")
			)
		plans = self._plans_of.get(nodes[0].name, [])
		left_out = _left_out(nodes)
		refs = [(node.doctype, node.name) for node in nodes]
		line = _Line(
			nodes,
			refs,
			not self._unfolded.isdisjoint(refs),
			max(node.modified for node in nodes),
			left_out,
			file_of(refs, "", None) if self._doctype not in _IN_PLANS_FOLDER else "",
		)
		found = [self._in_plan(line, plan) for plan in plans]
		if left_out:
			state, text = left_out
			if any(item.state in ("leaving", "failed", "dead", "held", "building") for item in found):
				state = next(worst for worst in _WORST_FIRST if any(item.state == worst for item in found))
				text = f"{text}. " + next(item.text for item in found if item.state == state)
			return PublicationStatus(
				state, text, found, _draft_above(nodes) if left_out[0] == "above" else None
			)
		if not plans:
			return PublicationStatus("no_plan", _("In no plan, so no learner sees it"))
		for worst in _WORST_FIRST:
			those = [item for item in found if item.state == worst]
			if those:
				return PublicationStatus(worst, those[0].text, found)
		if len(found) == 1:
			return PublicationStatus(found[0].state, found[0].text, found)
		if all(item.state == "hidden" for item in found):
			return PublicationStatus("hidden", _("Hidden by each of its plans"), found)
		return PublicationStatus("draft", _("Not published: none of its plans shows it"), found)

	def _in_plan(self, line: _Line, plan: _Plan) -> PlanStatus:
		facts = self._facts(plan, line.nodes[0].name)
		shared_path = "" if facts.has_own_files else line.shared_path
		path = shared_path or self._path(line.nodes, plan.name)
		entry = self._files.get(path)
		live = facts.is_live and _is_live(entry)
		item = PlanStatus(
			plan.name,
			plan.title,
			"live",
			"",
			path,
			entry.live_version if live and entry else 0,
			scope=scopes.plan(plan.name).id,
			line=line.refs,
			required_item=entry.required_item if entry else "",
		)
		hider = next(
			(node for node in line.nodes if (plan.name, node.doctype, node.name) in self._hidden), None
		)
		if line.left_out:
			reason: tuple[State, str] | None = line.left_out
		elif not plan.is_published:
			reason = "draft", _("Not published: the plan “{0}” is a draft").format(plan.title)
		elif not plan.is_in_season:
			reason = (
				"draft",
				_("Not published: the season of the plan “{0}” is not published").format(plan.title),
			)
		elif hider is line.nodes[-1]:
			reason = "hidden", _("Hidden in the plan “{0}”").format(plan.title)
		elif hider:
			reason = (
				"hidden",
				_("Hidden in the plan “{0}”, which hides its {1} “{2}”").format(
					plan.title, _kind(hider.doctype), hider.title
				),
			)
		else:
			reason = None
		waits = (
			line.is_unfolded
			or facts.is_unfolded
			or any(
				last is None or max(plan.modified, line.modified) > last - _MARGIN for last in facts.behind
			)
		)
		trouble = facts.trouble
		if reason:
			item.state, item.text = reason
			own_file = self._doctype not in _WITHOUT_FILE
			if live and (own_file or waits) and self._is_shown(line.nodes, plan.name):
				if trouble:
					item.state, item.text, item.next_try = trouble
				elif waits:
					item.state, item.text = "leaving", _("Still on the CDN; removed with the next run")
				else:
					item.version = 0
			else:
				item.version = 0
			return item
		if waits or not live:
			if trouble:
				item.state, item.text, item.next_try = trouble
			elif live:
				item.state, item.text = "waiting", _("Changed, and waiting for the next run")
			else:
				item.state, item.text = "waiting", _("Not live yet: waiting for the next run")
			return item
		item.text = _("Live")
		item.held_reason = facts.held_reason
		return item

	def _facts(self, plan: _Plan, subject: str) -> _Facts:
		found = self._known.get((plan.name, subject))
		if found is None:
			found = self._known[plan.name, subject] = self._read_facts(plan, subject)
		return found

	def _read_facts(self, plan: _Plan, subject: str) -> _Facts:
		own, states = scopes.plan(plan.name), self._states
		has_own_files = self._modes.get((plan.name, subject)) == "own"
		involved = [own] if has_own_files else [scopes.subject(subject), own]
		behind = [states.row(scope).last_success_at for scope in involved if states.waits(scope)]
		troubles = [found for scope in involved if (found := states.trouble(scope))]
		held = states.row(scopes.subject(subject)), states.row(own)
		return _Facts(
			has_own_files,
			is_live=bool(states.row(own).get("is_live")),
			is_unfolded=(PLAN, plan.name) in self._unfolded,
			behind=[get_datetime(last) if last else None for last in behind],
			trouble=min(troubles, key=lambda found: _WORST_FIRST.index(found[0]), default=None),
			held_reason=next((row.held_reason for row in held if row.get("held") and row.held_reason), ""),
		)

	def _path(self, line: list[_Node], plan: str) -> str:
		"""The file that shows the document in a plan: its own, or its parent's."""
		if line[0].doctype != SUBJECT:
			return ""
		own = plan if self._modes.get((plan, line[0].name)) == "own" else None
		return file_of([(node.doctype, node.name) for node in line], plan, own)


def file_of(line: Sequence[tuple[str, str]], plan: str, own: str | None) -> str:
	"""The path of the file that shows the last document of a line: a topic stands in its unit's, a track in its
	subject's. `own` is the plan where it has its own rendition of the subject."""
	names = dict(line)
	if LESSON in names:
		return paths.lesson(names[LESSON], own)
	if "Memora Unit" in names:
		return paths.unit(names["Memora Unit"], own)
	return paths.plan_subject(plan, names[SUBJECT])


def line_of(doctype: str, name: str) -> list[tuple[str, str]]:
	"""A document with what it hangs in, from as far up as the parents exist."""
	line = _lines(doctype, [name]).get(name, [])
	return [(node.doctype, node.name) for node in line]


def _plans(names: Collection[str]) -> dict[str, PublicationStatus]:
	rows = frappe.db.sql(
		f"""select plan.name, plan.title, plan.is_published, {SEASON_IS_PUBLISHED} from `tab{PLAN}` plan
		where plan.name in %s""",
		(tuple(names),),
	)
	states = _Scopes([scopes.plan(name) for name, *_rest in rows])
	files = ledger.of_paths(paths.manifest(name) for name, *_rest in rows)
	unfolded = _plans_changed()
	found = {}
	for name, title, is_ticked, is_in_season in rows:
		is_published = is_ticked and is_in_season
		scope = scopes.plan(name)
		entry = files.get(paths.manifest(name))
		is_live = bool(states.row(scope).get("is_live")) and _is_live(entry)
		item = PlanStatus(
			name,
			title,
			"live",
			_("Live"),
			paths.manifest(name),
			entry.live_version if is_live and entry else 0,
			scope=scope.id,
		)
		waits = states.waits(scope) or name in unfolded
		trouble = states.trouble(scope)
		row = states.row(scope)
		item.held_reason = row.held_reason or "" if row.get("held") else ""
		if (waits or (is_published and not is_live)) and trouble:
			item.state, item.text, item.next_try = trouble
		elif is_published and not is_live:
			item.state, item.text = "waiting", _("Not live yet: waiting for the next run")
		elif is_published and waits:
			item.state, item.text = "waiting", _("Changed, and waiting for the next run")
		elif not is_published and is_live:
			item.state, item.text = "leaving", _("Still on the CDN; removed with the next run")
		elif not is_published:
			item.state = "draft"
			item.text = (
				_("Not published: its season is not published")
				if is_ticked
				else _("Not published: it is a draft")
			)
		found[name] = PublicationStatus(item.state, item.text, [item])
	return found


def _left_out(line: list[_Node]) -> tuple[State, str] | None:
	"""Why nobody may see a document, whatever the plan."""
	if not line[-1].is_published:
		return "draft", _("Not published: it is a draft")
	if node := _draft_above(line):
		return "above", _("Not published: its {0} “{1}” is a draft").format(_kind(node.doctype), node.title)
	return None


def _draft_above(line: list[_Node]) -> _Node | None:
	"""The nearest thing above a document that is not published."""
	return next((node for node in reversed(line[:-1]) if not node.is_published), None)


def _is_live(entry: LedgerEntry | None) -> bool:
	return entry is not None and entry.live_version > 0 and entry.state in ("live", "in_flight", "removing")


def _lines(doctype: str, names: Collection[str]) -> dict[str, list[_Node]]:
	"""Each document with what it hangs in, from the top down. One statement."""
	columns, joins, levels, below = [], [f"`tab{doctype}` n0"], [doctype], doctype
	while parent := PARENT_FIELDS[below]:
		below = CONTENT[CONTENT.index(below) - 1]
		depth = len(levels)
		joins.append(f"left join `tab{below}` n{depth} on n{depth}.name = n{depth - 1}.{parent}")
		levels.append(below)
	for depth in range(len(levels)):
		columns += [f"n{depth}.{column}" for column in ("name", "title", "is_published", "modified")]
	lines = {}
	for row in frappe.db.sql(
		f"select {', '.join(columns)} from {' '.join(joins)} where n0.name in %s", (tuple(names),)
	):
		nodes = [
			_Node(level, *row[4 * depth : 4 * depth + 2], bool(row[4 * depth + 2]), row[4 * depth + 3])
			for depth, level in enumerate(levels)
			if row[4 * depth]
		]
		lines[row[0]] = nodes[::-1]
	return lines


def _plans_listing(subjects: Collection[str]) -> list[_Plan]:
	if not subjects:
		return []
	found: dict[str, _Plan] = {}
	for subject, name, title, is_published, is_in_season, modified in frappe.db.sql(
		f"""select {LISTED_SUBJECT}, plan.name, plan.title, plan.is_published, {SEASON_IS_PUBLISHED}, plan.modified
		from `tabMemora Plan Subject` listed join `tab{PLAN}` plan on plan.name = listed.parent
		where listed.parenttype = %s and listed.subject in %s order by plan.title""",
		(PLAN, tuple(subjects)),
	):
		plan = _Plan(name, title, bool(is_published), bool(is_in_season), modified)
		found.setdefault(name, plan).subjects.add(subject)
	return list(found.values())


def _modes(plans: Collection[str], subjects: Collection[str]) -> dict[tuple[str, str], str]:
	"""Whether each plan's live manifest reads a subject's shared files or its own."""
	if not plans:
		return {}
	return {
		(plan, subject): mode
		for plan, subject, mode in frappe.db.sql(
			"select plan, subject, mode from `tabCDN Rendition` where plan in %s and subject in %s",
			(tuple(plans), tuple(subjects)),
		)
	}


def _hidden(plans: Collection[str], nodes: Collection[Ref]) -> set[tuple[str, str, str]]:
	"""What each of the plans hides: plan, DocType and name. Only of these nodes, and of their namesakes."""
	if not plans:
		return set()
	return set(
		frappe.db.sql(
			f"""select changed.parent, changed.target_doctype, {TARGET_NAME} from `tabMemora Plan Override` changed
			where changed.parenttype = %s and changed.action = 'Hide' and changed.parent in %s
				and changed.target_name in %s""",
			(PLAN, tuple(plans), tuple({name for _, name in nodes})),
		)
	)


def _unfolded(refs: Collection[Ref]) -> set[Ref]:
	"""Those of the documents, and of their namesakes, whose change the relay has not seen yet."""
	if not refs:
		return set()
	return set(
		frappe.db.sql(
			"select distinct ref_doctype, ref_name from `tabCDN Change` where ref_name in %s",
			(tuple({name for _, name in refs}),),
		)
	)


def _plans_changed() -> set[str]:
	"""The plans that changes touch which the relay has not seen yet; of very many changes, the oldest count."""
	rows = frappe.db.sql(f"select ref_doctype, ref_name from `tabCDN Change` limit {_MOST_CHANGES}")
	if not rows:
		return set()
	affected = dependency_resolver.affected_by(rows)
	return affected.plans.union(*dependency_resolver.plans_of(affected.subjects).values())


def _kind(doctype: str) -> str:
	"""A DocType as a sentence calls it."""
	return {
		SUBJECT: _("Subject"),
		"Memora Track": _("Track"),
		"Memora Unit": _("Unit"),
		"Memora Topic": _("Topic"),
		LESSON: _("Lesson"),
	}[doctype]


def _sentence(text: str | None) -> str:
	"""A cause as part of a text in another language: isolated, so that each keeps its direction."""
	text = (text or "").strip() or _("no cause was noted")
	return f"\u2068{text if text.endswith(('.', '!', '?')) else f'{text}.'}\u2069"


def as_dict(standing: PublicationStatus) -> dict[str, Any]:
	"""A standing as the Desk reads it, with where to look and when something happens next.

	Where its plans are many, the worst of them are told, and one that is live: a lesson can be in a thousand.
	"""
	told = standing.plans
	if len(told) > _MOST_PLANS:
		worst = sorted(told, key=lambda item: (_place(item.state), item.title, item.plan))
		live = next((item for item in worst if item.is_live and item.path), worst[0])
		told = worst[:_MOST_PLANS] if live in worst[:_MOST_PLANS] else [*worst[: _MOST_PLANS - 1], live]
	options = settings.load()
	base = options.base_url
	waits = standing.state in ("waiting", "leaving")
	above = standing.draft_above
	return {
		"state": standing.state,
		"label": short(standing.state),
		"color": COLORS[standing.state],
		"text": standing.text,
		"draft_above": {"doctype": above.doctype, "name": above.name, "title": above.title}
		if above
		else None,
		"since": standing.since,
		"next_run": schedule.next_run(options) if waits and not schedule.obstacle(options) else None,
		"next_try": standing.next_try,
		"obstacle": schedule.obstacle(options) if waits else "",
		"now": now_datetime(),
		"plan_count": len(standing.plans),
		"held": list(dict.fromkeys(item.held_reason for item in standing.plans if item.held_reason))[
			:_MOST_REASONS
		],
		"plans": [
			{
				"plan": item.plan,
				"title": item.title,
				"state": item.state,
				"label": short(item.state),
				"color": COLORS[item.state],
				"text": item.text,
				"since": moment(item.version),
				"url": f"{base}/{item.path}" if base and item.is_live and item.path else "",
				"reader": reader_links.address(base, item.plan, item.line, item.required_item)
				if base and item.is_live
				else "",
				"held": item.held_reason,
			}
			for item in told
		],
	}
