from frappe.model.document import Document


class CDNMedia(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		file_url: DF.SmallText | None
		kept: DF.Check
		path: DF.Data | None
		stamp: DF.Data | None
	# end: auto-generated types

	pass
