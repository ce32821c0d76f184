"""Curricula to test with, and a shelf: published files in memory, built from the pure half alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import strategies as st

from memora.services.cdn_export.access_calculator import resolve
from memora.services.cdn_export.json_generator import plan_index_document, plan_index_entry
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.document_bytes import body
from memora.services.cdn_export.model.published_file import LedgerEntry, Planned
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.model.tree import KINDS, Node, Override, Plan, ResolvedNode, Stage, walk
from memora.services.cdn_export.rules import contracts, subject_files
from memora.services.cdn_export.rules.plan_files import PlanFiles, PlanScope, RenderedSubject
from memora.services.cdn_export.rules.plan_snapshot import Snapshot
from memora.services.cdn_export.rules.subject_files import Bodies, Contents

Document = dict[str, Any]

ARABIC = "الدرس الأول: مقدمة في الجبر"
EMOJI = "Fractions 🍕➗👩‍🏫"
QUOTES = '"Who\'s there?" \\ <b>&amp;</b>'
LONG = "ش" * 140
TITLES = ("Algebra", ARABIC, EMOJI, QUOTES, LONG, "x" * 140)
NAMES = ("a1b2c3", "two words", "up/../down", "درس", "🍕", "~tilde", 'quo"te', "x" * 65, "%2F?v=1#")

NOW = 1_769_300_000
PLAN = Plan("plan-1", "Grade 7", season="2026", grade="Seven", stream="Science")


# curricula by hand


def node(kind: str, name: str, *children: Node, **fields: Any) -> Node:
	"""A published node, titled after its name, whose children stand in the order given."""
	fields = {"title": f"The {name}", "is_published": True, **fields}
	return Node(kind=kind, name=name, children=children, **fields)


def subject(name: str, *children: Node, **fields: Any) -> Node:
	return node("subject", name, *children, **fields)


def track(name: str, *children: Node, **fields: Any) -> Node:
	return node("track", name, *children, **fields)


def unit(name: str, *children: Node, **fields: Any) -> Node:
	return node("unit", name, *children, **fields)


def topic(name: str, *children: Node, **fields: Any) -> Node:
	return node("topic", name, *children, **fields)


def lesson(name: str, **fields: Any) -> Node:
	return node("lesson", name, **fields)


STRAIGHT = dict(zip(KINDS, "STUPL", strict=True))


def straight(**fields_by_kind: dict[str, Any]) -> Node:
	"""A subject with one of each below it, named S, T, U, P and L; fields are given by kind."""
	below: tuple[Node, ...] = ()
	for kind, name in reversed(STRAIGHT.items()):
		below = (node(kind, name, *below, **fields_by_kind.get(kind, {})),)
	return below[0]


def wide(lessons: int, **fields: Any) -> Node:
	"""A subject with so many lessons, all in one topic."""
	return subject(
		"S", track("T", unit("U", topic("P", *(lesson(f"L{number}") for number in range(lessons))))), **fields
	)


def in_order(siblings: Iterable[Node]) -> tuple[Node, ...]:
	"""By sort_order, then as they come, which is the order that a tree is loaded in."""
	return tuple(sorted(siblings, key=lambda node: node.sort_order))


def by_name(root: ResolvedNode | None) -> dict[str, ResolvedNode]:
	"""What is left of a tree, each node by its name."""
	return {node.name: node for node in walk(root)} if root else {}


def overridden(root: Node, overrides: Collection[Override]) -> bool:
	"""Whether a plan with these overrides needs its own rendition (spec, "Shared or own, never a mix").

	It does when one has its target at the subject or below, whether it makes a difference today or not.
	"""
	targets = {(override.kind, override.name) for override in overrides}
	return any((node.kind, node.name) in targets for node in walk(root))


# random curricula

rarely = st.integers(0, 11).map(lambda drawn: drawn == 11)


@st.composite
def curricula(draw: st.DrawFn, prefix: str = "", sound: bool = True, widest: int = 3) -> Node:
	"""A subject with anything below it. No two names or titles are alike, nor is one part of another.

	A `sound` one has an item wherever something is paid; otherwise items may be missing.
	"""
	numbers = count()

	def one(kind: str, depth: int) -> Node:
		number = next(numbers)
		fields: dict[str, Any] = {
			"name": f"<{prefix}{number}>{draw(st.sampled_from(NAMES))}",
			"title": f"[{prefix}{number}]{draw(st.sampled_from(TITLES))}",
			"description": draw(st.sampled_from(("", ARABIC))),
			"sort_order": draw(st.integers(-1, 2)),
			"is_published": not draw(rarely),
			"is_free_preview": draw(rarely),
		}
		if kind in ("subject", "track"):
			fields["required_item"] = draw(st.sampled_from(("", "", "ITEM-1", "صنف ٢")))
		if kind == "subject":
			fields["is_public"] = draw(st.booleans())
			fields["color_code"] = draw(st.sampled_from(("", "#aabbcc")))
		if kind == "track":
			may_be_sold = bool(fields["required_item"]) or not sound
			fields["is_sold_separately"] = may_be_sold and draw(st.booleans())
			fields["parent_item_required"] = draw(st.booleans())
		if kind == "lesson":
			fields["stage_count"] = draw(st.integers(0, 2))
			return Node(kind=kind, **fields)
		siblings = 0 if draw(rarely) else draw(st.integers(1, widest))
		below = [one(KINDS[depth + 1], depth + 1) for _ in range(siblings)]
		return Node(kind=kind, children=in_order(below), **fields)

	return one("subject", 0)


@st.composite
def overrides_of(draw: st.DrawFn, root: Node, most: int = 4, sound: bool = True) -> list[Override]:
	"""Overrides as a saved plan may have them, in `root` or stranded; unless `sound`, contradicting ones too."""
	nodes = [*walk(root), Node("topic", "<elsewhere>", "Elsewhere")]
	made = []
	fewest = draw(st.integers(0, min(most, len(nodes))))
	for target in draw(st.lists(st.sampled_from(nodes), min_size=fewest, max_size=most, unique=sound)):
		action = draw(st.sampled_from(("Hide", "Rename", "Set Free", "Set Sold Separately")))
		value = ""
		if action == "Rename":
			value = f"[renamed {target.name}]{draw(st.sampled_from(TITLES))}"
		elif action == "Set Sold Separately":
			value = draw(st.sampled_from(("ITEM-3",) if sound else ("", "", "ITEM-3")))
		made.append(Override(target.kind, target.name, action, value))
	return made


# a shelf


@dataclass(frozen=True)
class PlanContent:
	"""A plan with its rows: subjects with the plan's own sort_order, and overrides."""

	plan: Plan
	subjects: Sequence[tuple[Node, int]] = ()
	overrides: Sequence[Override] = ()


@dataclass
class Shelf:
	"""Published files in memory: what a build would upload and remove, done at once.

	Every document passes its schema before it is put down, and every link's target is there by then. The
	contract's schemas stand beside them only `with_schemas`.
	"""

	stages: dict[str, tuple[Stage, ...]] = field(default_factory=dict)
	files: dict[str, bytes] = field(default_factory=dict)
	ledger: dict[str, LedgerEntry] = field(default_factory=dict)
	kinds: dict[str, str] = field(default_factory=dict)
	written: list[str] = field(default_factory=list)
	with_schemas: bool = False

	def publish(self, plans: Sequence[PlanContent], now: int, edited: Collection[str] | None = None) -> None:
		"""Build everything; with `edited` given, only lessons named there or of another shape are read."""
		self.written = []
		shared: dict[str, ResolvedNode] = {}
		for plan in plans:
			for root, _ in plan.subjects:
				resolved = resolve(root)
				if resolved and not overridden(root, plan.overrides):
					shared[root.name] = resolved
		diffs = {f"subject:{name}": self._diff(f"subject:{name}", now) for name in shared}
		for name, resolved in shared.items():
			diff = diffs[f"subject:{name}"]
			subject_files.offer(resolved, None, self._bodies(diff, resolved, None, edited), diff)
		versions = {
			name: {path: file.version for path, file in diffs[f"subject:{name}"].planned.items()}
			for name in shared
		}
		for plan in plans:
			diffs[scopes.plan(plan.plan.name).id] = self._files_of(plan, versions, now, edited)
		diffs["index"] = self._diff("index", now)
		if self.with_schemas:
			contracts.offer(diffs["index"])
		entries = [plan_index_entry(plan.plan) for plan in plans]
		diffs["index"].offer(paths.PLAN_INDEX, "plans_index", "", plan_index_document(entries))
		for scope in {entry.scope for entry in self.ledger.values()} - set(diffs):
			diffs[scope] = self._diff(scope, now)
		for scope, diff in diffs.items():
			for planned in diff.changed():
				self._put(scope, planned)
		for scope, diff in diffs.items():
			for entry in diff.dropped():
				if self.ledger[entry.path].scope != scope:  # its node has moved to where it was put just now
					continue
				del self.files[entry.path]
				self.ledger[entry.path] = LedgerEntry(
					entry.path, entry.scope, entry.kind, version=entry.version, state="removed"
				)

	def documents(self) -> dict[str, Document]:
		return {path: json.loads(content) for path, content in self.files.items()}

	def _diff(self, scope: str, now: int) -> Diff:
		return Diff(self._known(scope), now)

	def _known(self, scope: str) -> dict[str, LedgerEntry]:
		"""The scope's own ledger; what another scope has at a path counts as gone, save its version."""
		return {
			path: entry if entry.scope == scope else entry._replace(state="removed")
			for path, entry in self.ledger.items()
		}

	def _put(self, scope: str, planned: Planned) -> None:
		assert planned.document is not None
		contracts.validate(planned.kind, planned.document, planned.path)
		self.files[planned.path] = body(planned.path, planned.document)
		self.kinds[planned.path] = planned.kind
		self.written.append(planned.path)
		self.ledger[planned.path] = LedgerEntry(
			path=planned.path,
			scope=scope,
			kind=planned.kind,
			node=planned.node,
			subject=planned.subject,
			content_hash=planned.content_hash,
			shape_hash=planned.shape_hash,
			version=planned.version,
			live_version=planned.version,
			access_level=planned.access_level,
			required_item=planned.required_item,
			lesson_count=planned.lesson_count,
			required_items=planned.required_items,
		)

	def _bodies(
		self, diff: Diff, resolved: ResolvedNode, plan: str | None, edited: Collection[str] | None
	) -> Bodies:
		lessons = subject_files.drafts(resolved, plan)
		return Bodies(lessons, subject_files.bodies_needed(lessons, diff, edited), self.stages, {})

	def _files_of(
		self,
		content: PlanContent,
		versions: dict[str, dict[str, int]],
		now: int,
		edited: Collection[str] | None,
	) -> Diff:
		"""A plan's files as `rules.plan_files` decides them; `versions` are those of each shared subject's units."""
		changed = {
			root.name: tuple(content.overrides)
			for root, _ in content.subjects
			if overridden(root, content.overrides)
		}
		snapshot = Snapshot(
			plan_state(content.plan.name),
			content.plan,
			{root.name: sort_order for root, sort_order in content.subjects},
			changed,
		)
		shown = PlanScope.of(snapshot)
		for root, _ in content.subjects:
			resolved = resolve(root, content.overrides)
			shown.rendered[root.name] = RenderedSubject(
				root.name, Contents(resolved) if resolved else None, versions.get(root.name, {})
			)
		assert not shown.decide_search()
		files = PlanFiles.of(shown, self._known(snapshot.state.name), set(), now)
		for rendered in shown.rendered.values():
			own = rendered.resolved is not None and rendered.subject in changed
			files.offer_subject(
				rendered,
				self._bodies(files.offered, rendered.resolved, content.plan.name, edited) if own else None,
			)
		files.offer_entry_points()
		return files.offered


def plan_state(name: str, **fields: Any) -> State:
	"""The state of a plan that was never published."""
	values = {"generation": 1, "is_live": False, **fields}
	return State(
		**{
			"name": scopes.plan(name).id,
			"scope_type": "plan",
			"ref": name,
			"published_generation": 0,
			"failed_generation": 0,
			"waiting_since": None,
			"retry_count": 0,
			"next_retry_at": None,
			"dead_since": None,
			"live_version": 0,
			"triggered_by": "",
			"index_entry": "",
			**values,
		}
	)


def links(document: Any) -> Iterator[str]:
	"""Every URL in a document that memora made."""
	if isinstance(document, dict):
		for key, value in document.items():
			if key in ("url", "search_index_url"):
				yield value
			elif key != "config":
				yield from links(value)
	elif isinstance(document, list):
		for value in document:
			yield from links(value)


# libraries: several plans and all they list


@st.composite
def libraries(draw: st.DrawFn) -> list[PlanContent]:
	"""Two subjects, and up to three plans that list one or both, with overrides or without."""
	roots = [draw(curricula("A", widest=2)), draw(curricula("B", widest=2))]
	plans = []
	for name in ("plan-1", "خطة ٢", "plan 3")[draw(st.integers(0, 2)) :]:
		listed = draw(st.sampled_from([roots, roots[::-1], roots[:1], roots[1:], []]))
		rows = [(root, draw(st.integers(-1, 1))) for root in listed]
		overrides = [o for root in listed for o in draw(overrides_of(root, most=2))]
		plans.append(
			PlanContent(Plan(name, draw(st.sampled_from(TITLES)), "2026", "", "علمي"), rows, overrides)
		)
	return plans


def busy() -> list[PlanContent]:
	"""Two subjects and three plans with a bit of everything: all four actions, own beside shared, drafts."""
	numbers = count()

	def lessons(many: int) -> list[Node]:
		return [
			lesson(
				f"<{n}>{NAMES[n % len(NAMES)]}", title=f"[{n}]{TITLES[n % len(TITLES)]}", stage_count=n % 3
			)
			for n in (next(numbers) for _ in range(many))
		]

	maths = subject(
		"<maths>",
		track("<algebra>", unit("<u 1>", topic("<t/1>", *lessons(5)), topic("<t/2>", *lessons(4)))),
		track(
			"<extra>",
			unit("<u 2>", topic("<t/3>", *lessons(3)), is_free_preview=True),
			unit("<u 3>", topic("<t/4>", *lessons(2), is_published=False), topic("<t/5>", *lessons(2))),
			is_sold_separately=True,
			required_item="EXTRA",
			parent_item_required=True,
		),
		required_item="MATHS",
	)
	arts = subject(
		"<الفنون>", track("<a>", unit("<u 4>", topic("<t/6>", *lessons(6)), topic("<t/7>"))), is_public=True
	)
	overrides = [
		Override("topic", "<t/2>", "Hide"),
		Override("unit", "<u 3>", "Set Free"),
		Override("unit", "<u 1>", "Rename", "[New] unit"),
		Override("track", "<algebra>", "Set Sold Separately", "ALGEBRA"),
	]
	return [
		PlanContent(PLAN, [(maths, 2), (arts, 1)], overrides),
		PlanContent(Plan("whole", "Whole", "2026", "Eight", "Arts"), [(maths, 0), (arts, 0)]),
		PlanContent(Plan("خطة ٣", QUOTES, "2026", "Eight", "Arts"), [(arts, 5)]),
	]


def stages_of(plans: list[PlanContent], text: str = "first") -> dict[str, tuple[Stage, ...]]:
	nodes = [node for plan in plans for root, _ in plan.subjects for node in walk(root)]
	return {
		node.name: tuple(
			Stage(f"{number} {text}", "Text", {"body": f"Body of {node.name}"})
			for number in range(node.stage_count)
		)
		for node in nodes
		if node.kind == "lesson"
	}


def published(plans: list[PlanContent], now: int = NOW) -> Shelf:
	shelf = Shelf(stages=stages_of(plans))
	shelf.publish(plans, now)
	return shelf
