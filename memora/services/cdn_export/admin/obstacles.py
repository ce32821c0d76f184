"""All that keeps a document from being live, read for its form. `rules.obstacles` decides, `status_words` says it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import frappe
from frappe import _

from memora.exceptions import AccessError
from memora.services.cdn_export import access_calculator
from memora.services.cdn_export.admin import status_words
from memora.services.cdn_export.admin.status_facts import Content, Line
from memora.services.cdn_export.model.doctypes import (
	KIND_OF,
	PARENT_FIELDS,
	PLAN,
	SUBJECT,
	TARGET_NAME,
	TRACK,
)
from memora.services.cdn_export.model.plain_text import read
from memora.services.cdn_export.model.roles import ADMINS
from memora.services.cdn_export.model.tree import Node, Override
from memora.services.cdn_export.rules import obstacles as rules
from memora.services.cdn_export.rules.obstacles import Listing, Obstacle, Placed

_MOST = 12
"""What one answer tells of."""

_FLAGS: dict[str, tuple[str, ...]] = {
	SUBJECT: ("is_free_preview", "is_public", "required_item"),
	TRACK: ("is_free_preview", "is_sold_separately", "parent_item_required", "required_item"),
}
_SELLING = ("Set Free", "Set Sold Separately")


def of_line(content: Content, line: Line) -> list[Obstacle]:
	"""All that keeps a document of the curriculum from being live. Two statements more."""
	placed = {node.ref: Placed(*node.ref, node.title, node.is_published) for node in line.nodes}
	plans = content.plans(line)
	unsold = _unsold(line, [plan.name for plan in plans])
	listings = []
	for plan in plans:
		name, by_override = unsold.get(plan.name, ("", False))
		listings.append(
			Listing(
				plan.name,
				plan.title,
				plan.is_published,
				plan.is_in_season,
				Placed("Memora Season", plan.season, plan.season_title) if plan.season else None,
				tuple(placed[node.ref] for node in content.hidden(line, plan.name)),
				next((node for node in placed.values() if node.name == name), None),
				by_override,
				content.trouble(line, plan.name),
			)
		)
	return rules.of_document(list(placed.values()), listings)


def as_dicts(found: Sequence[Obstacle], of: str, export_is_off: str = "") -> list[dict[str, Any]]:
	"""The obstacles of the document called `of` as the form reads them: the words, and where each is fixed: a document, or a
	place of the Desk (`route`). None twice; `export_is_off` is what keeps all changes back."""
	told: dict[str, dict[str, Any]] = {}
	is_admin = bool(set(ADMINS).intersection(frappe.get_roles()))
	for obstacle in found:
		at = obstacle.at
		text = status_words.obstacle(obstacle.verdict)
		row = _row(text)
		if at and at.name and at.name != of:
			row = _row(text, at.doctype, at.name, at.title)
		elif at and not at.name:
			row = _row(text, route="memora-academic-plan")
		elif not at and is_admin:
			row = _row(text, route="cdn-export-dashboard")
		told.setdefault(text, row)
	rows = [row for text, row in told.items() if text != export_is_off]
	if len(rows) > _MOST:
		rows[_MOST:] = [_row(_("… and {0} more.").format(len(rows) - _MOST))]
	if export_is_off:
		rows.append(_row(export_is_off, route="cdn-settings" if is_admin else ""))
	return rows


def _row(text: str, doctype: str = "", name: str = "", title: str = "", route: str = "") -> dict[str, Any]:
	return {"text": text, "doctype": doctype, "name": name, "title": title, "route": route}


def _unsold(line: Line, plans: Collection[str]) -> dict[str, tuple[str, bool]]:
	"""What is paid in each of these plans, of the document and of what is above it, though no item is named: its name, and
	whether an override of the plan sells it."""
	if not line.subject or not plans:
		return {}
	chain, overrides, found = _chain(line), _selling(line, plans), {}
	for plan in plans:
		mine = overrides.get(plan, [])
		try:
			access_calculator.resolve(chain, mine)
		except AccessError as error:
			found[plan] = error.name, any(override.name == error.name for override in mine)
	return found


def _chain(line: Line) -> Node:
	"""The line as a tree that holds nothing else, all published. One statement."""
	columns, joins = [], [f"`tab{SUBJECT}` n0"]
	for depth, node in enumerate(line.nodes):
		if depth:
			above = f"n{depth}.{PARENT_FIELDS[node.doctype]} = n{depth - 1}.name"
			joins.append(f"join `tab{node.doctype}` n{depth} on {above}")
		columns += [f"n{depth}.{flag}" for flag in _flags(node.doctype)]
	values = iter(
		frappe.db.sql(
			f"select {', '.join(columns)} from {' '.join(joins)} where n{len(line.nodes) - 1}.name = %s",
			(line.name,),
		)[0]
	)
	own: list[dict[str, Any]] = []
	for node in line.nodes:
		flags = {flag: next(values) for flag in _flags(node.doctype)}
		item = read(flags.pop("required_item", None) or "")
		own.append({**{flag: bool(value) for flag, value in flags.items()}, "required_item": item})
	below: tuple[Node, ...] = ()
	for node, values_of in zip(line.nodes[::-1], own[::-1], strict=True):
		kind = KIND_OF[node.doctype]
		below = (Node(kind, node.name, node.title, is_published=True, children=below, **values_of),)
	return below[0]


def _flags(doctype: str) -> tuple[str, ...]:
	return _FLAGS.get(doctype, ("is_free_preview",))


def _selling(line: Line, plans: Collection[str]) -> dict[str, list[Override]]:
	"""By what overrides these plans sell the document and what is above it, or free it. One statement."""
	found: dict[str, list[Override]] = {}
	for plan, doctype, name, action, value in frappe.db.sql(
		f"""select changed.parent, changed.target_doctype, {TARGET_NAME}, changed.action, changed.override_value
		from `tabMemora Plan Override` changed
		where changed.parenttype = %s and changed.action in %s and changed.parent in %s
			and changed.target_name in %s order by changed.idx, changed.name""",
		(PLAN, _SELLING, tuple(plans), tuple(node.name for node in line.nodes)),
	):
		if (doctype, name) in line.refs:
			found.setdefault(plan, []).append(Override(KIND_OF[doctype], name, action, read(value or "")))
	return found
