from frappe.model.document import Document


class CDNFilm(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		access: DF.Data | None
		access_level: DF.Data | None
		file: DF.Data | None
		film: DF.SmallText | None
		required_items: DF.SmallText | None
	# end: auto-generated types

	pass
