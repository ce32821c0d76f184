from frappe.model.document import Document


class CDNChange(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		event: DF.Literal["change", "trash", "move", "rename"]
		ref_doctype: DF.Data | None
		ref_name: DF.Data | None
		was: DF.Data | None
	# end: auto-generated types

	pass
