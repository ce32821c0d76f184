"""Why a document is not deleted: what still needs it, by the titles that the caller may read."""

from __future__ import annotations

from collections.abc import Mapping

import frappe
from frappe import _

from memora.services.cdn_export.model.plain_text import as_html
from memora.services.course_outline import permissions

_NAMED_AT_MOST = 3
"""How many documents a refusal names before it says "and more"."""


def refuse_delete(called: str, reason: str, doctype: str, titles: Mapping[str, str], remedy: str) -> None:
	"""Refuse to delete the document that is `called` so because of others, if there are any: their titles, by name.

	`reason` has places for what it is called and for those titles. Of documents that the caller may not read the number is told.
	Raises LinkExistsError.
	"""
	if not titles:
		return
	hidden = permissions.unreadable((doctype, name) for name in titles)
	told = [f"“{as_html(title)}”" for name, title in titles.items() if (doctype, name) not in hidden]
	told = told[:_NAMED_AT_MOST] or ["“…”"]
	named = ", ".join(told)
	if len(titles) > len(told):
		named = _("{0} and {1} more").format(named, len(titles) - len(told))
	said = [reason.format(called, named), remedy]
	if hidden:
		said.append(_("You may not read {0} of these: ask an admin.").format(len(hidden)))
	frappe.throw(" ".join(said), frappe.LinkExistsError, _("Cannot be deleted"))
