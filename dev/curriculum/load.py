"""Insert a curriculum into a site through Frappe, so that memora's hooks fire as they do for an editor.

Safe to run again: a document is found by its title and its parent, and what is found is left as it is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import frappe

from .pieces import KINDS, Curriculum, Piece, Plan, TitlePath

PARENT_FIELDS = {
	"Track": "parent_subject",
	"Unit": "parent_track",
	"Topic": "parent_unit",
	"Lesson": "parent_topic",
}
COMMIT_EVERY = 250

Progress = Callable[[str, "Loaded"], None]


class LoadError(Exception):
	"""The curriculum cannot be inserted here; the message says what to do."""


@dataclass(slots=True)
class Loaded:
	"""What a load did, and the names that the documents have."""

	inserted: Counter[str] = field(default_factory=Counter)
	found: Counter[str] = field(default_factory=Counter)
	names: dict[TitlePath, str] = field(default_factory=dict)
	plans: dict[str, str] = field(default_factory=dict)


def load(curriculum: Curriculum, progress: Progress) -> Loaded:
	"""Insert what is missing; `progress` is told each subject and plan when it is there."""
	_check_items(curriculum)
	loader = _Loader()
	for subject in curriculum.subjects:
		loader.insert_piece(subject, "", ())
		progress(subject.title, loader.loaded)
	for plan in curriculum.plans:
		loader.insert_plan(plan)
		progress(plan.title, loader.loaded)
	frappe.db.commit()
	return loader.loaded


class _Loader:
	def __init__(self) -> None:
		self.loaded = Loaded()
		self._existing = {kind: _existing(kind) for kind in KINDS}

	def insert_piece(self, piece: Piece, parent: str, above: TitlePath) -> None:
		path = (*above, piece.title)
		name = self._existing[piece.kind].get((parent, piece.title))
		if name:
			self.loaded.found[piece.kind] += 1
		else:
			fields = {
				"title": piece.title,
				"description": piece.description,
				"sort_order": piece.sort_order,
				"is_published": int(piece.is_published),
				**piece.flags,
			}
			if parent:
				fields[PARENT_FIELDS[piece.kind]] = parent
			if piece.stages:
				fields["stages"] = [
					{
						"title": stage.title,
						"type": stage.type,
						"config": json.dumps(stage.config, ensure_ascii=False),
					}
					for stage in piece.stages
				]
			name = self._insert(piece.kind, fields)
		self.loaded.names[path] = name
		for child in piece.children:
			self.insert_piece(child, name, path)

	def insert_plan(self, plan: Plan) -> None:
		links = {
			kind.lower(): self._titled(kind, title)
			for kind, title in (("Season", plan.season), ("Grade", plan.grade), ("Stream", plan.stream))
		}
		name = frappe.db.get_value("Memora Academic Plan", {"title": plan.title})
		if name:
			self.loaded.found["Academic Plan"] += 1
		else:
			names = self.loaded.names
			fields = {
				"title": plan.title,
				"is_published": 1,
				**links,
				"subjects": [
					{"subject": names[(title,)], "sort_order": order}
					for order, title in enumerate(plan.subjects, start=1)
				],
				"overrides": [
					{
						"target_doctype": f"Memora {KINDS[len(override.path) - 1]}",
						"target_name": names[override.path],
						"action": override.action,
						"override_value": override.value,
					}
					for override in plan.overrides
				],
			}
			name = self._insert("Academic Plan", fields)
		self.loaded.plans[plan.title] = name

	def _titled(self, kind: str, title: str) -> str:
		"""Return the Season, Grade or Stream of that title."""
		name = frappe.db.get_value(f"Memora {kind}", {"title": title})
		if name:
			self.loaded.found[kind] += 1
			return name
		return self._insert(kind, {"title": title})

	def _insert(self, kind: str, fields: dict[str, object]) -> str:
		try:
			document = frappe.get_doc({"doctype": f"Memora {kind}", **fields}).insert()
		except frappe.ValidationError as error:
			raise LoadError(f"Frappe refused the {kind} “{fields['title']}”: {error}") from error
		self.loaded.inserted[kind] += 1
		if self.loaded.inserted.total() % COMMIT_EVERY == 0:
			frappe.db.commit()
		return document.name


def _existing(kind: str) -> dict[tuple[str, str], str]:
	"""Return the names of all documents of a kind by their parent and title."""
	fields = ["name", "title", *filter(None, [PARENT_FIELDS.get(kind)])]
	rows = frappe.get_all(f"Memora {kind}", fields=fields, as_list=True, order_by="creation desc", limit=0)
	return {(parent[0] if parent else "", title): name for name, title, *parent in rows}


def _check_items(curriculum: Curriculum) -> None:
	"""Where ERPNext is installed, memora accepts only item codes that exist there."""
	if not frappe.db.exists("DocType", "Item"):
		return
	items = {
		piece.flags["required_item"] for _, piece in curriculum.paths() if piece.flags.get("required_item")
	}
	for plan in curriculum.plans:
		items |= {o.value for o in plan.overrides if o.action == "Set Sold Separately" and o.value}
	missing = sorted(item for item in items if not frappe.db.exists("Item", item))
	if missing:
		raise LoadError(
			f"this site has ERPNext, and the demo sells things: create the Items {', '.join(missing)} first"
		)
