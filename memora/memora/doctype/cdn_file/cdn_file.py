import frappe
from frappe.model.document import Document


class CDNFile(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		access_level: DF.Data | None
		content_hash: DF.Data | None
		damaged: DF.Check
		drop_generation: DF.Int
		etag: DF.Data | None
		kind: DF.Data | None
		lesson_count: DF.Int
		live_version: DF.Int
		node: DF.Data | None
		old_headers: DF.Check
		outdated: DF.Check
		path: DF.Data | None
		pictures: DF.LongText | None
		refused: DF.Check
		remove_at: DF.Datetime | None
		required_item: DF.Data | None
		required_items: DF.SmallText | None
		scope: DF.Data | None
		shape_hash: DF.Data | None
		signed_until: DF.Datetime | None
		size: DF.Int
		state: DF.Literal["live", "in_flight", "removing", "removed"]
		subject: DF.Data | None
		uploaded_at: DF.Datetime | None
		version: DF.Int
	# end: auto-generated types

	pass


def on_doctype_update():
	frappe.db.add_index("CDN File", ["scope", "subject"])
	# Without `state`, which changes twice with every upload. Few rows have a moment in either.
	frappe.db.add_index("CDN File", ["remove_at"])
	frappe.db.add_index("CDN File", ["signed_until"])
	frappe.db.add_index("CDN File", ["outdated"])
	frappe.db.add_index("CDN File", ["old_headers"])
	_order_paths_by_bytes()
	frappe.db.add_index("CDN File", ["path"])


def _order_paths_by_bytes():
	"""Give paths the order in which storages list them: an audit reads both side by side."""
	((collation,),) = frappe.db.sql(
		"""select collation_name from information_schema.columns
		where table_schema = database() and table_name = 'tabCDN File' and column_name = 'path'"""
	)
	if collation != "utf8mb4_bin":
		frappe.db.sql_ddl("alter table `tabCDN File` modify path varchar(255) collate utf8mb4_bin")
