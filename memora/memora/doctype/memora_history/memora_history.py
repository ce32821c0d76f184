import frappe
from frappe.model.document import Document

from memora.services.history import entries


class MemoraHistory(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		changed_by: DF.Data | None
		event: DF.Literal["change", "trash"]
		ref_doctype: DF.Literal[
			"Memora Subject",
			"Memora Track",
			"Memora Unit",
			"Memora Topic",
			"Memora Lesson",
			"Memora Academic Plan",
		]
		ref_name: DF.ReadOnly | None
		size: DF.Int
		state: DF.JSON | None
	# end: auto-generated types

	@staticmethod
	def clear_old_logs(days: int = 180) -> None:
		"""Remove what is older than `days`, as Log Settings ask, and what is more than a document may keep."""
		entries.clear(days)


def on_doctype_update():
	frappe.db.add_index("Memora History", ["ref_doctype", "ref_name", "size"])
