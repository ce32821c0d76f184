"""Why a document is not deleted: what still needs it, by the titles that the caller may read."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import frappe
from frappe import _

from memora.services.cdn_export.model.doctypes import PLAN, SUBJECT, TARGET_NAME, Ref
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.course_outline import permissions
from memora.services.course_outline.rules.access import ref_of
from memora.services.course_outline.targets import Targets

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


def require_free(found: Targets, going: Collection[Ref]) -> None:
	"""Refuse before anything is deleted what would be refused for one of these later: Frappe has queued jobs by then.

	Raises PermissionError, and LinkExistsError as `refuse_delete`.
	"""
	if permissions.unreadable(going):
		frappe.throw(_("You may not delete all of this."), frappe.PermissionError)
	for ref in going:
		if any(ref_of(child) not in going for child in found.nodes[ref].children):
			frappe.throw(
				_("{0} still has content below it. Delete it with all below it, or move that first.").format(
					_called(found, ref)
				),
				frappe.LinkExistsError,
				title=_("Cannot be deleted"),
			)
	naming: dict[Ref, dict[str, str]] = {}
	listing: dict[Ref, dict[str, str]] = {}
	names = tuple({name for _doctype, name in going})
	for doctype, name, plan, title in frappe.db.sql(
		f"""select changed.target_doctype, {TARGET_NAME}, plan.name, plan.title from `tabMemora Plan Override` changed
		join `tab{PLAN}` plan on plan.name = changed.parent
		where changed.parenttype = %s and changed.target_name in %s order by plan.title""",
		(PLAN, names),
	):
		naming.setdefault((doctype, name), {})[plan] = title
	for name, plan, title in frappe.db.sql(
		f"""select listed.subject, plan.name, plan.title from `tabMemora Plan Subject` listed
		join `tab{PLAN}` plan on plan.name = listed.parent where listed.parenttype = %s and listed.subject in %s
		order by plan.title""",
		(PLAN, names),
	):
		listing.setdefault((SUBJECT, name), {})[plan] = title
	for plans, reason, remedy in (
		(naming, _("{0} is named by an override of the plan {1}."), _("Remove the override there first.")),
		(listing, _("{0} is in the plan {1}."), _("Remove it there first.")),
	):
		for ref in going:
			refuse_delete(_called(found, ref), reason, PLAN, plans.get(ref, {}), remedy)


def _called(found: Targets, ref: Ref) -> str:
	return f"{_(ref[0])} “{as_html(found.nodes[ref].title)}”"
