"""Where a row is: the subject that it belongs to, and what it is below there."""

from __future__ import annotations

from typing import Any

import frappe

from memora.services.cdn_export.model.doctypes import CONTENT, LESSON, PARENT_FIELDS
from memora.services.course_outline import permissions


def place(name: str, doctype: str = "") -> dict[str, Any]:
	"""The subject of a document, and the names from the subject's child down to the document itself.

	Without `doctype` it is whatever content is called so. Raises DoesNotExistError where there is none, PermissionError where
	the caller may not read it. `subject` is "" where something above is gone.
	"""
	kind = doctype or next((each for each in reversed(CONTENT) if frappe.db.exists(each, name)), LESSON)
	path: list[str] = []
	here = permissions.document(kind, name).name
	while here and (field := PARENT_FIELDS[kind]):
		path.insert(0, here)
		here = frappe.db.get_value(kind, here, field)
		kind = CONTENT[CONTENT.index(kind) - 1]
	return {"subject": here or "", "path": path}
