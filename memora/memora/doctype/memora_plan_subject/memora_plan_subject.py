from memora.memora.texts import PlainTexts


class MemoraPlanSubject(PlainTexts):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		sort_order: DF.Int
		subject: DF.Link
	# end: auto-generated types

	pass
