"""Files that an editor puts into a text: looked at before they are kept, as a build will look at them.

They are public files of the site, attached to the document that names them, under a name that cannot be guessed: whoever
knows a public file's address can read it, whatever access its lesson has.
"""

from __future__ import annotations

import os
import unicodedata

import frappe
from frappe.model.document import Document
from frappe.utils.image import optimize_image

from memora.services.cdn_export import settings
from memora.services.cdn_export.rules import file_types
from memora.services.cdn_export.rules.refused_file import Refused
from memora.services.course_outline.rules import pictures

_LONGEST_STEM = 60
_SECRET = 16
"""Characters of a name that are random."""


def keep(doctype: str, name: str, file_name: str, content: bytes) -> Document:
	"""Make a public File of this, attached to a document, a picture without notes and of at most 1,920 pixels a side.

	The caller has looked whether the user may write to the document. Raises Refused for what a build would not publish;
	Frappe refuses what the site's own settings do not allow.
	"""
	stem, extension = os.path.splitext(file_name)
	content, extension = as_published(content, extension.lower().removeprefix("."))
	file = frappe.get_doc(
		{
			"doctype": "File",
			"file_name": f"{_plain(stem)}-{frappe.generate_hash(length=_SECRET)}.{extension}",
			"attached_to_doctype": doctype,
			"attached_to_name": name,
			"is_private": 0,
			"content": content,
		}
	)
	said = list(frappe.local.message_log)
	try:
		file.insert(ignore_permissions=True)  # editors may have no right to make a File
	except Exception as error:
		if type(error).__module__.startswith(
			"pypdf"
		):  # Frappe reads it from v17 on, and says nothing of its own
			raise Refused("content", "PDF") from error
		raise
	frappe.local.message_log = said  # Frappe forgets them where the document is not saved yet
	return file


def as_published(content: bytes, extension: str) -> tuple[bytes, str]:
	"""A file's content as it is kept, and its extension by that. Raises Refused for what a build would not publish."""
	options = settings.load()
	extension = file_types.judge(extension, content[: file_types.HEAD], [content], options.more_file_types)
	if file_types.is_picture(extension):
		content = _smaller(content, extension)
	if len(content) > options.largest_file:
		raise Refused("size", f"{options.largest_file / 1_000_000:g}")
	return content, extension


def _smaller(content: bytes, extension: str) -> bytes:
	content, is_large = pictures.without_notes(content, extension)
	if not is_large:
		return content
	side = pictures.LARGEST_SIDE
	smaller = optimize_image(content, file_types.content_type(extension), max_width=side, max_height=side)
	return min(content, smaller, key=len)


def _plain(stem: str) -> str:
	"""A file's name without what an address, HTML or a shell takes for something else."""
	letters = (
		sign if unicodedata.category(sign)[0] in "LMN" else "-"
		for sign in unicodedata.normalize("NFC", os.path.basename(stem))
	)
	words = "".join(letters).split("-")
	return "-".join(filter(None, words))[:_LONGEST_STEM] or "file"
