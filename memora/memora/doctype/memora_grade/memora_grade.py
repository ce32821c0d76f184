from memora.memora.content import PlanTitle


class MemoraGrade(PlanTitle):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		sort_order: DF.Int
		title: DF.Data
	# end: auto-generated types

	plan_field = "grade"
