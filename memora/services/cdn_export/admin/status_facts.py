"""What a publication status depends on, read in a few statements for any number of documents of one DocType."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import frappe
from frappe.utils import get_datetime

from memora.services.cdn_export import dependency_resolver
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.doctypes import (
	CONTENT,
	LISTED_SUBJECT,
	PARENT_FIELDS,
	PLAN,
	SEASON_IS_PUBLISHED,
	SEASON_TITLE,
	SUBJECT,
	TARGET_NAME,
	Ref,
	line_of,
)
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.rules.publication_status import (
	DocumentFacts,
	Hider,
	ScopeFacts,
	Verdict,
	file_of,
	is_too_late,
	trouble,
)
from memora.services.cdn_export.state import ledger, publish_state

_WITHOUT_FILE = ("Memora Track", "Memora Topic")
_IN_PLANS_FOLDER = (SUBJECT, "Memora Track")
"""The file that shows these is each plan's own, whoever reads the subject."""

_MOST_CHANGES = 500


@dataclass(slots=True)
class Node:
	doctype: str
	name: str
	title: str
	is_published: bool
	modified: datetime

	@property
	def ref(self) -> Ref:
		return self.doctype, self.name


class Line:
	"""A document after its parents, from the top down, and what is the same of it in each plan."""

	def __init__(self, nodes: list[Node]) -> None:
		self.nodes = nodes
		self.name = nodes[-1].name
		self.subject = nodes[0].name if nodes[0].doctype == SUBJECT else ""
		self.refs = [node.ref for node in nodes]
		self.modified = max(node.modified for node in nodes)

	@cached_property
	def draft_above(self) -> Node | None:
		"""The nearest thing above the document that is not published."""
		return next((node for node in reversed(self.nodes[:-1]) if not node.is_published), None)

	@cached_property
	def left_out(self) -> Verdict | None:
		"""Why the document is not for learners, whatever the plan."""
		if not self.nodes[-1].is_published:
			return Verdict("draft", "draft")
		if node := self.draft_above:
			return Verdict("above", "draft_above", (node.doctype, node.title))
		return None

	@cached_property
	def shared_path(self) -> str:
		"""The file that shows the document to all who read the shared files."""
		return file_of(self.refs, "", None)


@dataclass(slots=True)
class ListingPlan:
	"""A plan with those of some subjects that it lists."""

	name: str
	title: str
	is_published: bool
	is_in_season: bool
	modified: datetime
	season: str = ""
	season_title: str = ""
	subjects: set[str] = field(default_factory=set)


class ScopeRows:
	"""The state rows of some scopes, with what `State` leaves out."""

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

	def _row(self, scope: scopes.Scope) -> frappe._dict:
		return self._rows.get(scope.id) or frappe._dict()

	def is_live(self, scope: scopes.Scope) -> bool:
		return bool(self._row(scope).get("is_live"))

	def waits(self, scope: scopes.Scope) -> bool:
		row = self._row(scope)
		return bool(row) and row.published_generation < row.generation

	def last_success(self, scope: scopes.Scope) -> datetime | None:
		last = self._row(scope).last_success_at
		return get_datetime(last) if last else None

	def held_reason(self, involved: Iterable[scopes.Scope]) -> str:
		"""What the first of these scopes that holds something holds."""
		rows = map(self._row, involved)
		return next((row.held_reason for row in rows if row.get("held") and row.held_reason), "")

	def facts(self, scope: scopes.Scope) -> ScopeFacts:
		row = self._row(scope)
		return ScopeFacts(
			is_dead=bool(row.get("dead_since")),
			is_building=bool(row.get("building")),
			has_failed=bool(row.get("retry_count")),
			is_held=bool(row.get("held")),
			waits=self.waits(scope),
			last_error=row.last_error or "",
			held_reason=row.held_reason or "",
			next_retry_at=row.next_retry_at,
		)


class Content:
	"""Everything that decides the status of some documents of the curriculum, read in a few statements."""

	def __init__(self, doctype: str, names: Collection[str]):
		self._doctype = doctype
		self.lines = {name: Line(nodes) for name, nodes in lines(doctype, names).items()}
		subjects = {line.subject for line in self.lines.values() if line.subject}
		self._plans_of: dict[str, list[ListingPlan]] = defaultdict(list)
		for plan in plans_listing(subjects):
			for subject in plan.subjects:
				self._plans_of[subject].append(plan)
		plans = {plan.name for found in self._plans_of.values() for plan in found}
		nodes = {node.ref for line in self.lines.values() for node in line.nodes}
		self._states = ScopeRows([*map(scopes.plan, sorted(plans)), *map(scopes.subject, sorted(subjects))])
		self._modes = modes(plans, subjects)
		self._hidden = hidden(plans, nodes)
		self._unfolded = unfolded(nodes | {(PLAN, plan) for plan in plans})
		self._known: dict[tuple[str, str], _SubjectFacts] = {}
		self._below = self._shown_by()
		self._files = ledger.of_paths(
			{
				path
				for line in self.lines.values()
				for plan in self.plans(line)
				for shown in (line, *self._below.get(line.name, ()))
				if (path := self.path(shown, plan.name))
			}
		)

	def _shown_by(self) -> dict[str, list[Line]]:
		"""The children with a file of their own of each track or topic that is left out somewhere. The file that shows the
		track or topic exists without it, too, so its children tell whether it is still shown."""
		if self._doctype not in _WITHOUT_FILE:
			return {}
		hidden = {(doctype, name) for _plan, doctype, name in self._hidden}
		names = {
			name
			for name, line in self.lines.items()
			if line.left_out or any(node.ref in hidden for node in line.nodes)
		}
		if not names:
			return {}
		below: dict[str, list[Line]] = {name: [] for name in names}
		for parent, child in children(self._doctype, names):
			if parent in below:
				below[parent].append(Line([*self.lines[parent].nodes, child]))
		return below

	def _is_shown(self, line: Line, plan: str) -> bool:
		"""Whether what is live shows the document, which has a file of its own or is in its parent's."""
		below = self._below.get(line.name)
		if below is None:
			return True
		return any(is_live(self._files.get(self.path(shown, plan))) for shown in below)

	def shown_as(self) -> dict[str, str]:
		"""Each document by the node of the files that show it: by its own, or by those of its children."""
		if self._doctype not in _WITHOUT_FILE:
			return {name: name for name in self.lines}
		return {line.name: name for name, below in self._below.items() for line in below}

	def plans(self, line: Line) -> list[ListingPlan]:
		"""The plans that list the document's subject, by title."""
		return self._plans_of.get(line.subject, [])

	def path(self, line: Line, plan: str) -> str:
		"""The file that shows the document in a plan: its own, or its parent's."""
		if not line.subject:
			return ""
		own = plan if self._modes.get((plan, line.subject)) == "own" else None
		if own is None and self._doctype not in _IN_PLANS_FOLDER:
			return line.shared_path
		return file_of(line.refs, plan, own)

	def file(self, line: Line, plan: str) -> LedgerEntry | None:
		"""What the ledger says of the file that shows the document in a plan."""
		return self._files.get(self.path(line, plan))

	def is_live(self, line: Line, plan: str) -> bool:
		"""Whether that file is live, and so is the plan."""
		return self._of_subject(plan, line.subject).is_live and is_live(self.file(line, plan))

	def held_reason(self, line: Line, plan: str) -> str:
		"""What waits for an admin's approval in the plan or in the document's subject."""
		return self._of_subject(plan, line.subject).held_reason

	def hidden(self, line: Line, plan: str) -> list[Node]:
		"""What a plan hides of the document and of what is above it, from the top down."""
		return [node for node in line.nodes if (plan, *node.ref) in self._hidden]

	def trouble(self, line: Line, plan: str) -> Verdict | None:
		"""What keeps changes from going out, of the plan or of the document's subject."""
		return self._of_subject(plan, line.subject).trouble

	def in_plan(self, line: Line, plan: ListingPlan) -> DocumentFacts:
		"""What decides about a document in one plan."""
		same = self._of_subject(plan.name, line.subject)
		hider = next(iter(self.hidden(line, plan.name)), None)
		changed = max(plan.modified, line.modified)
		return DocumentFacts(
			plan=plan.title,
			left_out=line.left_out,
			is_plan_published=plan.is_published,
			is_in_season=plan.is_in_season,
			hider=Hider(hider.doctype, hider.title, hider is line.nodes[-1]) if hider else None,
			is_live=self.is_live(line, plan.name),
			is_shown=self._is_shown(line, plan.name),
			has_file=self._doctype not in _WITHOUT_FILE,
			waits=same.is_unfolded
			or not self._unfolded.isdisjoint(line.refs)
			or any(is_too_late(changed, last) for last in same.behind),
			trouble=same.trouble,
		)

	def _of_subject(self, plan: str, subject: str) -> _SubjectFacts:
		found = self._known.get((plan, subject))
		if found is None:
			found = self._known[plan, subject] = self._read(plan, subject)
		return found

	def _read(self, plan: str, subject: str) -> _SubjectFacts:
		own, shared, states = scopes.plan(plan), scopes.subject(subject), self._states
		involved = [own] if self._modes.get((plan, subject)) == "own" else [shared, own]
		return _SubjectFacts(
			is_live=states.is_live(own),
			is_unfolded=(PLAN, plan) in self._unfolded,
			behind=[states.last_success(scope) for scope in involved if states.waits(scope)],
			trouble=trouble(map(states.facts, involved)),
			held_reason=states.held_reason((shared, own)),
		)


@dataclass(slots=True)
class _SubjectFacts:
	"""What is the same in a plan for all documents of a subject. `behind` says of each scope that waits when it was last
	published."""

	is_live: bool
	is_unfolded: bool
	behind: list[datetime | None]
	trouble: Verdict | None
	held_reason: str


def is_live(entry: LedgerEntry | None) -> bool:
	"""Whether learners can read the file."""
	return entry is not None and entry.live_version > 0 and entry.state in ("live", "in_flight", "removing")


def lines(doctype: str, names: Collection[str]) -> dict[str, list[Node]]:
	"""Each document after its parents, from the top down. One statement."""
	line, levels = line_of(doctype)
	columns = [
		f"{alias}.{column}" for alias in levels for column in ("name", "title", "is_published", "modified")
	]
	found = {}
	for row in frappe.db.sql(f"select {', '.join(columns)} from {line} where n0.name in %s", (tuple(names),)):
		nodes = [
			Node(level, row[4 * depth], row[4 * depth + 1], bool(row[4 * depth + 2]), row[4 * depth + 3])
			for depth, level in enumerate(levels.values())
			if row[4 * depth]
		]
		found[row[0]] = nodes[::-1]
	return found


def children(doctype: str, parents: Collection[str]) -> list[tuple[str, Node]]:
	"""The children of these documents, each after its parent's name."""
	child = CONTENT[CONTENT.index(doctype) + 1]
	return [
		(parent, Node(child, *columns))
		for parent, *columns in frappe.db.sql(
			f"""select {PARENT_FIELDS[child]}, name, title, is_published, modified from `tab{child}`
			where {PARENT_FIELDS[child]} in %s""",
			(tuple(parents),),
		)
	]


def plans_listing(subjects: Collection[str]) -> list[ListingPlan]:
	if not subjects:
		return []
	found: dict[str, ListingPlan] = {}
	for subject, name, title, is_published, is_in_season, *rest in frappe.db.sql(
		f"""select {LISTED_SUBJECT}, plan.name, plan.title, plan.is_published, {SEASON_IS_PUBLISHED}, plan.modified,
			coalesce(plan.season, ''), {SEASON_TITLE}
		from `tabMemora Plan Subject` listed join `tab{PLAN}` plan on plan.name = listed.parent
		where listed.parenttype = %s and listed.subject in %s order by plan.title""",
		(PLAN, tuple(subjects)),
	):
		plan = ListingPlan(name, title, bool(is_published), bool(is_in_season), *rest)
		found.setdefault(name, plan).subjects.add(subject)
	return list(found.values())


def modes(plans: Collection[str], subjects: Collection[str]) -> dict[tuple[str, str], str]:
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


def hidden(plans: Collection[str], nodes: Collection[Ref]) -> set[tuple[str, str, str]]:
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


def unfolded(refs: Collection[Ref]) -> set[Ref]:
	"""Those of the documents, and of their namesakes, whose change the relay has not read yet."""
	if not refs:
		return set()
	return set(
		frappe.db.sql(
			"select distinct ref_doctype, ref_name from `tabCDN Change` where ref_name in %s",
			(tuple({name for _, name in refs}),),
		)
	)


def plans_changed() -> set[str]:
	"""The plans touched by changes that the relay has not read yet; of very many changes, the oldest count."""
	rows = frappe.db.sql(f"select ref_doctype, ref_name from `tabCDN Change` limit {_MOST_CHANGES}")
	if not rows:
		return set()
	affected = dependency_resolver.affected_by(rows)
	return affected.plans.union(*dependency_resolver.plans_of(affected.subjects).values())
