from memora.memora.content import PlanTitle


class MemoraStream(PlanTitle):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		title: DF.Data
	# end: auto-generated types

	plan_field = "stream"
