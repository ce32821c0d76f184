import frappe
from frappe.model.document import Document


class CDNNodeChange(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		generation: DF.Int
		node: DF.Data | None
		node_doctype: DF.Data | None
		subject: DF.Data | None
	# end: auto-generated types

	pass


def on_doctype_update():
	frappe.db.add_index("CDN Node Change", ["subject", "generation"])
