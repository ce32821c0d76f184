"""The documents that an action is for: as an endpoint names them, in their subjects, with all below them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import frappe
from frappe import _

from memora.services.cdn_export import dependency_resolver
from memora.services.cdn_export.model.doctypes import CONTENT, SUBJECT, Ref
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.cdn_export.model.tree import Node, walk
from memora.services.cdn_export.state import database
from memora.services.course_outline import asking, permissions, siblings
from memora.services.course_outline.permissions import STAGE
from memora.services.course_outline.rules.access import ref_of
from memora.services.course_outline.rules.consequences import World

MOST = 1_000
"""Documents that one action changes: each is saved by itself, in one transaction."""

T = TypeVar("T")


@dataclass(slots=True)
class Targets:
	"""Documents that were named, and their subjects as they are now."""

	refs: list[Ref]
	world: World
	nodes: dict[Ref, Node]

	def with_below(self) -> list[Ref]:
		"""The named documents and all below them, each once, parents first."""
		named = [ref_of(node) for ref in self.refs for node in walk(self.nodes[ref])]
		return sorted(dict.fromkeys(named), key=lambda ref: CONTENT.index(ref[0]))

	def titles(self, refs: Iterable[Ref]) -> dict[Ref, str]:
		"""These documents with their titles, in content order."""
		wanted = set(refs)
		return {ref: node.title for ref, node in self.nodes.items() if ref in wanted}


def parsed(rows: Sequence[str], *, stages: bool = False) -> list[Ref]:
	"""What `rows` name, each "doctype:name". Raises ValidationError for anything else, or where there is none."""
	refs = []
	for row in rows:
		doctype, _colon, name = row.partition(":")
		if not (doctype in CONTENT or (stages and doctype == STAGE)) or not name:
			frappe.throw(_("{0} is no part of a course.").format(as_html(row)))
		refs.append((doctype, name))
	if not refs:
		frappe.throw(_("Choose at least one row."))
	return list(dict.fromkeys(refs))


def transaction(
	refs: Collection[Ref], right: str, work: Callable[[Targets], T], also: Collection[Ref] = ()
) -> T:
	"""Run `work` in a transaction of its own that keeps others from changing these subjects here, nor what is `also` locked,
	and commit.

	Raises DoesNotExistError where one of the documents is gone, or in no subject, and PermissionError where the caller lacks
	this right to one.
	"""
	locks = {(SUBJECT, name) for name in _subjects(refs).values()} | set(also)

	def run() -> T:
		siblings.lock(locks)
		return work(_read(refs, right))

	return database.transaction(run)


def _read(refs: Collection[Ref], right: str) -> Targets:
	for doctype, name in refs:
		permissions.document(doctype, name, right)
	world = asking.world(set(_subjects(refs).values()))
	return Targets(
		list(refs), world, {ref_of(node): node for tree in world.subjects.values() for node in walk(tree)}
	)


def _subjects(refs: Collection[Ref]) -> dict[Ref, str]:
	found = dependency_resolver.subjects_of(refs)
	for doctype, name in refs:
		if (doctype, name) not in found:
			permissions.gone(_("There is no {0} {1} in any subject.").format(_(doctype), as_html(name)))
	return found


def require_few(refs: Collection[Any]) -> None:
	"""Refuse an action on more documents than one transaction should change."""
	if len(refs) > MOST:
		frappe.throw(
			_(
				"These are {0} documents, and {1} can be changed at once. Choose fewer, a unit at a time."
			).format(len(refs), MOST),
			title=_("Too Many"),
		)
