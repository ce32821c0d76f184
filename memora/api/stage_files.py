"""Files that an editor uploads into a stage, from the form of the stage and the editor for texts.

The caller needs the right to write the document, or to make one of its kind while its form is not saved yet.
"""

from __future__ import annotations

import frappe
from frappe import _

from memora.api.endpoint import endpoint
from memora.memora.refused_files import why
from memora.services.cdn_export import settings
from memora.services.cdn_export.model.doctypes import CONTENT
from memora.services.cdn_export.model.plain_text import as_typed
from memora.services.cdn_export.model.roles import EDITORS
from memora.services.cdn_export.rules.refused_file import Refused
from memora.services.course_outline import attachments, permissions, uploads

_LARGEST_PHOTO = 50_000_000
"""Bytes of a picture as a camera wrote it: what is kept of it is far smaller."""


@endpoint(EDITORS, "POST")
@as_typed
def upload(doctype: str, name: str) -> dict[str, str]:
	"""Keep the request's `file` as a public file of the site, attached to a document of the curriculum. Answers its address
	and name. Raises ValidationError for what would not be published (`refused_files.why` says why and what to do)."""
	_require_right(doctype, name)
	file_name, content = _given()
	options = settings.load()
	try:
		if len(content) > max(_LARGEST_PHOTO, options.largest_file):
			raise Refused("size", f"{options.largest_file / 1_000_000:g}")
		file = uploads.keep(doctype, name, file_name, content)
	except Refused as error:
		frappe.throw(why(file_name, error), title=_("Not Uploaded"))
	return {"file_url": file.file_url, "file_name": file.file_name}


def _given() -> tuple[str, bytes]:
	"""Name and content of the request's file; of one that is too large, as much as shows that."""
	file = frappe.request.files.get("file") if frappe.request else None
	if not file or not file.filename:
		frappe.throw(_("Choose a file first."))
		raise AssertionError("unreachable: frappe.throw raises")
	return file.filename, file.stream.read(max(_LARGEST_PHOTO, settings.load().largest_file) + 1)


def _require_right(doctype: str, name: str) -> None:
	if doctype in CONTENT and attachments.is_unsaved(doctype, name):
		frappe.has_permission(doctype, "create", throw=True)
		return
	permissions.document(doctype, name, "write")
