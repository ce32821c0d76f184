"""A tree as it would be after a change: other values, another parent, other children. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from memora.services.cdn_export.model.doctypes import Ref
from memora.services.cdn_export.model.tree import Node, walk
from memora.services.course_outline.rules.access import edited, ref_of


def with_values(tree: Node, refs: Collection[Ref], **values: Any) -> Node:
	"""The tree with these values at the nodes of `refs`."""
	wanted = set(refs)
	return edited(tree, lambda node: node._replace(**values) if ref_of(node) in wanted else node)


def without(tree: Node, refs: Collection[Ref]) -> Node:
	"""The tree without these nodes and all below them."""
	gone = set(refs)
	return edited(
		tree,
		lambda node: node._replace(
			children=tuple([child for child in node.children if ref_of(child) not in gone])
		),
	)


def with_child(tree: Node, parent: Ref, child: Node) -> Node:
	"""The tree with one more node below a parent, as its last."""
	return edited(
		tree,
		lambda node: node._replace(children=(*node.children, child)) if ref_of(node) == parent else node,
	)


def moved(trees: Mapping[str, Node], ref: Ref, parent: Ref) -> dict[str, Node] | None:
	"""Trees, by subject, after a node of one of them has gone below another parent; None where it is in none."""
	node = next((node for tree in trees.values() for node in walk(tree) if ref_of(node) == ref), None)
	if node is None:
		return None
	return {subject: with_child(without(tree, [ref]), parent, node) for subject, tree in trees.items()}
