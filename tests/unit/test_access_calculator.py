"""Spec, "Access": each rule of the table by example, how rules meet, and all of them against an oracle."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memora.exceptions import AccessError
from memora.services.cdn_export.access_calculator import narrows, required_items, resolve, widens
from memora.services.cdn_export.model.tree import Access, Node, Override, walk
from tests.support import (
	QUOTES,
	STRAIGHT,
	by_name,
	curricula,
	lesson,
	overrides_of,
	straight,
	subject,
	topic,
	track,
	unit,
	wide,
)

FREE = Access("free_preview")
PUBLIC = Access("public")
AUTHENTICATED = Access("authenticated")


def access(root: Node, *overrides: Override) -> dict[str, Access]:
	"""Every node's access by name; what is left out is not there."""
	return {name: node.access for name, node in by_name(resolve(root, overrides)).items()}


def same(names: str, expected: Access) -> dict[str, Access]:
	return dict.fromkeys(names, expected)


# rule 1


@pytest.mark.parametrize(("kind", "name"), STRAIGHT.items())
def test_rule_1_leaves_out_what_is_not_published_and_all_below(kind: str, name: str) -> None:
	"""Earlier defect: unpublished content exported in full."""
	left = access(straight(**{kind: {"is_published": False}}))
	assert set(left) == set("STUPL".partition(name)[0])


@pytest.mark.parametrize(("kind", "name"), STRAIGHT.items())
def test_rule_1_leaves_out_what_the_plan_hides_and_all_below(kind: str, name: str) -> None:
	"""Earlier defect: lessons below a hidden track or topic still uploaded, as `authenticated`."""
	left = access(straight(), Override(kind, name, "Hide"))
	assert set(left) == set("STUPL".partition(name)[0])


def test_rule_1_comes_before_all_others() -> None:
	everything = {"is_public": True, "is_free_preview": True, "required_item": "ITEM"}
	assert access(straight(subject={**everything, "is_published": False})) == {}
	hidden_and_free = [Override("track", "T", "Hide"), Override("track", "T", "Set Free")]
	assert set(access(straight(), *hidden_and_free)) == {"S"}
	assert set(access(straight(), *reversed(hidden_and_free))) == {"S"}


def test_rule_1_drops_a_published_lesson_below_a_draft() -> None:
	root = subject("S", track("T", unit("U", topic("P", lesson("L"), is_published=False), topic("P2"))))
	assert set(access(root)) == {"S", "T", "U", "P2"}


# rule 2


def test_rule_2_set_free_makes_a_paid_node_free_with_all_below() -> None:
	paid = Access("paid", "ITEM", False, False)
	handed_down = Access("paid", "ITEM", False, True)
	assert access(straight(subject={"required_item": "ITEM"}), Override("unit", "U", "Set Free")) == {
		"S": paid,
		"T": handed_down,
		**same("UPL", FREE),
	}


def test_rule_2_comes_before_a_public_subject_and_an_item_of_its_own() -> None:
	root = straight(subject={"is_public": True, "required_item": "ITEM"})
	assert access(root, Override("subject", "S", "Set Free")) == same("STUPL", FREE)


# rule 3


def test_rule_3_sells_a_node_for_the_overrides_item() -> None:
	"""Earlier defect: Set Sold Separately had no effect."""
	sold = Access("paid", "VALUE", True, False)
	assert access(straight(), Override("unit", "U", "Set Sold Separately", "VALUE")) == {
		**same("ST", AUTHENTICATED),
		**same("UPL", sold),
	}


def test_rule_3_takes_the_value_then_its_own_item_then_the_inherited_one() -> None:
	root = straight(subject={"required_item": "OUTER"}, track={"required_item": "OWN"})
	assert access(root, Override("track", "T", "Set Sold Separately", "VALUE"))["T"].required_item == "VALUE"
	assert access(root, Override("track", "T", "Set Sold Separately"))["T"].required_item == "OWN"
	root = straight(subject={"required_item": "OUTER"})
	assert access(root, Override("track", "T", "Set Sold Separately"))["T"].required_item == "OUTER"


def test_rule_3_comes_before_a_free_preview_of_its_own_and_of_its_parent() -> None:
	sold = Access("paid", "ITEM", True, False)
	root = straight(track={"is_free_preview": True}, unit={"is_free_preview": True})
	assert access(root, Override("unit", "U", "Set Sold Separately", "ITEM")) == {
		"S": AUTHENTICATED,
		"T": FREE,
		**same("UPL", sold),
	}


def test_rule_3_sets_its_own_flags_over_those_of_a_track() -> None:
	root = straight(track={"required_item": "ITEM", "parent_item_required": True})
	assert access(root, Override("track", "T", "Set Sold Separately"))["T"] == Access(
		"paid", "ITEM", True, False
	)


def test_rule_3_at_a_subject_keeps_and_hands_down_that_rules_flags() -> None:
	sold = Access("paid", "ITEM", True, False)
	root = straight(subject={"required_item": "ITEM"})
	assert access(root, Override("subject", "S", "Set Sold Separately")) == same("STUPL", sold)


def test_rule_3_inherits_across_a_free_preview_between() -> None:
	"""The inherited item is that of the nearest ancestor that is paid, not of the parent alone."""
	root = straight(
		subject={"required_item": "FAR"},
		track={"required_item": "NEAR"},
		unit={"is_free_preview": True},
	)
	left = access(root, Override("lesson", "L", "Set Sold Separately"))
	assert left["U"] == left["P"] == FREE
	assert left["L"] == Access("paid", "NEAR", True, False)


def test_rule_3_does_not_inherit_from_an_ancestor_that_is_free() -> None:
	"""An item at a node that is not paid is not inherited."""
	root = straight(
		subject={"required_item": "FAR"}, track={"required_item": "NEAR", "is_free_preview": True}
	)
	assert access(root, Override("unit", "U", "Set Sold Separately"))["U"].required_item == "FAR"


# rule 4


def test_rule_4_a_free_preview_comes_before_its_own_item_and_a_paid_parent() -> None:
	root = straight(
		subject={"required_item": "ITEM"},
		track={"is_free_preview": True, "is_sold_separately": True, "required_item": "TRACK"},
	)
	assert access(root) == {"S": Access("paid", "ITEM"), **same("TUPL", FREE)}


def test_rule_4_comes_before_public() -> None:
	assert access(straight(subject={"is_public": True, "is_free_preview": True})) == same("STUPL", FREE)


# rule 5


def test_rule_5_below_a_free_preview_even_a_track_sold_separately_is_free() -> None:
	root = straight(
		subject={"is_free_preview": True},
		track={"is_sold_separately": True, "required_item": "ITEM"},
	)
	assert access(root) == same("STUPL", FREE)


# rule 6


def test_rule_6_an_item_of_its_own_makes_a_subject_paid_with_both_flags_false() -> None:
	assert access(straight(subject={"required_item": "ITEM", "is_public": True}))["S"] == Access(
		"paid", "ITEM", False, False
	)


@pytest.mark.parametrize("sold", [False, True])
@pytest.mark.parametrize("parent_required", [False, True])
def test_rule_6_keeps_a_tracks_two_flags_as_set(sold: bool, parent_required: bool) -> None:
	root = straight(
		subject={"required_item": "SUBJECT"},
		track={"required_item": "TRACK", "is_sold_separately": sold, "parent_item_required": parent_required},
	)
	assert {access(root)[name] for name in "TUPL"} == {Access("paid", "TRACK", sold, parent_required)}


def test_rule_6_a_track_sold_separately_without_an_item_inherits_one() -> None:
	root = straight(subject={"required_item": "SUBJECT"}, track={"is_sold_separately": True})
	assert access(root)["T"] == Access("paid", "SUBJECT", True, False)


def test_rule_6_a_track_is_sold_separately_in_a_public_subject() -> None:
	root = straight(subject={"is_public": True}, track={"is_sold_separately": True, "required_item": "ITEM"})
	assert access(root) == {"S": PUBLIC, **same("TUPL", Access("paid", "ITEM", True, False))}


# rule 7


def test_rule_7_a_paid_subject_hands_down_its_item_with_flags_of_its_own() -> None:
	"""Earlier defect: a paid subject's units and lessons said `authenticated`."""
	assert access(straight(subject={"required_item": "ITEM"})) == {
		"S": Access("paid", "ITEM", False, False),
		**same("TUPL", Access("paid", "ITEM", False, True)),
	}


def test_rule_7_below_a_paid_track_everything_has_its_flags() -> None:
	root = straight(track={"required_item": "ITEM", "is_sold_separately": True, "parent_item_required": True})
	assert access(root) == {"S": AUTHENTICATED, **same("TUPL", Access("paid", "ITEM", True, True))}


def test_rule_7_flags_of_a_track_that_is_not_paid_by_itself_do_not_count() -> None:
	root = straight(subject={"required_item": "ITEM"}, track={"parent_item_required": False})
	assert access(root)["T"] == Access("paid", "ITEM", False, True)


# rules 8 and 9


def test_rule_8_a_public_subject_is_public_with_all_below() -> None:
	assert access(straight(subject={"is_public": True})) == same("STUPL", PUBLIC)


def test_rule_8_does_not_skip_a_free_preview_between() -> None:
	root = straight(subject={"is_public": True}, unit={"is_free_preview": True})
	assert access(root) == {**same("ST", PUBLIC), **same("UPL", FREE)}


def test_rule_9_everything_else_needs_a_login() -> None:
	assert access(straight()) == same("STUPL", AUTHENTICATED)


# paid without an item


@pytest.mark.parametrize(
	("root", "overrides", "kind", "name"),
	[
		(straight(track={"is_sold_separately": True, "title": QUOTES}), [], "track", "T"),
		(straight(lesson={"title": QUOTES}), [Override("lesson", "L", "Set Sold Separately")], "lesson", "L"),
		(
			straight(subject={"required_item": "ITEM", "is_free_preview": True}, unit={"title": QUOTES}),
			[Override("unit", "U", "Set Sold Separately")],
			"unit",
			"U",
		),
	],
)
def test_paid_without_any_item_fails_naming_the_node(
	root: Node, overrides: list[Override], kind: str, name: str
) -> None:
	with pytest.raises(AccessError) as raised:
		resolve(root, overrides)
	for part in (kind, QUOTES, f"({name})", "Required Item"):
		assert part in str(raised.value)


def test_paid_without_an_item_does_not_matter_where_it_is_left_out() -> None:
	root = straight(track={"is_sold_separately": True})
	assert set(access(root, Override("track", "T", "Hide"))) == {"S"}


# Rename, and what overrides reach


def test_rename_replaces_the_title_for_that_plan_only() -> None:
	"""Earlier defect: Rename had no effect."""
	root = straight()
	renamed = by_name(resolve(root, [Override("unit", "U", "Rename", QUOTES)]))
	assert renamed["U"].title == QUOTES
	assert {name: node.title for name, node in renamed.items() if name != "U"} == {
		name: f"The {name}" for name in "STPL"
	}
	assert by_name(resolve(root))["U"].title == "The U"


def test_rename_stands_beside_an_override_of_access() -> None:
	both = [Override("unit", "U", "Rename", "New"), Override("unit", "U", "Set Free")]
	for overrides in (both, both[::-1]):
		found = by_name(resolve(straight(), overrides))["U"]
		assert (found.title, found.access) == ("New", FREE)


def test_an_override_reaches_its_kind_only() -> None:
	"""Names are unique within a DocType, not across: a unit and a topic may share one."""
	root = subject("X", track("X", unit("X", topic("X", lesson("X")))))
	left = resolve(root, [Override("unit", "X", "Hide")])
	assert left and left.children[0].children == ()


def test_a_stranded_override_has_no_effect() -> None:
	assert resolve(straight(), [Override("unit", "GONE", "Hide")]) == resolve(straight())


def test_the_tree_of_one_plan_leaves_that_of_another_alone() -> None:
	"""Earlier defect: the last plan built won, undoing the other's Hide and Set Free."""
	root = straight()
	before = resolve(root)
	resolve(root, [Override("track", "T", "Hide")])
	resolve(root, [Override("track", "T", "Set Free")])
	assert resolve(root) == before


# what changed between two builds


def test_narrowed_is_what_becomes_paid_or_stops_being_public_or_free() -> None:
	levels = ("public", "authenticated", "paid", "free_preview")
	assert {(old, new) for old in levels for new in levels if narrows(old, new)} == {
		("public", "authenticated"),
		("public", "paid"),
		("free_preview", "authenticated"),
		("free_preview", "paid"),
		("authenticated", "paid"),
	}
	assert {(old, new) for old in levels for new in levels if widens(old, new)} == {
		("paid", "public"),
		("paid", "free_preview"),
		("paid", "authenticated"),
	}


PAID = Access("paid", "SUBJECT")


@pytest.mark.parametrize(
	("access", "subject", "items"),
	[
		(PUBLIC, PAID, ()),
		(FREE, PAID, ()),
		(AUTHENTICATED, PUBLIC, ()),
		(Access("paid", "TRACK", True, False), PAID, ("TRACK",)),
		(Access("paid", "TRACK", True, True), PAID, ("SUBJECT", "TRACK")),
		(Access("paid", "TRACK", True, True), PUBLIC, ("TRACK",)),
		(Access("paid", "SUBJECT", False, True), PAID, ("SUBJECT",)),
	],
)
def test_required_items_are_all_that_the_apps_table_asks_for(
	access: Access, subject: Access, items: tuple[str, ...]
) -> None:
	assert required_items(access, subject) == items


def opens(access: Access, subject: Access, owned: frozenset[str]) -> bool:
	"""docs/contract.md, "What an app shows", row by row, for a learner who is signed in."""
	if access.level in ("public", "free_preview", "authenticated"):
		return True
	owns_it = access.required_item in owned
	if not access.parent_item_required or subject.level != "paid":
		return owns_it
	return owns_it and subject.required_item in owned


@given(st.data())
def test_who_owns_the_required_items_opens_a_lesson_and_nobody_else(data: st.DataObject) -> None:
	root = data.draw(curricula())
	overrides = data.draw(overrides_of(root))
	try:
		resolved = resolve(root, overrides)
	except AccessError:
		return
	if resolved is None:
		return
	sold = sorted({node.access.required_item for node in walk(resolved)} - {""})[:6]
	for node in walk(resolved):
		asked = required_items(node.access, resolved.access)
		assert len(set(asked)) == len(asked)
		for owned in (
			frozenset(some) for count in range(len(sold) + 1) for some in combinations(sold, count)
		):
			if set(asked) <= set(sold):
				assert opens(node.access, resolved.access, owned) == (set(asked) <= owned)


def test_access_as_json_has_booleans_and_an_item_only_when_paid() -> None:
	assert AUTHENTICATED.as_json() == {"is_published": True, "access_level": "authenticated"}
	assert Access("paid", "ITEM", True, False).as_json() == {
		"is_published": True,
		"access_level": "paid",
		"required_item": "ITEM",
		"is_sold_separately": True,
		"parent_item_required": False,
	}


def test_ten_thousand_siblings_are_resolved() -> None:
	assert len(access(wide(10_000))) == 10_004


# all of it against an oracle


class NoItem(Exception):
	"""The oracle's word for a paid node without an item."""


def oracle(chain: list[Node], overrides: list[Override]) -> Access | None:
	"""The access of the last node of a chain from its subject down, by the table read line by line.

	Deliberately naive: every question about an ancestor is answered by asking the whole table about it again.
	"""
	*above, here = chain
	actions = {o.action: o.value for o in overrides if (o.kind, o.name) == (here.kind, here.name)}
	parent = oracle(above, overrides) if above else None
	if (above and parent is None) or not here.is_published or "Hide" in actions:
		return None

	def inherited() -> str:
		for end in range(len(above), 0, -1):
			ancestor = oracle(above[:end], overrides)
			if ancestor and ancestor.level == "paid":
				return ancestor.required_item
		return ""

	def paid(item: str, *flags: bool) -> Access:
		if not item:
			raise NoItem
		return Access("paid", item, *flags)

	parent_sold_by_plan = above and any(
		(o.kind, o.name, o.action) == (above[-1].kind, above[-1].name, "Set Sold Separately")
		for o in overrides
	)
	own = here.required_item
	table = [
		("Set Free" in actions, lambda: FREE),
		(
			"Set Sold Separately" in actions,
			lambda: paid(actions["Set Sold Separately"] or own or inherited(), True, False),
		),
		(here.is_free_preview, lambda: FREE),
		(parent == FREE, lambda: FREE),
		(
			here.is_sold_separately or own,
			lambda: paid(own or inherited(), here.is_sold_separately, here.parent_item_required),
		),
		(
			parent and parent.level == "paid" and len(above) == 1 and not parent_sold_by_plan,
			lambda: paid(parent.required_item, False, True),
		),
		(parent and parent.level == "paid", lambda: parent),
		(here.is_public or parent == PUBLIC, lambda: PUBLIC),
		(True, lambda: AUTHENTICATED),
	]
	return next(result() for applies, result in table if applies)


def chains(root: Node, above: tuple[Node, ...] = ()) -> list[list[Node]]:
	here = [*above, root]
	return [here, *(chain for child in root.children for chain in chains(child, tuple(here)))]


@settings(max_examples=150)
@given(st.data())
def test_every_node_of_any_tree_has_the_access_the_table_gives_it(data: st.DataObject) -> None:
	root = data.draw(curricula(sound=False, widest=2))
	overrides = data.draw(overrides_of(root, most=5, sound=False))
	try:
		expected = {
			(chain[-1].kind, chain[-1].name): found
			for chain in chains(root)
			if (found := oracle(chain, overrides))
		}
	except NoItem:
		with pytest.raises(AccessError):
			resolve(root, overrides)
		return
	resolved = resolve(root, overrides)
	found = {(node.kind, node.name): node.access for node in walk(resolved)} if resolved else {}
	assert found == expected


@settings(max_examples=50)
@given(curricula())
def test_nothing_is_reordered_or_invented(root: Node) -> None:
	"""Earlier defect: the output came reversed."""
	resolved = resolve(root)
	kept = [node.name for node in walk(resolved)] if resolved else []
	written = [node.name for node in walk(root)]
	assert kept == [name for name in written if name in set(kept)]
