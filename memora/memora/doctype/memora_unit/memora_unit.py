from memora.memora.content import ContentNode


class MemoraUnit(ContentNode):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		badge_image: DF.AttachImage | None
		description: DF.SmallText | None
		image: DF.AttachImage | None
		is_free_preview: DF.Check
		is_published: DF.Check
		parent_track: DF.Link
		sort_order: DF.Int
		title: DF.Data
	# end: auto-generated types

	pass
