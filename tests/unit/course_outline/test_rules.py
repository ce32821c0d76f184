"""What the course page decides from plain data: access of drafts too, and what a change would make live or free."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memora.services.cdn_export.model.doctypes import LESSON, OF_KIND, Ref
from memora.services.cdn_export.model.tree import KINDS, Node, Override, walk
from memora.services.course_outline.rules import access, consequences, tree_changes
from memora.services.course_outline.rules.consequences import Consequences, World

SUBJECT, TRACK, UNIT, TOPIC = (OF_KIND[kind] for kind in KINDS[:-1])


def node(kind: str, name: str, *children: Node, **values: object) -> Node:
	return Node(kind, name, name.upper(), **{"is_published": True, **values}, children=children)


def course(**lesson: object) -> Node:
	"""Subject s, track t, unit u and topic o, with the lessons a and b in it."""
	lessons = (node("lesson", "a", **lesson), node("lesson", "b"))
	return node("subject", "s", node("track", "t", node("unit", "u", node("topic", "o", *lessons))))


def world(tree: Node, *overrides: Override) -> World:
	return World({tree.name: tree}, [(frozenset({tree.name}), overrides)])


@st.composite
def trees(draw: st.DrawFn) -> Node:
	dice = random.Random(draw(st.integers(0, 10**6)))
	names = (f"n{number}" for number in range(1_000))

	def grown(depth: int, names: Iterator[str]) -> Node:
		kind = KINDS[depth]
		children = [grown(depth + 1, names) for _ in range(dice.randint(0, 3))] if depth < 4 else []
		return Node(
			kind,
			next(names),
			"T",
			is_published=dice.random() < 0.7,
			is_free_preview=dice.random() < 0.15,
			is_public=kind == "subject" and dice.random() < 0.3,
			is_sold_separately=kind == "track" and dice.random() < 0.3,
			required_item="I" if kind in KINDS[:2] and dice.random() < 0.4 else "",
			children=tuple(children),
		)

	return grown(0, names)


@given(trees())
def test_an_outline_shows_every_node_and_of_what_is_live_the_level_that_learners_get(tree: Node) -> None:
	seen = access.seen(tree)
	assert list(seen) == [access.ref_of(each) for each in walk(tree)]
	resolved = access.resolved(tree)
	for each in walk(resolved) if resolved else ():
		assert seen[access.ref_of(each)].level == each.access.level


@given(trees())
def test_something_sold_without_an_item_is_paid_and_names_none(tree: Node) -> None:
	sold = access.edited(
		tree,
		lambda each: each._replace(
			required_item="", is_free_preview=False, is_sold_separately=each.kind == "track"
		),
	)
	for ref, found in access.seen(sold).items():
		assert found.required_item == ""
		assert (found.level == "paid") == (ref[0] != SUBJECT)


def test_what_a_plan_hides_is_shown_as_hidden_itself_or_from_above() -> None:
	overrides = [Override("unit", "u", "Hide"), Override("topic", "o", "Rename", "Other")]
	seen = access.seen(course(), overrides)
	assert [found.hidden for found in seen.values()] == ["", "", "self", "above", "above", "above"]
	assert seen[TOPIC, "o"].title == "Other"


@given(trees(), st.randoms())
def test_a_moved_node_is_there_once_with_all_below_it(tree: Node, dice: random.Random) -> None:
	above = access.parents(tree)
	refs = sorted(above)
	if not refs:
		return
	ref = dice.choice(refs)
	homes = [access.ref_of(each) for each in walk(tree) if each.kind == above[ref].kind]
	home = dice.choice(homes)
	(after,) = (tree_changes.moved({tree.name: tree}, ref, home) or {}).values()
	assert sorted(map(access.ref_of, walk(after))) == sorted(map(access.ref_of, walk(tree)))
	assert access.ref_of(access.parents(after)[ref]) == home


def test_publishing_a_parent_makes_live_what_is_published_below_it() -> None:
	draft = tree_changes.with_values(course(), [(UNIT, "u")], is_published=False)
	found = consequences.between(world(draft), world(course()), [(UNIT, "u")])
	assert (list(found.live.items()), found.free) == ([((LESSON, "a"), "A"), ((LESSON, "b"), "B")], {})


def test_a_node_without_anything_below_it_is_named_itself_unless_it_is_in_hand() -> None:
	empty = node("subject", "s", node("track", "t"))
	draft = tree_changes.with_values(empty, [(SUBJECT, "s"), (TRACK, "t")], is_published=False)
	assert list(consequences.between(world(draft), world(empty)).live) == [(TRACK, "t")]
	assert not consequences.between(world(draft), world(empty), [(TRACK, "t")])


@pytest.mark.parametrize(
	("before", "after", "free"),
	[("I", "", ["a", "b"]), ("", "I", []), ("", "", []), ("I", "I", [])],
)
def test_what_was_paid_and_no_longer_is_is_free_in_hand_or_not(
	before: str, after: str, free: list[str]
) -> None:
	def priced(item: str) -> World:
		return world(course()._replace(required_item=item))

	found = consequences.between(priced(before), priced(after), [(LESSON, "a")])
	assert ([name for _doctype, name in found.free], found.live) == (free, {})


def test_what_every_learner_pays_for_is_freed_where_some_plan_shows_it_for_nothing() -> None:
	a, b = (LESSON, "a"), (LESSON, "b")
	paid = course()._replace(required_item="I")
	opened = Override("lesson", "b", "Set Free")
	assert not consequences.is_freed(world(paid), a, b)
	assert consequences.is_freed(world(paid, opened), a, b)
	assert not consequences.is_freed(world(paid, opened), b, a)
	assert not consequences.is_freed(world(paid, opened, Override("lesson", "a", "Set Free")), a, b)
	# A draft is read by nobody yet, and a lesson that is hidden shows nothing.
	assert not consequences.is_freed(world(paid, opened, Override("lesson", "a", "Hide")), a, b)
	assert not consequences.is_freed(world(paid, Override("lesson", "b", "Hide")), a, b)
	two = World({"s": paid}, [(frozenset({"s"}), ()), (frozenset({"s"}), (opened,))])
	assert consequences.is_freed(two, a, b)


def test_each_group_of_plans_is_looked_at_by_its_own_overrides() -> None:
	draft = tree_changes.with_values(course(), [(UNIT, "u")], is_published=False)
	hiding = (Override("topic", "o", "Hide"),)
	for plans, live in (((hiding,), []), ((hiding, ()), ["a", "b"])):
		groups = [(frozenset({"s"}), overrides) for overrides in plans]
		found = consequences.between(
			World({"s": draft}, groups), World({"s": course()}, groups), [(UNIT, "u")]
		)
		assert [name for doctype, name in found.live if doctype == LESSON] == live
	unlisted = [(frozenset(), ())]
	assert not consequences.between(World({"s": draft}, unlisted), World({"s": course()}, unlisted))


@given(st.sets(st.text(max_size=5), max_size=40), st.randoms())
def test_less_than_was_agreed_to_is_agreed_to_and_more_is_not(things: set[str], dice: random.Random) -> None:
	listed = sorted(things)
	agreed = consequences.agreement(listed)
	assert consequences.is_covered(dice.sample(listed, dice.randint(0, len(listed))), agreed)
	assert not consequences.is_covered([*listed, "something else"], agreed)


def test_an_agreement_to_very_much_is_short_and_for_just_that() -> None:
	things = [f"live {number}" for number in range(5_000)]
	agreed = consequences.agreement(things)
	assert len(agreed) < 10_000
	assert consequences.is_covered(reversed(things), agreed)
	assert not consequences.is_covered(things[1:], agreed)
	assert len(consequences.agreement(things[:1_500])) < 10_000


def test_consequences_are_told_apart_by_what_they_are() -> None:
	ref: Ref = (LESSON, "a")
	assert Consequences({ref: "A"}, {}).things() != Consequences({}, {ref: "A"}).things()
