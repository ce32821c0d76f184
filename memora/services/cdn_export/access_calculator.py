"""Who may read what: the rules of spec, "Access", applied to a subject for all plans or for one.

Access is decided top-down, one node at a time, from four things: the node, what the plan overrides at it, its
parent's access, and the item of the nearest ancestor that is paid. The numbers in `_decide` are those of the
spec's table; the first rule that applies decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from memora.exceptions import AccessError
from memora.services.cdn_export.model.tree import Access, AccessLevel, Action, Node, Override, ResolvedNode

Actions = Mapping[Action, str]
"""What a plan overrides at one node: the actions, each with its value."""

_PUBLIC = Access("public")
_AUTHENTICATED = Access("authenticated")
_FREE_PREVIEW = Access("free_preview")
_OPEN: tuple[AccessLevel, ...] = ("public", "free_preview")
_NOTHING: Actions = {}


def resolve(subject: Node, overrides: Iterable[Override] = ()) -> ResolvedNode | None:
	"""Decide every node's access, drop what is left out, and apply the plan's titles.

	None when the subject itself is left out. Overrides of nodes elsewhere have no effect here.
	"""
	actions: dict[tuple[str, str], dict[Action, str]] = {}
	for override in overrides:
		actions.setdefault((override.kind, override.name), {})[override.action] = override.value
	return _resolve(subject, None, "", actions)


def required_items(access: Access, subject: Access) -> tuple[str, ...]:
	"""Every item that a learner must own to open a node, from the subject down: none unless it is paid.

	As docs/contract.md has it ("What an app shows"): the node's own item; with `parent_item_required` also that of its
	subject, where the subject is paid.
	"""
	if access.level != "paid":
		return ()
	of_subject = [subject.required_item] if access.parent_item_required and subject.level == "paid" else []
	return tuple(dict.fromkeys([*of_subject, access.required_item]))


def narrows(before: AccessLevel, after: AccessLevel) -> bool:
	"""Whether fewer may read: a node becomes paid, or stops being public or free."""
	return (before != "paid" and after == "paid") or (before in _OPEN and after not in _OPEN)


def widens(before: AccessLevel, after: AccessLevel) -> bool:
	"""Whether a paid node no longer has to be paid for: the large-change guard asks this."""
	return before == "paid" and after != "paid"


def contradict(action: str, other: str) -> bool:
	"""Whether a plan cannot have both at one node: one of Hide, Set Free and Set Sold Separately, and Rename not beside Hide."""
	if "Rename" in (action, other):
		return action == other or "Hide" in (action, other)
	return True


def _resolve(
	node: Node, parent: Access | None, inherited_item: str, overrides: Mapping[tuple[str, str], Actions]
) -> ResolvedNode | None:
	actions = overrides.get((node.kind, node.name), _NOTHING)
	if not node.is_published or "Hide" in actions:  # rule 1
		return None
	access = _decide(node, actions, parent, inherited_item)
	if access.level == "paid":
		inherited_item = access.required_item
	handed_down = _handed_down(node, actions, access)
	children = [_resolve(child, handed_down, inherited_item, overrides) for child in node.children]
	return ResolvedNode(
		kind=node.kind,
		name=node.name,
		title=actions.get("Rename") or node.title,
		description=node.description,
		image=node.image,
		sort_order=node.sort_order,
		color_code=node.color_code,
		badge_image=node.badge_image,
		stage_count=node.stage_count,
		access=access,
		children=tuple([child for child in children if child is not None]),
	)


def _decide(node: Node, actions: Actions, parent: Access | None, inherited_item: str) -> Access:
	"""Rules 2 to 9. `parent` is what the parent hands down, None above a subject."""
	if "Set Free" in actions:  # rule 2
		return _FREE_PREVIEW
	if "Set Sold Separately" in actions:  # rule 3
		item = actions["Set Sold Separately"] or node.required_item or inherited_item
		return _paid(node, item, is_sold_separately=True, parent_item_required=False)
	if node.is_free_preview:  # rule 4
		return _FREE_PREVIEW
	if parent and parent.level == "free_preview":  # rule 5
		return _FREE_PREVIEW
	if node.is_sold_separately or node.required_item:  # rule 6
		item = node.required_item or inherited_item
		return _paid(node, item, node.is_sold_separately, node.parent_item_required)
	if parent and parent.level == "paid":  # rule 7
		return parent
	if node.is_public or (parent and parent.level == "public"):  # rule 8
		return _PUBLIC
	return _AUTHENTICATED  # rule 9


def _handed_down(node: Node, actions: Actions, access: Access) -> Access:
	"""What rule 7 gives to the children: a Subject paid by rule 6 has both flags false, yet hands down others."""
	paid_by_rule_6 = access.level == "paid" and "Set Sold Separately" not in actions
	if node.kind == "subject" and paid_by_rule_6:
		return Access("paid", access.required_item, is_sold_separately=False, parent_item_required=True)
	return access


def _paid(node: Node, item: str, is_sold_separately: bool, parent_item_required: bool) -> Access:
	if not item:
		raise AccessError(
			f"The {node.kind} “{node.title}” ({node.name}) is paid, but neither it nor anything above it names an "
			"item. Enter a Required Item at its track or subject, or a value in the plan's override.",
			node.name,
		)
	return Access("paid", item, is_sold_separately, parent_item_required)
