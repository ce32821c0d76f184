import frappe
from frappe import _

from memora.memora.content import ContentNode
from memora.memora.texts import called


class MemoraTrack(ContentNode):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		description: DF.SmallText | None
		image: DF.AttachImage | None
		is_free_preview: DF.Check
		is_published: DF.Check
		is_sold_separately: DF.Check
		parent_item_required: DF.Check
		parent_subject: DF.Link
		required_item: DF.Data | None
		sort_order: DF.Int
		title: DF.Data
	# end: auto-generated types

	def validate(self):
		super().validate()
		if self.is_sold_separately and not self.required_item:
			frappe.throw(
				_("{0} is sold separately, so it must name an item. Enter its Required Item.").format(
					called(self)
				),
				frappe.MandatoryError,
			)
