"""The curriculum as plain data: what an editor has written, before any rule is applied.

Pure: no Frappe, no I/O. `content_tree` makes these from rows; `access_calculator` turns a `Node` into a
`ResolvedNode`; `json_generator` and `search_indexer` turn that into documents. What a build makes by the thousand
is a NamedTuple: a frozen dataclass takes four times as long to make.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

Kind = Literal["subject", "track", "unit", "topic", "lesson"]
AccessLevel = Literal["public", "authenticated", "paid", "free_preview"]
Action = Literal["Hide", "Rename", "Set Free", "Set Sold Separately"]

KINDS: tuple[Kind, ...] = ("subject", "track", "unit", "topic", "lesson")


class Node(NamedTuple):
	"""One piece of the curriculum with all below it, published or not.

	`children` are in their published order: sort_order, then creation, then name by code point (spec,
	"Navigation"). `image` and `badge_image` are already what a reader can use: a path under `media/` or an
	http(s) URL, "" for none. Flags that a kind does not have stay False, texts "".
	"""

	kind: Kind
	name: str
	title: str
	description: str = ""
	image: str = ""
	sort_order: int = 0
	is_published: bool = False
	is_free_preview: bool = False
	required_item: str = ""
	is_public: bool = False
	is_sold_separately: bool = False
	parent_item_required: bool = False
	color_code: str = ""
	badge_image: str = ""
	stage_count: int = 0
	children: tuple[Node, ...] = ()


class Stage(NamedTuple):
	"""One step of a lesson; its number is its place in the lesson's tuple, from 1."""

	title: str
	type: str
	config: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Override:
	"""What a plan changes at one node. `kind` and `name` say which node, `value` is "" where unused."""

	kind: Kind
	name: str
	action: Action
	value: str = ""


@dataclass(frozen=True, slots=True)
class Access:
	"""The right to read one node. The last three count only when `level` is paid."""

	level: AccessLevel
	required_item: str = ""
	is_sold_separately: bool = False
	parent_item_required: bool = False

	def as_json(self) -> dict[str, Any]:
		"""The `access` object of spec, "Access": JSON booleans, item and flags only when paid."""
		document: dict[str, Any] = {"is_published": True, "access_level": self.level}
		if self.level == "paid":
			document["required_item"] = self.required_item
			document["is_sold_separately"] = self.is_sold_separately
			document["parent_item_required"] = self.parent_item_required
		return document


class ResolvedNode(NamedTuple):
	"""A node that is published, with its access decided, a plan's title applied and hidden nodes dropped."""

	kind: Kind
	name: str
	title: str
	description: str
	image: str
	sort_order: int
	color_code: str
	badge_image: str
	stage_count: int
	access: Access
	children: tuple[ResolvedNode, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
	"""An Academic Plan's own fields. `season`, `grade` and `stream` are titles, as learners see them."""

	name: str
	title: str
	season: str
	grade: str
	stream: str


AnyNode = TypeVar("AnyNode", Node, ResolvedNode)


def walk(node: AnyNode) -> Iterator[AnyNode]:
	"""Yield `node` and everything below it, parents first, in order."""
	waiting = [node]
	while waiting:
		node = waiting.pop()
		yield node
		waiting += node.children[::-1]


class Right(NamedTuple):
	"""Who may read a live lesson: its level, and its item when that is paid."""

	level: AccessLevel
	item: str


Rights = Mapping[str, Right]
"""By lesson."""
