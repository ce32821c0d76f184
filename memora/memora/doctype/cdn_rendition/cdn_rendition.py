from frappe.model.document import Document


class CDNRendition(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		digest: DF.Data | None
		generation: DF.Int
		mode: DF.Literal["shared", "own"]
		plan: DF.Data | None
		search: DF.LongText | None
		subject: DF.Data | None
		summary: DF.LongText | None
	# end: auto-generated types

	pass
