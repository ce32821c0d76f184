import frappe
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now

from memora.services.cdn_export.state import sync_log


class CDNSyncLog(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		amended_from: DF.Link | None
		bytes_uploaded: DF.Int
		changed_by: DF.SmallText | None
		changes: DF.SmallText | None
		completed_at: DF.Datetime | None
		error_message: DF.LongText | None
		files_deleted: DF.Int
		files_unchanged: DF.Int
		files_uploaded: DF.Int
		is_fallback: DF.Check
		next_retry_at: DF.Datetime | None
		plan_id: DF.Link
		plan_title: DF.Data | None
		retry_count: DF.Int
		started_at: DF.Datetime | None
		status: DF.Literal["Queued", "Processing", "Success", "Failed", "Dead Letter"]
		triggered_by: DF.Literal["", "Scheduler", "Threshold", "Manual", "Fallback Recovery"]
	# end: auto-generated types

	def onload(self) -> None:
		"""In its form the record says who and what by titles, those that the reader may read."""
		(said,) = sync_log.explain([{"changes": self.changes}])
		self.changes = said["cause"]

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Remove what is older than `days`, as Log Settings ask."""
		table = frappe.qb.DocType("CDN Sync Log")
		frappe.db.delete(table, filters=(table.creation < (Now() - Interval(days=days))))


def on_doctype_update():
	frappe.db.add_index("CDN Sync Log", ["status", "creation"])
	# The list's order. Later v15 releases make this index themselves, but not before the first change of the table.
	frappe.db.add_index("CDN Sync Log", ["creation"], index_name="creation")
