from frappe.model.document import Document


class MemoraTrash(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		deleted_doctype: DF.Data | None
		deleted_name: DF.Data | None
		entry: DF.Data | None
		subject: DF.Data | None
		title: DF.Data | None
		titles_above: DF.LongText | None
		topic: DF.Data | None
		track: DF.Data | None
		unit: DF.Data | None
	# end: auto-generated types

	pass
