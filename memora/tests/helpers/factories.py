"""Content and plans for tests, inserted through Frappe so that every hook fires.

Each function takes any field of its DocType; what is required and not given is made up, parents too.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe.core.doctype.deleted_document.deleted_document import restore
from frappe.model.document import Document

from memora.services.cdn_export.model.doctypes import PARENT_FIELDS


def make(doctype: str, **fields: Any) -> Document:
	"""Insert a document; `title` is unique unless given."""
	fields.setdefault("title", f"{doctype.split()[-1]} {frappe.generate_hash(length=6)}")
	return frappe.get_doc({"doctype": doctype, **fields}).insert()


def make_subject(**fields: Any) -> Document:
	return make("Memora Subject", **fields)


def make_track(**fields: Any) -> Document:
	return make("Memora Track", **_below("parent_subject", make_subject, fields))


def make_unit(**fields: Any) -> Document:
	return make("Memora Unit", **_below("parent_track", make_track, fields))


def make_topic(**fields: Any) -> Document:
	return make("Memora Topic", **_below("parent_unit", make_unit, fields))


def make_lesson(**fields: Any) -> Document:
	return make("Memora Lesson", **_below("parent_topic", make_topic, fields))


def make_many(doctype: str, parent: Document, titles: list[str], **fields: Any) -> list[str]:
	"""Insert published children of `parent` in one statement, past Frappe's hooks; returns their names.

	They are in the order of `titles`, after what was there. Nothing notices them: use `relay.touch`.
	"""
	names = [frappe.generate_hash(length=10) for _ in titles]
	row = {PARENT_FIELDS[doctype]: parent.name, "is_published": 1, **fields}
	moment = frappe.utils.now()
	frappe.db.bulk_insert(
		doctype,
		["name", "title", "sort_order", "creation", "modified", *row],
		[
			(name, title, 1000 + place, moment, moment, *row.values())
			for place, (name, title) in enumerate(zip(names, titles, strict=True))
		],
	)
	return names


def make_plan(subjects: list[Document | str] = (), **fields: Any) -> Document:
	"""Insert a plan; `subjects` are documents or names, `overrides` may be made by `override`."""
	for fieldname in ("season", "grade", "stream"):
		if fieldname not in fields:
			fields[fieldname] = make(f"Memora {fieldname.title()}").name
	rows = [{"subject": getattr(subject, "name", subject)} for subject in subjects]
	return make("Memora Academic Plan", subjects=rows, **fields)


def override(target: Document, action: str, value: str = "") -> dict[str, str]:
	"""A row of a plan's overrides."""
	return {
		"target_doctype": target.doctype,
		"target_name": target.name,
		"action": action,
		"override_value": value,
	}


def _below(parent_field: str, make_parent: Any, fields: dict[str, Any]) -> dict[str, Any]:
	if parent_field not in fields:
		fields[parent_field] = make_parent().name
	return fields


def bring_back(doc: Document) -> None:
	"""Restore a deleted document."""
	restore(frappe.db.get_value("Deleted Document", {"deleted_name": doc.name, "restored": 0}))
