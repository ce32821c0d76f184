"""What the trash needs of a document: what a deletion leaves there, and what a restore gives back."""

from __future__ import annotations

import json

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import now

from memora.memora.texts import PlainTexts, called
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.course_outline import attachments, trash, trash_list


class Restorable(PlainTexts):
	"""A document that goes to the trash when it is deleted, and comes back with its name, its age and its files."""

	def insert(self, *args, **kwargs) -> Restorable:
		"""Insert; where this is a restore, first look whether all it links to is there.

		Frappe's own check would name a missing parent by its hash only. A name that the caller chooses, and that the trash
		keeps for others, is left to them: the document gets a new one.
		"""
		if self._is_restored():
			self._require_links()
			self.flags.restored = {"name": self.name, "creation": self.creation}
			self._name_rows()
			kwargs["set_child_names"] = False
		elif (chosen := self._chosen_name()) and trash_list.is_others(self.doctype, chosen):
			self.set("name", None)
			self.__dict__.pop("__newname", None)
		return super().insert(*args, **kwargs)

	def before_insert(self) -> None:
		# Siblings of equal sort_order are in the order of their creation.
		if self.flags.restored:
			self.creation = self.flags.restored["creation"]

	def autoname(self) -> None:
		# A name that is taken meanwhile is left to its owner. Asked once only: Frappe names a document again
		# when an insert collides.
		old = (self.flags.restored or {}).pop("name", None)
		if old:
			self.flags.restored_from = old
		if old and not frappe.db.exists(self.doctype, old):
			self.name = old

	def after_insert(self) -> None:
		if deleted_name := self.flags.restored_from:
			attachments.give_back(self, deleted_name)
			trash.forget(self.doctype, deleted_name)

	def after_delete(self) -> None:
		attachments.hold(self)
		self.flags.deleted_since = now()

	def notify_update(self) -> None:
		"""Frappe's, the one method that it calls of a deleted document after it has kept it."""
		super().notify_update()
		if since := self.flags.pop("deleted_since", None):
			trash.note(self, since)

	def _is_restored(self) -> bool:
		if self.flags.comes_back:
			return True  # whoever restores it has asked
		# Desk inserts carry __islocal, and an insert by other means seldom brings a name along.
		if not self.get("name") or self.get("__islocal"):
			return False
		return trash_list.may_bring_back(self.doctype, self.name)

	def _name_rows(self) -> None:
		"""Leave its rows the names that they had, by which the history knows them, but for those that are taken meanwhile."""
		for row in self.get_all_children():
			if not row.name or frappe.db.exists(row.doctype, row.name):
				row.name = frappe.generate_hash(length=10)

	def _chosen_name(self) -> str:
		"""The name that Frappe would give this document because its insert asks for it, "" for one that it makes."""
		return self.get("__newname") or (frappe.flags.in_import and self.get("name")) or ""

	def _require_links(self) -> None:
		# Not get_invalid_links, which answers from a cache that a deletion leaves as it is.
		for row in (self, *self.get_all_children()):
			for df in row.meta.get("fields", {"fieldtype": ("in", ("Link", "Dynamic Link"))}):
				doctype = df.options if df.fieldtype == "Link" else row.get(df.options)
				name = row.get(df.fieldname)
				if name and not frappe.db.exists(doctype, name):
					_refuse_restore(self, doctype, name)


def _refuse_restore(doc: Document, doctype: str, name: str) -> None:
	deleted = frappe.get_all(
		"Deleted Document",
		{"deleted_doctype": doctype, "deleted_name": name, "restored": 0},
		pluck="data",
		order_by="creation desc",
		limit=1,
	)
	if deleted:
		missing = f"{_(doctype)} “{as_html(json.loads(deleted[0]).get('title') or name)}”"
		message = _("{0} cannot be restored yet: {1} is deleted too. Restore that first.")
	else:
		missing = f"{_(doctype)} {as_html(name)}"
		message = _("{0} cannot be restored: {1} does not exist any more. Make a new one instead.")
	frappe.throw(message.format(called(doc), missing), frappe.LinkValidationError, _("Restore"))
