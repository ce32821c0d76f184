import frappe
from frappe import _
from frappe.utils import cstr

from memora.memora.texts import PlainTexts
from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.model.doctypes import CONTENT


class MemoraPlanOverride(PlainTexts):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		action: DF.Literal["", "Hide", "Rename", "Set Free", "Set Sold Separately"]
		override_value: DF.Data | None
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		target_doctype: DF.Literal[
			"", "Memora Subject", "Memora Track", "Memora Unit", "Memora Topic", "Memora Lesson"
		]
		target_name: DF.DynamicLink
	# end: auto-generated types

	def validate(self):
		# Frappe comes here only for a row that is saved by itself.
		super().validate()
		self.validate_value()

	def validate_value(self):
		"""Refuse what is wrong with the row whatever its plan holds."""
		self.override_value = plain_text.store(cstr(self.override_value).strip()) or None
		if self.target_doctype not in CONTENT:
			frappe.throw(
				_("Overrides, row {0}: the target must be one of {1}.").format(
					self.idx, ", ".join(_(doctype) for doctype in CONTENT)
				)
			)
		if self.action == "Rename" and not self.override_value:
			frappe.throw(
				_("Overrides, row {0}: Rename needs a value, the title that this plan shows.").format(
					self.idx
				),
				frappe.MandatoryError,
			)
