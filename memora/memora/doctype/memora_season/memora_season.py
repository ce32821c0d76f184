import frappe
from frappe import _
from frappe.utils import getdate

from memora.memora.content import PlanTitle
from memora.memora.texts import called
from memora.services.cdn_export.model.doctypes import PLAN
from memora.services.cdn_export.model.plain_text import as_html


class MemoraSeason(PlanTitle):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		end_date: DF.Date | None
		is_published: DF.Check
		start_date: DF.Date | None
		title: DF.Data
	# end: auto-generated types

	plan_field = "season"

	def validate(self):
		super().validate()
		if self.start_date and self.end_date and getdate(self.end_date) < getdate(self.start_date):
			frappe.throw(_("End Date must not be before Start Date."))

	def on_change(self):
		if not self.is_published and not self.flags.in_delete:
			self.unpublish_plans()

	def after_rename(self, old: str, new: str, merge: bool = False):
		# A merge brings the plans of a season that may have been published.
		if not self.is_published:
			self.unpublish_plans()

	def unpublish_plans(self):
		"""Unpublish the season's plans, as documents, so that each one's change is tracked."""
		titles = []
		for name in frappe.get_all(
			PLAN, {"season": self.name, "is_published": 1}, pluck="name", order_by="title"
		):
			# A season has few plans, and each gets a comment of its own.
			plan = frappe.get_doc(PLAN, name)  # frapast:ignore FR-PERF-001
			plan.db_set("is_published", 0)
			plan.add_comment("Info", _("unpublished with {0}").format(called(self)))
			titles.append(f"“{as_html(plan.title)}”")
		if titles:
			frappe.msgprint(
				_("Unpublished with the season: {0}.").format(", ".join(titles)),
				title=_("Plans Unpublished"),
				indicator="orange",
			)
