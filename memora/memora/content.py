"""What the controllers of content and plans have in common: they validate, and hold no pipeline logic."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cstr

from memora.memora import overrides
from memora.memora.refused_files import warn_unpublished
from memora.memora.restorable import Restorable
from memora.memora.texts import called, titles
from memora.services.cdn_export.curriculum import items, public_files
from memora.services.cdn_export.model import stage_files
from memora.services.cdn_export.model.doctypes import CONTENT, PARENT_FIELDS, PLAN
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.cdn_export.rules import sibling_order
from memora.services.course_outline.refusing import refuse_delete

_ADDRESS = re.compile(r"(/|https?://)[^<>\"`\ud800-\udfff]*")
"""Of a picture. The Desk puts it into HTML and makes a link of it: neither `"` nor `javascript:` may come there. Half a
character, as JSON can bring it, is none that a database keeps."""

_FILES = (stage_files.PUBLIC, stage_files.PRIVATE)


class Titled(Restorable):
	"""A document with a title and a hash for its name."""

	if TYPE_CHECKING:
		title: str | None

	def before_insert(self) -> None:
		super().before_insert()
		if self.meta.has_field("sort_order") and self.get("sort_order") in (None, ""):
			self.sort_order = _last_place(self)

	def get_valid_dict(self, *args, **kwargs) -> dict:
		"""The values as they are stored; an empty Sort Order of a new document stays empty.

		Frappe makes it 0 in the template of new documents, from which Data Import and `frappe.new_doc` take what is
		not given: nothing could tell that from a 0 that someone gave.
		"""
		found = super().get_valid_dict(*args, **kwargs)
		if "sort_order" in found and self.get("sort_order") is None and self.is_new():
			found["sort_order"] = None
		return found

	def validate(self) -> None:
		super().validate()
		self.title = cstr(self.title).strip()

	def validate_share(self, share: Document) -> None:
		"""Called by Frappe before a document is shared: a user can share only the rights that they have."""
		for right in ("read", "write", "share"):
			if share.get(right) and not self.has_permission(right):
				frappe.throw(
					_("{0} cannot be shared so: you do not have the right “{1}” yourself.").format(
						called(self), right
					),
					frappe.PermissionError,
				)


class ContentNode(Titled):
	"""A node of the curriculum: Subject, Track, Unit, Topic or Lesson."""

	def save(self, *args, **kwargs) -> ContentNode:
		self._keep_place()
		return super().save(*args, **kwargs)

	def _keep_place(self) -> None:
		"""Keep parent and Sort Order as they are stored where a form sends back those that it had loaded.

		The document may have been moved on the course page meanwhile, and a move is no edit of the document.
		"""
		loaded = self.get("__memora_place")
		if self.is_new() or not isinstance(loaded, dict):
			return
		parent_field = PARENT_FIELDS[self.doctype]
		fields = {"sort_order": loaded.get("sort_order"), parent_field: loaded.get("parent")}
		fields.pop("", None)
		# As others have committed it, also since this request began: Frappe locks the row for its own look in a moment.
		stored = (
			frappe.db.get_value(self.doctype, self.name, list(fields), as_dict=True, for_update=True) or {}
		)
		for field, value in fields.items():
			if field in stored and cstr(self.get(field)) == cstr(value):
				self.set(field, stored[field])

	def validate(self) -> None:
		super().validate()
		if item := self.get("required_item"):
			self.required_item = item.strip()  # a space alone names no item
		self._check_item()
		self._check_pictures()

	def _check_pictures(self) -> None:
		for fieldname in ("image", "badge_image"):
			if not self._is_changed(fieldname):
				continue
			url = cstr(self.get(fieldname))
			self._check_picture(fieldname, url)
			where = _("{0} of {1}").format(_(self.meta.get_label(fieldname)), called(self))
			warn_unpublished(where, public_files.refused_picture(url))

	def _check_picture(self, fieldname: str, url: str) -> None:
		if _ADDRESS.fullmatch(url):
			return
		field, signs = _(self.meta.get_label(fieldname)), as_html('< > " `')
		if url.startswith(_FILES):
			frappe.throw(
				_(
					"{0} of {1}: the file's name “{2}” holds one of {3}. Rename the file without it, and attach it again."
				).format(field, called(self), as_html(url.rpartition("/")[2]), signs)
			)
		frappe.throw(
			_(
				"{0} of {1} is no address of a picture. Attach a file, or enter an address like {2}; neither may hold any of {3}."
			).format(field, called(self), "https://example.com/a.png", signs),
		)

	def _check_item(self) -> None:
		item, problem = self.get("required_item"), items.problem(self.get("required_item"))
		if problem == items.MISSING and self._is_changed("required_item"):
			frappe.throw(
				_(
					"{0}: there is no Item “{1}”. Enter the code of an Item as Required Item, or leave it empty."
				).format(called(self), as_html(item)),
				frappe.LinkValidationError,
			)
		if problem:
			frappe.msgprint(
				items.warning(problem, called(self), as_html(item)),
				title=_("Not for Sale"),
				indicator="orange",
			)

	def _is_changed(self, fieldname: str) -> bool:
		"""Whether this save gives the field a value that it did not have."""
		before = self.get_doc_before_save()
		return bool(self.get(fieldname)) and not (before and before.get(fieldname) == self.get(fieldname))

	def on_trash(self) -> None:
		"""Refuse while something still needs this node.

		By SQL, because Frappe's map of dynamic links can miss overrides in long-running processes.
		"""
		below = CONTENT.index(self.doctype) + 1
		if below < len(CONTENT):
			child = CONTENT[below]
			refuse_delete(
				called(self),
				_("{0} still has content below it: {1}."),
				child,
				titles(child, {PARENT_FIELDS[child]: self.name}, "sort_order"),
				_("Delete that or move it elsewhere first."),
			)
		refuse_delete(
			called(self),
			_("{0} is named by an override of the plan {1}."),
			PLAN,
			overrides.plans_naming(self.doctype, self.name),
			_("Remove the override there first."),
		)

	def after_rename(self, old: str, new: str, merge: bool = False) -> None:
		overrides.follow_rename(self.doctype, old, new, merge)


class PlanTitle(Titled):
	"""A Season, Grade or Stream: something plans link to."""

	plan_field: str

	def on_trash(self) -> None:
		refuse_delete(
			called(self),
			_("{0} is used by the plan {1}."),
			PLAN,
			titles(PLAN, {self.plan_field: self.name}),
			_("Choose another one there, or delete the plan first."),
		)


def _last_place(doc: Document) -> int:
	"""The Sort Order that puts a new document behind its siblings."""
	parent_field = PARENT_FIELDS.get(doc.doctype)
	siblings = {parent_field: doc.get(parent_field)} if parent_field else {}
	last = frappe.get_all(doc.doctype, siblings, pluck="sort_order", order_by="sort_order desc", limit=1)
	return sibling_order.last(last[0] if last else None)
