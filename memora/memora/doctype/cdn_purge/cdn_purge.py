from frappe.model.document import Document


class CDNPurge(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		error: DF.SmallText | None
		file_tag: DF.Data | None
		next_try_at: DF.Datetime | None
		receipt: DF.SmallText | None
		scope_tag: DF.Data | None
		tries: DF.Int
		url: DF.SmallText | None
	# end: auto-generated types

	pass
