from frappe import _

from memora.memora import overrides
from memora.memora.content import ContentNode


class MemoraSubject(ContentNode):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		color_code: DF.Color | None
		description: DF.SmallText | None
		image: DF.AttachImage | None
		is_free_preview: DF.Check
		is_public: DF.Check
		is_published: DF.Check
		required_item: DF.Data | None
		sort_order: DF.Int
		title: DF.Data
	# end: auto-generated types

	def on_trash(self):
		super().on_trash()
		self.refuse_delete(
			_("{0} is in the plan {1}."), overrides.plans_listing(self.name), _("Remove it there first.")
		)
