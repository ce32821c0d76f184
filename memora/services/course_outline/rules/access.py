"""Who may open what in an outline, for drafts and hidden nodes too, and whatever is missing. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from memora.exceptions import AccessError
from memora.services.cdn_export.access_calculator import resolve
from memora.services.cdn_export.model.doctypes import OF_KIND, Ref
from memora.services.cdn_export.model.tree import Access, Node, Override, ResolvedNode, walk

_NO_ITEM = "\ufffe"
"""Where something is sold and names no item: a build would fail, an outline shows it."""


class Seen(NamedTuple):
	"""A node as learners see it, or would. `hidden` is "self" or "above" where a plan hides it."""

	level: str
	required_item: str
	title: str
	hidden: str


def ref_of(node: Node | ResolvedNode) -> Ref:
	"""The document that a node is."""
	return OF_KIND[node.kind], node.name


def edited(node: Node, edit: Callable[[Node], Node]) -> Node:
	"""The tree after `edit` of each node; its children are replaced after it."""
	node = edit(node)
	return node._replace(children=tuple([edited(child, edit) for child in node.children]))


def resolved(subject: Node, overrides: Sequence[Override] = ()) -> ResolvedNode | None:
	"""`access_calculator.resolve`; what is sold and names no item is paid nevertheless."""
	try:
		return resolve(subject, overrides)
	except AccessError:
		return resolve(edited(subject, _with_item), [_with_value(override) for override in overrides])


def seen(subject: Node, overrides: Sequence[Override] = ()) -> Mapping[Ref, Seen]:
	"""Every node of a subject as learners would see it if all of it were published and shown."""
	hidden = {(override.kind, override.name) for override in overrides if override.action == "Hide"}
	shown = [override for override in overrides if override.action != "Hide"]
	top = resolved(edited(subject, _published), shown)
	assert top is not None  # nothing is left out of what is published and shown
	found: dict[Ref, Seen] = {}
	_note(top, hidden, False, found)
	return found


def _note(
	node: ResolvedNode, hidden: Collection[tuple[str, str]], below: bool, found: dict[Ref, Seen]
) -> None:
	is_hidden = (node.kind, node.name) in hidden
	found[ref_of(node)] = Seen(
		node.access.level, item_of(node.access), node.title, "self" if is_hidden else "above" if below else ""
	)
	for child in node.children:
		_note(child, hidden, below or is_hidden, found)


def item_of(access: Access) -> str:
	"""The item that opens a node, "" where it is not paid, or names none."""
	return access.required_item if access.level == "paid" and access.required_item != _NO_ITEM else ""


def parents(subject: Node) -> dict[Ref, Node]:
	"""Each node below the subject, with the node that it is in."""
	return {ref_of(child): node for node in walk(subject) for child in node.children}


def _published(node: Node) -> Node:
	return node._replace(is_published=True)


def _with_item(node: Node) -> Node:
	return (
		node._replace(required_item=_NO_ITEM) if node.is_sold_separately and not node.required_item else node
	)


def _with_value(override: Override) -> Override:
	is_nameless = override.action == "Set Sold Separately" and not override.value
	return replace(override, value=_NO_ITEM) if is_nameless else override
