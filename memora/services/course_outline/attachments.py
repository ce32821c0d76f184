"""Pictures and other files that content names: a copy has them for its own, so that deleting the original leaves them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import frappe
import orjson
from frappe.model.document import Document

from memora.services.cdn_export.model import stage_files


def keep(docs: Iterable[Document]) -> None:
	"""Attach to these documents the files that they name and that are attached to others.

	Frappe deletes a file with the document that it is attached to, unless another one has it too. The address stays the same, so
	nothing that is published changes. A file that no document has, or that is lost, is left alone, and so is a private one that
	the caller may not read: who has a file attached to a document of theirs may read it, and a text can name any file.
	"""
	named = {(doc.doctype, doc.name): _named(doc) for doc in docs}
	urls = set().union(*named.values()) if named else set()
	if not urls:
		return
	files: dict[str, list[Any]] = {}
	for row in frappe.get_all(
		"File",
		{"file_url": ("in", sorted(urls)), "is_folder": 0},
		["name", "file_url", "file_name", "folder", "is_private", "attached_to_doctype", "attached_to_name"],
		order_by="creation",
	):
		files.setdefault(row.file_url, []).append(row)
	for (doctype, name), of_document in named.items():
		for url in sorted(of_document):
			rows = files.get(url, [])
			attached = {
				(row.attached_to_doctype, row.attached_to_name) for row in rows if row.attached_to_name
			}
			if attached and (doctype, name) not in attached:
				_attach(rows, doctype, name)


def _attach(rows: list[Any], doctype: str, name: str) -> None:
	row = next((row for row in rows if not row.is_private or _may_read(row.name)), None)
	if row is None or not os.path.exists(frappe.get_doc("File", row.name).get_full_path()):
		return
	values = {field: row[field] for field in ("file_url", "file_name", "folder", "is_private")}
	attached = {"attached_to_doctype": doctype, "attached_to_name": name}
	# Editors may have no right to make a File. They may read this one.
	frappe.get_doc({"doctype": "File", **values, **attached}).insert(ignore_permissions=True)


def _may_read(file: str) -> bool:
	return bool(frappe.has_permission("File", "read", file))


def _named(doc: Document) -> set[str]:
	"""The addresses of the site's files that a document names, as Frappe writes them."""
	links = [stage_files.Link(url, False) for field in ("image", "badge_image") if (url := doc.get(field))]
	for stage in doc.get("stages") or []:
		try:
			links += stage_files.links(orjson.loads(stage.config or "{}"))
		except orjson.JSONDecodeError:
			continue
	found = set()
	for link in links:
		found |= {f"{stage_files.PUBLIC}{name}" for name in stage_files.names(link)}
		if link.url.startswith(stage_files.PRIVATE):
			found.add(link.url)
	return found
