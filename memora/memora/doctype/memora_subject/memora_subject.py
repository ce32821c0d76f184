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

	pass
