import frappe
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now


class MemoraPreviewLink(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		document: DF.DynamicLink | None
		document_created: DF.Datetime | None
		document_type: DF.Link | None
		ends: DF.Datetime | None
		last_used: DF.Datetime | None
		maker: DF.Link | None
		plan: DF.Link | None
		revoked: DF.Datetime | None
		revoked_by: DF.Link | None
		secret_hash: DF.Data | None
		shows_drafts: DF.Check
	# end: auto-generated types

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Remove links that ended or were revoked more than `days` ago, as Log Settings ask."""
		table = frappe.qb.DocType("Memora Preview Link")
		before = Now() - Interval(days=days)
		frappe.db.delete(table, filters=((table.ends < before) | (table.revoked < before)))
