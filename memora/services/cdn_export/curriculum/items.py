"""The Items of ERPNext that content is sold by, where there is ERPNext: a rename is followed, the rest is warned of.

memora holds an Item Code as text, since it must work without ERPNext, so Frappe neither renames it nor asks before the
Item goes. Nothing here refuses anything to whoever works on an Item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import frappe
from frappe import _
from frappe.model.document import Document

from memora.services.cdn_export.model.doctypes import PLAN, SUBJECT, TRACK
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.cdn_export.state import database

MISSING, DISABLED = "missing", "disabled"
"""What keeps an Item from being sold."""

_ITEM = "Item"
_SAVEPOINT = "memora_item"
_OVERRIDE = "Memora Plan Override"
_FIELDS = {SUBJECT: "required_item", TRACK: "required_item", _OVERRIDE: "override_value"}
_NAMED_AT_MOST = 5


def after_rename(doc: Document, method: str | None, old: str, new: str, merge: bool = False) -> None:
	"""Let all that is sold by an Item name it by its new code; its plans are queued."""

	def follow() -> None:
		for doctype, name in _sold_by(old):
			# a document each, so that change tracking hears of it
			frappe.get_doc(doctype, name).db_set(_FIELDS[doctype], new)

	_never_failing(
		follow, f"content sold by the Item {old}, now {new}, could not follow; bench memora doctor lists it"
	)


def on_change(doc: Document, method: str | None = None) -> None:
	"""Say what is sold by an Item that has just been disabled."""
	if doc.flags.in_delete:
		return  # Frappe calls this then too, and on_trash has said it
	before = doc.get_doc_before_save()
	if doc.get("disabled") and not (before and before.get("disabled")):
		_never_failing(
			lambda: _warn(
				doc.name,
				_(
					"The Item {0} is disabled, but this is sold by it on the CDN: {1}. Choose another item there."
				),
			),
			f"what is sold by the disabled Item {doc.name} could not be found",
		)


def on_trash(doc: Document, method: str | None = None) -> None:
	"""Say what is sold by an Item that goes."""
	_never_failing(
		lambda: _warn(
			doc.name,
			_("The Item {0} is gone, but this is sold by it on the CDN: {1}. Choose another item there."),
		),
		f"what is sold by the deleted Item {doc.name} could not be found",
	)


def problem(code: str | None) -> str:
	"""MISSING or DISABLED where ERPNext cannot sell this Item Code; "" where it can, and without ERPNext."""
	return problems([code]).get(code or "", "")


def problems(codes: Iterable[str | None]) -> dict[str, str]:
	"""These Item Codes, each with its problem or "", by two statements; none without ERPNext."""
	wanted = {code for code in codes if code}
	if not wanted or not frappe.db.exists("DocType", _ITEM):
		return {}
	fields = ["name", "disabled"] if frappe.get_meta(_ITEM).has_field("disabled") else ["name"]
	there = {
		row.name: DISABLED if row.get("disabled") else ""
		for row in frappe.get_all(_ITEM, {"name": ("in", list(wanted))}, fields)
	}
	return {code: there.get(code, MISSING) for code in wanted}


def warning(problem: str, where: str, code: str) -> str:
	"""The sentence for a document that stays sold by an Item with this problem."""
	if problem == MISSING:
		return _(
			"{0}: ERPNext has no Item “{1}” any more, so no one can buy this. Choose another item."
		).format(where, code)
	return _("{0}: the Item “{1}” is disabled, so no one can buy this. Choose another item.").format(
		where, code
	)


def unsellable(most: int | None = None) -> list[str]:
	"""A sentence for each Item Code in use that ERPNext cannot sell, or for the first `most`; four statements where it can
	sell all, and some for each sentence."""
	codes = {code for doctype in _FIELDS for code in _codes(doctype)}
	wrong = sorted((code, found) for code, found in problems(codes).items() if found)
	return [warning(found, _named(_sold_by(code)), code) for code, found in wrong[:most]]


def _codes(doctype: str) -> list[str]:
	filters: dict[str, object] = {_FIELDS[doctype]: ("is", "set")}
	if doctype == _OVERRIDE:
		filters["action"] = "Set Sold Separately"
	return frappe.get_all(doctype, filters, pluck=_FIELDS[doctype], distinct=True)


def _sold_by(code: str) -> list[tuple[str, str]]:
	"""What names this Item Code, as it is written."""
	found = []
	for doctype, field in _FIELDS.items():
		filters = {field: code, **({"action": "Set Sold Separately"} if doctype == _OVERRIDE else {})}
		rows = frappe.get_all(doctype, filters, ["name", field])
		found += [(doctype, row.name) for row in rows if row[field] == code]
	return found


def _named(sold: list[tuple[str, str]]) -> str:
	"""These documents by kind and title, an override by its plan."""
	refs = [
		(PLAN, frappe.db.get_value(doctype, name, "parent")) if doctype == _OVERRIDE else (doctype, name)
		for doctype, name in sold[:_NAMED_AT_MOST]
	]
	titles = [f"{_(doctype)} “{frappe.db.get_value(doctype, name, 'title')}”" for doctype, name in refs]
	if len(sold) > _NAMED_AT_MOST:
		titles.append(_("and {0} more").format(len(sold) - _NAMED_AT_MOST))
	return ", ".join(titles)


def _warn(code: str, text: str) -> None:
	if sold := _sold_by(code):
		frappe.msgprint(
			text.format(as_html(code), as_html(_named(sold))),
			title=_("Still Sold by This Item"),
			indicator="orange",
		)


def _never_failing(work: Callable[[], None], otherwise: str) -> None:
	"""Do this beside someone's work on an Item, which it must not stop."""
	frappe.db.savepoint(_SAVEPOINT)
	try:
		work()
	except Exception as error:
		if isinstance(error, database.ERRORS) and database.errno(error) in database.TRANSACTION_ENDING:
			raise  # the work on the Item itself is gone: whoever did it must hear of it
		frappe.db.rollback(save_point=_SAVEPOINT)
		frappe.logger("memora").exception(otherwise)
