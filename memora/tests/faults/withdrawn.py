"""Whether what is published still names what no learner may see any more, looked at from the documents alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import frappe
import orjson

from memora.services.cdn_export.model import paths
from memora.services.cdn_export.state import publish_state
from memora.tests.faults.links import targets

_LEVELS = ("Memora Subject", "Memora Track", "Memora Unit", "Memora Topic", "Memora Lesson")
_PARENTS = ("parent_subject", "parent_track", "parent_unit", "parent_topic")


def withdrawn_but_named(files: Mapping[str, bytes]) -> list[str]:
	"""Each file that names what is unpublished, hidden, listed no more or gone, with what that is.

	Left out is what the live manifest of a plan still reaches while the plan, or one of its subjects, waits to be built.
	"""
	shown = {
		plan: _shown(plan)
		for plan in frappe.get_all("Memora Academic Plan", {"is_published": 1}, pluck="name")
	}
	anywhere, folders = _shown(), {paths.plan_folder(plan): names for plan, names in shown.items()}
	waiting = _reached_by_waiting(files)
	found = []
	for path, body in files.items():
		if (
			path in waiting
			or not path.startswith(("plans/", "units/", "lessons/"))
			or not path.endswith(".json")
		):
			continue
		folder = next((folder for folder in folders if path.startswith(folder)), "")
		allowed = (folders[folder] if folder else anywhere) | shown.keys()
		found += [f"{path} names {name}" for name in sorted(set(_names(orjson.loads(body))) - allowed)]
	return found


def _shown(plan: str | None = None) -> set[str]:
	"""The names of what is published down from the subjects, or from those of a plan, without what it hides."""
	hidden: set[tuple[str, str]] = set()
	above: set[str] | None = None
	if plan:
		doc = frappe.get_doc("Memora Academic Plan", plan)
		hidden = {(row.target_doctype, row.target_name) for row in doc.overrides if row.action == "Hide"}
		above = {row.subject for row in doc.subjects}
	found: set[str] = set()
	for doctype, parent in zip(_LEVELS, ("name", *_PARENTS), strict=True):
		rows = frappe.get_all(doctype, {"is_published": 1}, ["name", f"{parent} as parent_node"])
		above = {
			row.name
			for row in rows
			if (above is None or row.parent_node in above) and (doctype, row.name) not in hidden
		}
		found |= above
	return found


def _reached_by_waiting(files: Mapping[str, bytes]) -> set[str]:
	behind = set(
		frappe.db.sql(
			f"select scope_type, ref from `tab{publish_state.TABLE}` where published_generation < generation"
		)
	)
	subjects = {ref for kind, ref in behind if kind == "subject"}
	plans = {ref for kind, ref in behind if kind == "plan"}
	plans |= set(
		frappe.get_all("CDN Rendition", {"subject": ("in", [*subjects, ""]), "mode": "shared"}, pluck="plan")
	)
	row = [paths.manifest(plan) for plan in sorted(plans)]
	if ("index", "") in {(kind, ref or "") for kind, ref in behind}:
		row.append(paths.PLAN_INDEX)
	known = set(row)
	for path in row:
		if path not in files or not path.endswith(".json"):
			continue
		row += (news := set(targets(orjson.loads(files[path]))) - known)
		known |= news
	return known


def _names(value: Any) -> Iterator[str]:
	if isinstance(value, list):
		for item in value:
			yield from _names(item)
	elif isinstance(value, dict):
		for key, item in value.items():
			if isinstance(item, str) and (key == "id" or key.endswith("_id")):
				yield item
			elif key != "stages":
				yield from _names(item)
